# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Runs the suites that a filter selects, and counts.

A suite is a module of this package with a docstring and `run(report)`. It asks `report.wants(name)` before
it does work for a test, and says how each ended with `report.passed`, `failed` or `skipped`.

Filters:  ""            everything
          SUITE         a whole suite (its exact name)
          SUITE/NAME    tests of a suite whose name contains NAME
          CATEGORY      the tests of the suite `style` of this kind (CATEGORIES)
          TEXT          tests of any suite whose name contains TEXT
`*` and `?` in NAME and TEXT make it a pattern for the whole name.
"""
import importlib
import json
import os
import sys
import threading
import time
import traceback
from fnmatch import fnmatchcase

from .. import errors, processes
from ..errors import Fail

# In the order they run: what fails quickest comes first.
SUITES = ("tools", "style", "grafts", "host", "guest", "examples", "cmd", "linux", "net", "iso", "bochs", "docs",
          "tsan", "fuzz", "tidy")
ON_DEMAND = ("coverage",)  # only when asked for by name
HANG_SECONDS = 600  # no test fails for being slow: limits are there only so that a hang ends
CATEGORIES = ("format", "layers", "header", "python")


class Report:
    """Collects results and prints them as they come. Its methods may be called from any thread."""

    def __init__(self, options):
        self.options = options
        self.results = []
        self._suite = ""
        self._suite_start = 0
        self._lock = threading.Lock()
        self._suite_wish, slash, self._name_wish = options.filter.partition("/")
        if not slash:
            self._suite_wish, self._name_wish = "", options.filter
            if options.filter in SUITES + ON_DEMAND:
                self._suite_wish, self._name_wish = options.filter, ""
            elif options.filter in CATEGORIES:
                self._suite_wish, self._name_wish = "style", options.filter + "/"

    @property
    def narrowed(self) -> bool:
        """Whether only some tests of the suites are wanted."""
        return bool(self._name_wish)

    def wants_suite(self, suite: str) -> bool:
        if suite in ON_DEMAND:
            return suite == self._suite_wish
        return not self._suite_wish or suite == self._suite_wish or fnmatchcase(suite, self._suite_wish)

    def wants(self, name: str) -> bool:
        """Whether the filter selects this test of the current suite."""
        wish = self._name_wish
        if not wish:
            return True
        return fnmatchcase(name, wish) if set(wish) & set("*?[") else wish in name

    def passed(self, name: str) -> None:
        self._add(name, "passed", "")

    def failed(self, name: str, why: str) -> None:
        self._add(name, "failed", why)

    def skipped(self, name: str, why: str) -> None:
        self._add(name, "skipped", why)

    def check(self, name: str, test) -> None:
        """Runs `test()` when the filter wants it: it passes unless it raises. AssertionError says why."""
        if not self.wants(name):
            return
        try:
            test()
        except Skip as reason:
            self.skipped(name, str(reason))
        except (AssertionError, Fail, OSError) as error:
            self.failed(name, f"{error}" or error.__class__.__name__)
        except Exception:  # a mistake in the test itself; the others go on
            self.failed(name, traceback.format_exc())
        else:
            self.passed(name)

    def _add(self, name: str, outcome: str, why: str) -> None:
        with self._lock:
            self.results.append({"suite": self._suite, "name": name, "outcome": outcome, "why": why})
            if outcome == "failed":
                print(f"FAIL {self._suite}/{name}\n" + indent(why), flush=True)
            elif self.options.verbose or outcome == "skipped":
                word = "pass" if outcome == "passed" else "skip"
                print(f"{word} {self._suite}/{name}" + (f": {why}" if why else ""), flush=True)

    def begin(self, suite: str) -> None:
        self._suite, self._suite_start = suite, time.monotonic()

    def end(self) -> None:
        """Prints the suite's own line."""
        here = [result["outcome"] for result in self.results if result["suite"] == self._suite]
        if here:
            print(f"{self._suite}: {counts(here)} ({time.monotonic() - self._suite_start:.1f} s)", flush=True)


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


def main(options) -> int:
    if options.list:
        for suite in SUITES + ON_DEMAND:
            module = importlib.import_module(f".{suite}", __package__)
            print(f"{suite:8} {module.__doc__.splitlines()[0]}")
        return 0
    if os.environ.get("EXO_IN_TEST") and not options.filter:
        options.filter = "tools"  # a document's example of `./exo test`, run by the suite `docs`
    report = Report(options)
    for suite in SUITES + ON_DEMAND:
        if not report.wants_suite(suite):
            continue
        report.begin(suite)
        try:
            importlib.import_module(f".{suite}", __package__).run(report)
        except (KeyboardInterrupt, SystemExit):
            processes.end_children()
            raise
        except Fail as failure:  # the suite could not run at all: a build that fails, a missing package
            report.failed("(all)", str(failure))
        report.end()
    if options.json:
        try:
            with open(options.json, "w") as file:
                json.dump(report.results, file, indent=1)
        except OSError as error:
            raise Fail(f"{options.json}: {error.strerror}") from error
    if not report.results:
        raise Fail(f"no test matches {options.filter}", errors.USAGE)
    outcomes = [result["outcome"] for result in report.results]
    for result in report.results:
        if result["outcome"] == "failed":
            print(f"failed: {result['suite']}/{result['name']}")
    sys.stderr.flush()
    print(counts(outcomes), flush=True)
    return 1 if "failed" in outcomes else 0


def counts(outcomes: list) -> str:
    return ", ".join(f"{outcomes.count(word)} {word}" for word in ("passed", "failed", "skipped"))


def indent(text: str, limit: int = 60) -> str:
    lines = text.rstrip().splitlines()
    if len(lines) > limit:
        lines = lines[:limit // 2] + [f"... {len(lines) - limit} lines left out ..."] + lines[-limit // 2:]
    return "\n".join("    " + line for line in lines)
