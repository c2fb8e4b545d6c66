#!/usr/bin/env python3
"""`patch`: instances whose state follows from a record."""

import json
import os
import random
import signal
import time

import harness

ORDER = """\
id: order
version: "1"
record: { as: o, defaults: { items: false, paid: false, approved: false, sent: false } }
initial: DRAFT
states:
  DRAFT: { validator: "!o.items", transitions: [PAYING] }
  PAYING: { validator: "o.items && !o.paid", transitions: [CHECKING] }
  CHECKING: { validator: "o.paid && !o.approved", transitions: [PACKING] }
  PACKING:
    validator: "o.approved && !o.sent"
    transitions: [SENT]
    invoke:
      src: label
      input: { id: "${o.id}" }
      onDone: { assign: { label: "${event.output.label}" } }
      onError: { assign: { problem: "${event.error.kind}" } }
  SENT: { validator: o.sent, tags: [gone] }
steps:
  label: { exec: ["/bin/sh", "-c", "cat >>calls; echo '{\\"label\\":\\"L1\\"}'"], timeout: 20s }
"""

UNSTABLE = """\
record: { as: o }
initial: A
transitions: { A: [B], B: [A] }
validators: { A: o.x, B: o.x }
"""

CASES = """\
machine: order.yaml

case several fields at once jump over states
start {"id":1}
expect value DRAFT; holds yes; via none; status active
patch {"items":true,"paid":true,"approved":true}
expect value PACKING; via PAYING, CHECKING; effects invoke PACKING {"id":1}
patch {"approved":true}
expect outcome ignored; changed no; effects none; via none
done PACKING {"label":"L1"}
expect value PACKING; context.label "L1"
patch {"approved":false}
expect value PACKING; holds no; outcome applied
patch {"sent":true}
expect value SENT; status done; tags ["gone"]
patch {"sent":false,"approved":null}
expect value SENT; outcome applied; context {"id":1,"items":true,"paid":true,"label":"L1","sent":false}

case a call in flight is stopped when the record moves on
start {"items":true,"paid":true,"approved":true,"id":1}
event record.patch {"patch":{"sent":true}}
expect effects stop PACKING; value SENT
patch 3
expect outcome refused; says must be an object
"""


class Patch(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("order.yaml", ORDER)

    def start(self, record, instance="7", status=0):
        return self.must("start", "order.yaml", "--id", instance, "--input",
                         json.dumps(record), status=status)

    def patch(self, record, *words, instance="7", status=0):
        return self.must("patch", instance, json.dumps(record), *words, status=status)

    def show(self, instance="7"):
        return json.loads(self.must("show", instance, "-o", "json").out)

    def history(self, instance="7"):
        return self.must("history", instance, "-o", "ndjson").lines

    def test_patches_move_an_instance_and_its_steps_run(self):
        self.assertRegex(self.start({"id": "a"}).out, r"^7  DRAFT  active  waits for record items\n$")
        answer = self.patch({"items": True, "paid": True})
        self.assertRegex(answer.out, r"^applied  7  CHECKING  active  waits for record approved\n$")
        self.patch({"approved": True})
        shown = self.show()
        self.assertEqual(shown["value"], "PACKING")
        self.assertEqual(shown["context"]["label"], "L1")
        self.assertEqual(shown["waiting"], [
            {"for": "record", "fields": ["sent"], "next": [
                {"state": "SENT", "because": {"conjunct": "o.sent", "values": {"sent": False}}}]}])
        self.assertTrue(shown["derived"]["holds"])
        self.assertEqual(shown["derived"]["levels"][0][0]["because"]["values"],
                         {"approved": True, "sent": False})
        self.patch({"sent": True})
        self.assertEqual(self.show()["status"], "done")
        history = self.history()
        self.assertEqual([(line["event"]["type"], line["to"], line["via"]) for line in history], [
            ("xstate.init", "DRAFT", []),
            ("record.patch", "CHECKING", ["PAYING"]),
            ("record.patch", "PACKING", []),
            ("done.invoke.PACKING", "PACKING", []),
            ("record.patch", "SENT", [])])
        self.assertIn("→ CHECKING  via PAYING", self.must("history", "7").out)
        self.must("history", "--verify", "7")
        with open(self.path("calls"), encoding="utf-8") as calls:
            self.assertEqual(calls.read(), '{"id":"a"}')

    def test_why_tells_what_decided_and_what_is_awaited(self):
        self.start({"items": True})
        why = self.must("why", "7").out
        self.assertIn("PAYING holds: o.items && !o.paid (items = true, paid = false)", why)
        self.assertIn("CHECKING waits for: o.paid (paid = false)", why)
        self.patch({"items": False})
        self.assertIn("PAYING does not hold: o.items (items = false)", self.must("why", "7").out)
        self.patch({"paid": "yes"})
        why = self.must("why", "7").out
        self.assertIn("CHECKING waits for: o.paid (paid = \"yes\"): ", why)
        self.assertIn("validator of CHECKING", self.must("history", "7").out)

    def test_a_patch_again_changes_nothing(self):
        self.start({})
        self.patch({"items": True}, "--key", "k")
        answer = self.patch({"items": True}, "--key", "k", "-o", "json")
        reply = json.loads(answer.out)
        self.assertEqual((reply["outcome"], reply["seq"], reply["repeated"]), ("applied", 2, True))
        self.assertEqual(self.show()["seq"], 2)
        self.assertIn("used with another event", self.patch({"paid": True}, "--key", "k", status=1).err)
        before = self.show()
        self.assertRegex(self.patch({"items": True}).out, "^ignored  7  PAYING")
        after = self.show()
        self.assertEqual((before["value"], before["context"], before["updated"]),
                         (after["value"], after["context"], after["updated"]))
        line = self.history()[-1]
        self.assertEqual((line["outcome"], line["from"], line["to"], line["effects"]),
                         ("ignored", "PAYING", "PAYING", []))

    def test_if_version_refuses_what_was_made_for_another_state(self):
        self.start({})
        self.patch({"items": True}, "--if-version", "1")
        answer = self.patch({"paid": True}, "--if-version", "1", status=1)
        self.assertIn("7 is at version 2, not 1", answer.err)
        self.assertEqual(self.show()["seq"], 2)
        self.patch({"paid": True}, "--if-version", "2", "--key", "k")
        self.patch({"paid": True}, "--if-version", "2", "--key", "k")
        for wrong in ("0", "-1", "x", ""):
            self.patch({}, "--if-version", wrong, status=2)

    def test_a_patch_may_come_from_a_file_or_standard_input(self):
        self.start({})
        self.write("p.json", '{"items": true}')
        self.must("patch", "7", "@p.json")
        self.must("patch", "7", "-", stdin='{"paid": true,\n "type": "gift"}\n')
        self.assertEqual(self.show()["context"], {"items": True, "paid": True, "type": "gift"})

    def test_what_is_wrong_is_said(self):
        self.start({})
        for words, status, message in [
                (["7", "{"], 2, "patch: the patch is not valid JSON"),
                (["7", "[]"], 2, "must be a JSON object, not list"),
                (["7", "null"], 2, "must be a JSON object, not null\n"),
                (["7", "3"], 2, "must be a JSON object, not int"),
                (["7", "@none.json"], 3, "none.json"),
                (["8", "{}"], 1, "there is no instance 8"),
                (["7"], 2, "usage"),
                (["7", "{}", "--key", ""], 2, "the key is empty")]:
            answer = self.must("patch", *words, status=status)
            self.assertIn(message, answer.err)
        self.assertIn("the input is the record", self.must(
            "start", "order.yaml", "--id", "9", "--input", "[]", status=1).err)
        self.assertEqual(self.show()["seq"], 1)

    def test_machines_without_a_record_take_no_patches(self):
        self.write("m.yaml", "id: m\ninitial: A\nstates: { A: { on: { X: B } }, B: {} }\n")
        self.must("start", "m.yaml", "--id", "e")
        self.assertIn("there is no record to patch", self.must("patch", "e", "{}", status=1).err)
        self.assertEqual(self.show("e")["seq"], 1)

    def test_a_stopped_instance_takes_no_patches(self):
        self.write("order.yaml", ORDER.replace("      onError: { assign", "      meta: { assign")
                   .replace("cat >>calls;", "exit 3;"))
        self.start({"items": True, "paid": True, "approved": True, "id": 1})
        self.assertEqual(self.show()["status"], "error")
        self.assertIn("7 has ended: its status is error", self.patch({"sent": True}, status=1).err)

    def test_an_unstable_machine_is_not_run(self):
        self.write("bad.yaml", UNSTABLE)
        self.assertIn("IL0311", self.must("start", "bad.yaml", "--id", "1", status=1).err)
        self.write("in.ndjson", '{"id":1}\n')
        self.assertIn("IL0311", self.must("run", "bad.yaml", "--input", "in.ndjson", status=1).err)
        self.must("step", "bad.yaml", "--input", '{"x":false}')

    def test_run_takes_records_to_their_states(self):
        rows = [{"id": f"o{i}", "items": i > 0, "paid": i > 1, "approved": i > 2, "sent": i > 3}
                for i in range(5)]
        self.write("in.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
        self.must("run", "order.yaml", "--input", "in.ndjson", status=1)  # some wait
        states = {row["id"]: row["value"] for row in self.must("list", "-o", "ndjson").lines}
        self.assertEqual(states, {"o0": "DRAFT", "o1": "PAYING", "o2": "CHECKING",
                                  "o3": "PACKING", "o4": "SENT"})
        self.must("run", "order.yaml", "--input", "in.ndjson", status=1)
        self.assertEqual(self.show("o3")["seq"], 2)

    def test_text_cases_patch_records(self):
        self.write("order.cases", CASES)
        self.assertIn("passed 2, failed 0", self.must("test", "order.cases").out)

    def test_the_example_is_as_it_is_told(self):
        folder = harness.ROOT / "examples/order-status"
        self.assertIn("passed 5, failed 0",
                      self.must("test", str(folder / "order-live.cases")).out)
        machine = str(folder / "order-live.yaml")
        self.must("check", "--strict", machine)
        self.must("start", machine, "--id", "ord-1", "--input", '{"itemsAdded":true,"items":[1]}')
        self.must("patch", "ord-1", '{"paymentReceived":true,"approved":true}')
        self.must("patch", "ord-1", '{"shipped":true,"delivered":true}', "--if-version", "3")
        shown = self.show("ord-1")
        self.assertEqual((shown["value"], shown["context"]["parcel"]), ("COMPLETED", "P-7"))

    def test_step_takes_patches_too(self):
        answer = self.must("step", "order.yaml", stdin='{"patch":{"items":true,"paid":true}}\n'
                           '{"patch":{},"if_version":"x"}\n', status=1)
        self.assertEqual((answer.lines[1]["value"], answer.lines[1]["via"], answer.lines[1]["holds"]),
                         ("CHECKING", ["PAYING"], True))
        self.assertEqual(answer.lines[2]["outcome"], "refused")

    def test_a_state_that_may_be_skipped_is_told(self):
        answer = self.must("check", "order.yaml")
        self.assertIn("IL0315", answer.err)
        self.assertIn("from CHECKING to SENT without entering PACKING", answer.err)
        self.assertIn("5 states derived from data, 1 step", answer.out)
        self.write("order.yaml", ORDER.replace("validator: o.sent", "validator: \"o.sent && o.label != ''\""))
        self.assertNotIn("IL0315", self.must("check", "order.yaml").err)

    def test_states_after_patches_are_those_that_derive_gives(self):
        random.seed(6)
        names = ["items", "paid", "approved", "sent"]
        record, rows, wanted = {"id": "7"}, [], []
        self.start(record)
        for _ in range(8):
            patch = {name: random.choice([True, False, None]) for name in random.sample(names, 2)}
            before = self.show()["value"]
            self.patch(patch)
            shown = self.show()
            record = {name: value for name, value in shown["context"].items() if name != "label"}
            rows.append({**record, "status": before})
            wanted.append(shown["value"])
        self.write("rows.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
        answer = self.call("derive", "order.yaml", "rows.ndjson", "--from", "status", "-o", "ndjson")
        states = [json.loads(line)["state"] for line in answer.out.splitlines()]
        moved = [(row["status"], state) for row, state in zip(rows, wanted) if row["status"] != state]
        self.assertEqual(len(states), len(rows), answer)
        self.assertEqual(states, wanted)
        self.assertTrue(moved)

    def test_a_killed_patch_is_there_or_is_not(self):
        """Killed anywhere, repeated with its key: each patch counts once, no step is lost."""
        self.start({"id": "k", "n": 0})
        patches = [{"items": True}, {"paid": True, "n": 1}, {"approved": True}, {"n": 2},
                   {"sent": True}]
        random.seed(1)
        for number, patch in enumerate(patches):
            words = ["patch", "7", json.dumps(patch), "--key", str(number)]
            for _ in range(4):
                process = self.begin(*words)
                time.sleep(random.random() * 0.15)
                process.send_signal(signal.SIGKILL)
                process.communicate()
            self.must(*words)
        history = self.history()
        told = [line["event"]["patch"] for line in history if line["event"]["type"] == "record.patch"]
        self.assertEqual(told, patches)
        self.assertEqual(self.show()["value"], "SENT")
        self.must("history", "--verify", "7")
        self.assertIn("approved", self.show()["context"])
        self.assertTrue(os.path.exists(self.path("calls")))


harness.main(Patch)
