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
    """One line a test, whatever became of its subtests."""

    def startTest(self, test):
        super().startTest(test)
        self.broken = []

    def stopTest(self, test):
        if self.broken:
            say("not ok", self.testsRun, test, "\n".join(self.broken))
        super().stopTest(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.broken.append(subtest._subDescription())
            self.broken.append("".join(traceback.format_exception(*err)))

    def addSuccess(self, test):
        say("ok", self.testsRun, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.broken.append("".join(traceback.format_exception(*err)))

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
