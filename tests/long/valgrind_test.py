#!/usr/bin/env python3
"""valgrind_test.py SOURCE FOLDER - the tests of the pure core under valgrind.

FOLDER is configured and built for it: valgrind and sanitizers do not go together, so none of
the other builds will do.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
SOURCE, FOLDER = sys.argv[1:3]
sys.path.insert(0, SOURCE + "/tests/tools")

import tap  # noqa: E402

CORE = re.compile(r"tests/unit/((base|expr|policy|chart)/\w+|embed/test_il_(instance|machine))$")
VALGRIND = ["valgrind", "-q", "--error-exitcode=1", "--leak-check=full",
            "--errors-for-leak-kinds=definite,possible"]


def run(words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **more)


def core_tests():
    if not os.path.exists(os.path.join(FOLDER, "build.ninja")):
        configured = run(["meson", "setup", FOLDER, SOURCE, "-Dunit=enabled",
                          "-Dbuildtype=debugoptimized"])
        assert configured.returncode == 0, configured.stdout
    listed = run(["meson", "introspect", "--tests", FOLDER])
    tests = [test for test in json.loads(listed.stdout) if CORE.search(test["cmd"][0])]
    assert len(tests) > 15, [test["cmd"] for test in tests]
    targets = [os.path.relpath(test["cmd"][0], FOLDER) for test in tests]
    built = run(["ninja", "-C", FOLDER, *targets])
    assert built.returncode == 0, built.stdout
    return tests


class Valgrind(unittest.TestCase):
    def check(self, command):
        ran = run([*VALGRIND, *command], env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
        self.assertEqual(ran.returncode, 0, ran.stdout[-4000:])


def add(name, command):
    setattr(Valgrind, f"test_{name}", lambda self: self.check(command))


if not shutil.which("valgrind") or run(["pkg-config", "--exists", "cmocka"]).returncode != 0:
    print("1..0 # SKIP valgrind or cmocka is not installed")
    sys.exit(0)
for each in core_tests():
    add(each["name"], each["cmd"])
tap.main(Valgrind)
