#!/usr/bin/env python3
"""orders_late.py INTERLOCK SHOP - a charge that we stopped waiting for may still land.

Most charges take longer than their timeout, so orders go to the refund while their charge
is still at work in the shop, and some are killed on the way. Whichever comes first, refund
or charge, no money may stand in the end: no order is FAILED and charged. Prints TAP.
"""

import argparse
import json
import sys
import time
import urllib.request

import orders_kill

CHARGE = "service=450,sigma=0.4,errors=20%"
CHANGES = {
    "timeout: 2s                          # one attempt": "timeout: 300ms",
    "retry: { attempts: 5, backoff": "retry: { attempts: 2, backoff",
    "failures: 50%, minimum: 20": "failures: 100%, minimum: 1000",  # it stays closed
}


def wait_until_idle(run):
    """Until the shop has done what nobody waits for any more."""
    with open(run.path("port"), encoding="utf-8") as file:
        url = f"http://127.0.0.1:{file.read().strip()}/control"
    for _ in range(600):
        with urllib.request.urlopen(url) as answer:
            services = json.load(answer)
        if all(service["busy"] + service["waiting"] == 0 for service in services.values()):
            return
        time.sleep(0.05)
    raise AssertionError("the shop is never idle")


def late_charges_meet_a_refund(run, instances):
    with open(run.path("ledger.ndjson"), encoding="utf-8") as file:
        outcomes = [json.loads(line)["outcome"] for line in file]
    for wanted in ("charged", "refunded", "nothing-to-refund", "cancelled"):
        assert outcomes.count(wanted) > 0, f"nothing was {wanted}: this run proves nothing"
    failed = sum(instance["value"] == "FAILED" for instance in instances)
    assert failed > len(instances) // 4, f"{failed} of {len(instances)} orders failed"


def test(run):
    """True when something failed."""
    checks = [orders_kill.the_audit_is_clean, late_charges_meet_a_refund,
              orders_kill.one_invocation_has_one_key, orders_kill.histories_have_no_gap,
              orders_kill.histories_replayed_give_the_stored_states]
    print(f"1..{len(checks)}", flush=True)
    orders_kill.kill_again_and_again(run, 3, orders_kill.signal.SIGKILL)
    orders_kill.finish(run)
    wait_until_idle(run)
    return orders_kill.report_all(checks, 1, run, run.ask_lines("list"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("interlock")
    parser.add_argument("shop")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    arguments.orders = 100
    print(f"# seed {arguments.seed}")
    run = orders_kill.Run(arguments, CHARGE, CHANGES)
    failed = True
    try:
        failed = test(run)
    finally:
        run.close(keep=failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
