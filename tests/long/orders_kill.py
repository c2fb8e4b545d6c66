#!/usr/bin/env python3
"""orders_kill.py INTERLOCK SHOP - kill the engine at random moments and lose nothing.

Runs orders through the shop, whose services are slow and fail one call in ten (half of
those after they acted), and ends `interlock run` with a signal again and again, each time
followed by the same command. Then every order must be in a final state, the shop's audit
clean, every history without a gap, and every history replayed through the pure step must
give the stored state (I1 to I6 and I8). Prints TAP and the seed that repeats the moments.
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

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLE = os.path.join(ROOT, "examples", "orders")
MACHINE = os.path.join(EXAMPLE, "order.yaml")

# About 70 orders a second, so that there is still work after the last kill.
CHARGE = "service=100,jitter=20,sigma=0.3,errors=10%"
CHANGES = {"concurrency: 64": "concurrency: 8"}
LIFE_MAX_S = 0.7          # of a run before it is killed; the shortest die while they recover
BEGUN_S = 0.2
SAMPLE_MAX = 60           # orders that are looked at one by one
END_SECONDS = 120         # for the last run, which nobody kills


class Run:
    """Everything that belongs to one pass: a folder, a shop, the command that is killed."""

    def __init__(self, arguments, charge=CHARGE, changes=CHANGES):
        self.interlock = os.path.abspath(arguments.interlock)
        self.shop = os.path.abspath(arguments.shop)
        self.dice = random.Random(arguments.seed)
        self.count = arguments.orders
        self.folder = tempfile.mkdtemp(prefix="interlock-kill-")
        self.orders = self.make_orders()
        self.shop_process = self.start_shop(charge)
        self.steps = self.write_steps(changes)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_orders(self):
        generator = os.path.join(EXAMPLE, "generate.py")
        text = subprocess.run([sys.executable, generator, "--count", str(self.count)],
                              check=True, capture_output=True, text=True).stdout
        with open(self.path("orders.ndjson"), "w", encoding="utf-8") as file:
            file.write(text)
        return {order["id"]: order for order in map(json.loads, text.splitlines())}

    def start_shop(self, charge):
        process = subprocess.Popen(
            [self.shop, "--port", "0", "--port-file", self.path("port"),
             "--ledger", self.path("ledger.ndjson"),
             "--all", "service=5,jitter=5,errors=10%",
             "--charge", charge],
            stdout=subprocess.DEVNULL)
        for _ in range(1000):
            if os.path.exists(self.path("port")):
                return process
            time.sleep(0.01)
        raise RuntimeError("the shop does not open")

    def write_steps(self, changes):
        """The steps of order.yaml with the shop's port and some of their text changed."""
        with open(self.path("port"), encoding="utf-8") as file:
            port = file.read().strip()
        with open(MACHINE, encoding="utf-8") as file:
            text = file.read()
        steps = text[text.index("\nsteps:"):]
        steps = steps.replace("127.0.0.1:9001", f"127.0.0.1:{port}")
        for before, after in changes.items():
            assert before in steps, before
            steps = steps.replace(before, after)
        with open(self.path("steps.yaml"), "w", encoding="utf-8") as file:
            file.write(steps)
        return self.path("steps.yaml")

    def command(self):
        return [self.interlock, "run", MACHINE, "--input", self.path("orders.ndjson"),
                "--event", "SUBMIT", "--steps", self.steps, "--db", self.path("orders.db")]

    def start(self, log):
        return subprocess.Popen(self.command(), stdout=log, stderr=log)

    def ask(self, *words, text=None):
        ran = subprocess.run([self.interlock, *words], capture_output=True, text=True,
                             input=text, check=False)
        assert ran.returncode == 0, f"{' '.join(words)}: exit {ran.returncode}: {ran.stderr}"
        return ran.stdout

    def ask_lines(self, *words):
        return [json.loads(line) for line in
                self.ask(*words, "--db", self.path("orders.db"), "-o", "ndjson").splitlines()]

    def sample(self, instances):
        """All of a small run, some of a large one: each costs a process."""
        return self.dice.sample(instances, min(len(instances), SAMPLE_MAX))

    def log_tail(self):
        with open(self.path("run.log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def close(self, keep):
        self.shop_process.send_signal(signal.SIGTERM)
        self.shop_process.wait(timeout=10)
        if keep:
            print(f"# kept: {self.folder}")
        else:
            shutil.rmtree(self.folder)


def end_by(process, number, life):
    """Ends a run by the signal. SIGTERM must be obeyed soon; only a
    process that hardly began may not know of it yet."""
    process.send_signal(number)
    status = process.wait(timeout=20)
    if number == signal.SIGTERM and not (life < BEGUN_S and status == -number):
        assert status in (0, 1), f"SIGTERM after {life:.3f} s: exit {status}"


def kill_again_and_again(run, kills, number):
    """Returns how many runs were ended while they still had work."""
    ended = 0
    with open(run.path("run.log"), "ab") as log:
        while ended < kills:
            process = run.start(log)
            life = run.dice.uniform(0, LIFE_MAX_S)
            try:
                status = process.wait(timeout=life)
                assert status == 0, f"exit {status} of a run that nobody ended"
                return ended
            except subprocess.TimeoutExpired:
                end_by(process, number, life)
                ended += 1
    return ended


def finish(run):
    with open(run.path("run.log"), "ab") as log:
        process = run.start(log)
        try:
            status = process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the last run does not end in {END_SECONDS} s") from None
    assert status == 0, f"exit {status} of the last run"


def is_refused_by_business(order):
    return (order["card"] == "declined" or order["total"] == 0 or
            any(item["sku"] == "out-of-stock" for item in order["items"]))


def every_order_is_final(run, instances):
    assert len(instances) == len(run.orders), f"{len(instances)} of {len(run.orders)} orders"
    failed = 0
    for instance in instances:
        order = run.orders[instance["id"]]
        state = instance["value"]
        assert instance["status"] == "done", instance
        assert state in ("COMPLETED", "FAILED"), instance
        if is_refused_by_business(order):
            assert state == "FAILED", instance
        else:
            failed += state == "FAILED"
    assert failed <= len(run.orders) // 50, f"{failed} good orders failed"


def the_audit_is_clean(run, instances):
    with open(run.path("results.ndjson"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(instance) + "\n" for instance in instances)
    ran = subprocess.run([run.shop, "--audit", run.path("ledger.ndjson"),
                          "--orders", run.path("results.ndjson")],
                         capture_output=True, text=True, check=False)
    print("# " + ran.stdout.replace("\n", "\n# "))
    assert ran.returncode == 0, ran.stderr


def one_invocation_has_one_key(run, _instances):
    """Each state with a step is entered once by an order: one key for each service."""
    keys = {}
    with open(run.path("ledger.ndjson"), encoding="utf-8") as file:
        for entry in map(json.loads, file):
            assert entry["outcome"] not in ("no-key", "key-reused", "unreadable"), entry
            keys.setdefault((entry["order"], entry["service"]), set()).add(entry["key"])
    for request, used in keys.items():
        assert len(used) == 1, f"{request}: {used}"
    assert len(set().union(*keys.values())) == len(keys), "two invocations share a key"


def histories_have_no_gap(run, instances):
    for instance in run.sample(instances):
        history = run.ask_lines("history", instance["id"])
        assert [line["seq"] for line in history] == list(range(1, len(history) + 1)), history
        for before, after in zip(history, history[1:]):
            assert after["from"] == before["to"], (before, after)
        assert history[-1]["to"] == instance["value"], (history[-1], instance)
        assert len(history) == instance["seq"], (len(history), instance)


def step_line(event):
    """A recorded event as a line for `interlock step`; an error's line says `error` twice."""
    kind, _, invoke = event["type"].partition(".invoke.")
    if kind == "done" and invoke:
        return json.dumps({"done": invoke, "output": event["output"]})
    if kind == "error" and invoke:
        return f'{{"error":{json.dumps(invoke)},"error":{json.dumps(event["error"])}}}'
    return json.dumps(event)


def histories_replayed_give_the_stored_states(run, instances):
    """Through `interlock step`, which shares the machine with the engine and nothing else."""
    for instance in run.sample(instances):
        history = [line for line in run.ask_lines("history", instance["id"])
                   if line["outcome"] == "applied"]
        start = json.dumps(history[0]["event"]["input"])
        events = "".join(step_line(line["event"]) + "\n" for line in history[1:])
        snapshots = [json.loads(line) for line in
                     run.ask("step", MACHINE, "--input", start, text=events).splitlines()]
        assert [snapshot["value"] for snapshot in snapshots] == \
            [line["to"] for line in history], (history, snapshots)
        for member in ("value", "status", "context", "tags", "output"):
            assert snapshots[-1][member] == instance[member], (snapshots[-1], instance)


CHECKS = [every_order_is_final, the_audit_is_clean, one_invocation_has_one_key,
          histories_have_no_gap, histories_replayed_give_the_stored_states]


def test_and_close(run, test, arguments):
    """The exit status. Where the test failed, its folder is kept and the end of its log told."""
    failed = True
    try:
        failed = test(run, arguments)
    finally:
        if failed:
            print("# " + run.log_tail().replace("\n", "\n# "))
        run.close(keep=failed or arguments.keep)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("interlock")
    parser.add_argument("shop")
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--signal", choices=("KILL", "TERM"), default="KILL")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    print(f"1..{1 + len(CHECKS)}\n# seed {arguments.seed}", flush=True)
    return test_and_close(Run(arguments), test, arguments)


def report(number, name, error=None):
    print(f"{'ok' if error is None else 'not ok'} {number} - {name}", flush=True)
    if error is not None:
        print(f"# {type(error).__name__}: {str(error)[:2000]}", flush=True)
    return error is not None


def report_all(checks, first, run, instances):
    """True when something failed."""
    failed = False
    for number, check in enumerate(checks, first):
        error = None
        try:
            check(run, instances)
        except Exception as wrong:  # pylint: disable=broad-except
            error = wrong
        failed |= report(number, check.__name__, error)
    return failed


def test(run, arguments):
    """True when something failed."""
    name = f"{arguments.kills} runs of {arguments.orders} orders ended by {arguments.signal}"
    try:
        ended = kill_again_and_again(run, arguments.kills, signal.Signals["SIG" + arguments.signal])
        finish(run)
        assert ended == arguments.kills, f"all was done after {ended} of them"
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        return report(1, name, error)
    report(1, name)
    return report_all(CHECKS, 2, run, run.ask_lines("list"))


if __name__ == "__main__":
    sys.exit(main())
