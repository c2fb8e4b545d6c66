#!/usr/bin/env python3
"""`check`: what is wrong with a definition, where, and what to do."""

import json

import harness

GOOD = """\
id: m
initial: a
states:
  a: { on: { GO: b } }
  b: { invoke: { src: s, onDone: c, onError: c } }
  c: { type: final }
steps:
  s: { exec: ["true"] }
"""


def levels(pairs):
    """A list of lists of lists, each ten times the one before."""
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, pairs):
        text += f"a{i}: &a{i} [{', '.join(['*a%d' % (i - 1)] * 10)}]\n"
    return text


# name, text, and what standard error must begin with or have
BAD = (
    ("malformed YAML", "m.yaml", "id: m\nstates:\n  a: {\n", "m.yaml:4:1: error IL0101: "),
    ("malformed JSON", "m.json", '{"id":"m",\n "states" {}}', "m.json:2:11: error IL0101: "),
    ("an unknown key", "m.yaml", GOOD.replace("invoke:", "invok:"), "m.yaml:5:8: error IL0102: "),
    ("its suggestion", "m.yaml", GOOD.replace("invoke:", "invok:"),
     "help: did you mean 'invoke'?"),
    ("an unknown target", "m.yaml", GOOD.replace("GO: b", "GO: d"), "m.yaml:4:18: error IL0107: "),
    ("a wrong type", "m.yaml", GOOD.replace("{ type: final }", "3"), "m.yaml:6:6: error IL0104: "),
    ("a guard's syntax", "m.yaml",
     GOOD.replace("GO: b", 'GO: { target: b, guard: "event.n >" }'), ": error IL0105: "),
    ("a duplicate key", "m.yaml", GOOD + "id: again\n", "m.yaml:9:1: error IL0101: "),
    ("a step that is not defined", "m.yaml", GOOD.replace("src: s", "src: t"), "error IL0502: "),
    ("an unknown key of a step", "m.yaml", GOOD.replace('["true"]', '["true"], timout: 1s'),
     "m.yaml:8:24: error IL0102: "),
    ("what is not there yet", "m.yaml", "invariants: { a: b }\n" + GOOD, "error IL0106: "),
    ("an alias bomb", "m.yaml", levels(9), "error IL0101: more than 200000 values"),
    ("lists in lists", "m.yaml", "[" * 100000, "m.yaml:1:101: error IL0101: "),
    ("maps in maps", "m.json", '{"a":' * 100000, "error IL0101: "),
    ("a deep guard", "m.yaml",
     GOOD.replace("GO: b", f'GO: {{ target: b, guard: "{"(" * 5000}1{")" * 5000}" }}'),
     "error IL0105: "),
    ("bytes that are no text", "m.yaml", bytes(range(128, 256)), "m.yaml:1:1: error IL0101: "),
    ("an empty file", "m.yaml", "", "m.yaml:1:1: error IL0101: the file is empty"),
    ("a list for a machine", "m.yaml", "[1, 2]\n", "error IL0104: "),
    ("a state nobody reaches", "m.yaml", GOOD.replace("GO: b", "GO: c"), "error IL0201: "),
)


class Check(harness.Case):
    def test_a_good_file_is_said_to_be_good(self):
        self.write("m.yaml", GOOD)
        answer = self.must("check", "m.yaml")
        self.assertEqual(answer.out, "m.yaml: ok, 3 states, 3 transitions, 1 step\n")
        self.assertEqual(answer.err, "")

    def test_what_is_wrong_has_a_place_and_a_code(self):
        for name, file, text, expected in BAD:
            self.write(file, text)
            answer = self.must("check", file, status=1)
            self.assertIn(expected, answer.err, name)
            self.assertEqual(answer.out, "", name)

    def test_no_more_than_twenty_lines_are_shown(self):
        states = "".join(f"  s{i}: {{ invok: x }}\n" for i in range(50))
        self.write("m.yaml", "id: m\ninitial: s0\nstates:\n" + states)
        lines = self.must("check", "m.yaml", status=1).err.splitlines()
        self.assertLessEqual(len(lines), 21)
        self.assertRegex(lines[-1], r"^interlock: \d+ more$")

    def test_json_has_all_of_them(self):
        self.write("m.yaml", GOOD.replace("invoke:", "invok:").replace("GO: b", "GO: d"))
        answer = self.must("check", "-o", "json", "m.yaml", status=1)
        found = json.loads(answer.out)
        self.assertEqual(answer.err, "")
        self.assertEqual([(d["code"], d["line"], d["column"]) for d in found],
                         [("IL0107", 4, 18), ("IL0102", 5, 8)])
        self.assertEqual(set(found[0]), {"code", "severity", "message", "file", "line", "column",
                                         "help"})
        self.assertEqual(found[1]["help"], "did you mean 'invoke'?")

    def test_strict_makes_warnings_fail(self):
        self.write("m.yaml", GOOD + "  unused: { exec: [\"true\"] }\n")
        self.assertIn("warning IL0502", self.must("check", "m.yaml").err)
        self.must("check", "--strict", "m.yaml", status=1)

    def test_steps_can_come_from_another_file(self):
        self.write("m.yaml", GOOD.replace("steps:\n  s:", "steps:\n  t:"))
        self.write("steps.yaml", "steps:\n  s: { exec: [\"true\"] }\n")
        self.must("check", "m.yaml", status=1)
        self.must("check", "m.yaml", "--steps", "steps.yaml")

    def test_files_are_judged_one_by_one(self):
        self.write("good.yaml", GOOD)
        self.write("bad.yaml", "id: m\nstates: 3\n")
        answer = self.must("check", "bad.yaml", "good.yaml", status=1)
        self.assertIn("good.yaml: ok", answer.out)
        self.assertIn("bad.yaml:2:9: error", answer.err)

    def test_a_file_that_cannot_be_read_exits_3(self):
        answer = self.must("check", "nowhere.yaml", status=3)
        self.assertEqual(answer.err, "nowhere.yaml: error IL0100: No such file or directory\n")
        self.assertIn("Is a directory", self.must("check", ".", status=3).err)


harness.main(Check)
