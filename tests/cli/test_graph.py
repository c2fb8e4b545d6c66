#!/usr/bin/env python3
"""`graph`: a machine in the notation of other programs."""

import shutil
import subprocess

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


class Graph(harness.Case):
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
