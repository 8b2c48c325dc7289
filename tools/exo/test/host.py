# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Host units: every GoogleTest case, built with AddressSanitizer and UndefinedBehaviorSanitizer.

Names: PROGRAM/Suite.Case
"""
import json
import os
import re
import subprocess

from .. import build, paths
from . import sources

SECONDS = 1800  # a hang; the longest program takes about a minute


def run(report) -> None:
    build.ensure(paths.HOST_PRESET)
    folder = os.path.join(paths.BUILD, paths.HOST_PRESET)
    listed = subprocess.run(["ctest", "--show-only=json-v1"], cwd=folder, capture_output=True, check=True)
    tests = [test for test in json.loads(listed.stdout)["tests"] if test.get("command")]
    sources.in_parallel(lambda test: run_program(report, test["name"], test["command"], folder), tests)


def run_program(report, name: str, command: list, folder: str) -> None:
    results = paths.state_file(f"gtest/{name}.json")
    if os.path.exists(results):
        os.unlink(results)
    cases = case_names(command, folder)
    if cases is None:  # not a GoogleTest program
        if report.wants(name):
            run_plain(report, name, command, folder)
        return
    wanted = [case for case in cases if report.wants(f"{name}/{case}")]
    if not wanted:
        return
    command = [*command, f"--gtest_output=json:{results}"]
    if report.narrowed:
        command.append("--gtest_filter=" + ":".join(wanted))
    output, why = finish(command, folder)
    outcomes = results_of(results, output)
    complete = True
    for case in wanted:
        outcome, text = outcomes.get(case, ("", ""))
        if outcome == "passed":
            report.passed(f"{name}/{case}")
        elif outcome == "skipped":
            report.skipped(f"{name}/{case}", "the test skips itself")
        elif outcome == "failed":
            report.failed(f"{name}/{case}", text)
        elif outcome == "running" or (complete and "running" not in [word for word, _ in outcomes.values()]):
            # Where the program died or hung: one failure tells it; those after it have no result.
            report.failed(f"{name}/{case}", f"{why}; it and what comes after have no result\n{output[-6000:]}")
            complete = False
    if complete and why and not any(outcome == "failed" for outcome, _ in outcomes.values()):
        report.failed(f"{name}/(end)", f"{why} after its tests passed\n{output[-6000:]}")


def results_of(path: str, output: str) -> dict:
    """case -> (passed, failed, skipped or running; why), from the JSON file or, after a crash, the output."""
    found = {}
    if os.path.exists(path):
        with open(path) as file:
            suites = json.load(file)["testsuites"]
        for case in (case | {"suite": suite["name"]} for suite in suites for case in suite["testsuite"]):
            failures = "\n".join(failure["failure"] for failure in case.get("failures", ()))
            skipped = case["result"] == "SKIPPED" or case["status"] == "NOTRUN"
            found[f"{case['suite']}.{case['name']}"] = ("failed" if failures else "skipped" if skipped else "passed",
                                                        failures)
        return found
    words = {"RUN": "running", "OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}
    current = []
    for line in output.splitlines():
        match = re.match(r"\[\s*(RUN|OK|FAILED|SKIPPED)\s*\] (\S+?)(,.*)?( \(.*\))?$", line)
        if match and "." in match.group(2):
            found[match.group(2)] = (words[match.group(1)], "\n".join(current))
            current = []
        else:
            current.append(line)
    return found


def case_names(command: list, folder: str):
    """The cases of a GoogleTest program, or None when it is something else."""
    try:
        done = subprocess.run([*command, "--gtest_list_tests"], cwd=folder, capture_output=True, text=True,
                              timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0 or "." not in done.stdout:
        return None
    names, suite = [], ""
    for line in done.stdout.splitlines():
        word = line.split("#")[0].strip()
        if line.startswith("  "):
            names.append(suite + word)
        elif word.endswith("."):
            suite = word
    return [name for name in names if "DISABLED_" not in name]


def run_plain(report, name: str, command: list, folder: str) -> None:
    output, why = finish(command, folder)
    if why:
        report.failed(name, f"{why}\n{output[-6000:]}")
    else:
        report.passed(name)


def finish(command: list, folder: str):
    """(output, what is wrong with the end or "")"""
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode(errors="replace"), f"still running after {SECONDS} s"
    except OSError as error:
        return "", str(error)
    if done.returncode < 0:
        return done.stdout, f"killed by signal {-done.returncode}"
    return done.stdout, f"ended with status {done.returncode}" if done.returncode else ""
