#!/usr/bin/env python3
"""`test`: text cases of people's own machines, as TAP and JUnit, with what they cover."""

import os
import re
import shutil
import xml.etree.ElementTree

import harness

DOOR = """\
id: door
context: { by: null, places: [1] }
initial: OPEN
states:
  OPEN:
    tags: [draughty]
    after: { 10s: SHUT }
    on:
      CLOSE:
        - { target: LOCKED, guard: "event.key == true" }
        - { target: SHUT, assign: { by: "${event.by}" } }
  SHUT:
    invoke: { id: bell, src: ring, input: "${context.by}", onDone: RUNG, onError: OPEN }
    on: { OPEN: OPEN }
  LOCKED: {}
  RUNG: { type: final }
output: "${context.by}"
"""

# lines of a case, and what must be said of the last of them; None: it passes
LINES = (
    (["expect value OPEN; status active; tags [\"draughty\"]"], None),
    (["expect effects schedule after.10s.OPEN 10000ms"], None),
    (["event CLOSE {\"by\":\"wind; or; [\"}", "expect context.by \"wind; or; [\"; value SHUT"], None),
    (["event CLOSE {\"by\":\"me\"}",
      "expect effects cancel after.10s.OPEN, invoke bell \"me\"; changed yes; steps 1"], None),
    (["event CLOSE {\"by\":\"me\"}", "expect effects cancel after.10s.OPEN, invoke bell"], None),
    (["event CLOSE {\"by\":1}", "done bell 3", "expect value RUNG; status done; output 1"], None),
    (["event CLOSE {\"by\":1}", "error bell {\"kind\":\"x\"}", "expect value OPEN"], None),
    (["event CLOSE {\"by\":1}", "event OPEN", "event CLOSE {\"by\":2}", "late done bell 3",
      "expect value SHUT; late yes; outcome ignored", "done bell 4", "expect late no",
      "expect value RUNG; event {\"type\":\"done.invoke.bell\",\"output\":4}"], None),
    (["advance 9s", "expect value OPEN; outcome ignored; steps 0", "advance 1s",
      "expect value SHUT; outcome applied"], None),
    (["event NOPE", "expect outcome ignored; changed no; effects none; errors 0"], None),
    (["event CLOSE", "expect context {\"places\":[1.0],\"by\":null}; outcome failed; errors 2"],
     None),
    (["event CLOSE {\"by\":2}", "expect context {\"by\": 1}"],
     "expected context {\"by\": 1}, is {\"by\":2,\"places\":[1]}"),
    (["expect value \"SHUT\""], "expected value \"SHUT\", is \"OPEN\""),
    (["expect value SHUT"], "expected value SHUT, is OPEN"),
    (["expect status done; tags []"], "expected status done, is active"),
    (["expect effects none"], "expected effects none, is schedule after.10s.OPEN 10000ms"),
    (["expect effects schedule after.10s.OPEN 10000ms, stop bell"], "expected effects schedule"),
    (["expect context.by.name 3"], "expected context.by.name 3, is not there"),
    (["expect says nonsense"], "expected says nonsense, is silent"),
    (["expect output {}"], "expected output {}, is null"),
    (["done phone 3"], "there is no invoke `phone`"),
)

# what stands in a file of cases, the place and the words of what is wrong with it
MISTAKES = (
    ("case early\n", 1, "a case needs a machine"),
    ("machine: door.yaml\nexpect value OPEN\n", 2, "belongs to no case"),
    ("machine: door.yaml\ncase a\nevnt X\n", 3, "unknown word `evnt`"),
    ("machine: door.yaml\ncase a\nevent X {\n", 3, "in `{`"),
    ("machine: door.yaml\ncase a\nevent X 3\n", 3, "a payload is a JSON object"),
    ("machine: door.yaml\ncase a\nevent\n", 3, "an event's type"),
    ("machine: door.yaml\ncase a\nevent X\nstart 3\n", 4, "must be the first line"),
    ("machine: door.yaml\ncase a\nadvance soon\n", 3, "`soon` is not a duration"),
    ("machine: door.yaml\ncase a\ndone\n", 3, "name an invoke's id"),
    ("machine: door.yaml\ncase a\nexpect\n", 3, "says nothing"),
    ("machine: door.yaml\ncase a\nexpect value\n", 3, "says nothing"),
    ("machine: door.yaml\ncase a\nexpect vlaue OPEN\n", 3, "did you mean `value`?"),
    ("machine: door.yaml\ncase a\nexpect context {\n", 3, "in `{`"),
    ("machine\n    id: m\n    initial: A\n    states: { B: {} }\ncase a\n", 3, "IL01"),
)


class Test(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("door.yaml", DOOR)

    def cases(self, *cases, machine="machine: door.yaml"):
        text = machine + "\n"
        for i, lines in enumerate(cases):
            text += f"\ncase number {i}\n" + "".join(line + "\n" for line in lines)
        return self.write("door.cases", text)

    def test_each_expectation_holds_or_is_told_with_its_place(self):
        for lines, wrong in LINES:
            out = self.must("test", self.cases(lines), status=0 if wrong is None else 1).out
            if wrong is None:
                self.assertIn("\nok 1 - door.cases: number 0\n", out)
                continue
            self.assertIn("\nnot ok 1 - door.cases: number 0\n", out)
            told = re.search(r'message: (".*")\n', out)[1]
            self.assertIn(f"door.cases:{3 + len(lines)}: ", told)
            self.assertIn(wrong, told.replace("\\\"", "\""), lines)

    def test_the_rest_of_a_line_is_told_and_the_rest_of_the_case_is_not_run(self):
        out = self.must("test", self.cases(["expect value A; status done", "expect value B"]),
                        status=1).out
        self.assertIn("is OPEN", out)
        self.assertIn("is active", out)
        self.assertNotIn("value B", out)

    def test_a_slip_of_the_pen_is_told_before_anything_runs(self):
        for text, line, words in MISTAKES:
            self.write("bad.cases", text)
            answer = self.must("test", "bad.cases", status=1)
            self.assertIn(f"bad.cases:{line}:", answer.err, text)
            self.assertIn(words, answer.err, text)
            self.assertEqual(answer.out, "TAP version 14\nBail out! the cases cannot be read\n")

    def test_files_that_cannot_be_read_exit_3(self):
        self.assertIn("none.cases", self.must("test", "none.cases", status=3).err)
        self.write("far.cases", "machine: far.yaml\ncase a\n")
        self.assertIn("far.yaml", self.must("test", "far.cases", status=3).err)

    def test_a_machine_is_named_as_seen_from_its_cases_or_stands_among_them(self):
        os.mkdir(self.path("deep"))
        shutil.copy(self.path("door.yaml"), self.path("deep/other.yaml"))
        self.write("deep/x.cases", "machine: other.yaml\ncase a\nexpect value OPEN\n")
        self.write("y.cases", "# inline\nmachine\n    id: m\n    initial: A\n"
                              "    states: { A: { on: { E: B } }, B: {} }\n\n"
                              "case b\nevent E\nexpect value B\n")
        out = self.must("test", "deep/x.cases", "y.cases").out
        self.assertIn("ok 1 - deep/x.cases: a", out)
        self.assertIn("ok 2 - y.cases: b", out)
        self.assertIn("# machine m\n# states 2 of 2\n# transitions 1 of 1\n", out)

    def test_files_about_one_machine_are_counted_together(self):
        self.write("a.cases", "machine: door.yaml\ncase a\nadvance 10s\n")
        self.write("b.cases", "machine: door.yaml\ncase b\nevent CLOSE {\"key\":true}\n")
        out = self.must("test", "a.cases", "b.cases").out
        self.assertEqual(out.count("# machine door"), 1)
        self.assertIn("# states 3 of 4: never entered: RUNG\n", out)

    def test_what_no_case_came_to_is_told(self):
        out = self.must("test", self.cases(["event CLOSE {\"key\":true}"], ["advance 1m"],
                                           ["event CLOSE {\"by\":1}", "event OPEN"])).out
        self.assertIn("# states 3 of 4: never entered: RUNG\n", out)
        self.assertIn("# transitions 4 of 6: never taken: SHUT on done.invoke.bell (line 13), "
                      "SHUT on error.invoke.bell (line 13)\n", out)
        self.assertIn("# guards that held and failed 1 of 1\n", out)

    def test_microsteps_are_covered_and_what_cannot_be_told_is_not_claimed(self):
        machine = ("machine\n    id: m\n    context: { n: 0 }\n    initial: A\n    states:\n"
                   "      A: { on: { GO: B, TWO: [{ target: C, guard: 'event.x == 1' },"
                   " { target: C }] } }\n"
                   "      B: { always: [{ target: C, guard: 'context.n == 0' },"
                   " { target: D }] }\n"
                   "      C: {}\n      D: {}\n")
        out = self.must("test", self.cases(["event GO", "expect value C"], machine=machine)).out
        self.assertIn("# states 3 of 4: never entered: D\n", out)
        self.assertIn("# transitions 2 of 5: never taken: A on TWO", out)
        out = self.must("test", self.cases(["event TWO {\"x\":1}"], machine=machine)).out
        self.assertIn("# transitions 0 of 5, and of 2 more it cannot be told: never taken: "
                      "A on GO", out)

    def test_a_machine_without_transitions_has_nothing_to_take(self):
        machine = "machine\n    id: m\n"
        out = self.must("test", self.cases(["event NO", "expect outcome ignored; value m"],
                                           machine=machine)).out
        self.assertIn("# states 0 of 0\n# transitions 0 of 0\n", out)

    def test_regions_are_not_mistaken_for_each_other(self):
        machine = ("machine\n    id: m\n    type: parallel\n    states:\n"
                   "      A: { initial: x, states: { x: { on: { E: y } }, y: {} } }\n"
                   "      B: { initial: u, states: { u: { on: { E: { guard: 'event.n == 1', "
                   "assign: { k: 1 } } } } } }\n")
        out = self.must("test", self.cases(["event E {\"n\":2}", "expect value A.y, B.u"],
                                           machine=machine)).out
        self.assertIn("# transitions 1 of 2, and of 1 more it cannot be told\n", out)

    def test_events_that_a_machine_does_not_declare_are_refused(self):
        machine = ("machine\n    id: m\n    events: { GO: {} }\n    initial: A\n"
                   "    states: { A: { on: { GO: A } } }\n")
        out = self.must("test", self.cases(["event NO", "expect outcome refused; errors 1"],
                                           machine=machine)).out
        self.assertIn("\nok 1 -", out)

    def test_junit_holds_every_case(self):
        name = self.cases(["expect value OPEN"], ["expect value <SHUT>"])
        out = self.must("test", name, "--report", "junit=x.xml", "--report=tap", status=1).out
        self.assertIn("1..2\n", out)
        suite = xml.etree.ElementTree.parse(self.path("x.xml")).getroot()[0]
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))
        cases = suite.findall("testcase")
        self.assertEqual([each.get("classname") for each in cases], ["door", "door"])
        self.assertIn("expected value <SHUT>, is OPEN", cases[1].find("failure").get("message"))
        self.must("test", name, "--report", "xml", status=2)
        self.must("test", name, "--report", "junit=no/where/x.xml", status=3)

    def test_a_machine_without_end_is_stopped(self):
        machine = ("machine\n    id: m\n    initial: A\n"
                   "    states: { A: { after: { 1ms: { target: A, reenter: true } } } }\n")
        out = self.must("test", self.cases(["advance 30d"], machine=machine), status=1).out
        self.assertIn("macrosteps, with more to come", out)

    def test_the_example_passes_and_covers_every_state(self):
        path = str(harness.ROOT / "examples/orders/order.cases")
        out = self.must("test", path).out
        self.assertRegex(out, r"# states (\d+) of \1\n")


harness.main(Test)
