# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The table of `exo bench grafts`: generating code and running grafts on this machine, by Google Benchmark.

Cycles are medians of several runs, from the time on the processor and its speed, which a chain of
multiplications tells. Instructions are counted one by one. The peer of compiled code is the interpreter.
"""
import json
import statistics
import subprocess

from . import build, errors, paths
from .errors import Fail

REPETITIONS = 11

# key -> name, unit, bar, the benchmark, that of the peer
ROWS = {
    "generate": ("vcode, a generated instruction", "cycles", 30, "generate", None),
    "compile": ("compiling a graft, one of its instructions", "cycles", None, "compile", None),
    "owns-block": ("owns of a block with 512 pointers, compiled", "cycles", None, "owns-block",
                   "owns-block-interpreted"),
    "owns-pointer": ("owns of one pointer, compiled", "cycles", None, "owns-partition", "owns-partition-interpreted"),
    "owns-instructions": ("owns of one pointer, compiled", "instructions", 400, "owns-partition",
                          "owns-partition-interpreted"),
}


def rows(wish: str) -> list:
    """A dict per row, as benchmarks.py describes it.

    Errors  Fail, wrong usage: no row is named so
    """
    wanted = {key: row for key, row in ROWS.items() if wish in key or wish in row[0]}
    if not wanted:
        raise Fail(f"no row is named {wish}; there are: {' '.join(ROWS)}", errors.USAGE)
    build.ensure(paths.BENCH_PRESET)
    return table(wanted, measure())


def measure() -> dict:
    """Benchmark -> unit -> median."""
    done = subprocess.run([paths.BENCH_GRAFTS, "--benchmark_format=json", f"--benchmark_repetitions={REPETITIONS}",
                           "--benchmark_min_time=0.05"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise Fail(f"bench_grafts ended with status {done.returncode}: {done.stderr[-400:].strip()}")
    return medians(json.loads(done.stdout))


def medians(measured: dict) -> dict:
    """Of Google Benchmark's report: its times are in nanoseconds."""
    ghz = float(measured["context"]["core_mhz"]) / 1000
    samples = {}
    for run in measured["benchmarks"]:
        if run["run_type"] == "iteration":
            units = samples.setdefault(run["run_name"], {"cycles": [], "instructions": []})
            units["cycles"].append(run["cpu_time"] * ghz / run["things"])
            if run.get("instructions"):  # 0: single steps are not allowed here
                units["instructions"].append(run["instructions"])
    return {name: {unit: statistics.median(values) for unit, values in units.items() if values}
            for name, units in samples.items()}


def table(wanted: dict, figures: dict) -> list:
    found = []
    for key, (name, unit, bar, ours, peer) in wanted.items():
        mine, theirs = figures[ours].get(unit), figures.get(peer, {}).get(unit)
        met = None if bar is None or mine is None else mine <= bar
        found.append({"key": key, "name": name, "unit": unit, "ours": mine, "peer": theirs,
                      "peer_name": "interpreter", "bar": bar, "met": met})
    return found
