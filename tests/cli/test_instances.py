#!/usr/bin/env python3
"""`start`, `send`, `list`, `show`, `history`, `why`, `adopt`: single instances."""

import json
import os
import subprocess
import time

import harness

TICKET = """\
id: ticket
version: "1"
context: { who: null, n: 0 }
initial: OPEN
states:
  OPEN:
    on:
      TAKE: { target: WORKING, assign: { who: "${event.who}" } }
      BREAK: { assign: { n: "${context.n + 'x'}" } }
  WORKING:
    invoke: { src: work, input: "${context}", onDone: { target: COOLING, assign: { n: "${event.output.n}" } }, onError: STUCK }
  COOLING: { after: { 300ms: REVIEW } }
  REVIEW:
    on: { OK: CLOSED, NO: STUCK }
  STUCK: { on: { RETRY: WORKING }, tags: [attention] }
  CLOSED: { type: final }
steps:
  work: { exec: ["/bin/sh", "-c", "echo '{\\"n\\": 3}'"] }
"""

INSTANCE = ["id", "machine", "version", "value", "status", "context", "tags", "output", "seq",
            "created", "updated", "waiting"]
INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


class Instances(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("ticket.yaml", TICKET)

    def start(self, instance="7", *words, status=0):
        return self.must("start", "ticket.yaml", "--id", instance, *words, status=status)

    def show(self, instance="7"):
        return json.loads(self.must("show", instance, "-o", "json").out)

    def test_a_crowd_of_children_is_counted(self):
        self.write("crowd.yaml", """\
id: crowd
version: "1"
machines:
  kid: { version: "1", initial: A, states: { A: { on: { X: F } }, F: { type: final } } }
initial: I
states:
  I:
    entry: [ { spawn: kid }, { spawn: kid }, { spawn: kid } ]
    on: { END: Z }
  Z: { type: final }
""")
        self.assertEqual(self.must("start", "crowd.yaml", "--id", "c").out,
                         "c  I  active  waits for 3x child\n")

    def test_a_ring_without_a_delay_comes_to_its_end(self):
        self.write("ring.yaml", "id: ring\nversion: '1'\ninitial: A\nstates:\n"
                                "  A: { after: { 0: B } }\n  B: { after: { 0: A } }\n")
        self.must("start", "ring.yaml", "--id", "r", "--wait")
        self.assertIn("\n  stopped by an error: {\"kind\":\"execution\",\"message\":\"timers "
                      "without a delay follow one from another and never come to rest\"}\n",
                      self.must("why", "r").out)
        self.must("history", "r", "--verify")

    def test_an_instance_is_started_and_shown(self):
        self.assertRegex(self.start().out, r"^7  OPEN  active  waits for event TAKE, BREAK\n$")
        shown = self.show()
        self.assertEqual(list(shown), INSTANCE)
        self.assertEqual((shown["machine"], shown["version"], shown["seq"]), ("ticket", "1", 1))
        self.assertRegex(shown["created"], INSTANT)
        self.assertEqual(shown["waiting"], [{"for": "event", "events": ["TAKE", "BREAK"]}])
        self.assertIn("context   {", self.must("show", "7").out)

    def test_the_same_start_again_finds_it_and_another_is_a_conflict(self):
        self.start("7", "--input", '{"a": 1}')
        self.start("7", "--input", '{"a":1}')
        self.assertIn("other input", self.start("7", "--input", '{"a":2}', status=1).err)
        self.assertEqual(self.show()["seq"], 1)

    def test_a_deployed_machine_is_started_by_its_name(self):
        self.start()
        for instance, machine in (("8", "ticket"), ("9", "ticket@1")):
            self.must("start", machine, "--id", instance)
        self.must("start", "ticket@2", "--id", "10", status=1)
        self.must("start", "tikcet", "--id", "10", status=1)
        self.must("start", "tikcet.yaml", "--id", "10", status=3)
        self.assertEqual(len(self.must("list", "-o", "ndjson").lines), 3)

    def test_start_sends_an_event_with_the_input(self):
        self.write("in.json", '{"who":"ada"}')
        out = self.start("7", "--input", "@in.json", "--event", "TAKE", "--wait", "-o", "json").out
        told = json.loads(out)
        self.assertEqual((told["value"], told["context"]), ("REVIEW", {"who": "ada", "n": 3}))
        self.must("start", "ticket.yaml", "--id", "8", "--input", "@nowhere.json", status=3)

    def test_why_is_not_changed_by_events_that_change_nothing(self):
        self.start()
        self.must("send", "7", "TAKE", "who=ada", "--wait")
        self.must("send", "7", "OK")
        before = self.must("why", "7").out
        self.assertRegex(before, r"^7  CLOSED  done since (\S+)\n  got here from REVIEW by OK at \1\n")
        self.must("send", "7", "OK")
        self.assertEqual(self.must("why", "7").out, before)

    def test_a_start_that_fails_says_what_failed(self):
        self.write("m.yaml", "id: m\ncontext: { n: '${input.n}' }\ninitial: A\n"
                             "states: { A: { type: final } }\n")
        answer = self.must("start", "m.yaml", "--id", "1", "--input", "{}", status=1)
        self.assertIn("1 does not start: context n: no such key: 'n'", answer.err)

    def test_an_event_that_fails_says_why(self):
        self.start()
        answer = self.must("send", "7", "BREAK", status=1)
        self.assertIn("BREAK failed: assign n: no such overload", answer.err)

    def test_an_event_that_fails_at_the_start_is_told_every_time(self):
        for _ in range(2):
            answer = self.start("7", "--event", "BREAK", status=1)
            self.assertTrue(answer.out.startswith("7  OPEN  active"), answer)
            self.assertIn("BREAK failed: assign n: no such overload", answer.err)
        self.assertEqual(self.show()["seq"], 2)
        self.start("8", "--event", "UNKNOWN")

    def test_what_is_ignored_is_no_update(self):
        self.start()
        before = self.show()
        self.must("send", "7", "OK")
        self.assertEqual(self.show()["seq"], 2)
        self.assertEqual(self.show()["updated"], before["updated"])
        self.must("send", "7", "TAKE", "who=ada", "--wait")
        self.assertGreater(self.show()["updated"], before["updated"])
        at = [line["at"] for line in self.must("history", "7", "-o", "ndjson").lines]
        self.assertEqual(at, sorted(at))

    def test_errors_keep_the_place_in_the_file(self):
        line = TICKET[:TICKET.index("BREAK")].count("\n") + 1
        self.start()
        self.must("send", "7", "BREAK", status=1)
        error = self.must("history", "7", "-o", "ndjson").lines[1]["errors"][0]
        self.assertEqual(error["at"].rsplit(":", 1)[0], f"ticket.yaml:{line}")
        self.must("start", "ticket", "--id", "8", "--event", "BREAK", status=1)
        error = self.must("history", "8", "-o", "ndjson").lines[1]["errors"][0]
        self.assertEqual(error["at"].rsplit(":", 1)[0], f"ticket.yaml:{line}")

    def test_an_id_does_not_drive_the_terminal(self):
        wild = "a\x1b[2J\nb\u009bc"
        self.start(wild)
        for words in (("list",), ("show", wild), ("why", wild), ("history", wild)):
            out = self.must(*words).out
            self.assertNotIn("\x1b", out, words)
            self.assertNotIn("\u009b", out, words)
            self.assertIn("a\\x1b[2J\\x0ab\\u009bc" if words[0] != "history" else "", out)
        self.assertEqual(self.must("list", "-o", "ndjson").lines[0]["id"], wild)
        refused = self.must("send", wild + "!", "OK", status=1)
        self.assertNotIn("\x1b", refused.err)
        self.assertEqual(refused.err.count("\n"), 1)

    def test_a_machine_that_is_not_there_is_named(self):
        self.start()
        self.assertIn("machine order is not deployed",
                      self.must("start", "order", "--id", "1", status=1).err)
        self.assertIn("machine ticket has no version 7",
                      self.must("start", "ticket@7", "--id", "1", status=1).err)

    def test_nothing_stands_beside_the_steps_of_an_overlay(self):
        self.write("steps.yaml", "steps: { work: { exec: [a] } }\nwrok: { exec: [b] }\n")
        answer = self.must("start", "ticket.yaml", "--id", "7", "--steps", "steps.yaml", status=1)
        self.assertIn("steps.yaml:2:1: error IL0102: `wrok` stands beside `steps`", answer.err)

    def test_a_file_that_is_too_large_is_told_the_limit(self):
        self.write("large.json", '"' + "a" * (1 << 20) + '"')
        self.assertIn("large.json: error", self.must("check", "large.json", status=3).err)
        answer = self.must("start", "ticket.yaml", "--id", "7", "--input", "@large.json", status=3)
        self.assertIn("larger than 1 MiB", answer.err)

    def test_closed_descriptors_do_not_become_a_database(self):
        call = f"exec '{harness.PROGRAM}' start ticket.yaml --id 7 <&- >&- 2>&-"
        ended = subprocess.run(["/bin/sh", "-c", call], cwd=self.folder, check=False)
        self.assertEqual(ended.returncode, 3)
        self.assertEqual(self.show()["seq"], 1)
        ended = subprocess.run(["/bin/sh", "-c", f"exec '{harness.PROGRAM}' show 7 2>&-"],
                               cwd=self.folder, check=False, capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stdout[:5]), (0, "id   "))

    def test_an_empty_name_is_not_taken_for_none(self):
        for words in (("start", "ticket.yaml", "--id", "8", "--event", ""),
                      ("send", "7", "OK", "--key", "")):
            self.assertIn("is empty", self.must(*words, status=2).err)

    def test_an_event_is_applied_ignored_failed_or_refused(self):
        self.start()
        self.assertTrue(self.must("send", "7", "OK").out.startswith("ignored  7  OPEN  active"))
        self.assertTrue(self.must("send", "7", "BREAK", status=1).out.startswith("failed  7"))
        took = self.must("send", "7", "TAKE", "who=ada", "n=3", "deep={\"a\":[1]}", "--wait")
        self.assertTrue(took.out.startswith("applied  7  REVIEW"), took)
        refused = self.must("send", "7", "OK", "type=X", status=1)
        self.assertIn("without `type`", refused.err)
        self.assertEqual(self.must("send", "8", "OK", status=1).err,
                         "interlock: error IL1006: there is no instance 8\n")
        history = self.must("history", "7", "-o", "ndjson").lines
        self.assertEqual([x["seq"] for x in history], [1, 2, 3, 4, 5, 6])
        self.assertEqual([x["outcome"] for x in history],
                         ["applied", "ignored", "failed", "applied", "applied", "applied"])
        self.assertEqual(history[3]["event"],
                         {"type": "TAKE", "who": "ada", "n": 3, "deep": {"a": [1]}})

    def test_a_key_gives_the_same_answer_again(self):
        self.start()
        first = json.loads(self.must("send", "7", "TAKE", "who=a", "--key", "k", "-o", "json").out)
        again = json.loads(self.must("send", "7", "TAKE", "who=a", "--key", "k", "-o", "json").out)
        self.assertEqual((first["outcome"], first["seq"], first["repeated"]), ("applied", 2, False))
        self.assertEqual((again["outcome"], again["seq"], again["repeated"]), ("applied", 2, True))
        other = self.must("send", "7", "TAKE", "who=b", "--key", "k", status=1)
        self.assertIn("the key k was used with another event", other.err)

    def test_send_rests_at_a_timer_unless_told_to_wait(self):
        self.start()
        self.assertIn("COOLING", self.must("send", "7", "TAKE", "who=ada").out)
        time.sleep(0.4)
        waited = self.must("send", "7", "NOPE", "--wait")
        self.assertIn("REVIEW", waited.out)

    def test_list_filters(self):
        for instance in "abc":
            self.start(instance)
        self.must("send", "b", "TAKE", "who=1", "--wait")
        self.must("send", "b", "OK")
        self.must("send", "c", "TAKE", "who=1", "--wait")
        self.must("send", "c", "NO")
        rows = (
            ([], "abc"),
            (["--state", "OPEN"], "a"),
            (["--state", "CLOSED"], "b"),
            (["--status", "active"], "ac"),
            (["--status", "done"], "b"),
            (["--tag", "attention"], "c"),
            (["--older", "0ms"], "abc"),
            (["--older", "1h"], ""),
            (["--limit", "2"], "ab"),
            (["--limit", "0"], ""),
            (["--status", "active", "--tag", "attention"], "c"),
        )
        for words, expected in rows:
            lines = self.must("list", *words, "-o", "ndjson").lines
            self.assertEqual("".join(x["id"] for x in lines), expected, words)
            self.assertEqual(json.loads(self.must("list", *words, "-o", "json").out), lines)
            self.assertEqual(len(self.must("list", *words).out.splitlines()), len(expected))
        self.assertIn("has a state OPNE", self.must("list", "--state", "OPNE", status=1).err)

    def test_history_is_told_in_columns_and_verified(self):
        self.start()
        self.must("send", "7", "NOPE")
        self.must("send", "7", "BREAK", status=1)
        self.must("send", "7", "TAKE", "who=ada")
        lines = self.must("history", "7").out.splitlines()
        clock = r"\d\d:\d\d:\d\d\.\d{3}"
        expected = (rf"^   1  {clock}  start +OPEN$",
                    rf"^   2  {clock}  NOPE +OPEN  \(ignored\)$",
                    rf"^   3  {clock}  BREAK +OPEN  \(failed\)$",
                    r"^ {20}assign n: no such overload",
                    rf"^   4  {clock}  TAKE +OPEN +→ WORKING$",
                    rf"^   5  {clock}  done\.invoke\.WORKING +WORKING → COOLING$")
        for line, pattern in zip(lines, expected, strict=True):
            self.assertRegex(line, pattern)
        self.assertEqual(self.must("history", "7", "--verify").out,
                         "7: replaying 5 events gives the stored state\n")

    def test_history_json_has_true_from_and_to(self):
        self.start()
        self.must("send", "7", "TAKE", "who=ada")
        lines = json.loads(self.must("history", "7", "-o", "json").out)
        self.assertEqual([(x["from"], x["to"]) for x in lines],
                         [(None, "OPEN"), ("OPEN", "WORKING"), ("WORKING", "COOLING")])
        self.assertEqual(list(lines[0]),
                         ["seq", "at", "event", "outcome", "from", "to", "via", "effects"])
        self.assertRegex(lines[0]["at"], INSTANT)

    def test_history_follows_until_the_end(self):
        self.start()
        process = self.begin("history", "7", "-f", "-o", "ndjson")
        process.stdout.readline()
        self.must("send", "7", "TAKE", "who=ada", "--wait")
        self.must("send", "7", "OK")
        answer = self.end(process)
        self.assertEqual(answer.status, 0)
        self.assertEqual([x["seq"] for x in answer.lines], [2, 3, 4, 5])

    def test_policies_tell_what_they_know(self):
        self.write("guarded.yaml", TICKET.replace(
            "steps:\n  work: {", "steps:\n  work: { breaker: { minimum: 1 }, rate: 5/s, "
            "retry: { budget: 20% },"))
        self.must("start", "guarded.yaml", "--id", "7")
        self.must("send", "7", "TAKE", "who=me", "--wait")
        line = self.must("policies").out
        self.assertRegex(line, r"^ticket/work +closed +0 % of 1 calls failed, 0 in flight of 64")
        self.assertIn("budget: 100 left", line)
        shown = json.loads(self.must("policies", "-o", "json").out)
        self.assertEqual((shown[0]["machine"], shown[0]["step"]), ("ticket", "work"))
        self.assertEqual((shown[0]["state"], shown[0]["calls"]), ("closed", 1))
        self.assertNotIn("saved", shown[0])

    def test_why_tells_what_wakes_it_next(self):
        self.start()
        self.assertRegex(self.must("why", "7").out, r"^7  OPEN  active since .*\n.*TAKE")
        self.must("send", "7", "TAKE", "who=ada")
        self.assertIn("timer after.300ms.COOLING fires at", self.must("why", "7").out)

    def test_an_unknown_instance_exits_1(self):
        self.start()
        for command in ("show", "history", "why"):
            self.assertEqual(self.must(command, "8", status=1).err,
                             "interlock: error IL1006: there is no instance 8 in interlock.db\n")

    def test_reading_never_creates_a_database(self):
        for words in (["list"], ["show", "7"], ["history", "7"], ["why", "7"], ["send", "7", "X"],
                      ["start", "ticket", "--id", "7"], ["adopt", "interlock.db"]):
            answer = self.must(*words, status=3)
            self.assertEqual(answer.err,
                             "interlock: error IL2001: interlock.db does not exist\n", words)
        self.assertEqual(os.listdir(self.folder), ["ticket.yaml"])

    def test_a_version_never_changes(self):
        self.start()
        self.write("ticket.yaml", TICKET.replace("CLOSED", "SHUT"))
        self.assertIn("give it a new version", self.start("8", status=1).err)
        self.write("ticket.yaml", TICKET.replace("echo", "printf '%s'"))
        self.start("8")

    def test_a_copy_is_refused_until_it_is_adopted(self):
        self.start()
        with open(self.path("interlock.db"), "rb") as file:
            self.write("copy.db", file.read())
        refused = self.must("send", "7", "OK", "--db", "copy.db", status=3)
        self.assertIn("interlock: error IL2007: ", refused.err)
        self.must("show", "7", "--db", "copy.db")
        self.must("adopt", "--db", "copy.db")
        self.must("send", "7", "OK", "--db", "copy.db")
        self.must("send", "7", "OK")

    def test_steps_can_come_from_another_file(self):
        self.write("steps.yaml", "work: { exec: [\"/bin/sh\", \"-c\", \"echo '{\\\"n\\\":9}'\"] }\n")
        self.start("7", "--steps", "steps.yaml", "--input", '{"who":1}', "--event", "TAKE")
        self.assertEqual(self.show()["context"]["n"], 9)
        self.must("start", "ticket", "--id", "8", "--steps", "steps.yaml", status=2)


harness.main(Instances)
