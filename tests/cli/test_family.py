#!/usr/bin/env python3
"""Machines that invoke machines, as the commands show them."""

import json
import shutil

import harness

ORDER = """\
id: order
version: "1"
machines:
  parcel:
    version: "1"
    initial: PACKING
    states:
      PACKING:
        invoke: { src: pack, onDone: { target: READY, actions: [ { send: PACKED, to: "#_parent" } ] } }
      READY: { on: { DELIVERED: GONE } }
      GONE: { type: final }
context: { packed: 0 }
initial: SHIPPING
states:
  SHIPPING:
    invoke: { src: parcel, id: ship, onDone: DONE, onError: LOST }
    on: { PACKED: { assign: { packed: "${context.packed + 1}" } } }
  LOST: { on: { AGAIN: SHIPPING } }
  DONE: { type: final }
steps:
  pack: { exec: ["/bin/sh", "-c", "test -e packer"] }
"""


class Family(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("order.yaml", ORDER)

    def start(self, *words, status=0):
        return self.must("start", "order.yaml", "--id", "o", "--wait", *words, status=status)

    def show(self, instance):
        return json.loads(self.must("show", instance, "-o", "json").out)

    def test_whose_parent_heard_of_its_error_waits_for_nobody(self):
        self.start()
        self.assertEqual(self.show("o")["waiting"], [{"for": "event", "events": ["AGAIN"]}])
        child = self.show("o/ship.1")
        self.assertEqual((child["status"], child["waiting"]), ("error", []))
        self.assertRegex(self.must("list").out, r"(?m)^o/ship.1 +PACKING +error$")
        self.assertIn("\n  its parent was told: nothing wakes it\n",
                      self.must("why", "o/ship.1").out)

    def test_a_parent_that_does_not_handle_it_waits_for_a_person(self):
        self.write("order.yaml", ORDER.replace(", onError: LOST", ""))
        self.start()
        self.assertEqual([wait["for"] for wait in self.show("o")["waiting"]], ["person"])
        self.assertEqual(self.show("o/ship.1")["waiting"], [])

    def test_a_history_tells_who_sent_an_event(self):
        self.write("packer", "")
        self.start()
        self.assertRegex(self.must("history", "o").out,
                         r"(?m)^ +2  \S+  PACKED +SHIPPING +from o/ship\.1$")
        self.assertRegex(self.must("history", "o/ship.1").out,
                         r"(?m)^ +1  \S+  start +PACKING  from o$")

    def test_who_has_no_parent_is_told_so(self):
        self.write("alone.yaml", "id: alone\nversion: '1'\ninitial: A\nstates:\n  A:\n    on:\n"
                                 "      TELL: { actions: [ { send: NEWS, to: '#_parent' } ] }\n")
        problem = "there is no parent to send `NEWS` to"
        errors = [{"what": "send", "at": None, "message": problem}]
        self.must("start", "alone.yaml", "--id", "a")
        self.must("send", "a", "TELL")
        self.assertIn(f"\n                    send: {problem}\n", self.must("history", "a").out)
        told = self.must("history", "a", "-o", "ndjson").lines[1]
        self.assertEqual((told["outcome"], told["errors"]), ("applied", errors))
        told = self.must("step", "alone.yaml", "TELL").lines[1]
        self.assertEqual((told["outcome"], told["errors"]), ("applied", errors))

    def test_a_run_counts_what_came_too_late(self):
        self.write("quick.yaml", ORDER.replace(
            "initial: PACKING", "initial: HASTE").replace("    states:\n      PACKING:", '''\
    states:
      HASTE: { entry: [ { send: PACKED, to: "#_parent" }, { send: PACKED, to: "#_parent" } ] }
      PACKING:''').replace("on: { PACKED: { assign: { packed: \"${context.packed + 1}\" } } }",
                           "on: { PACKED: DONE }"))
        self.records("in.ndjson", 2)
        run = ("run", "quick.yaml", "--input", "in.ndjson", "--db")
        self.assertIn("dropped: 2 events came too late for a child or parent\n",
                      self.must(*run, "a.db").out)
        self.assertEqual(json.loads(self.must(*run, "b.db", "-o", "json").out)["dropped"], 2)

    def test_two_machines_of_one_id_are_told_with_their_places(self):
        self.write("twice.yaml", '''\
id: twice
version: "1"
machines:
  one: { id: kid, version: "1", initial: A, states: { A: { type: final } } }
  two:
    id: kid
    version: "1"
    initial: B
    states: { B: { type: final } }
initial: A
states:
  A: { invoke: { src: one }, on: { X: B } }
  B: { invoke: { src: two }, on: { X: A } }
''')
        answer = self.must("start", "twice.yaml", "--id", "t", status=1)
        self.assertIn("interlock: error IL1004: machine kid, version 1 (twice.yaml:6:5), is "
                      "deployed with other content (twice.yaml:4:8): give it a new version\n",
                      answer.err)

    def test_the_example_does_what_its_page_says(self):
        folder = self.path("family")
        shutil.copytree(harness.ROOT / "examples/family", folder)
        self.assertIn("# passed 4, failed 0\n", self.must("test", folder + "/family.cases").out)
        self.must("check", folder + "/order.yaml", "--strict")
        self.must("run", folder + "/order.yaml", "--input", folder + "/orders.ndjson")
        with open(folder + "/README.md", encoding="utf-8") as page:
            listed = page.read().split("```\no1  ")[1].split("```")[0]
        told = self.must("list").out
        self.assertTrue(told.startswith("o1  " + listed), told)


harness.main(Family)
