#!/usr/bin/env python3
"""`step`: one line in, one snapshot out, on a virtual clock."""

import json

import harness

ORDER = """\
id: order
context: { item: "${input.item}", tries: 0, late: false }
initial: PENDING
states:
  PENDING:
    tags: [new]
    after: { 1h: EXPIRED }
    on:
      PAY:
        - { target: PAID, guard: "event.amount > 2" }
        - { assign: { tries: "${context.tries + 1}" } }
      BREAK: { assign: { tries: "${context.tries + 'x'}" } }
  PAID:
    invoke: { id: ship, src: ship, input: "${context.item}",
              onDone: { target: DONE, assign: { item: "${event.output}" } },
              onError: { target: LOST, assign: { item: "${event.error}" } } }
  LOST: {}
  DONE: { type: final, output: "${context.item}" }
  EXPIRED: { after: { 500ms: LATE } }
  LATE: { type: final }
"""

KEYS = ["value", "status", "context", "tags", "output", "changed", "outcome", "effects"]


class Step(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("m.yaml", ORDER)

    def step(self, *words, status=0, stdin=None):
        return self.must("step", "m.yaml", "--input", '{"item":"tea"}', *words, status=status,
                         stdin=stdin)

    def feed(self, *lines, status=0):
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n"
                       for line in lines)
        return self.step(stdin=text, status=status)

    def test_the_start_is_printed_first(self):
        lines = self.step().lines
        self.assertEqual(len(lines), 1)
        self.assertEqual(list(lines[0]), KEYS)
        self.assertEqual(lines[0]["value"], "PENDING")
        self.assertEqual(lines[0]["context"], {"item": "tea", "tries": 0, "late": False})
        self.assertEqual(lines[0]["tags"], ["new"])
        self.assertEqual([e["type"] for e in lines[0]["effects"]], ["schedule"])

    def test_events_are_arguments_with_optional_payloads(self):
        lines = self.step("PAY", '{"amount":1}', "NOPE", "PAY", '{"amount":3}').lines
        self.assertEqual([(x["value"], x["outcome"], x["changed"]) for x in lines],
                         [("PENDING", "applied", True), ("PENDING", "applied", True),
                          ("PENDING", "ignored", False), ("PAID", "applied", True)])
        self.assertIn({"type": "invoke", "id": "ship", "src": "ship", "input": "tea"},
                      lines[3]["effects"])

    def test_invokes_are_answered_by_lines(self):
        pay = {"type": "PAY", "amount": 3}
        done = self.feed(pay, {"done": "ship", "output": "parcel"}).lines[-1]
        self.assertEqual((done["value"], done["status"], done["output"]),
                         ("DONE", "done", "parcel"))
        lost = self.feed(pay, '{"error":"ship","error":{"kind":"timeout"}}').lines[-1]
        self.assertEqual((lost["value"], lost["context"]["item"]), ("LOST", {"kind": "timeout"}))
        lost = self.feed(pay, ' { "error" : "ship" } ').lines[-1]
        self.assertEqual(lost["value"], "LOST")

    def test_a_late_answer_is_ignored_and_an_unknown_one_refused(self):
        lines = self.feed({"done": "ship"}, {"done": "shop"}, status=1).lines
        self.assertEqual([x["outcome"] for x in lines], ["applied", "ignored", "refused"])

    def test_the_clock_stops_at_each_timer(self):
        lines = self.feed({"advance": "59m"}, {"advance": 60000}, {"advance": "1d"}).lines
        self.assertEqual([x["value"] for x in lines], ["PENDING", "PENDING", "EXPIRED", "LATE"])
        one = self.feed({"advance": "PT2H"}).lines[-1]
        self.assertEqual((one["value"], one["outcome"], one["changed"]), ("LATE", "applied", True))
        self.assertEqual([e["type"] for e in one["effects"]], ["schedule"])

    def test_drain_runs_until_nothing_is_pending(self):
        lines = self.step("--drain", "NOPE").lines
        self.assertEqual([x["value"] for x in lines], ["PENDING", "PENDING", "LATE"])

    def test_a_drain_without_end_is_cut(self):
        self.write("m.yaml", "id: m\ninitial: a\nstates:\n"
                             "  a: { after: { 1ms: b } }\n  b: { after: { 1ms: a } }\n")
        answer = self.must("step", "m.yaml", "--drain", status=1)
        self.assertIn("stopped after 100000 macrosteps", answer.err)
        self.assertEqual(len(answer.lines), 2)
        last = answer.lines[1]
        self.assertEqual(len(last["effects"]), 1000)
        self.assertEqual(last["left_out"], {"effects": 99000})
        self.assertLess(len(answer.out), 100000)
        self.assertNotIn("left_out", answer.lines[0])

    def test_a_bad_line_is_told_and_still_answered(self):
        answer = self.feed("{", {"type": "PAY", "amount": 3}, "[]", {"tpye": "PAY"},
                           {"advance": -1}, {"advance": "1h", "x": 1}, {"type": 3},
                           {"done": "ship"}, status=1)
        self.assertEqual([x["outcome"] for x in answer.lines],
                         ["applied", "refused", "applied", "refused", "refused", "refused",
                          "refused", "refused", "applied"])
        self.assertEqual([line.split(" ")[0] for line in answer.err.splitlines()],
                         ["stdin:1:2:", "stdin:3:", "stdin:4:", "stdin:5:", "stdin:6:", "stdin:7:"])

    def test_a_payload_with_a_type_is_refused(self):
        answer = self.step("PAY", '{"type":"X"}', status=1)
        self.assertEqual(answer.lines[1]["outcome"], "refused")
        self.assertIn("event:1: ", answer.err)

    def test_a_failed_action_leaves_everything_as_it_was(self):
        lines = self.step("BREAK", "PAY", '{"amount":1}').lines
        self.assertEqual((lines[1]["outcome"], lines[1]["changed"]), ("failed", False))
        self.assertEqual(lines[1]["context"], lines[0]["context"])
        self.assertIn("no such overload", lines[1]["errors"][0]["message"])
        self.assertEqual(lines[2]["context"]["tries"], 1)

    def test_lines_after_the_end_are_ignored(self):
        lines = self.feed({"advance": "2h"}, {"type": "PAY"}, {"advance": 1}).lines
        self.assertEqual([x["outcome"] for x in lines[2:]], ["ignored", "ignored"])
        self.assertEqual(lines[-1]["status"], "done")

    def test_a_start_that_fails_has_status_error(self):
        answer = self.must("step", "m.yaml", status=1)
        self.assertEqual(answer.lines[0]["status"], "error")
        self.assertEqual(answer.lines[0]["error"]["kind"], "execution")

    def test_what_check_objects_to_runs(self):
        self.write("m.yaml", "id: m\ninitial: a\nstates:\n  a: {}\n  orphan: { invoke: { src: s } }\n")
        self.must("check", "m.yaml", status=1)
        self.assertEqual(self.must("step", "m.yaml").lines[0]["value"], "a")

    def test_what_does_not_load_is_told(self):
        self.write("m.yaml", "id: m\ninitial: a\nstates: { a: { invok: {} } }\n")
        self.assertIn("m.yaml:3:16: error IL0102", self.must("step", "m.yaml", status=1).err)
        self.must("step", "nowhere.yaml", status=3)
        self.must("step", "m.yaml", "--input", "{", status=1)

    def test_each_line_is_answered_before_the_next_is_written(self):
        process = self.begin("step", "m.yaml", "--input", '{"item":1}', stdin=-1)
        process.stdout.readline()
        for amount in (1, 2, 3):
            process.stdin.write(json.dumps({"type": "PAY", "amount": amount}) + "\n")
            process.stdin.flush()
            line = json.loads(process.stdout.readline())
        self.assertEqual(line["value"], "PAID")
        self.assertEqual(self.end(process).status, 0)

    def test_whole_numbers_and_fractions_survive_between_lines(self):
        self.write("m.yaml", "id: m\ncontext: { a: 1.0, b: 1, c: '${input}' }\ninitial: s\n"
                             "states: { s: { on: { E: { assign: { d: '${context.a}' } } } } }\n")
        big = '{"x":9007199254740993,"y":1e300,"z":"\\u0000é"}'
        lines = self.must("step", "m.yaml", "--input", big, "E", "E").out.splitlines()
        self.assertIn('"a":1.0,"b":1,"c":{"x":9007199254740993,"y":1e+300', lines[2])
        self.assertIn('"d":1.0', lines[2])

    def test_declared_events_are_the_only_ones(self):
        self.write("m.yaml", "id: m\nevents: { PAY: { required: [n], properties: { n: { type: "
                             "integer } } }, 'order.*': {} }\ninitial: s\nstates: { s: {} }\n")
        answer = self.must("step", "m.yaml", "PAY", '{"n":3}', "PAY", '{"n":"x"}', "PAY", "{}",
                           "NOPE", "order.paid", "order", status=1)
        self.assertEqual([line["outcome"] for line in answer.lines[1:]],
                         ["ignored", "refused", "refused", "refused", "ignored", "ignored"])
        for part in ["the payload of PAY at /n", "declares no event `NOPE`"]:
            self.assertIn(part, answer.err)


harness.main(Step)
