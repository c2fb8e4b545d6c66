#!/usr/bin/env python3
"""emitted_runner.py PROGRAM SHARED - the suites' machines as C, and what they do there.

Every machine of conformance/xstate, scion and scxml that `graph -o c` can write is compiled
without a warning and run through its case, whose active states and status it must have after
every event. Counted are those that can be written and those that agree; falling below either
floor fails. --failures prints what differs and what is refused.

$INTERLOCK_SHARED comes before SHARED. Without the suites or a compiler it says so and skips.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Of each suite: how many can be written, which must all agree.
FLOORS = {"xstate": 164, "scion": 69, "w3c": 5}

FLAGS = ["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O0"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]

# Runs a script and says after every line of it where the instance is. The clock is virtual.
DRIVER = """\
#include "emitted.c"
#include <stdio.h>

static struct { int event; long long due; } waiting[200];
static int count;
static long long clock_ms;
static struct NAME it;

HOST
static void step(int event)
{
    struct NAME_event given = {.type = (enum NAME_event_type)event};
    NAME_step(&it, &host, &given);
}

static void advance(long long until)
{
    for (;;) {
        int first = -1;
        for (int i = 0; i < count; i++) {
            if (waiting[i].due <= until && (first < 0 || waiting[i].due < waiting[first].due))
                first = i;
        }
        if (first < 0)
            break;
        int event = waiting[first].event;
        clock_ms = waiting[first].due;
        for (int i = first; i + 1 < count; i++)
            waiting[i] = waiting[i + 1];
        count--;
        step(event);
    }
    clock_ms = until;
}

static void tell(void)
{
    printf("%d", (int)it.status);
    for (int i = 0; i < STATES; i++) {
        if (NAME_is_in(&it, (enum NAME_state)i) && row[i] != NO_ROW)
            printf("\\t%s", NAME_state_name((enum NAME_state)i));
    }
    printf("\\n");
}

int main(void)
{
    long long at;
    int event;
    NAME_start(&it, &host);
    tell();
    while (scanf("%lld %d", &at, &event) == 2) {
        advance(at);
        if (event != 0)
            step(event);
        tell();
    }
    return 0;
}
"""

HOSTS = {
    "act": "static void act(void *c, const struct NAME *s, enum NAME_action n, "
           "const struct NAME_event *e)\n{ (void)c; (void)s; (void)n; (void)e; }\n",
    "arm": "static void arm(void *c, const struct NAME *s, enum NAME_event_type n, int64_t ms)\n"
           "{\n    (void)c;\n    (void)s;\n    waiting[count].event = (int)n;\n"
           "    waiting[count++].due = clock_ms + ms;\n}\n",
    "disarm": "static void disarm(void *c, const struct NAME *s, enum NAME_event_type n)\n"
              "{\n    int kept = 0;\n    (void)c;\n    (void)s;\n"
              "    for (int i = 0; i < count; i++) {\n        if (waiting[i].event != (int)n)\n"
              "            waiting[kept++] = waiting[i];\n    }\n    count = kept;\n}\n",
}

# What is asked of a caller, who is nobody here.
UNANSWERED = {"guard": "a guard that is not declared", "invoke": "a child"}

FOREVER = 1 << 40

Case = collections.namedtuple("Case", "suite name file text steps")
# The active leaves and the status after a line of the script; None: whatever it is.
Step = collections.namedtuple("Step", "at event leaves status")


def leaves_of(value, prefix=""):
    """The paths of the active leaves in XState's form of a state's value."""
    if isinstance(value, str):
        return {prefix + value}
    found = set()
    for key, inner in value.items():
        found |= leaves_of(inner, f"{prefix}{key}.") if inner != {} else {prefix + key}
    return found


def xstate_cases(folder):
    path = folder / "xstate/recorded.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        case = json.loads(line)
        at = 0
        looks = [(0, None, case["initial"])]
        for step in case["steps"]:
            at = step.get("at", at)
            looks.append((at, step["event"]["type"], step["after"]))
        steps = [Step(at, event, leaves_of(look["value"]), look["status"])
                 for at, event, look in looks]
        yield Case("xstate", case["id"], "machine.json", json.dumps(case["config"]), steps)


def scion_cases(folder):
    for path in sorted((folder / "scion").glob("*/*.scxml")):
        case = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        at = 0
        steps = [Step(0, None, set(case["initialConfiguration"]), None)]
        for event in case["events"]:
            at += event.get("after", 0)
            steps.append(Step(at, event["event"]["name"], set(event["nextConfiguration"]), None))
        yield Case("scion", f"{path.parent.name}/{path.stem}", "machine.scxml",
                   path.read_text(encoding="utf-8"), steps)


def w3c_cases(folder):
    for path in sorted((folder / "scxml/ecma").glob("test*.scxml")):
        if "sub" not in path.stem:
            yield Case("w3c", path.stem, "machine.scxml", path.read_text(encoding="utf-8"),
                       [Step(0, None, None, None), Step(FOREVER, None, {"pass"}, "done")])


def enum_of(emitted, kind, word):
    found = re.search(r"enum \w+_%s \{\n(.*?)\};" % kind, emitted, re.S)
    return re.findall(r"^ +\w+?_%s_(\w+)" % word, found[1], re.M) if found else []


def event_number(names, event):
    """The number of an event: its own, that of the longest beginning, or OTHER."""
    def plain(text):
        return ("" if text[:1].isalpha() else "m_") + re.sub(r"\W", "_", text, flags=re.A)

    words = event.split(".")
    wanted = [plain(event)] + [plain(".".join(words[:i]) + end)
                               for i in range(len(words), 0, -1) for end in (".*", "")]
    for name in wanted:
        if name in names:
            return names.index(name) + 1
    return 1


def driver_of(emitted):
    name = re.search(r"^void (\w+)_start\(", emitted, re.M)[1]
    asked = [host for host in HOSTS if re.search(r"\(\*%s\)" % host, emitted)]
    host = "".join(HOSTS[one] for one in asked) + "static const struct NAME_host host = {" + \
        ", ".join([".context = NULL"] + [f".{one} = {one}" for one in asked]) + "};\n"
    return DRIVER.replace("HOST", host).replace("NAME", name)


def run(case, program, compiler):
    """What is wrong with a case, "" for nothing; and whether it could be written."""
    with tempfile.TemporaryDirectory() as folder:
        def call(*words, **more):
            return subprocess.run(words, cwd=folder, text=True, capture_output=True,
                                  check=False, **more)

        pathlib.Path(folder, case.file).write_text(case.text, encoding="utf-8")
        written = call(program, "graph", case.file, "-o", "c")
        if written.returncode != 0:
            return written.stderr.splitlines()[0], False
        for host, problem in UNANSWERED.items():
            if f"(*{host})" in written.stdout:
                return problem, False
        pathlib.Path(folder, "emitted.c").write_text(written.stdout, encoding="utf-8")
        pathlib.Path(folder, "driver.c").write_text(driver_of(written.stdout), encoding="utf-8")
        built = call(compiler, *FLAGS, "driver.c", "-o", "driver")
        if built.returncode != 0:
            return f"{compiler}: {built.stderr}", True
        names = enum_of(written.stdout, "event_type", "ON")
        script = "".join(f"{step.at} {event_number(names, step.event) if step.event else 0}\n"
                         for step in case.steps[1:])
        told = call("./driver", input=script, timeout=60)
        return compare(case, told), True


def name_of(path, names):
    """What a suite calls a state: by its path, or by its id, which is the end of it."""
    return next((name for name in names or () if f".{path}".endswith(f".{name}")), path)


def compare(case, told):
    lines = told.stdout.splitlines()
    if told.returncode != 0 or len(lines) != len(case.steps):
        return f"the program ended with {told.returncode}: {told.stderr}"
    for i, (line, step) in enumerate(zip(lines, case.steps)):
        number, *paths = line.split("\t")
        status = ["active", "done", "error"][int(number)]
        leaves = {name_of(path, step.leaves) for path in paths if path}
        if step.leaves not in (None, leaves) or step.status not in (None, status):
            return f"line {i}: {status} in {sorted(leaves)}, not {step.status} in " \
                   f"{sorted(step.leaves)}"
    return ""


def main():
    words = [word for word in sys.argv[1:] if word != "--failures"]
    program = os.path.abspath(words[0])
    folder = pathlib.Path(os.environ.get("INTERLOCK_SHARED", words[1])) / "conformance"
    cases = [*xstate_cases(folder), *scion_cases(folder), *w3c_cases(folder)]
    if not cases or not COMPILERS:
        print(f"1..0 # SKIP there {'is no compiler' if cases else f'are no cases at {folder}'}")
        return 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, cases, [program] * len(cases),
                                [COMPILERS[i % len(COMPILERS)] for i in range(len(cases))]))
    fails = False
    print(f"1..{len(FLOORS)}")
    for number, (suite, floor) in enumerate(FLOORS.items(), 1):
        mine = [(case, *result) for case, result in zip(cases, results) if case.suite == suite]
        written = [one for one in mine if one[2]]
        agree = [one for one in written if one[1] == ""]
        for case, problem, is_written in mine:
            if problem and (is_written or "--failures" in sys.argv):
                print(f"# {suite} {case.name}: {'' if is_written else 'refused: '}"
                      + problem.replace("\n", "\n# "))
        holds = len(written) >= floor and len(agree) == len(written)
        fails = fails or not holds
        print(f"{'ok' if holds else 'not ok'} {number} - {suite} in C: {len(written)} of "
              f"{len(mine)} can be written, {len(agree)} agree", flush=True)
    return 1 if fails else 0


sys.exit(main())
