#!/usr/bin/env python3
"""The command line itself: help, versions, mistakes."""

import harness

COMMANDS = ("check", "step", "test", "run", "start", "send", "list", "show", "history", "why", "policies", "adopt",
            "completion")

# words, words that standard error must have
MISTAKES = (
    ([], ("usage: interlock COMMAND",)),
    (["chekc"], ("unknown command `chekc`", "did you mean `check`?")),
    (["xyzzy"], ("unknown command `xyzzy`", "interlock --help")),
    (["serve", "x.yaml"], ("`serve` is not there yet",)),
    (["help", "grpah"], ("unknown command",)),
    (["check"], ("something is missing", "usage: interlock check")),
    (["check", "--strcit", "x"], ("unknown option --strcit", "did you mean --strict?")),
    (["check", "-x", "f"], ("unknown option -x",)),
    (["check", "--strict=1", "f"], ("--strict takes no value",)),
    (["check", "-o", "csv", "f"], ("csv", "text|json|sarif")),
    (["check", "f", "-o"], ("needs a value",)),
    (["show", "a", "b"], ("`b` is too much",)),
    (["list", "--db", "a", "--db", "b"], ("--db is given twice",)),
    (["list", "--where", "true"], ("--where is not there yet",)),
    (["list", "--server", "http://x"], ("--server is not there yet",)),
    (["list", "--status", "sleeping"], ("--status is active",)),
    (["list", "--older", "old"], ("--older is a duration",)),
    (["list", "--limit", "-1"], ("--limit is a whole number",)),
    (["run", "x.yaml"], ("--input is missing",)),
    (["start", "x.yaml"], ("--id is missing",)),
    (["start", "x.yaml", "--id", "1", "--input", "{"], ("--input is not valid JSON", "column 2")),
    (["completion", "fish"], ("there is bash and zsh, and no `fish`",)),
    (["send", "1", "E", "novalue"], ("`novalue` is not key=value",)),
    (["send", "1", "E", "--data", "3"], ("--data must be a JSON object",)),
)


class Usage(harness.Case):
    def test_help_lists_every_command_on_one_line(self):
        out = self.must("--help").out
        for command in COMMANDS:
            self.assertRegex(out, rf"(?m)^  {command} +\S")

    def test_every_command_has_usage_options_and_an_example(self):
        for command in COMMANDS:
            out = self.must(command, "--help").out
            self.assertTrue(out.startswith(f"usage: interlock {command} "), out)
            self.assertIn(f"\nexample:\n  ", out)
            self.assertEqual(out, self.must("help", command).out)

    def test_the_version_is_told(self):
        self.assertRegex(self.must("--version").out, r"^interlock \d+\.\d+\.\d+\n$")

    def test_a_mistake_is_one_clear_answer_and_exits_2(self):
        for words, expected in MISTAKES:
            answer = self.must(*words, status=2)
            self.assertEqual(answer.out, "", words)
            for part in expected:
                self.assertIn(part, answer.err, words)

    def test_options_and_operands_come_in_any_order(self):
        self.write("m.yaml", "id: m\ninitial: a\nstates: { a: { type: final } }\n")
        for words in (["--strict", "m.yaml", "-o", "json"], ["m.yaml", "-ojson", "--strict"],
                      ["--output=json", "--strict", "--", "m.yaml"]):
            self.assertEqual(self.must("check", *words).out, "[]\n")

    def test_a_closed_pipe_is_no_complaint(self):
        self.write("m.yaml", "id: m\ninitial: a\nstates: { a: { on: { E: {} } } }\n")
        process = self.begin("step", "m.yaml", *["E"] * 20000)
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.stderr.read(), "")
        self.assertEqual(process.wait(timeout=60), 0)
        process.stderr.close()

    def test_a_full_disk_behind_standard_output_exits_3(self):
        self.write("m.yaml", "id: m\ninitial: a\nstates: { a: { type: final } }\n")
        import subprocess
        with open("/dev/full", "w") as full:
            ran = subprocess.run([harness.PROGRAM, "step", self.path("m.yaml")], stdout=full,
                                 stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                 check=False)
        self.assertEqual(ran.returncode, 3)
        self.assertIn("No space left", ran.stderr)


harness.main(Usage)
