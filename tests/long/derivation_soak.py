#!/usr/bin/env python3
"""derivation_soak.py SOURCE FOLDER - a million pairs of random machine and record.

Builds the unit test of derivations without sanitizers in a folder of its own and runs it with
that number.
"""

import os
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
SOURCE, FOLDER = map(pathlib.Path, sys.argv[1:3])
sys.path.insert(0, str(SOURCE / "tests/tools"))

import tap  # noqa: E402

TEST = "tests/unit/chart/test_derivation"


class Derivation(unittest.TestCase):
    def test_a_million_pairs_do_what_the_definition_says(self):
        options = ["-Dunit=enabled", "-Doptimization=2"]
        command = (["meson", "configure", FOLDER, *options] if (FOLDER / "build.ninja").exists()
                   else ["meson", "setup", FOLDER, SOURCE, *options])
        for step in (command, ["ninja", "-C", FOLDER, TEST]):
            done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
        done = subprocess.run([FOLDER / TEST, "1000000"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False,
                              env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
        self.assertEqual(done.returncode, 0, done.stdout)


tap.main(Derivation)
