#!/usr/bin/env python3
"""`run --report`: every declared record is accounted for, whatever programs print."""

import json
import os
import re
import signal
import subprocess
import time
import xml.etree.ElementTree

import harness

MACHINE = """\
id: job
version: "1"
context: { command: "${input.command}", out: null, why: null }
initial: NEW
states:
  NEW: { always: { target: WORKING, guard: "context.command != ''" }, on: { GO: WORKING } }
  WORKING:
    invoke:
      src: work
      onDone: { target: DONE, assign: { out: "${event.output}" } }
      onError: { target: FAILED, guard: "event.error.kind != 'unavailable'",
                 assign: { why: "${event.error}" } }
  DONE: { type: final, output: "${context.out}" }
  FAILED: { type: final, tags: [failure] }
steps:
  work: { exec: ["/bin/sh", "-c", "${context.command}"], output: text, timeout: 20s,
          limit: { concurrency: 4, queue: 10000 } }
"""

KINDS = ["passed", "failed", "crashed", "error", "waiting", "unfinished", "never ran",
         "bad record", "conflict", "not let in"]

ODD_NAMES = [
    'quotes " and \' and \\ and \\# and #', "# SKIP me", "# TO" "DO", "two\nlines\r\nand\ttabs",
    "ok 1 - not", "]]>", "<a href=\"x\">&amp;</a>", "\u2028\u2029\u0085|", "\x00\x01\x1b[31m\x7f",
    "\ufffe\uffff", "😀 é", "   ", "--- ...", "x" * 3000,
]

# As the words of printf. What is no UTF-8 cannot be an output, but can be an error.
ODD_OUTPUTS = [
    "]]>", "<![CDATA[ & ]]>", "  ...\\n---\\n", "ok 1 - forged\\nnot ok 2\\n1..7\\nBail out!\\n",
    "\\n\\n\\n", "\\r\\n\\t|", "\\001\\002\\033[1m", "quotes \\\" $",
]
NO_UTF8 = ["\\377\\376", "\\303", "\\355\\240\\200", "\\360\\237"]


def read_block(lines):
    """The lines of a YAML block that this program writes: JSON, or a list of strings."""
    block = {}
    for line in lines:
        if line.startswith("    - "):
            block[key].append(json.loads(line[6:]))
            continue
        key, value = re.fullmatch(r"  (\w+):(?: (.*))?", line).groups()
        assert key not in block, key
        block[key] = [] if value is None else json.loads(value)
    return block


def read_tap(text):
    """The cases as (is ok, title, block), and the counts of the last line. Strict."""
    assert text.endswith("\n"), text
    lines = text[:-1].split("\n")
    assert lines.pop(0) == "TAP version 14", text
    cases = []
    while not lines[0].startswith("1.."):
        point = re.fullmatch(r"(ok|not ok) (\d+) - ((?:[^#\\]|\\[#\\])*)", lines.pop(0))
        assert point and int(point[2]) == len(cases) + 1, (point, lines[:3])
        assert lines.pop(0) == "  ---", lines
        end = lines.index("  ...")
        block, lines = lines[:end], lines[end + 1:]
        title = re.sub(r"\\(.)", r"\1", point[3])
        cases.append((point[1] == "ok", title, read_block(block)))
    assert int(re.fullmatch(r"1\.\.(\d+)(?: # SKIP .*)?", lines.pop(0))[1]) == len(cases)
    counts = dict(re.fullmatch(r"(.+) (\d+)", part).groups()
                  for part in lines.pop(0)[2:].split(", "))
    assert list(counts) == KINDS, counts
    assert all(line.startswith("# ") for line in lines), lines
    return cases, {kind: int(count) for kind, count in counts.items() if count != "0"}


def shown(words):
    """Words as a line of text can show them."""
    return re.sub("[\x00-\x1f\x7f\x85\u2028\u2029]", " ", words)


class Report(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("job.yaml", MACHINE)

    def cases(self, *records):
        self.write("in.ndjson", "".join((each if isinstance(each, str) else json.dumps(each)) +
                                        "\n" for each in records))

    def command(self, *words, records="in.ndjson"):
        return ["run", "job.yaml", "--input", records, "--db", "j.db", *words]

    def report(self, *words, status=0, **more):
        """Runs with both reports, which must agree; the cases, the counts, and the answer."""
        answer = self.must(*self.command("--report", "tap", "--report=junit=out.xml", *words),
                           status=status, **more)
        cases, counts = read_tap(answer.out)
        self.check_junit(cases, counts)
        return cases, counts, answer

    def check_junit(self, cases, counts):
        root = xml.etree.ElementTree.parse(self.path("out.xml")).getroot()
        suite = root.find("testsuite")
        found = suite.findall("testcase")
        properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
        failed = counts.get("failed", 0)
        self.assertEqual([suite.get(name) for name in ("tests", "failures", "errors", "skipped")],
                         [str(count) for count in
                          (len(cases), failed, len(cases) - counts.get("passed", 0) - failed, 0)])
        self.assertEqual([int(properties[kind]) for kind in KINDS],
                         [counts.get(kind, 0) for kind in KINDS])
        self.assertEqual(len(found), len(cases))
        for case, (is_ok, _, block) in zip(found, cases):
            wrong = case.findall("failure") + case.findall("error")
            self.assertEqual(len(wrong), 0 if is_ok else 1)
            if not is_ok and block["verdict"] != "failed":
                self.assertEqual((wrong[0].tag, wrong[0].get("type")), ("error", block["verdict"]))
            self.assertGreaterEqual(float(case.get("time")), 0)
        return found

    def test_every_kind_of_end_is_counted_apart(self):
        self.cases({"id": "changed", "command": "true"})
        self.report()
        self.cases({"id": "good", "command": "echo fine", "name": "a good one"},
                   {"id": "bad", "command": "echo first >&2; echo second >&2; exit 3"},
                   {"id": "crash", "command": "kill -ABRT $$"},
                   {"id": "stuck", "command": "exit 75"},
                   {"id": "person", "command": ""},
                   "{no record",
                   {"id": "changed", "command": "false"},
                   {"id": "good", "command": "echo again"})
        cases, counts, answer = self.report(status=1)
        self.assertEqual(counts, {"passed": 1, "failed": 1, "crashed": 1, "error": 1,
                                  "waiting": 1, "bad record": 2, "conflict": 1})
        self.assertEqual([title for _, title, _ in cases],
                         ["good: a good one", "bad", "crash", "stuck", "person", "in.ndjson:6",
                          "changed", "in.ndjson:8"])
        self.assertEqual([block.get("verdict") for _, _, block in cases],
                         [None, "failed", "crashed", "error", "waiting", "bad record",
                          "conflict", "bad record"])
        bad = cases[1][2]
        self.assertEqual((bad["state"], bad["kind"], bad["code"], bad["message"], bad["lines"]),
                         ("FAILED", "rejected", 3, "exit status 3: first", ["second"]))
        self.assertEqual((cases[2][2]["kind"], cases[2][2]["code"]), ("crashed", 6))
        self.assertEqual(cases[3][2]["kind"], "unavailable")
        self.assertEqual(cases[4][2]["message"], "waits for event GO")
        self.assertEqual(cases[7][2]["message"], "duplicate id good: line 1 has it")
        self.assertIn("in.ndjson:7: error IL1004:", answer.err)

    def test_all_passed_exits_0(self):
        self.cases(*({"id": i, "command": "true"} for i in range(20)))
        cases, counts, answer = self.report()
        self.assertEqual(counts, {"passed": 20})
        self.assertEqual(answer.err, "")
        self.assertTrue(all(set(block) == {"duration_ms"} for _, _, block in cases))

    def test_a_failure_exits_1_with_a_report_and_with_junit_alone_too(self):
        self.cases({"id": "a", "command": "exit 1"})
        self.must(*self.command())
        answer = self.must(*self.command("--report", "junit=out.xml"), status=1)
        self.assertRegex(answer.out, r"(?m)^FAILED +1 ")
        self.check_junit([(False, "a", {"verdict": "failed"})], {"failed": 1})

    def test_odd_names_stay_names(self):
        self.cases(*({"id": f"c{i}", "name": name, "command": "false"}
                     for i, name in enumerate(ODD_NAMES)),
                   {"id": "\n# \"id\"", "name": 7, "command": "true"})
        cases, counts, _ = self.report(status=1)
        self.assertEqual(counts, {"passed": 1, "failed": len(ODD_NAMES)})
        for i, name in enumerate(ODD_NAMES):
            told = name.split("\0")[0]
            self.assertEqual(cases[i][1], f"c{i}: {shown(told)}" if told else f"c{i}")
        self.assertEqual(cases[-1][1], ' # "id"')
        names = [case.get("name") for case in self.check_junit(cases, counts)]
        self.assertEqual(names[3], "c3: two\nlines\r\nand\ttabs")
        self.assertEqual(names[9], "c9: \ufffd\ufffd")

    def test_odd_outputs_stay_outputs(self):
        self.cases(*({"id": f"out{i}", "command": f'printf "{words}"'}
                     for i, words in enumerate(ODD_OUTPUTS)),
                   *({"id": f"err{i}", "command": f'printf "{words}" >&2; exit 1'}
                     for i, words in enumerate(ODD_OUTPUTS + NO_UTF8)))
        cases, counts, _ = self.report(status=1)
        self.assertEqual(counts, {"passed": len(ODD_OUTPUTS),
                                  "failed": len(ODD_OUTPUTS) + len(NO_UTF8)})
        found = self.check_junit(cases, counts)
        self.assertEqual(found[0].find("system-out").text, "]]>")
        self.assertEqual(found[1].find("system-out").text, "<![CDATA[ & ]]>")
        self.assertEqual(found[5].find("system-out").text, "\r\n\t|")
        self.assertEqual(found[6].find("system-out").text, "\ufffd\ufffd\ufffd[1m")
        forged = cases[len(ODD_OUTPUTS) + 3][2]
        self.assertEqual(forged["message"], "exit status 1: ok 1 - forged")
        self.assertEqual(forged["lines"], ["not ok 2", "1..7", "Bail out!"])

    def test_much_output_is_told_by_its_end(self):
        self.write("job.yaml", MACHINE.replace("FAILED: {", 'FAILED: { output: "${context.out}",')
                   .replace("target: DONE,", "target: FAILED,"))
        self.cases({"id": "a", "command": "seq 1 30000"})
        cases, _, _ = self.report(status=1)
        self.assertEqual(cases[0][2]["message"], "ended in FAILED")
        self.assertEqual(cases[0][2]["output"], [str(i) for i in range(29961, 30001)])
        tree = xml.etree.ElementTree.parse(self.path("out.xml"))
        self.assertTrue(tree.find(".//system-out").text.endswith("\n29999\n30000"))
        self.assertEqual(len(tree.find(".//system-out").text), 64 << 10)

    def test_the_output_of_a_final_state_says_why(self):
        self.write("job.yaml", MACHINE.replace(
            "FAILED: {", "FAILED: { output: { kind: slow, message: 'over budget', code: 12 },"))
        self.cases({"id": "a", "command": "exit 9"})
        cases, counts, _ = self.report(status=1)
        self.assertEqual(counts, {"failed": 1})
        self.assertEqual({key: cases[0][2][key] for key in ("kind", "message", "code")},
                         {"kind": "slow", "message": "over budget", "code": 12})

    def test_duration_is_work_and_not_waiting_in_line(self):
        self.cases(*({"id": i, "command": "sleep 0.2"} for i in range(12)))
        cases, _, _ = self.report()
        for _, title, block in cases:
            self.assertGreaterEqual(block["duration_ms"], 200, title)
        self.assertLess(sorted(block["duration_ms"] for _, _, block in cases)[6], 550)

    def wait_for(self, name):
        for _ in range(1000):
            if os.path.exists(self.path(name)):
                return
            time.sleep(0.01)
        self.fail(f"{name} does not appear")

    def stop_early(self, *words, **more):
        process = self.begin(*self.command("--report", "tap", "--report", "junit=out.xml", *words),
                             **more)
        self.wait_for("begun")
        process.send_signal(signal.SIGTERM)
        return self.end(process)

    def test_what_a_stopped_run_did_not_get_to_never_ran(self):
        fast = [{"id": f"f{i}", "command": "true"} for i in range(8)]
        slow = [{"id": f"s{i}", "command": "touch begun; sleep 60"} for i in range(4)]
        rest = [{"id": f"r{i}", "command": "true", "name": f"rest {i}"} for i in range(6000)]
        self.cases(*fast, *slow, *rest, "{bad")
        answer = self.stop_early()
        self.assertEqual(answer.status, 1, answer)
        cases, counts = read_tap(answer.out)
        self.check_junit(cases, counts)
        self.assertEqual(len(cases), 8 + 4 + 6000 + 1)
        self.assertEqual(counts["bad record"], 1)
        self.assertEqual(counts.get("passed", 0) + counts["unfinished"] + counts["never ran"],
                         6012)
        self.assertGreaterEqual(counts["never ran"], 6000)
        self.assertLessEqual(counts["unfinished"], 4)
        self.assertEqual(cases[-2][1:], ("r5999: rest 5999", {
            "verdict": "never ran", "message": "the run was stopped before it came to it"}))

    def test_a_resumed_run_reports_what_was_finished_before(self):
        records = [{"id": f"c{i}", "command": f"echo {i} >>ledger"} for i in range(50)]
        self.cases(*records[:30])
        self.report()
        self.cases(*records)
        _, counts, _ = self.report()
        self.assertEqual(counts, {"passed": 50})
        with open(self.path("ledger"), encoding="utf-8") as file:
            self.assertEqual(len(file.readlines()), 50)

    def test_a_stopped_run_knows_what_an_earlier_one_finished(self):
        finished = [{"id": f"done{i}", "command": "true"} for i in range(3)]
        self.cases(*finished, {"id": "changed", "command": "true"})
        self.report()
        slow = [{"id": f"s{i}", "command": "touch begun; sleep 60"} for i in range(5000)]
        self.cases(*slow, *finished, {"id": "changed", "command": "false"})
        answer = self.stop_early()
        cases, counts = read_tap(answer.out)
        self.assertEqual(counts["passed"], 3)
        self.assertEqual(counts["unfinished"] + counts["never ran"], 5001)
        self.assertEqual(cases[-1][2]["verdict"], "never ran")

    def test_standard_input_that_has_not_ended_is_said(self):
        process = self.begin(*self.command("--report", "tap", records="-"), stdin=subprocess.PIPE)
        process.stdin.write('{"id":"a","command":"touch begun"}\n')
        process.stdin.flush()
        self.wait_for("begun")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 1)
        out, _ = process.communicate()
        self.assertEqual(len(read_tap(out)[0]), 1)
        self.assertIn("# stopped before the input's end: there may be more cases\n", out)

    def test_no_case_is_no_pass(self):
        self.cases()
        self.assertEqual(self.report()[:2], ([], {}))

    def test_reports_that_cannot_be_are_refused_before_anything_runs(self):
        self.cases({"id": "a", "command": "touch begun"})
        for words, status, said in (
                (["tap", "--report", "tap"], 2, "--report tap is given twice"),
                (["junit=a", "--report=junit=b"], 2, "--report junit is given twice"),
                (["xml"], 2, "--report is tap or junit=FILE, and not `xml`"),
                (["junit="], 2, "--report is tap or junit=FILE"),
                (["junit"], 2, "--report is tap or junit=FILE"),
                (["tap", "-o", "json"], 2, "both want standard output"),
                (["junit=none/out.xml"], 3, "none/out.xml: error IL0100: No such file"),
                (["junit=."], 3, ".: error IL0100: Is a directory")):
            with self.subTest(words=words):
                answer = self.must(*self.command("--report", *words), status=status)
                self.assertIn(said, answer.err)
                self.assertEqual(answer.out, "")
        self.assertFalse(os.path.exists(self.path("begun")))

    def test_a_run_that_gives_up_leaves_no_report_of_an_earlier_one(self):
        self.cases(*({"id": i, "command": "true", "filler": "x" * 2000} for i in range(100)))
        self.write("out.xml", "<testsuites/>")
        answer = self.must(*self.command("--report", "tap", "--report", "junit=out.xml"),
                           status=3, env={"INTERLOCK_TEST_PAGE_COUNT_MAX": "40"})
        self.assertEqual(answer.out, "TAP version 14\nBail out! the database failed\n")
        self.assertFalse(os.path.exists(self.path("out.xml")))
        self.assertEqual([name for name in os.listdir(self.folder) if "xml" in name], [])


if __name__ == "__main__":
    harness.main(Report)
