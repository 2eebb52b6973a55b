# SPDX-License-Identifier: GPL-2.0-only
"""unit.py RESULTS MODULE [--only FILE]
unit.py --list MODULE

Run MODULE's tests, Python's own, and append a line to RESULTS as each begins, "run TEST", and
as it ends, "TEST result". FILE has the
names of those to run, a line each. Nothing that a test does to
this process's streams, directory or descriptors is in the way of these lines.
"""
import sys
import unittest

import test.support

# as for `python3 -m test': no big files, no network but loopback, nothing that only waits
test.support.use_resources = []
results = sys.argv[1]


def say(line, results=results, open=open):
    with open(results, "a") as file:
        file.write(line + "\n")


class Lines(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self.outcome = "ok"
        say("run " + test.id())

    def stopTest(self, test):
        super().stopTest(test)
        say(test.id() + " " + self.outcome)

    def addError(self, test, error):
        super().addError(test, error)
        self.failed(test, "ERROR")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.failed(test, "FAIL")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.failed(test, "FAIL")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.outcome = "FAIL"

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.outcome = "ok"

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if isinstance(test, unittest.TestCase):
            self.outcome = "skip"
        else:
            say(test.id().replace(" ", "_") + " skip")

    def failed(self, test, outcome):
        if isinstance(test, unittest.TestCase):
            self.outcome = outcome
        else:
            # of a class or a module
            say(test.id().replace(" ", "_") + " " + outcome)


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def main(results, module, *only):
    try:
        tests = list(tests_of(unittest.defaultTestLoader.loadTestsFromName("test." + module)))
    except unittest.SkipTest:
        say(module + " skip")
        tests = []
    if results == "--list":
        for test in tests:
            print(test.id())
        return
    if only:
        names = set(open(only[1]).read().split("\n"))
        tests = [test for test in tests if test.id() in names]
    unittest.TextTestRunner(resultclass=Lines, verbosity=2).run(unittest.TestSuite(tests))
    say("end")


if __name__ == "__main__":
    main(*sys.argv[1:])
