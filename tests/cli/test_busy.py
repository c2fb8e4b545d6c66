#!/usr/bin/env python3
"""`admission`: what a machine does not let in while there is too much to do."""

import json
import os
import time

import harness

MACHINE = """\
id: job
version: "1"
context: {}
initial: WORKING
states:
  WORKING:
    on: { STOP: DONE }
    invoke: { src: work, onDone: DONE, onError: FAILED }
  DONE: { type: final }
  FAILED: { type: final, tags: [failure] }
steps:
  work: { exec: ["/bin/sh", "-c", "sleep 0.2; echo 1"], limit: { concurrency: 2 } }
admission: { working: 4, priority: "${input.tier}" }
"""


class Busy(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("job.yaml", MACHINE)

    def run_jobs(self, *words, status=0, **more):
        return self.must("run", "job.yaml", *words, "--db", "j.db", status=status, **more)

    def test_a_file_waits_until_everything_was_let_in(self):
        self.records("in.ndjson", 20)
        summary = json.loads(self.run_jobs("--input", "in.ndjson", "-o", "json").out)
        self.assertEqual((summary["states"][0]["count"], summary["not_let_in"]), (20, 0))
        door = json.loads(self.must("policies", "--db", "j.db", "-o", "json").out)[0]
        self.assertEqual((door["machine"], door["working_max"], door["let_in"]), ("job", 4, 20))
        self.assertGreater(door["refused_full"], 0)
        self.assertNotIn("step", door)
        self.assertNotIn("saved", door)
        self.assertRegex(self.must("policies", "--db", "j.db").out,
                         r"(?m)^job +0 at work of 4, 20 let in, \d+ refused: full")

    def test_a_machine_without_steps_has_a_door_too(self):
        self.write("job.yaml", "id: job\nversion: '1'\nadmission: { working: 4 }\ninitial: A\n"
                               "states: { A: { on: { GO: B } }, B: { type: final } }\n")
        self.records("in.ndjson", 3)
        for _ in range(2):
            answer = self.run_jobs("--input", "in.ndjson", "-o", "json", status=1)
            self.assertEqual(json.loads(answer.out)["waiting"], 3)

    def test_what_is_refused_can_be_kept_for_later(self):
        self.records("in.ndjson", 20, tier="high")
        with open(self.path("in.ndjson"), encoding="utf-8") as file:
            lines = file.read()
        answer = self.run_jobs("--input", "-", "--format", "ndjson", "--refused", "later.ndjson",
                               "-o", "json", status=1, stdin=lines)
        summary = json.loads(answer.out)
        self.assertEqual(summary["states"][0]["count"] + summary["not_let_in"], 20)
        self.assertGreater(summary["not_let_in"], 0)
        self.assertEqual(summary["bad_records"], 0)
        self.assertRegex(answer.err, r"stdin:\d+: error IL1009: too much to do: 4 of at most 4 are "
                                     r"at work; come again in ")
        with open(self.path("later.ndjson"), encoding="utf-8") as file:
            later = [json.loads(line) for line in file]
        self.assertEqual(len(later), summary["not_let_in"])
        whole = json.loads(self.run_jobs("--input", "later.ndjson", "-o", "json").out)
        self.assertEqual(whole["states"][0]["count"], len(later))
        self.assertEqual(len(self.must("list", "--db", "j.db", "-o", "ndjson").lines), 20)

    def test_a_record_without_an_id_keeps_the_one_it_had(self):
        self.run_jobs("--input", "-", "--format", "ndjson", "--refused", "later.ndjson", status=1,
                      stdin='{"n":1,"tier":"high"}\n' * 6 + "{}\n")
        with open(self.path("later.ndjson"), encoding="utf-8") as file:
            later = [json.loads(line) for line in file]
        self.assertEqual(later, [{"id": "5", "n": 1, "tier": "high"},
                                 {"id": "6", "n": 1, "tier": "high"}, {"id": "7"}])

    def test_a_run_that_is_repeated_keeps_each_record_once(self):
        self.write("job.yaml", MACHINE.replace("sleep 0.2", "sleep 60").replace(
            "limit:", "timeout: 70s, deadline: 80s, limit:"))
        self.records("in.ndjson", 12, tier="high")
        self.write("later.ndjson", '{"id":"cut","n"')  # off by a crash
        for _ in range(3):
            process = self.begin("run", "job.yaml", "--input", "in.ndjson", "--refused",
                                 "later.ndjson", "--db", "j.db")
            for _ in range(200):
                if self.bytes_of("later.ndjson").count(b"tier") == 8:
                    break
                time.sleep(0.05)
            time.sleep(0.2)
            process.kill()
            self.end(process)
        lines = self.bytes_of("later.ndjson").decode().splitlines()
        self.assertEqual(lines[0], '{"id":"cut","n"')
        self.assertEqual([json.loads(line)["id"] for line in lines[1:]],
                         [f"r{i}" for i in range(4, 12)])

    def test_a_report_tells_who_was_not_let_in(self):
        self.records("in.ndjson", 6, tier="high")
        tap = self.run_jobs("--input", "in.ndjson", "--refused", "later.ndjson", "--report", "tap",
                            status=1).out
        self.assertEqual(tap.count("\nnot ok"), 2)
        self.assertIn("not let in", tap)

    def test_a_refused_start_says_when_to_come_again_and_changes_nothing(self):
        self.write("job.yaml", MACHINE.replace("sleep 0.2", "sleep 60").replace(
            "limit:", "timeout: 50s, limit:").replace("working: 4", "working: 1"))
        process = self.begin("start", "job.yaml", "--id", "a", "--db", "j.db")
        for _ in range(200):
            if self.call("show", "a", "--db", "j.db").status == 0:
                break
            time.sleep(0.05)
        process.kill()
        self.end(process)
        before = self.must("list", "--db", "j.db", "-o", "ndjson").out
        answer = self.must("start", "job.yaml", "--id", "b", "--db", "j.db", status=1)
        self.assertEqual(answer.err, "interlock: error IL1009: too much to do: 1 of at most 1 are at "
                                     "work; come again in 10s\n")
        self.assertEqual(self.must("list", "--db", "j.db", "-o", "ndjson").out, before)
        self.must("send", "a", "STOP", "--db", "j.db")
        process = self.begin("start", "job.yaml", "--id", "b", "--db", "j.db")
        for _ in range(200):
            if self.call("show", "b", "--db", "j.db").status == 0:
                break
            time.sleep(0.05)
        else:
            self.fail("b was not let in")
        process.kill()
        self.end(process)

    def test_admission_is_no_part_of_a_version(self):
        self.records("in.ndjson", 2)
        self.run_jobs("--input", "in.ndjson")
        self.write("job.yaml", MACHINE.replace("working: 4", "working: 5"))
        self.run_jobs("--input", "in.ndjson")
        self.write("steps.yaml", "steps: {}\nadmission: { working: 7 }\n")
        self.records("in.ndjson", 3)
        self.run_jobs("--input", "in.ndjson", "--steps", "steps.yaml")
        door = json.loads(self.must("policies", "--db", "j.db", "-o", "json").out)[0]
        self.assertEqual(door["working_max"], 7)

    def test_mistakes_are_told_with_their_place(self):
        self.write("job.yaml", MACHINE.replace("working: 4", "wroking: 4"))
        self.assertIn("job.yaml:13:14: error IL0102: unknown key `wroking` in `admission`",
                      self.must("check", "job.yaml", status=1).err)
        self.write("job.yaml", MACHINE.replace("${input.tier}", "${inptu.tier}"))
        self.assertIn("job.yaml:13:", self.must("check", "job.yaml", status=1).err)

    def test_what_is_read_is_not_written_to(self):
        self.records("in.ndjson", 6)
        self.records("none.ndjson", 0)
        self.run_jobs("--input", "none.ndjson")
        os.link(self.path("in.ndjson"), self.path("link.ndjson"))
        names = ("in.ndjson", "link.ndjson", "j.db", "job.yaml")
        before = [self.bytes_of(name) for name in names]
        for name in names:
            for words in (("--refused", name), ("--report", "junit=" + name)):
                answer = self.run_jobs("--input", "in.ndjson", *words, status=2)
                self.assertRegex(answer.err, words[0] + r" would write into \S+, which this run "
                                                        r"needs itself\n")
        self.run_jobs("--input", "in.ndjson", "--refused", "x", "--report", "junit=x", status=2)
        self.assertEqual([self.bytes_of(name) for name in names], before)

    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def test_a_file_that_cannot_be_written_exits_3(self):
        self.records("in.ndjson", 1)
        self.run_jobs("--input", "in.ndjson", "--refused", "no/such/folder/x", status=3)


harness.main(Busy)
