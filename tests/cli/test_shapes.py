#!/usr/bin/env python3
"""`-o json`: the members that interlock(1) shows are those that come, in that order."""

import json
import re

import harness

MACHINE = """\
id: m
version: "1"
context: { n: 0 }
initial: A
states:
  A:
    on:
      GO: { target: B, assign: { n: "${event.n}" } }
      BREAK: { assign: { n: "${event.none + 1}" } }
    after: { 1h: C }
  B: { invoke: { src: work, onDone: C, onError: A } }
  C: { type: final }
steps: { work: { exec: ["/bin/true"] } }
"""


def examples():
    """Section of OUTPUT → the members of each JSON object shown in it, outermost first."""
    page = (harness.ROOT / "docs/man/interlock.1").read_text(encoding="utf-8")
    output = re.search(r"(?ms)^\.Sh OUTPUT\n(.*?)^\.Sh ", page)[1]
    found = {}
    for name, text in re.findall(r"(?ms)^\.Ss ([^\n]+)\n(.*?)(?=^\.Ss |\Z)", output):
        literal = re.findall(r"(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed", text)
        decoder = json.JSONDecoder()
        shown = []
        for block in literal:
            at = 0
            while at < len(block):
                value, at = decoder.raw_decode(block, at)
                shown.append(value)
                at += len(block[at:]) - len(block[at:].lstrip())
        found[name] = shown
    return found


class Shapes(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("m.yaml", MACHINE)
        self.shown = examples()

    def same(self, got, shown, optional=()):
        self.assertEqual([key for key in got if key not in optional], list(shown), got)

    def json(self, *words, status=0):
        return json.loads(self.must(*words, "-o", "json", status=status).out)

    def test_instances(self):
        shown = self.shown["An instance"][0]
        self.same(self.json("start", "m.yaml", "--id", "1"), shown)
        for words in (("show", "1"), ("why", "1")):
            self.same(self.json(*words), shown)
        for each in self.json("list"):
            self.same(each, shown)

    def test_send_and_history(self):
        self.must("start", "m.yaml", "--id", "1")
        sent = self.json("send", "1", "GO", "n=3")
        self.same(sent, self.shown["send, patch"][0])
        self.same(sent["instance"], self.shown["An instance"][0])
        for line in self.json("history", "1"):
            self.same(line, self.shown["history"][0])

    def test_failed_events_have_errors_besides(self):
        self.must("start", "m.yaml", "--id", "1")
        self.must("send", "1", "BREAK", status=1)
        line = self.json("history", "1")[1]
        self.same(line, self.shown["history"][0], optional=("errors",))
        self.same(line["errors"][0], ["what", "at", "message"], optional=("expression",))

    def test_step_and_effects(self):
        lines = self.must("step", "m.yaml", "GO", '{"n":1}').lines
        effects = []
        for line in lines:
            self.same(line, self.shown["step"][0])
            effects += line["effects"]
        shapes = {each["type"]: list(each) for each in self.shown["step"][1:]}
        self.assertEqual({each["type"] for each in effects}, {"schedule", "cancel", "invoke"})
        for effect in effects:
            self.assertEqual(list(effect), shapes[effect["type"]])

    def test_run(self):
        self.records("in.ndjson", 2)
        summary = self.json("run", "m.yaml", "--input", "in.ndjson", "--event", "GO")
        self.same(summary, self.shown["run"][0])
        self.same(summary["states"][0], self.shown["run"][0]["states"][0])

    def test_check(self):
        self.write("bad.yaml", "id: m\ninitial: A\nstats: {}\nstates: { A: {} }\n")
        found = self.json("check", "bad.yaml", status=1)
        self.same(found[0], self.shown["check"][0][0])


if __name__ == "__main__":
    harness.main(Shapes)
