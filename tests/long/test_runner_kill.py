#!/usr/bin/env python3
"""test_runner_kill.py INTERLOCK - a thousand test cases, none of them lost.

Runs cases of every kind through examples/test-runner in parallel, and ends `interlock run`
with `kill -9` again and again, each time followed by the same command. Then the report must
tell of each declared case what it was made to be: passed, failed, crashed, hung until its
time was over, or waiting for a person. Prints TAP and the seed that repeats the moments.
"""

import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MACHINE = os.path.join(ROOT, "examples", "test-runner", "test-case.yaml")

# Kinds of cases: share of a thousand, the shell command, the verdict, the state, the error.
KINDS = {
    "pass": (800, "echo case $INTERLOCK_INSTANCE", "passed", None, None),
    "fail": (120, "echo wrong >&2; exit 3", "failed", "ERROR", ("rejected", 3)),
    "crash": (60, "kill -SEGV $$", "crashed", "ERROR", ("crashed", 11)),
    "hang": (5, "sleep 20", "failed", "ERROR", ("timeout", None)),
    "person": (10, "true", "waiting", "NOT_STARTED", None),
    "nothing": (5, "", "failed", "ERROR", ("invalid", None)),
}
TIMEOUT_S = 4
LIFE_S = (0.05, 0.9)      # of a run before it is killed; the shortest die while they recover
END_SECONDS = 240         # for the last run, which nobody kills
SAMPLE = 20               # histories that are replayed


class Run:
    def __init__(self, arguments):
        self.interlock = os.path.abspath(arguments.interlock)
        self.dice = random.Random(arguments.seed)
        self.folder = tempfile.mkdtemp(prefix="interlock-runner-")
        self.kinds = self.make_cases(arguments.cases)
        self.write_steps()
        self.tap = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_cases(self, count):
        kinds = [kind for kind, row in KINDS.items() for _ in range(row[0] * count // 1000)]
        kinds += ["pass"] * (count - len(kinds))
        self.dice.shuffle(kinds)
        with open(self.path("cases.ndjson"), "w", encoding="utf-8") as file:
            for number, kind in enumerate(kinds, 1):
                case = {"id": f"{kind}-{number}", "command": KINDS[kind][1], "name": f'"{kind}"'}
                if kind == "person":
                    case["manual"] = True
                file.write(json.dumps(case) + "\n")
        return kinds

    def write_steps(self):
        with open(MACHINE, encoding="utf-8") as file:
            text = file.read()
        steps, count = re.subn(r"timeout: \w+", f"timeout: {TIMEOUT_S}s",
                               text[text.index("\nsteps:"):])
        assert count == 1, steps
        with open(self.path("steps.yaml"), "w", encoding="utf-8") as file:
            file.write(steps)

    def start(self):
        with open(self.path("out.tap"), "wb") as out, open(self.path("err"), "ab") as err:
            return subprocess.Popen(
                [self.interlock, "run", MACHINE, "--input", self.path("cases.ndjson"),
                 "--steps", self.path("steps.yaml"), "--db", self.path("cases.db"),
                 "--report", "tap", "--report", "junit=" + self.path("out.xml")],
                stdout=out, stderr=err)

    def ask(self, *words):
        ran = subprocess.run([self.interlock, *words, "--db", self.path("cases.db")],
                             capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{' '.join(words)}: {ran.stderr}"
        return ran.stdout

    def said(self):
        with open(self.path("err"), encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]


def kill_again_and_again(run, kills):
    for number in range(kills):
        process = run.start()
        try:
            status = process.wait(timeout=run.dice.uniform(*LIFE_S))
            raise AssertionError(f"all was done before kill {number + 1}: exit {status}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            assert not os.path.exists(run.path("out.xml")), "a report of a run that was killed"


def finish(run):
    process = run.start()
    try:
        status = process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"the last run does not end in {END_SECONDS} s") from None
    assert status == 1, f"exit {status}, where some cases did not pass"


def read_cases(run):
    """(is ok, id, {member: value}) of every case of the report, and its last lines."""
    with open(run.path("out.tap"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    cases = []
    for line in lines[1:]:
        point = re.fullmatch(r"(not ok|ok) (\d+) - ([\w-]+): (.*)", line)
        member = re.fullmatch(r"  (\w+): (.*)", line)
        if point:
            assert int(point[2]) == len(cases) + 1, line
            cases.append((point[1] == "ok", point[3], {}))
        elif member:
            cases[-1][2][member[1]] = json.loads(member[2])
    return cases, lines[-2:]


def every_case_is_told_as_it_was_made(run):
    run.tap, _ = read_cases(run)
    assert len(run.tap) == len(run.kinds), f"{len(run.tap)} of {len(run.kinds)} cases"
    for number, (kind, (is_ok, name, told)) in enumerate(zip(run.kinds, run.tap), 1):
        _, _, verdict, state, error = KINDS[kind]
        assert name == f"{kind}-{number}", (name, number)
        assert is_ok == (verdict == "passed"), (name, told)
        assert told.get("verdict", "passed") == verdict, (name, told)
        assert told.get("state") == state, (name, told)
        if error is not None:
            assert (told["kind"], told.get("code")) == error, (name, told)


def the_counts_are_right(run):
    wanted = collections.Counter(KINDS[kind][2] for kind in run.kinds)
    _, (plan, counts) = read_cases(run)
    assert plan == f"1..{len(run.kinds)}", plan
    found = {name: int(count) for name, count in re.findall(r"([a-z ]+) (\d+)", counts)}
    found = {name.strip(): count for name, count in found.items() if count > 0}
    assert found == wanted, (found, wanted)


def junit_says_the_same(run):
    suite = xml.etree.ElementTree.parse(run.path("out.xml")).getroot().find("testsuite")
    wanted = collections.Counter(KINDS[kind][2] for kind in run.kinds)
    counts = [int(suite.get(name)) for name in ("tests", "failures", "errors")]
    assert counts == [len(run.kinds), wanted["failed"],
                      wanted["crashed"] + wanted["waiting"]], counts
    wrong = [len(case.findall("failure") + case.findall("error"))
             for case in suite.findall("testcase")]
    assert wrong == [0 if is_ok else 1 for is_ok, _, _ in run.tap]


def histories_replay_to_the_same_state(run):
    for name in run.dice.sample([name for _, name, _ in run.tap], min(SAMPLE, len(run.tap))):
        run.ask("history", name, "--verify")


CHECKS = [every_case_is_told_as_it_was_made, the_counts_are_right, junit_says_the_same,
          histories_replay_to_the_same_state]


def report(number, name, action):
    """True when it went well."""
    try:
        action()
    except Exception as wrong:  # pylint: disable=broad-except
        print(f"not ok {number} - {name}\n# {type(wrong).__name__}: {str(wrong)[:2000]}")
        return False
    print(f"ok {number} - {name}", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("interlock")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    print(f"1..{1 + len(CHECKS)}\n# seed {arguments.seed}", flush=True)
    run = Run(arguments)

    def play():
        kill_again_and_again(run, arguments.kills)
        finish(run)

    is_fine = report(1, f"{arguments.kills} kills in {arguments.cases} cases", play)
    for number, check in enumerate(CHECKS, 2):
        is_fine &= report(number, check.__name__.replace("_", " "), lambda: check(run))
    if not is_fine:
        print("# " + run.said().replace("\n", "\n# "))
    if is_fine and not arguments.keep:
        shutil.rmtree(run.folder)
    else:
        print(f"# kept: {run.folder}")
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
