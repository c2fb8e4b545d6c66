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
    ("an unknown name in an invariant", "m.yaml", "invariants: { a: b }\n" + GOOD,
     "m.yaml:1:18: error IL0105: "),
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

AROUND = """\
id: m
initial: a
states:
  a:
    on:
      GO:
        target: b
        {}
  b: {{ type: final }}
"""

# a guard or an assignment as it is written; § is where its mistake is
SCALARS = (
    ("plain", "guard: 1 == 1 && §nope"),
    ("plain over lines", "guard: 1 == 1 &&\n          2 == 2 &&\n\n          §nope"),
    ("double quotes", 'guard: "1 == 1 && §nope"'),
    ("escapes", r'guard: "\"\\u00e9\" == \"\x41\"\t&& §nope"'),
    ("double quotes over lines", 'guard: "1 == 1 &&\n          2 == 2 && \\\n          §nope"'),
    ("single quotes", "guard: '''é'' == ''💥'' && §nope'"),
    ("literal", "guard: |\n          1 == 1 &&\n            2 == 2 &&\n          §nope"),
    ("literal, indented", "guard: |2-\n              1 == 1 &&\n          §nope"),
    ("folded", "guard: >- # why\n          1 == 1 &&\n          2 == 2 &&\n\n          §nope"),
    ("an anchor", "guard: &g !!str  '1 == 1 && §nope'"),
    ("text", 'assign: { x: "\\"${1}\\" é ${§nope}" }'),
    ("text that does not end", 'assign: { x: "\\"${1}\\" §${1" }'),
    ("text over lines", "assign:\n          x: |\n            a ${1}\n\n            b ${§nope}"),
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

    def test_the_place_is_the_one_that_was_written(self):
        for name, text in SCALARS:
            for ending in "\n", "\r\n":
                whole = AROUND.format(text)
                before = whole.split("§")[0].split("\n")
                place = f"m.yaml:{len(before)}:{len(before[-1]) + 1}: error IL0105"
                self.write("m.yaml", whole.replace("§", "").replace("\n", ending).encode())
                self.assertIn(place, self.must("check", "m.yaml", status=1).err, name)

    def test_the_place_is_the_one_that_was_written_in_json(self):
        text = r'''{"id": "m", "initial": "a", "states": {
  "a": { "on": { "GO": { "target": "a", "guard": "\"\ud83d\udca5\/\"\n == \u0031 && §nope" } } } } }'''
        column = text.split("\n")[1].index("§") + 1
        self.write("m.json", text.replace("§", ""))
        self.assertIn(f"m.json:2:{column}: error IL0105",
                      self.must("check", "m.json", status=1).err)

    def test_steps_that_are_no_map_are_refused(self):
        self.write("m.yaml", GOOD)
        self.write("bare.yaml", GOOD.split("steps:")[0])
        for steps in "[1]", "3", "null", "steps: [1]", "steps:":
            self.write("steps.yaml", steps + "\n")
            for file in "m.yaml", "bare.yaml":
                answer = self.must("check", file, "--steps", "steps.yaml", status=1)
                self.assertRegex(answer.err, r"steps\.yaml:1:\d+: error IL0104: ", (steps, file))

    def test_large_files_do_not_take_for_ever(self):  # the harness waits two minutes
        chain = {f"g{i}": f"g{i - 1}" if i else "true" for i in range(3000)}
        lost = {f"s{i}": {"on": {"E": f"Missing{i}"}} for i in range(4000)}
        wide = {f"s{i}": {"on": {f"e{j}": f"s{i + 1}" for j in range(3900)}} for i in range(11)}
        end = {"type": "final"}
        files = (
            ({"guards": chain, "states": {"s0": {"on": {"E": {"target": "s1", "guard": "g2999"}}},
                                          "s1": end}}, 0),
            ({"states": lost}, 1),
            ({"states": {**wide, "s11": end}}, 0),
        )
        for more, status in files:
            self.write("m.json", json.dumps({"id": "m", "initial": "s0", **more}))
            answer = self.must("check", "m.json", status=status)
            self.assertNotIn("IL0108", answer.err)

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

    def test_sarif_is_for_code_hosts(self):
        self.write("my m.yaml", GOOD.replace("invoke:", "invok:"))
        self.write("unused.yaml", GOOD + "  unused: { exec: [x] }\n")
        self.write("empty.yaml", "")
        answer = self.must("check", "-o", "sarif", "my m.yaml", "unused.yaml", "empty.yaml",
                           status=1)
        log = json.loads(answer.out)
        run, = log["runs"]
        self.assertEqual((log["version"], run["tool"]["driver"]["name"], run["columnKind"]),
                         ("2.1.0", "Interlock", "unicodeCodePoints"))
        self.assertEqual(answer.err, "")
        found = [(r["ruleId"], r["level"], r["locations"][0]["physicalLocation"])
                 for r in run["results"]]
        mistyped = {"artifactLocation": {"uri": "my%20m.yaml"},
                    "region": {"startLine": 5, "startColumn": 8}}
        self.assertIn(("IL0102", "error", mistyped), found)
        self.assertIn(("IL0502", "warning"), [(code, level) for code, level, _ in found])
        self.assertEqual(found[-1][2]["artifactLocation"], {"uri": "empty.yaml"})
        messages = [r["message"]["text"] for r in run["results"]]
        self.assertTrue(any(m.endswith("; did you mean 'invoke'?") for m in messages), messages)

    def test_sarif_of_a_good_file_has_no_results(self):
        self.write("m.yaml", GOOD)
        log = json.loads(self.must("check", "-o", "sarif", "m.yaml").out)
        self.assertEqual(log["runs"][0]["results"], [])

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
