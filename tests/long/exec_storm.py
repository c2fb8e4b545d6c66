#!/usr/bin/env python3
"""exec_storm.py INTERLOCK - programs as steps, and everything at once around them.

`interlock run` is killed (KILL, TERM, INT), stopped for a while and continued, at random
moments, most of them while it starts and recovers; beside it readers look at the database
all the time, a second writer tries to have it, and copies of it are taken while it is
written. At the end every instance is final, every invocation had one key, every history
replays to what is stored, and what SQLite counts is what `list` counts. Prints TAP and the
seed.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

MACHINE = """
id: storm
version: "1"
context: { n: "${input.n}", quick: null, slow: null }
initial: QUICK
states:
  QUICK:
    invoke:
      src: quick
      input: { n: "${context.n}" }
      onDone: { target: SLOW, assign: { quick: "${event.output.n}" } }
      onError: FAILED
  SLOW:
    invoke:
      src: slow
      input: { n: "${context.n}" }
      onDone: { target: RESTING, assign: { slow: "${event.output.n}" } }
      onError: FAILED
  RESTING:
    after: { 30ms: DONE }
  DONE: { type: final }
  FAILED: { type: final, tags: [failure] }
steps:
  quick: { exec: ["./quick"], timeout: 5s, deadline: 600s, retry: { attempts: 20, base: 5ms } }
  slow:
    exec: ["./slow"]
    timeout: 5s
    deadline: 600s
    limit: { concurrency: 24 }
    retry: { attempts: 20, base: 5ms }
"""

# Every attempt says who it is before it acts; one in eight of the quick ones fails.
STEP = """#!/bin/sh
echo "$INTERLOCK_INSTANCE $INTERLOCK_STEP $INTERLOCK_IDEMPOTENCY_KEY $INTERLOCK_ATTEMPT" >> ledger
%s
read input
echo "$input"
"""
QUICK = 'case "$INTERLOCK_IDEMPOTENCY_KEY$INTERLOCK_ATTEMPT" in *[02]1) exit 75;; esac'
SLOW = "sleep 0.3"


class Storm:
    def __init__(self, arguments):
        self.interlock = os.path.abspath(arguments.interlock)
        self.dice = random.Random(arguments.seed)
        self.count = arguments.instances
        self.folder = tempfile.mkdtemp(prefix="interlock-storm-")
        self.wrong = []
        self.is_over = False
        self.write("storm.yaml", MACHINE)
        self.write("quick", STEP % QUICK, 0o755)
        self.write("slow", STEP % SLOW, 0o755)
        self.write("input.ndjson", "".join(f'{{"id":"i{n}","n":{n}}}\n' for n in range(self.count)))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def command(self, db="storm.db"):
        return [self.interlock, "run", self.path("storm.yaml"), "--input",
                self.path("input.ndjson"), "--db", self.path(db)]

    def start(self):
        with open(self.path("run.log"), "ab") as log:
            return subprocess.Popen(self.command(), stdout=log, stderr=log,
                                    cwd=self.folder)

    def ask(self, *words):
        return subprocess.run([self.interlock, *words], capture_output=True, text=True,
                              timeout=60, check=False, cwd=self.folder)

    def complain(self, what, ran):
        self.wrong.append(f"{what}: exit {ran.returncode}: {ran.stderr[:300]}")

    # Beside the run.

    def read_once(self, dice):
        name = f"i{dice.randrange(self.count)}"
        words = dice.choice([["list"], ["list", "-o", "ndjson"], ["show", name],
                             ["history", name], ["why", name], ["history", name, "--verify"]])
        ran = self.ask(*words, "--db", self.path("storm.db"))
        unknown = ran.returncode == 1 and "there is no instance" in ran.stderr
        early = ran.returncode == 3 and ("does not exist" in ran.stderr or
                                         "is empty" in ran.stderr)
        if ran.returncode != 0 and not unknown and not early:
            self.complain(" ".join(words), ran)

    def read_always(self, seed):
        dice = random.Random(seed)
        while not self.is_over:
            self.read_once(dice)

    def follow(self):
        """`history -f` of one instance over all deaths of its owner."""
        while not self.is_over:
            ran = self.ask("history", "i0", "-f", "-o", "ndjson", "--db", self.path("storm.db"))
            if ran.returncode == 0:
                seqs = [json.loads(line)["seq"] for line in ran.stdout.splitlines()]
                if seqs != list(range(1, len(seqs) + 1)):
                    self.wrong.append(f"history -f: {seqs}")
                return
            time.sleep(0.05)

    def try_second_writer(self, process):
        time.sleep(0.5)  # so that it is the second
        ran = subprocess.run(self.command(), capture_output=True, text=True, timeout=60,
                             check=False, cwd=self.folder)
        if process.poll() is None and (ran.returncode != 3 or "is owned by" not in ran.stderr):
            self.complain("a second writer", ran)

    def copy(self, number):
        """A copy is read, or refused with a sentence; it is never run."""
        copy = f"copy{number}"
        os.mkdir(self.path(copy))
        subprocess.run(["cp", "-a", *(self.path(name) for name in os.listdir(self.folder)
                                      if name.startswith("storm.db")), self.path(copy)],
                       check=False, stderr=subprocess.DEVNULL)
        name = os.path.join(copy, "storm.db")
        if not os.path.exists(self.path(name)):
            shutil.rmtree(self.path(copy))
            return
        ran = self.ask("list", "--db", self.path(name))
        if ran.returncode not in (0, 3) or (ran.returncode == 3 and not ran.stderr):
            self.complain("list of a copy", ran)
        if ran.returncode == 3:  # copied before there was anything in it, or torn
            shutil.rmtree(self.path(copy))
            return
        ran = subprocess.run(self.command(name), capture_output=True, text=True, timeout=60,
                             check=False, cwd=self.folder)
        if ran.returncode != 3 or not ran.stderr:
            self.complain("run on a copy", ran)
        shutil.rmtree(self.path(copy))

    # The run itself.

    def pause(self, process):
        process.send_signal(signal.SIGSTOP)
        time.sleep(self.dice.uniform(0, 0.3))
        process.send_signal(signal.SIGCONT)

    def end_once(self, number):
        process = self.start()
        is_short = self.dice.random() < 0.5
        time.sleep(self.dice.uniform(0.001, 0.05) if is_short else self.dice.uniform(0, 0.9))
        if self.dice.random() < 0.2:
            self.pause(process)
        if self.dice.random() < 0.15:
            self.try_second_writer(process)
        if self.dice.random() < 0.15:
            self.copy(number)
        how = self.dice.choice([signal.SIGKILL] * 4 + [signal.SIGTERM, signal.SIGINT])
        process.send_signal(how)
        status = process.wait(timeout=30)
        if how != signal.SIGKILL and status not in (0, 1, -how):
            self.wrong.append(f"{how.name}: exit {status}")
        if status == 3:
            self.wrong.append("exit 3 of the owner")

    def run(self, kills):
        readers = [threading.Thread(target=self.read_always, args=(self.dice.random(),)),
                   threading.Thread(target=self.follow)]
        for reader in readers:
            reader.start()
        try:
            for number in range(kills):
                self.end_once(number)
            status = self.start().wait(timeout=300)
            assert status == 0, f"exit {status} of the last run"
        finally:
            self.is_over = True
            for reader in readers:
                reader.join()

    # Afterwards.

    def list(self):
        ran = self.ask("list", "-o", "ndjson", "--db", self.path("storm.db"))
        assert ran.returncode == 0, ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def nothing_around_went_wrong(self):
        assert not self.wrong, "\n# ".join(self.wrong[:10])

    def every_instance_is_done(self):
        instances = self.list()
        assert len(instances) == self.count
        for instance in instances:
            number = int(instance["id"][1:])
            interrupted = instance["value"] == "FAILED"
            assert instance["status"] == "done" and not interrupted, instance
            assert instance["context"] == {"n": number, "quick": number, "slow": number}, instance

    def every_invocation_had_one_key(self):
        keys = {}
        with open(self.path("ledger"), encoding="utf-8") as file:
            for line in file:
                instance, step, key, _ = line.split()
                keys.setdefault((instance, step), set()).add(key)
        assert len(keys) == 2 * self.count, len(keys)
        assert all(len(used) == 1 for used in keys.values())
        assert len(set().union(*keys.values())) == len(keys)

    def every_history_replays(self):
        for number in range(self.count):
            ran = self.ask("history", f"i{number}", "--verify", "--db", self.path("storm.db"))
            assert ran.returncode == 0, ran.stderr

    def sqlite_counts_the_same(self):
        with sqlite3.connect(f"file:{self.path('storm.db')}?mode=ro", uri=True) as database:
            counted = dict(database.execute(
                "select state, count(*) from instance group by state").fetchall())
        listed = {}
        for instance in self.list():
            listed[instance["value"]] = listed.get(instance["value"], 0) + 1
        assert counted == listed, (counted, listed)

    def nothing_is_left_beside(self):
        known = {"storm.yaml", "quick", "slow", "input.ndjson", "ledger", "run.log", "storm.db",
                 "storm.db-wal", "storm.db-shm"}
        assert set(os.listdir(self.folder)) <= known, os.listdir(self.folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("interlock")
    parser.add_argument("--instances", type=int, default=120)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    storm = Storm(arguments)
    checks = [storm.nothing_around_went_wrong, storm.every_instance_is_done,
              storm.every_invocation_had_one_key, storm.every_history_replays,
              storm.sqlite_counts_the_same, storm.nothing_is_left_beside]
    print(f"1..{len(checks)}\n# seed {arguments.seed}", flush=True)
    failed = 0
    try:
        storm.run(arguments.kills)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        print(f"Bail out! {error}")
        return 1
    for number, check in enumerate(checks, 1):
        error = None
        try:
            check()
        except AssertionError as wrong:
            error = wrong
        print(f"{'not ok' if error else 'ok'} {number} - {check.__name__}", flush=True)
        if error:
            failed += 1
            print(f"# {str(error)[:2000]}", flush=True)
    if failed:
        print(f"# kept: {storm.folder}")
    else:
        shutil.rmtree(storm.folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
