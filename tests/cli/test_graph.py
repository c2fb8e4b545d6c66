#!/usr/bin/env python3
"""`graph`: a machine in the notation of other programs."""

import os
import shutil
import stat
import subprocess
import xml.etree.ElementTree

import harness

MACHINE = """\
id: door
initial: SHUT
on: { BREAK: .BROKEN }
states:
  SHUT:
    on: { OPEN: { target: WIDE, guard: "event.key == 'right'" }, BREAK: {} }
  WIDE:
    type: parallel
    after: { 30s: SHUT }
    states:
      LIGHT: { initial: "on", states: { "on": { on: { LAMP: "off" } }, "off": {} } }
      BELL: { invoke: { src: ring, onDone: "#door.SHUT", onError: "#door.BROKEN" } }
  BROKEN: { type: final }
steps: { ring: { exec: ["true"] } }
"""


RECORD = """\
id: parcel
record: { as: o }
initial: NEW
transitions: { NEW: [PAID, LOST], PAID: [SENT], SENT: [], LOST: [] }
validators: { NEW: "!o.paid", PAID: "o.paid && !o.sent", SENT: o.sent, LOST: o.lost }
"""


class Graph(harness.Case):
    def test_states_that_follow_from_a_record_have_the_arrows_of_the_derivation(self):
        self.write("parcel.yaml", RECORD)
        drawing = self.must("graph", "parcel.yaml").out.splitlines()
        for line in ["  s1 --> s2 : [o.paid && !o.sent]", "  s1 --> s4 : [o.lost]",
                     "  s2 --> s3 : [o.sent]", "  s3 --> [*]", "  s4 --> [*]"]:
            self.assertIn(line, drawing)
        self.assertNotIn("  s1 --> s3 : [o.sent]", drawing)
        self.assertIn('  s2 -> s3 [label="[o.sent]"];', self.must("graph", "parcel.yaml", "-o", "dot").out)
        self.assertIn("IL0106", self.must("graph", "parcel.yaml", "-o", "scxml", status=1).err)

    def drawn(self, *words):
        self.write("door.yaml", MACHINE)
        return self.must("graph", "door.yaml", *words).out

    def test_mermaid_is_the_default(self):
        drawing = self.drawn()
        for line in ["stateDiagram-v2", '  state "SHUT" as s1', "  [*] --> s1",
                     "  s1 --> s2 : OPEN [event.key == 'right']", "  s2 --> s1 : after 30s",
                     "    --", "    s6 : do / ring", "  s2 --> s7 : BREAK", "  s7 --> [*]"]:
            self.assertIn(line, drawing.splitlines())
        self.assertNotIn("s1 --> s7 : BREAK", drawing)  # forbidden there
        self.assertEqual(drawing, self.drawn("-o", "mermaid"))

    def test_dot_is_read_by_graphviz(self):
        drawing = self.drawn("-o", "dot")
        self.assertIn("subgraph cluster_2", drawing)
        if shutil.which("dot"):
            svg = subprocess.run(["dot", "-Tsvg"], input=drawing, capture_output=True, text=True)
            self.assertEqual((svg.returncode, svg.stderr), (0, ""))

    def test_json_is_a_definition_again(self):
        self.write("again.json", self.drawn("-o", "json"))
        self.assertEqual(self.must("graph", "again.json").out, self.drawn())

    def fake_dot(self, script):
        """A program called `dot`, alone in a folder."""
        os.makedirs(self.path("bin"), exist_ok=True)
        self.write("bin/dot", "#!/bin/sh\n" + script)
        os.chmod(self.path("bin/dot"), stat.S_IRWXU)
        return {"PATH": self.path("bin") + ":/usr/bin:/bin"}

    def test_svg_is_what_graphviz_makes_of_it(self):
        if not shutil.which("dot"):
            self.skipTest("there is no program `dot` (package graphviz)")
        drawing = xml.etree.ElementTree.fromstring(self.drawn("-o", "svg"))
        self.assertTrue(drawing.tag.endswith("svg"))
        self.assertIn("WIDE", "".join(drawing.itertext()))

    def test_dot_gets_the_drawing_and_gives_the_picture(self):
        self.write("door.yaml", MACHINE)
        path = self.fake_dot('echo "$1"; cat\n')
        self.assertEqual(self.must("graph", "door.yaml", "-o", "svg", env=path).out,
                         "-Tsvg\n" + self.drawn("-o", "dot"))

    def test_dot_may_be_missing_or_fail(self):
        self.write("door.yaml", MACHINE)
        answer = self.must("graph", "door.yaml", "-o", "svg", status=3,
                           env={"PATH": self.path("nothing")})
        self.assertEqual((answer.out, answer.err), ("", "interlock: there is no program `dot`: "
                                                   "install the package graphviz\n"))
        path = self.fake_dot("echo half; echo no such thing >&2; exit 1\n")
        answer = self.must("graph", "door.yaml", "-o", "svg", status=3, env=path)
        self.assertEqual((answer.out, answer.err),
                         ("", "interlock: `dot` failed: no such thing\n"))

    def again(self, file):
        """The file as SCXML, in this folder."""
        answer = self.must("graph", str(file), "-o", "scxml")
        xml.etree.ElementTree.fromstring(answer.out)
        return self.write("again.scxml", answer.out), answer.err

    def test_scxml_is_the_same_machine_again(self):
        self.write("door.yaml", MACHINE)
        again, warnings = self.again("door.yaml")
        self.assertEqual(self.must("graph", again).out, self.drawn())
        self.assertIn("door.yaml:12:23: warning IL0106: other programs do not know", warnings)
        events = ["OPEN", '{"key":"right"}', '{"advance":"10s"}', "LAMP",
                  '{"done":"WIDE.BELL","output":1}', "OPEN", '{"key":"right"}',
                  '{"advance":"30s"}', "OPEN", '{"key":"right"}', '{"error":"WIDE.BELL"}']
        before = self.must("step", "door.yaml", *events).lines
        after = self.must("step", again, *events).lines
        self.assertEqual(before[-1]["value"], "BROKEN")
        self.assertEqual([line["value"] for line in before], [line["value"] for line in after])
        self.assertEqual([line["context"] for line in before],
                         [line["context"] for line in after])

    def test_examples_are_the_same_machines_again(self):
        for file in sorted(harness.ROOT.glob("examples/*/*.yaml")):
            answer = self.call("graph", str(file), "-o", "scxml")
            if "states that follow from a record" in answer.err:
                self.assertEqual((answer.status, answer.out), (1, ""))
                continue
            again, _ = self.again(file)
            self.assertEqual(self.must("graph", again).out, self.must("graph", str(file)).out)
            if "\nmachines:\n" in file.read_text():
                continue  # which are not written
            self.assertEqual(self.call("check", again).status,
                             self.call("check", str(file)).status)

    def test_the_cases_of_an_example_hold_again(self):
        self.again(harness.ROOT / "examples/orders/order.yaml")
        cases = (harness.ROOT / "examples/orders/order.cases").read_text()
        self.write("order.cases", cases.replace("order.yaml", "again.scxml"))
        self.must("test", "order.cases")

    def test_a_definition_that_does_not_load_is_not_drawn(self):
        self.write("bad.yaml", "initial: A\nstates: { B: {} }\n")
        answer = self.call("graph", "bad.yaml")
        self.assertEqual((answer.status, answer.out), (1, ""))
        self.assertIn("there is no state `A`", answer.err)
        self.write("worse.yaml", "initial: [\n")
        answer = self.call("graph", "worse.yaml")
        self.assertEqual((answer.status, answer.out), (1, ""))
        self.assertIn("worse.yaml:", answer.err)


harness.main(Graph)
