"""tap.py - run unittest cases and say TAP, which meson reads case by case."""

import sys
import traceback
import unittest


def say(mark, number, test, details=""):
    name = test._testMethodName.removeprefix("test_").replace("_", " ")
    print(f"{mark} {number} - {name}")
    for line in details.splitlines():
        print(f"# {line}")


class Result(unittest.TestResult):
    def addSuccess(self, test):
        say("ok", self.testsRun, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        say("not ok", self.testsRun, test, "".join(traceback.format_exception(*err)))

    addError = addFailure

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        name = test._testMethodName.removeprefix("test_").replace("_", " ")
        print(f"ok {self.testsRun} - {name} # SKIP {reason}")


def main(*classes):
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    suite = unittest.TestSuite(load(each) for each in classes)
    print(f"1..{suite.countTestCases()}")
    result = Result()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
