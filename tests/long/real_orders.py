#!/usr/bin/env python3
"""real_orders.py INTERLOCK - five thousand orders of a real shop, as CSV, through `run`.

What the shop's facts (when an order was paid, sent, received) say about each order is found by
the machine below and, independently, by Python's own CSV reader; both must agree on every
order, whichever way the file comes in. The data is not part of the repository: it is looked
for in ../shared, or where INTERLOCK_SHARED points to, and without it nothing is tested.
"""

import collections
import csv
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tools"))

import tap  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
SHARED = pathlib.Path(os.environ.get("INTERLOCK_SHARED", ROOT.parent / "shared"))
ORDERS = SHARED / "data/olist-orders.csv"

MACHINE = """\
id: order-facts
version: "1"
context: { recorded: "${input.order_status}", order: "${input}" }
initial: PLACED
states:
  PLACED:
    always:
      - { target: UNAVAILABLE, guard: "context.recorded in ['canceled', 'unavailable']" }
      - { target: DELIVERED, guard: "has(context.order.order_delivered_customer_date)" }
      - { target: SHIPPED, guard: "has(context.order.order_delivered_carrier_date)" }
      - { target: APPROVED, guard: "has(context.order.order_approved_at)" }
      - { target: WAITING }
  UNAVAILABLE: { type: final }
  DELIVERED: { type: final }
  SHIPPED: { type: final }
  APPROVED: { type: final }
  WAITING: { type: final }
"""


def state_of(order):
    if order["order_status"] in ("canceled", "unavailable"):
        return "UNAVAILABLE"
    for column, state in (("order_delivered_customer_date", "DELIVERED"),
                          ("order_delivered_carrier_date", "SHIPPED"),
                          ("order_approved_at", "APPROVED")):
        if order[column]:
            return state
    return "WAITING"


@unittest.skipUnless(ORDERS.is_file(), f"{ORDERS} is not there")
class RealOrders(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="interlock-orders-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "facts.yaml").write_text(MACHINE, encoding="utf-8")
        with open(ORDERS, encoding="utf-8-sig", newline="") as file:
            self.orders = {order["order_id"]: order for order in csv.DictReader(file)}
        self.assertGreater(len(self.orders), 4000)

    def call(self, *words, **more):
        answer = subprocess.run([PROGRAM, *words], cwd=self.folder, capture_output=True,
                                check=False, timeout=120, **more)
        self.assertEqual((answer.returncode, answer.stderr), (0, b""))
        return answer.stdout

    def check_run(self, source, db, **more):
        told = json.loads(self.call("run", "facts.yaml", "--input", source, "--id", "order_id",
                                    "--db", db, "-o", "json", **more))
        wanted = collections.Counter(map(state_of, self.orders.values()))
        self.assertEqual({x["state"]: x["count"] for x in told["states"]}, wanted)
        return told

    def check_instances(self, db):
        lines = self.call("list", "--db", db, "-o", "ndjson").splitlines()
        self.assertEqual(len(lines), len(self.orders))
        for line in lines:
            found = json.loads(line)
            order = self.orders[found["id"]]
            self.assertEqual(found["value"], state_of(order))
            self.assertEqual(found["context"]["order"],
                             {name: cell for name, cell in order.items() if cell})

    def test_every_order_is_where_its_facts_say(self):
        self.check_run(str(ORDERS), "orders.db")
        self.check_instances("orders.db")
        again = self.check_run(str(ORDERS), "orders.db")
        self.assertEqual(again["resumed"], len(self.orders))

    def test_packed_and_on_standard_input_they_are_the_same(self):
        packed = self.folder / "packed"
        packed.write_bytes(gzip.compress(ORDERS.read_bytes()))
        self.check_run("packed", "packed.db")
        with open(packed, "rb") as file:
            self.check_run("-", "packed.db", stdin=file)
        self.check_run("-", "plain.db", input=ORDERS.read_bytes())
        self.check_instances("packed.db")
        self.check_instances("plain.db")


tap.main(RealOrders)
