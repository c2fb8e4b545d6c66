#!/usr/bin/env python3
"""count_tests.py tells the truth about what passed, also when a program dies."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import count_tests  # noqa: E402
import tap  # noqa: E402

# name, builds as lists of (program, protocol, meson's result, what it printed), last line, exit
ROWS = (
    ("nothing ran is not a success", [[]], "0 passed, 0 failed", 1),
    ("only skips are not a success", [[("a", "tap", "SKIP", "1..1\nok 1 - x # SKIP no disk\n")]],
     "0 passed, 0 failed, 1 skipped", 1),
    ("cases are counted and not programs",
     [[("a", "tap", "OK", "1..2\nok 1 - x\nok 2 - y\n"), ("b", "exitcode", "OK", "hello\n")]],
     "3 passed, 0 failed", 0),
    ("a failed case fails", [[("a", "tap", "FAIL", "1..2\nok 1 - x\nnot ok 2 - y\n")]],
     "1 passed, 1 failed", 1),
    ("a skip is never a pass", [[("a", "tap", "OK", "1..2\nok 1 - x\nok 2 - y # SKIP later\n")]],
     "1 passed, 0 failed, 1 skipped", 0),
    ("a crash between cases fails", [[("a", "tap", "ERROR", "1..2\nok 1 - x\n")]],
     "1 passed, 1 failed", 1),
    ("a crash before the first case fails", [[("a", "tap", "ERROR", "")]],
     "0 passed, 1 failed", 1),
    ("a timeout fails", [[("a", "exitcode", "TIMEOUT", "")]], "0 passed, 1 failed", 1),
    ("the same case on two builds counts once",
     [[("a", "tap", "OK", "ok 1 - x\n")], [("a", "tap", "OK", "ok 1 - x\n")]],
     "1 passed, 0 failed", 0),
    ("a case that fails on one build only fails",
     [[("a", "tap", "OK", "ok 1 - x\n")], [("a", "tap", "FAIL", "not ok 1 - x\n")]],
     "0 passed, 1 failed", 1),
    ("two cases of one name count twice", [[("a", "tap", "OK", "ok 1 - x\nok 2 - x\n")]],
     "2 passed, 0 failed", 0),
    ("tap printed by a plain program is not tap",
     [[("a", "exitcode", "OK", "not ok 1 - x\n")]], "1 passed, 0 failed", 0),
)


class Count(unittest.TestCase):
    def count(self, builds, *options):
        with tempfile.TemporaryDirectory() as folder, \
                contextlib.redirect_stdout(io.StringIO()) as said:
            names = []
            for number, programs in enumerate(builds):
                build = pathlib.Path(folder) / str(number)
                names.append(str(build))
                (build / "meson-info").mkdir(parents=True)
                (build / "meson-logs").mkdir()
                (build / "meson-info/intro-tests.json").write_text(json.dumps(
                    [{"name": name, "protocol": kind} for name, kind, _, _ in programs]))
                (build / "meson-logs/testlog.json").write_text("".join(
                    json.dumps({"name": f"p:unit / {name}", "result": result, "stdout": stdout})
                    + "\n" for name, _, result, stdout in programs))
            status = count_tests.main([*options, *names])
        return said.getvalue().splitlines()[-1], status

    def test_a_build_that_did_not_compile_fails(self):
        passed = [[("a", "tap", "OK", "ok 1 - x\n")]]
        self.assertEqual(self.count(passed, "--failed", "1"), ("1 passed, 1 failed", 1))

    def test_a_log_that_is_not_there_fails(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            status = count_tests.main(["no-such-build"])
        self.assertEqual((said.getvalue().splitlines()[-1], status), ("0 passed, 1 failed", 1))


def row_test(builds, line, status):
    return lambda self: self.assertEqual(self.count(builds), (line, status))


for name, *row in ROWS:
    setattr(Count, "test_" + name.replace(" ", "_"), row_test(*row))

if __name__ == "__main__":
    tap.main(Count)
