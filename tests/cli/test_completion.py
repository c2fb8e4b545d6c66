#!/usr/bin/env python3
"""`completion`: what a shell offers is what there is."""

import re
import shutil
import subprocess

import harness

# Completes the words of its arguments as bash would, the last one being under the cursor.
BASH = """\
source ./interlock.bash
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_interlock
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("interlock.bash", self.must("completion", "bash").out)
        self.write("_interlock", self.must("completion", "zsh").out)
        self.write("an order.yaml", "")

    def shell(self, *words):
        ran = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), words)
        return ran.stdout

    def bash(self, *words):
        return self.shell("bash", "-c", BASH, "bash", "interlock", *words).split("\n")[:-1]

    def commands(self):
        return re.findall(r"(?m)^  (\w+) +\S", self.must("--help").out)

    def options(self, command):
        text = self.must(command, "--help").out.split("\nexample:")[0]
        return re.findall(r"(?m)^ +(?:-\w, )?--([\w-]+)", text)

    def test_bash_completes_every_command(self):
        self.assertEqual(self.bash(""), self.commands() + ["help", "--help", "--version"])
        self.assertEqual(self.bash("st"), ["step", "start"])
        self.assertEqual(self.bash("help", "hi"), ["history"])

    def test_bash_completes_every_option_of_every_command(self):
        for command in self.commands():
            self.assertEqual(self.bash(command, "--"),
                             ["--help"] + [f"--{name}" for name in self.options(command)])

    def test_bash_completes_values(self):
        for words, expected in ((["list", "-o", ""], ["text", "json", "ndjson"]),
                                (["list", "-o", "n"], ["ndjson"]),
                                (["list", "--output", "=", "t"], ["text"]),
                                (["list", "--output", "="], ["text", "json", "ndjson"]),
                                (["list", "--status", "s"], ["stopped"]),
                                (["run", "--report", ""], ["tap", "junit="]),
                                (["run", "--format", "c"], ["csv"]),
                                (["why", "-o", ""], ["text", "json"]),
                                (["list", "--tag", ""], [""]),
                                (["check", "an"], ["an order.yaml"]),
                                (["check", "a", "--steps", "an"], ["an order.yaml"]),
                                (["show", "an"], [""]),
                                (["completion", ""], ["bash", "zsh"])):
            with self.subTest(words=words):
                self.assertEqual(self.bash(*words), expected)

    def test_zsh_names_every_command_and_option(self):
        with open(self.path("_interlock"), encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.startswith("#compdef interlock\n"))
        for command in self.commands():
            self.assertRegex(text, rf"(?m)^        '{command}:\S")
            part = re.search(rf"(?ms)^    {command}\)$(.*?)^        ;;$", text)[1]
            self.assertEqual(re.findall(r"[',*]--([\w-]+)=?(?:\[|\})", part),
                             self.options(command) + ["help"])

    def test_zsh_can_read_it_where_there_is_one(self):
        if shutil.which("zsh") is None:
            return
        self.shell("zsh", "-n", "_interlock")
        self.shell("zsh", "-fc", "autoload -U compinit && compinit -u -d $PWD/dump && "
                                 "source ./_interlock && [[ $_comps[interlock] == _interlock ]]")

    def test_what_comes_later_is_not_offered(self):
        for name in ("interlock.bash", "_interlock"):
            with open(self.path(name), encoding="utf-8") as file:
                self.assertNotIn("--server", file.read())


if __name__ == "__main__":
    harness.main(Completion)
