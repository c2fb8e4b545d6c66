#!/usr/bin/env python3
"""test_manual.py PROGRAM - the manual pages say what the program has, and nothing else."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tools"))

import tap  # noqa: E402

PROGRAM = sys.argv[1]
PAGES = {number: (ROOT / f"docs/man/interlock.{number}").read_text(encoding="utf-8")
         for number in (1, 5)}


def help_of(*words):
    return subprocess.run([PROGRAM, *words, "--help"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def commands():
    found = re.findall(r"^  ([a-z]+) {2,}\S", help_of(), re.M)
    assert len(found) > 5, found
    return found


def options(command):
    """The names of a command's options as its help lists them."""
    return set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", help_of(command).split("example:")[0],
                          re.M))


def section(command):
    found = re.search(rf"^\.Ss {command}\n(.*?)(?=^\.S[sh] )", PAGES[1], re.M | re.S)
    return found[1] if found else ""


class Manual(unittest.TestCase):
    def test_every_command_has_a_section_with_an_example(self):
        for command in commands():
            self.assertIn(f".Cm {command}\n", section(command), command)
            self.assertRegex(section(command), rf"\.Dl .*interlock {command}", command)
        listed = re.search(r"^\.Sh COMMANDS\n(.*?)^\.Sh ", PAGES[1], re.M | re.S)[1]
        self.assertEqual(re.findall(r"^\.Ss (\w+)", listed, re.M), commands())

    def test_every_option_is_told_and_no_other(self):
        for command in commands():
            told = set(re.findall(r"Fl -([a-z][\w-]*)", section(command)))
            self.assertEqual(told, options(command), command)

    def test_every_code_is_listed(self):
        codes = set()
        for path in (ROOT / "src").rglob("*.[ch]"):
            codes |= set(re.findall(r'"(IL\d{4})"', path.read_text(encoding="utf-8")))
        self.assertGreater(len(codes), 20)
        listed = set(re.findall(r"^\.It (IL\d{4})$", PAGES[1] + PAGES[5], re.M))
        self.assertEqual(listed, codes)

    def test_every_key_of_the_loader_is_described(self):
        keys = set()
        for path in (ROOT / "src/chart").glob("load*.c"):
            keys |= set(re.findall(r'\{"([$\w]+)", true\}', path.read_text(encoding="utf-8")))
        self.assertGreater(len(keys), 20)
        described = set(re.findall(r"[$\w]+", " ".join(
            re.findall(r"^\.It Ic (.*)$", PAGES[5], re.M))))
        self.assertEqual(set(), keys - described)

    def test_every_error_kind_is_described(self):
        header = (ROOT / "src/policy/error_kind.h").read_text(encoding="utf-8")
        for kind in re.findall(r'X\([A-Z_]+, "(\w+)"\)', header):
            self.assertIn(f".It Cm {kind}\n", PAGES[5])

    def test_every_function_of_the_pure_library_is_on_a_page(self):
        header = (ROOT / "include/interlock.h").read_text(encoding="utf-8")
        declared = set(re.findall(r"^IL_API .*?\b(il_(?:machine|instance|crowd|expr)_\w+)\(",
                                  header, re.M))
        named = set()
        for page in (ROOT / "docs/man").glob("*.3"):
            named |= set(re.findall(r"^\.Nm (\w+)", page.read_text(encoding="utf-8"), re.M))
        self.assertGreater(len(declared), 50)
        self.assertEqual(declared, named)

    def test_the_pages_are_well_formed(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        for page in sorted((ROOT / "docs/man").glob("*.[0-9]")):
            if page.read_text(encoding="utf-8").startswith(".so "):
                continue  # another name of a page
            lint = subprocess.run(
                ["mandoc", "-Tlint", "-Wstyle", str(page)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            told = [line for line in lint.stdout.splitlines()
                    if "outdated mandoc.db" not in line and "referenced manual" not in line]
            self.assertEqual([], told)


tap.main(Manual)
