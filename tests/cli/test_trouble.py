#!/usr/bin/env python3
"""Trouble with the world: databases, disks, services, programs. Each time one clear answer, the
right exit status, and nothing lost."""

import os
import signal
import sqlite3
import time

import harness

CALL = """\
id: call
version: "1"
context: { error: null }
initial: CALLING
states:
  CALLING:
    invoke: { src: step, onDone: DONE,
              onError: { target: FAILED, assign: { error: "${event.error}" } } }
  DONE: { type: final }
  FAILED: { type: final, tags: [failure] }
steps:
  step: { %s }
"""

QUICK = CALL % 'exec: ["/bin/true"]'


class Trouble(harness.Case):
    def run_calls(self, *words, status=0, **more):
        return self.must("run", "call.yaml", "--input", "in.ndjson", "--db", "c.db", *words,
                         status=status, **more)

    def errors(self):
        lines = self.must("list", "--db", "c.db", "-o", "ndjson").lines
        return [x["context"]["error"] for x in lines]

    def test_a_service_that_nobody_answers(self):
        self.write("call.yaml", CALL % 'http: { method: POST, url: "http://127.0.0.1:1/" },'
                                       ' retry: { attempts: 3, base: 1ms }')
        self.records("in.ndjson", 3)
        self.assertRegex(self.run_calls().out, r"(?m)^FAILED +3 ")
        for error in self.errors():
            self.assertEqual((error["kind"], error["attempts"]), ("transport", 3))

    def test_a_program_that_does_not_exist(self):
        self.write("call.yaml", CALL % 'exec: ["./no-such-program"]')
        self.records("in.ndjson", 2)
        self.assertRegex(self.run_calls().out, r"(?m)^FAILED +2 ")
        for error in self.errors():
            self.assertEqual(error["kind"], "invalid")
            self.assertIn("./no-such-program", error["message"])

    def test_a_full_disk_loses_nothing(self):
        self.write("call.yaml", QUICK)
        self.records("in.ndjson", 200)
        reached = set()
        failures = 0
        for pages in range(16, 1000, 4):
            answer = self.call("run", "call.yaml", "--input", "in.ndjson", "--db", "c.db",
                               env={"INTERLOCK_TEST_PAGE_COUNT_MAX": str(pages)})
            if answer.status == 0:
                break
            failures += 1
            self.assertEqual(answer.status, 3, answer)
            self.assertIn("error IL2005: c.db: cannot write: database or disk is full", answer.err)
            ids = {x["id"] for x in self.call("list", "--db", "c.db", "-o", "ndjson").lines}
            self.assertLessEqual(reached, ids)
            reached = ids
        self.assertGreater(failures, 3)
        self.assertRegex(self.run_calls().out, r"(?m)^DONE +200 ")
        self.must("history", "r7", "--db", "c.db", "--verify")

    def test_a_file_that_is_no_database(self):
        self.write("call.yaml", QUICK)
        self.records("in.ndjson", 1)
        for text in ("hello\n", "x" * 100000):
            self.write("c.db", text)
            self.assertIn("error IL2003: c.db is not a database", self.run_calls(status=3).err)
            self.must("list", "--db", "c.db", status=3)
            with open(self.path("c.db"), encoding="utf-8") as file:
                self.assertEqual(file.read(), text)

    def test_a_database_of_somebody_else(self):
        self.write("call.yaml", QUICK)
        self.records("in.ndjson", 1)
        other = sqlite3.connect(self.path("c.db"))
        other.execute("create table mine (a)")
        other.commit()
        other.close()
        self.assertIn("error IL2003: c.db is not an Interlock database", self.run_calls(status=3).err)
        self.must("list", "--db", "c.db", status=3)

    def test_a_database_of_another_version(self):
        self.write("call.yaml", QUICK)
        self.records("in.ndjson", 1)
        self.run_calls()
        other = sqlite3.connect(self.path("c.db"))
        version = other.execute("pragma user_version").fetchone()[0]
        other.execute(f"pragma user_version = {version + 1}")
        other.commit()
        other.close()
        self.assertIn("error IL2002: ", self.run_calls(status=3).err)
        self.assertIn("error IL2002: ", self.must("list", "--db", "c.db", status=3).err)

    def test_a_damaged_log_is_found(self):
        self.write("call.yaml", QUICK)
        self.records("in.ndjson", 20)
        self.run_calls()
        other = sqlite3.connect(self.path("c.db"))
        other.execute("update log set records = cast(replace(hex(records), '72', '73') as blob)")
        other.commit()
        other.close()
        damaged = self.must("history", "r3", "--db", "c.db", status=3)
        self.assertIn("error IL2003: ", damaged.err)

    def test_a_second_writer_is_turned_away_and_readers_are_not(self):
        self.write("call.yaml", CALL % 'exec: ["/bin/sleep", "0.2"], limit: { concurrency: 2 }')
        self.records("in.ndjson", 50)
        first = self.begin("run", "call.yaml", "--input", "in.ndjson", "--db", "c.db")
        for _ in range(100):
            if len(self.call("list", "--db", "c.db").out.splitlines()) == 50:
                break
            time.sleep(0.02)
        second = self.run_calls(status=3)
        self.assertIn(f"error IL2004: c.db is owned by process {first.pid}", second.err)
        self.must("send", "r1", "X", "--db", "c.db", status=3)
        self.assertIn("step step", self.must("why", "r49", "--db", "c.db").out)
        self.must("history", "r1", "--db", "c.db")
        first.send_signal(signal.SIGKILL)
        self.end(first)
        self.must("list", "--db", "c.db")
        self.assertRegex(self.run_calls().out, r"(?m)^DONE +50 ")

    def test_a_folder_that_is_not_there(self):
        self.write("call.yaml", QUICK)
        self.records("in.ndjson", 1)
        answer = self.must("run", "call.yaml", "--input", "in.ndjson", "--db", "no/c.db", status=3)
        self.assertIn("no/c.db cannot be created", answer.err)

    def test_a_wrong_definition_touches_no_database(self):
        self.write("call.yaml", QUICK.replace("invoke:", "invok:"))
        self.records("in.ndjson", 1)
        self.assertIn("did you mean 'invoke'?", self.run_calls(status=1).err)
        self.must("start", "call.yaml", "--id", "1", "--db", "c.db", status=1)
        self.must("run", "nowhere.yaml", "--input", "in.ndjson", "--db", "c.db", status=3)
        self.assertFalse(os.path.exists(self.path("c.db")))


harness.main(Trouble)
