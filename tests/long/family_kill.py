#!/usr/bin/env python3
"""family_kill.py INTERLOCK - kill the engine among parents and children, and lose nothing.

Runs the orders of examples/family, each with two machines of its own, whose steps take a while,
fail now and then after they acted, and write down every call with its key. `interlock run` is
killed again and again, each time followed by the same command. Then every child's result must
have reached its parent once, no step may have had two keys, and what the commands tell of
parents and children must fit together. Prints TAP and the seed that repeats the moments.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from orders_kill import (ROOT, SAMPLE_MAX, finish, kill_again_and_again, report,  # noqa: E402
                         report_all, test_and_close)

EXAMPLE = os.path.join(ROOT, "examples", "family")

# Writes the call down before it answers; some die afterwards, so that they are made again.
SERVICE = """\
#!/bin/sh
echo "$INTERLOCK_INSTANCE $INTERLOCK_STEP $INTERLOCK_IDEMPOTENCY_KEY" >>ledger
sleep 0.0$(( $$ % 5 ))
[ $(( $$ % 13 )) != 0 ] || exit 75
exec ./service.real "$1"
"""
# So slow that there is work left after the last kill.
CHANGES = {"attempts: 5, base: 50ms }": "attempts: 10, base: 10ms }, limit: { concurrency: 2 }"}


class Run:
    """Everything that belongs to one pass: a folder, the orders, the command that is killed."""

    def __init__(self, arguments):
        self.interlock = os.path.abspath(arguments.interlock)
        self.dice = random.Random(arguments.seed)
        self.folder = tempfile.mkdtemp(prefix="interlock-family-")
        self.orders = [{"id": f"o{i}", "item": "tea",
                        "total": 4000 if self.dice.random() < 0.1 else 5}
                       for i in range(arguments.orders)]
        self.make_machines()
        with open(self.path("many.ndjson"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(order) + "\n" for order in self.orders)

    def make_machines(self):
        """The example with another service in front of its own, and fewer calls at a time."""
        shutil.copytree(EXAMPLE, self.folder, dirs_exist_ok=True)
        os.rename(self.path("service"), self.path("service.real"))
        with open(self.path("service"), "w", encoding="utf-8") as file:
            file.write(SERVICE)
        os.chmod(self.path("service"), 0o755)
        for name in ("payment.yaml", "shipping.yaml"):
            with open(self.path(name), encoding="utf-8") as file:
                text = file.read()
            for before, after in CHANGES.items():
                assert before in text, before
                text = text.replace(before, after)
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, log):
        return subprocess.Popen(
            [self.interlock, "run", "order.yaml", "--input", "many.ndjson", "--db", "orders.db"],
            cwd=self.folder, stdout=log, stderr=log)

    def ask(self, *words):
        ran = subprocess.run([self.interlock, *words, "--db", self.path("orders.db")],
                             capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{' '.join(words)}: exit {ran.returncode}: {ran.stderr}"
        return ran.stdout

    def ask_lines(self, *words):
        return [json.loads(line) for line in self.ask(*words, "-o", "ndjson").splitlines()]

    def sample(self, instances):
        return self.dice.sample(instances, min(len(instances), SAMPLE_MAX))

    def log_tail(self):
        with open(self.path("run.log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def close(self, keep):
        if keep:
            print(f"# kept: {self.folder}")
        else:
            shutil.rmtree(self.folder)


def split(instances):
    """The orders by id, and of each its children by the invocation that they are."""
    parents = {one["id"]: one for one in instances if "parent" not in one}
    children = {parent: {} for parent in parents}
    for one in instances:
        if "parent" in one:
            kin = children[one["parent"]["id"]]
            assert one["parent"]["invoke"] not in kin, f"twice: {one}"
            kin[one["parent"]["invoke"]] = one
    return parents, children


def every_order_has_its_two_children(run, instances):
    parents, children = split(instances)
    assert set(parents) == {order["id"] for order in run.orders}, len(parents)
    for parent, kin in children.items():
        assert set(kin) == {"pay", "ship"}, f"{parent}: {kin}"


def every_order_came_to_the_end_that_its_children_gave(run, instances):
    parents, children = split(instances)
    for order in run.orders:
        parent, kin = parents[order["id"]], children[order["id"]]
        pay, ship = kin["pay"], kin["ship"]
        assert parent["status"] == pay["status"] == "done", (parent, pay)
        if order["total"] > 999:
            assert (parent["value"], pay["value"]) == ("FAILED", "DECLINED"), (parent, pay)
            assert ship["status"] == "stopped", ship
            continue
        assert (parent["value"], pay["value"], ship["value"]) == ("COMPLETED", "TAKEN", "GONE"), kin
        assert parent["context"]["packed"], parent
        assert parent["context"]["receipt"] == pay["output"]["receipt"] is not None, (parent, pay)
        assert parent["context"]["tracking"] == ship["output"]["tracking"] is not None, kin


def every_result_and_letter_arrived_once(run, instances):
    parents, children = split(instances)
    for parent in run.sample(list(parents.values())):
        kin = children[parent["id"]]
        told = [(line["event"]["type"], line.get("sender"))
                for line in run.ask_lines("history", parent["id"])]
        ended = ["pay"] if parent["value"] == "FAILED" else ["pay", "ship"]
        results = [(f"done.invoke.{name}", kin[name]["id"]) for name in ended]
        assert sorted(line for line in told if line[0].startswith("done.invoke.")) == results, told
        assert told.count(("PACKED", kin["ship"]["id"])) <= 1, told
        heard = [line["event"]["type"] for line in run.ask_lines("history", kin["ship"]["id"])
                 if line.get("sender") == parent["id"]]
        paid = ["xstate.init", "PAID"] if len(ended) == 2 else ["xstate.init", "xstate.stop"]
        assert heard == paid, heard


def no_step_had_two_keys(run, instances):
    keys = {}
    with open(run.path("ledger"), encoding="utf-8") as file:
        for instance, step, key in map(str.split, file):
            keys.setdefault((instance, step), set()).add(key)
    for call, used in keys.items():
        assert len(used) == 1, f"{call}: {used}"
    assert len(set().union(*keys.values())) == len(keys), "two invocations share a key"
    _, children = split(instances)
    for kin in children.values():
        if kin["ship"]["status"] == "done":
            for name, step in (("pay", "charge"), ("ship", "pack"), ("ship", "hand_over")):
                assert (kin[name]["id"], step) in keys, f"never called: {kin[name]['id']} {step}"


def histories_replayed_give_the_stored_states(run, instances):
    for one in run.sample(instances):
        run.ask("history", one["id"], "--verify")
        seqs = [line["seq"] for line in run.ask_lines("history", one["id"])]
        assert seqs == list(range(1, one["seq"] + 1)), (one["id"], seqs)


def list_show_and_why_tell_the_same(run, instances):
    for one in run.sample(instances):
        assert one["waiting"] == [], one
        assert json.loads(run.ask("show", one["id"], "-o", "json")) == one
        why = run.ask("why", one["id"])
        assert why.startswith(f"{one['id']}  {one['value']}  {one['status']} since "), why
        assert ("parent" in one) == (f"\n  child {one.get('parent', {}).get('invoke')} of " in why), why
        assert "nothing wakes it" in why, why


CHECKS = [every_order_has_its_two_children, every_order_came_to_the_end_that_its_children_gave,
          every_result_and_letter_arrived_once, no_step_had_two_keys,
          histories_replayed_give_the_stored_states, list_show_and_why_tell_the_same]


def test(run, arguments):
    """True when something failed."""
    name = f"{arguments.kills} runs of {arguments.orders} orders and their children killed"
    try:
        ended = kill_again_and_again(run, arguments.kills, signal.SIGKILL)
        finish(run)
        assert ended == arguments.kills, f"all was done after {ended} of them"
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        return report(1, name, error)
    report(1, name)
    return report_all(CHECKS, 2, run, run.ask_lines("list"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("interlock")
    parser.add_argument("--orders", type=int, default=320)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    print(f"1..{1 + len(CHECKS)}\n# seed {arguments.seed}", flush=True)
    return test_and_close(Run(arguments), test, arguments)


if __name__ == "__main__":
    sys.exit(main())
