#!/usr/bin/env python3
"""count_tests.py [--failed N] BUILD... - one honest line for what `meson test` did in BUILDs.

Counts single cases: each line of a program that speaks TAP, and each other program once.
A case that several builds ran counts once, and failed if it failed in any of them. Prints
what the failed programs said. Exits 1 when anything failed or nothing ran.

Reads meson's JSON log and not its JUnit file, which shows a program that was killed or
timed out between two cases as passed. --failed adds failures no log shows, such as a
build that did not compile.
"""

import collections
import json
import pathlib
import re
import sys

SKIPPED, PASSED, FAILED = range(3)
MESON = {"OK": PASSED, "EXPECTEDFAIL": PASSED, "SKIP": SKIPPED}  # everything else failed
TAP = re.compile(r"^(not )?ok\b\s*\d*\s*(?:- )?(.*?)\s*(# skip\b.*)?$", re.I | re.M)
HEAD_LINES, TAIL_LINES = 40, 20


def tap_cases(output):
    for negated, name, skip in TAP.findall(output):
        yield name, SKIPPED if skip else FAILED if negated else PASSED


def cases(test, protocol):
    """All (name, outcome) of one program. A program that broke without blaming one of its
    cases, by a crash, a timeout or a missing plan, is a failed case itself."""
    whole = MESON.get(test["result"], FAILED)
    found = list(tap_cases(test["stdout"])) if protocol == "tap" else []
    if not found or (whole == FAILED and FAILED not in (outcome for _, outcome in found)):
        found.append(("", whole))
    return found


def read_tests(build):
    build = pathlib.Path(build)
    listed = json.loads((build / "meson-info/intro-tests.json").read_text())
    protocols = {test["name"]: test["protocol"] for test in listed}
    for line in (build / "meson-logs/testlog.json").read_text().splitlines():
        test = json.loads(line)
        test["name"] = test["name"].split(" / ")[-1]
        yield test, protocols[test["name"]]


def show(build, test):
    said = [line for line in test["stdout"].splitlines() if not line.startswith("ok ")]
    said += test.get("stderr", "").splitlines()
    print(f"---- {build}: {test['name']}: {test['result']}")
    if len(said) > HEAD_LINES + TAIL_LINES:  # a sanitizer's first lines say most
        left_out = len(said) - HEAD_LINES - TAIL_LINES
        said[HEAD_LINES:-TAIL_LINES] = [f"... {left_out} lines more in {build}/meson-logs ..."]
    print("\n".join(said))


def main(arguments):
    failed = 0
    if arguments[:1] == ["--failed"]:
        failed = int(arguments[1])
        arguments = arguments[2:]
    worst = {}
    for build in arguments:
        try:
            for test, protocol in read_tests(build):
                seen = collections.Counter()
                for name, outcome in cases(test, protocol):
                    seen[name] += 1
                    key = (test["name"], name, seen[name])
                    worst[key] = max(outcome, worst.get(key, SKIPPED))
                if FAILED in (outcome for _, outcome in cases(test, protocol)):
                    show(build, test)
        except (OSError, ValueError, KeyError) as error:
            print(f"no test log in {build}: {error}")
            failed += 1
    for program, name, _ in sorted(key for key in worst if worst[key] == FAILED):
        print(f"FAILED {program}{': ' if name else ''}{name}")
    count = collections.Counter(worst.values())
    failed += count[FAILED]
    skipped = f", {count[SKIPPED]} skipped" if count[SKIPPED] > 0 else ""
    print(f"{count[PASSED]} passed, {failed} failed{skipped}")
    return 1 if failed > 0 or count[PASSED] == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
