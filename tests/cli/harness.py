"""harness.py - runs the program in a folder of its own and looks at all it says.

Each test file is called with the program's path and prints TAP.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tools"))

import tap  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
main = tap.main


class Answer:
    """What one call of the program said."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    @property
    def lines(self):
        """Standard output as JSON values, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"exit {self.status}\n--- stdout\n{self.out}--- stderr\n{self.err}"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="interlock-cli-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        mode = "wb" if isinstance(text, bytes) else "w"
        with open(self.path(name), mode) as file:
            file.write(text)
        return name

    def begin(self, *words, stdin=subprocess.DEVNULL, env=None):
        """Starts the program; the caller waits for it."""
        return subprocess.Popen([PROGRAM, *words], cwd=self.folder, stdin=stdin,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **(env or {})})

    def end(self, process, text=None):
        out, err = process.communicate(text, timeout=120)
        return Answer(process.returncode, out, err)

    def call(self, *words, stdin=None, env=None):
        process = self.begin(*words, env=env,
                             stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE)
        return self.end(process, stdin)

    def must(self, *words, status=0, **more):
        """Calls the program, which must end with this status."""
        answer = self.call(*words, **more)
        self.assertEqual(answer.status, status, f"{words}\n{answer}")
        return answer

    def records(self, name, count, **members):
        text = "".join(json.dumps({"id": f"r{i}", "n": i, **members}) + "\n"
                       for i in range(count))
        return self.write(name, text)
