# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""What bench/plugin/count.cpp writes, and the figures that come out of it."""
import os
import re
import statistics
import struct
from dataclasses import dataclass

from exo.errors import Fail

# The order of `Counter` in count.cpp.
NAMES = ("user", "kernel", "blocks", "syscall", "sysret", "iret", "cr3", "invlpg", "wrmsr", "hlt", "pio",
         "int", "swapgs", "rep_movs", "rep_stos")
BEGIN, END = 1, 2


@dataclass
class Figure:
    """The cost of one operation, in guest instructions: medians over the repetitions."""
    total: float
    kernel: float
    spread: float  # (largest - smallest) / median of the totals
    runs: int
    events: dict  # name of a counter -> times per operation

    def as_dict(self) -> dict:
        return dict(vars(self))


def read(path: str) -> tuple:
    """All counters as they stand."""
    with open(path, "rb") as file:
        return struct.unpack(f"<{len(NAMES)}Q", file.read(8 * len(NAMES)))


def difference(before: tuple, after: tuple) -> tuple:
    return tuple(late - early for early, late in zip(before, after))


def figure(samples: list, operations: int) -> Figure:
    """One Figure out of counter differences, each of which covers `operations` operations."""
    totals = [(sample[0] + sample[1]) / operations for sample in samples]
    middle = statistics.median(totals)
    events = {name: round(statistics.median(sample[i] for sample in samples) / operations, 3)
              for i, name in enumerate(NAMES) if i >= 3}
    return Figure(round(middle, 1), round(statistics.median(s[1] for s in samples) / operations, 1),
                  round((max(totals) - min(totals)) / middle, 3), len(samples),
                  {name: count for name, count in events.items() if count})


def regions(log: str) -> list:
    """The counter differences between each begin marker and the end marker that follows."""
    found, begin = [], None
    with open(log) as file:
        for line in file:
            number, *values = (int(word) for word in line.split())
            if number == BEGIN:
                begin = tuple(values)
            elif number == END and begin is not None:
                found.append(difference(begin, tuple(values)))
                begin = None
    return found


def join(output: str, log: str) -> dict:
    """Joins micro's output with the marker log. Returns  test -> Figure, or why there is none

    A test that failed has left markers of its own before it said so; they cannot be told from the next
    test's, so everything behind a failure is dropped: run such tests one by one.
    """
    results, pairs = {}, regions(log)
    for line in output.splitlines():
        done = re.match(r"BENCH (\w+) (\d+) (\d+)\s*$", line)
        failed = re.match(r"BENCH-FAILED (\w+) (.*\S)\s*$", line)
        if done:
            count = int(done.group(3))
            samples, pairs = pairs[:count], pairs[count:]
            if len(samples) < count:
                results[done.group(1)] = "its markers are missing"
            else:
                results[done.group(1)] = figure(samples, int(done.group(2)))
        elif failed:
            results[failed.group(1)] = failed.group(2)
            pairs = []
    return results


def one_boot_or_several(tests: list, folder: str, run) -> dict:
    """Measures tests in one boot; where that does not come to its end, one by one. Returns as `join`.

    run(tests, counters, marks)  boots a guest that runs them, and returns what it printed
    """
    files = os.path.join(folder, "counters"), os.path.join(folder, "marks")
    try:
        return join(run(tests, *files), files[1])
    except Fail as why:
        if len(tests) == 1:
            return {tests[0]: str(why)}
        figures = {}
        for test in tests:
            figures.update(one_boot_or_several([test], folder, run))
        return figures
