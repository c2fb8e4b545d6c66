#!/usr/bin/env python3
"""`run`: one durable instance per record, whatever happens in between."""

import json
import os
import random
import signal
import subprocess
import time

import harness

JOB = """\
id: job
version: "1"
context: { n: "${input.n}", out: null }
initial: NEW
states:
  NEW: { on: { GO: { target: WORKING, guard: "event.n >= 0" } } }
  WORKING:
    invoke: { src: work, input: { n: "${context.n}" },
              onDone: { target: DONE, assign: { out: "${event.output}" } }, onError: FAILED }
  DONE: { type: final }
  FAILED: { type: final, tags: [failure] }
steps:
  work: { exec: ["/bin/sh", "-c", "sleep 0.01; echo \\"$INTERLOCK_IDEMPOTENCY_KEY\\" >>ledger; cat"],
          limit: { concurrency: 8, queue: 10000 } }
"""


class Run(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("job.yaml", JOB)

    def run_jobs(self, *words, status=0, records="in.ndjson", **more):
        return self.must("run", "job.yaml", "--input", records, "--event", "GO", "--db", "j.db",
                         *words, status=status, **more)

    def instances(self):
        return {x["id"]: x for x in self.must("list", "--db", "j.db", "-o", "ndjson").lines}

    def keys(self):
        with open(self.path("ledger"), encoding="utf-8") as file:
            return file.read().split()

    def wait_for_ledger(self):
        """Until the first step has acted."""
        for _ in range(1000):
            if os.path.exists(self.path("ledger")):
                return
            time.sleep(0.01)

    def test_every_record_becomes_an_instance_that_ends(self):
        self.records("in.ndjson", 100)
        answer = self.run_jobs()
        self.assertEqual(answer.err, "")
        lines = answer.out.splitlines()
        self.assertRegex(lines[0], r"^state +instances +p50 +p99$")
        self.assertRegex(lines[1], r"^DONE +100 +[\d.]+ m?s +[\d.]+ m?s$")
        self.assertRegex(lines[2], r"^never ran +0$")
        found = self.instances()
        self.assertEqual(len(found), 100)
        self.assertEqual(found["r42"]["context"], {"n": 42, "out": {"n": 42}})
        self.assertEqual(len(set(self.keys())), 100)

    def test_the_same_command_again_runs_nothing_twice(self):
        self.records("in.ndjson", 20)
        self.run_jobs()
        again = self.run_jobs()
        self.assertIn("resumed: 20 were finished before\n", again.out)
        self.assertEqual(len(self.keys()), 20)
        self.records("in.ndjson", 30)
        more = json.loads(self.run_jobs("-o", "json").out)
        self.assertEqual((more["resumed"], more["states"][0]["count"]), (20, 30))
        self.assertEqual(len(self.keys()), 30)

    def test_who_comes_by_standard_input_does_not_wait_for_those_that_cannot_go_on(self):
        self.write("job.yaml", """\
id: job
version: "1"
initial: NEW
states:
  NEW: { on: { GO: [ { target: DONE, guard: "event.quick" }, { target: STUCK } ] } }
  STUCK: { invoke: { src: stuck, onDone: DONE, onError: DONE } }
  DONE: { type: final }
steps:
  stuck: { exec: [sleep, "60"], timeout: 70s, deadline: 80s, limit: { concurrency: 1, queue: 1 } }
""")
        process = self.begin("run", "job.yaml", "--input", "-", "--event", "GO", "--db", "j.db",
                             stdin=subprocess.PIPE)
        for i in range(5000):
            process.stdin.write(json.dumps({"id": f"r{i}", "quick": False}) + "\n")
        process.stdin.write('{"id":"last","quick":true}\n')
        process.stdin.flush()
        for _ in range(600):
            if self.call("show", "last", "--db", "j.db").status == 0:
                break
            time.sleep(0.05)
        else:
            self.fail("the last record was never read")
        process.kill()
        self.end(process)

    def test_bad_records_are_told_and_the_rest_is_run(self):
        self.write("in.ndjson", '{"id":"a","n":1}\n{bad\n\n[1]\n{"id":"b","n":2}\n'
                                '{"id":"a","n":3}\n{"id":{},"n":1}\n{"id":"","n":1}\n'
                                '{"id":"c","n":1,"type":"X"}\n{"id":"d","n":4}\n{"id":"e"}')
        answer = self.run_jobs(status=1)
        self.assertEqual([line.split(" ")[0] for line in answer.err.splitlines()],
                         [f"in.ndjson:{at}:" for at in ("2:2", "4", "6", "7", "8", "9", "11")])
        self.assertIn("in.ndjson:6: error IL1003: duplicate id a: line 1 has it", answer.err)
        self.assertRegex(answer.out, r"(?m)^DONE +3 ")
        self.assertRegex(answer.out, r"(?m)^bad records +7$")
        self.assertEqual(sorted(self.instances()), ["a", "b", "d"])

    def test_only_the_first_bad_records_are_shown(self):
        self.write("in.ndjson", "{\n" * 100 + '{"id":1,"n":1}\n')
        answer = self.run_jobs(status=1)
        lines = answer.err.splitlines()
        self.assertEqual(len(lines), 21)
        self.assertIn("80 more", lines[-1])
        self.assertRegex(answer.out, r"(?m)^bad records +100$")

    def test_a_record_that_is_too_long_is_a_bad_record(self):
        self.write("in.ndjson", '{"id":"a","n":1,"x":"%s"}\n{"id":"b","n":2}\n' % ("x" * (2 << 20)))
        answer = self.run_jobs(status=1)
        self.assertIn("in.ndjson:1: error IL1002: the record is too large", answer.err)
        self.assertEqual(list(self.instances()), ["b"])

    def test_a_record_that_changed_is_a_conflict(self):
        self.records("in.ndjson", 5)
        self.run_jobs()
        self.write("in.ndjson", '{"id":"r1","n":1}\n{"id":"r2","n":99}\n{"id":"new","n":1}\n')
        answer = self.run_jobs(status=1)
        self.assertEqual(answer.err,
                         "in.ndjson:2: error IL1004: r2 exists and was started with other input\n")
        self.assertRegex(answer.out, r"(?m)^conflicts +1$")
        self.assertRegex(answer.out, r"(?m)^DONE +2 ")
        self.assertEqual(self.instances()["r2"]["context"]["n"], 2)

    def test_ids_come_from_a_field_or_the_line(self):
        self.write("in.ndjson", '{"n":1}\n\n{"n":2,"id":7}\n{"n":3,"ref":"x"}\n')
        self.run_jobs()
        self.assertEqual(sorted(self.instances()), ["1", "4", "7"])
        answer = self.run_jobs("--id", "ref", "--db", "k.db", status=2)
        self.assertIn("--db is given twice", answer.err)
        answer = self.must("run", "job.yaml", "--input", "in.ndjson", "--event", "GO", "--id",
                           "ref", "--db", "k.db", status=1)
        self.assertIn("in.ndjson:1: error IL1002: the record has no member `ref`", answer.err)
        self.assertRegex(answer.out, r"(?m)^bad records +2$")

    def test_waiting_for_an_event_ends_the_run_with_1(self):
        self.write("in.ndjson", '{"id":"a","n":1}\n{"id":"b","n":-1}\n')
        answer = self.run_jobs(status=1)
        self.assertRegex(answer.out, r"(?m)^NEW +1  waits for event GO$")

    def test_an_instance_that_stopped_with_an_error_exits_1(self):
        self.write("job.yaml", JOB.replace(", onError: FAILED", "").replace("; cat", "; exit 1"))
        self.records("in.ndjson", 3)
        answer = self.run_jobs(status=1)
        self.assertRegex(answer.out, r"(?m)^WORKING +3 .* error$")
        self.assertIn("check finds 2 errors", answer.err)

    def test_a_failure_alone_does_not_exit_1(self):
        self.write("job.yaml", JOB.replace("; cat", "; exit 1"))
        self.records("in.ndjson", 3)
        self.assertRegex(self.run_jobs().out, r"(?m)^FAILED +3 ")

    def test_timers_are_waited_for(self):
        self.write("job.yaml", "id: t\ninitial: a\nstates:\n  a: { after: { 200ms: b } }\n"
                               "  b: { type: final }\n")
        self.records("in.ndjson", 3)
        answer = self.must("run", "job.yaml", "--input", "in.ndjson")
        self.assertRegex(answer.out, r"(?m)^b +3 ")

    def test_standard_input_is_taken_as_it_arrives(self):
        process = self.begin("run", "job.yaml", "--input", "-", "--event", "GO", "--db", "j.db",
                             stdin=subprocess.PIPE)
        process.stdin.write('{"id":"a","n":1}\n{bad\n')
        process.stdin.flush()
        self.wait_for_ledger()
        self.assertEqual(len(self.keys()), 1)  # although the input has not ended
        answer = self.end(process, '{"id":"b","n":2}\n')
        self.assertEqual(answer.status, 1)
        self.assertIn("stdin:2:2: error IL1001: ", answer.err)
        self.assertEqual(sorted(self.instances()), ["a", "b"])

    def test_an_empty_input_runs_nothing(self):
        self.write("in.ndjson", "\n\n")
        self.assertRegex(self.run_jobs().out, r"(?m)^never ran +0$")

    def test_more_records_than_may_be_at_work(self):
        self.write("job.yaml", "id: m\ninitial: a\nstates:\n  a: { on: { GO: b } }\n"
                               "  b: { type: final }\n")
        self.records("in.ndjson", 20000)
        self.assertRegex(self.run_jobs().out, r"(?m)^b +20000 ")

    def test_formats_that_are_not_read_are_refused_by_name(self):
        for name in ("in.tsv", "in.csv.xz", "in.xlsx"):
            self.write(name, "id\tn\n1\t2\n")
            self.assertIn("is not read; give CSV, NDJSON or JSON",
                          self.run_jobs(records=name, status=2).err)
        self.assertEqual(len(os.listdir(self.folder)), 4)  # and no database

    def test_a_missing_input_changes_nothing(self):
        answer = self.run_jobs(status=3)
        self.assertEqual(answer.err, "in.ndjson: error IL0100: No such file or directory\n")
        self.assertEqual(os.listdir(self.folder), ["job.yaml"])

    def check_all_ran_once(self, count):
        found = self.instances()
        self.assertEqual(len(found), count)
        self.assertEqual({x["value"] for x in found.values()}, {"DONE"})
        self.assertEqual(len(set(self.keys())), count)  # one key per invocation
        for instance in random.sample(sorted(found), 10):
            self.must("history", instance, "--db", "j.db", "--verify")

    def test_sigterm_ends_it_cleanly_and_it_goes_on(self):
        self.records("in.ndjson", 300)
        process = self.begin("run", "job.yaml", "--input", "in.ndjson", "--event", "GO", "--db",
                             "j.db")
        self.wait_for_ledger()
        process.send_signal(signal.SIGTERM)
        answer = self.end(process)
        self.assertEqual(answer.status, 1)
        self.assertIn("stopped: run the same command again to go on\n", answer.out)
        self.assertEqual(len(self.keys()), len(set(self.keys())))  # what was under way ended
        self.run_jobs()
        self.check_all_ran_once(300)

    def test_a_stopped_run_counts_what_never_ran(self):
        self.write("job.yaml", JOB.replace("sleep 0.01", "sleep 60"))
        self.records("in.ndjson", 6000)
        process = self.begin("run", "job.yaml", "--input", "in.ndjson", "--event", "GO", "--db",
                             "j.db", "-o", "json")
        for _ in range(300):
            if os.path.exists(self.path("j.db-wal")) and len(self.instances()) >= 4096:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told = json.loads(self.end(process).out)
        self.assertEqual((told["stopped"], told["unfinished"], told["never_ran"]),
                         (True, 4096, 1904))

    def test_killed_at_any_moment_it_goes_on(self):
        self.records("in.ndjson", 300)
        for _ in range(8):
            process = self.begin("run", "job.yaml", "--input", "in.ndjson", "--event", "GO",
                                 "--db", "j.db")
            time.sleep(random.uniform(0.01, 0.25))
            process.kill()
            self.end(process)
        self.run_jobs()
        self.check_all_ran_once(300)


harness.main(Run)
