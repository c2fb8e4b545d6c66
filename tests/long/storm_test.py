#!/usr/bin/env python3
"""storm_test.py BUILD STORM_PY [--whole] - what must hold in every storm, however slow the
machine.

Runs the quick storm, in which Interlock is killed with -9 in the middle of the fault, and one
in virtual time; or the whole one, over all arms, from five seeds. Looks at what happened to
orders and money, never at how long it took. Prints TAP, and the storm's table as remarks.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import tap  # noqa: E402
import unittest  # noqa: E402

BUILD, STORM = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
REAL = ["--seeds", "5"] if sys.argv[3:] == ["--whole"] else ["--quick", "--arms", "naive,interlock"]


def run_storm(folder, *arguments):
    """The figures of all arms, and what was printed."""
    done = subprocess.run(
        [sys.executable, STORM, BUILD, "--svg", folder / "plot.svg", "--json", folder / "out.json",
         *arguments], capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "out.json").read_text(encoding="utf-8")), done.stdout


class Storm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name)
        cls.real, cls.printed = run_storm(path, *REAL)
        cls.plot = (path / "plot.svg").read_text(encoding="utf-8")
        for line in cls.printed.splitlines():
            print(f"# {line}", flush=True)
        cls.virtual, _ = run_storm(path, "--quick", "--virtual")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def engines(self):
        return self.real["interlock"] + self.virtual["interlock"]

    def test_the_engine_loses_no_order_over_a_kill(self):
        for run in self.engines():
            self.assertGreater(run["count"], 1000)
            self.assertEqual(run["lost"], 0)

    def test_nobody_is_charged_twice_or_for_an_order_that_failed(self):
        for run in self.engines():
            self.assertEqual(run["double"], 0)
            self.assertEqual(run["charged_failed"], 0)
            self.assertEqual(run["uncharged"], 0)

    def test_no_order_fails_because_a_service_was_short_of_servers(self):
        for run in self.engines():
            self.assertEqual(run["failed_count"], 0)

    def test_the_chain_by_hand_charges_twice_and_for_failed_orders(self):
        for run in self.real["naive"] + self.virtual["naive"]:
            self.assertGreater(run["double"], 0)
            self.assertGreater(run["charged_failed"], 0)

    def test_there_is_a_row_and_a_picture_for_every_arm(self):
        for title in ("retry(3)", "Interlock"):
            self.assertIn(f"\n{title} ", self.printed)
            self.assertIn(f">{title}<", self.plot)


if __name__ == "__main__":
    tap.main(Storm)
