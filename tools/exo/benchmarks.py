# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo bench`: prints the rows that bench/ measures, and writes them as JSON.

The measuring is bench.py's and, for `exo bench kernel`, bench_kernel.py's, for `exo bench grafts`,
bench_grafts.py's: each has `rows(name)`, which gives,
as each is known, a dict with "name", "unit", "ours", "peer", "peer_name", "bar" and "met", and may add "why"
where a bar is missed. `name` selects rows: every row whose name contains it.
"""
import json
import os
import sys

from . import build, errors, install, paths
from .errors import Fail

COLUMNS = (("name", "<"), ("unit", "<"), ("ours", ">"), ("peer", ">"), ("ratio", ">"), ("bar", ">"), ("", "<"))


def main(options) -> int:
    group = options.name[0] if options.name and options.name[0] in ("kernel", "grafts") else ""
    name, kernel = options.name[1 if group else 0:], group == "kernel"
    if len(name) > 1:
        raise Fail(f"one name, not {len(name)}", errors.USAGE)
    if options.report and not kernel:
        raise Fail("--report is for `exo bench kernel`", errors.USAGE)
    try:
        from . import bench, bench_grafts, bench_kernel, bench_report
    except ImportError as error:
        raise Fail(f"there are no benchmarks in this tree ({error})") from error
    wish = "".join(name)
    if kernel:
        bench_kernel.select(wish)  # a wrong name is said before anything is built
    if group != "grafts":
        install.ensure("run", "bench")
        build.ensure(paths.GUEST_PRESET)
    rows = []
    for row in {"": bench, "kernel": bench_kernel, "grafts": bench_grafts}[group].rows(wish):
        rows.append(row)
        print(f"exo: measured {row['name']}", file=sys.stderr, flush=True)
    if options.json:
        write(options.json, json.dumps(rows, indent=2) + "\n")
    if not rows:
        raise Fail(f"no benchmark is named {wish}" if wish else "no benchmark ran")
    if options.report:
        chart = os.path.splitext(options.report)[0] + ".svg"
        write(options.report, bench_report.page(rows, os.path.basename(chart)))
        write(chart, bench_report.chart(rows))
    print_table(rows)
    return 0


def write(path: str, text: str) -> None:
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError as error:
        raise Fail(f"{path}: {error.strerror}") from error


def print_table(rows: list) -> None:
    table = [[title for title, _ in COLUMNS]]
    table[0][3] = f"peer ({rows[0]['peer_name']})" if len({row["peer_name"] for row in rows}) == 1 else "peer"
    for row in rows:
        ratio = f"{row['peer'] / row['ours']:.2f}x" if row["peer"] and row["ours"] else ""
        table.append([row["name"], row["unit"], number(row["ours"]), number(row["peer"]), ratio,
                      number(row["bar"]), verdict(row)])
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    for line in table:
        print("  ".join(f"{cell:{COLUMNS[i][1]}{widths[i]}}" for i, cell in enumerate(line)).rstrip())
    for row in rows:
        if row.get("why"):
            print(f"{row['name']}: {row['why']}")


def verdict(row: dict) -> str:
    return "" if row["bar"] is None else "met" if row["met"] else "not met"


def number(value) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
