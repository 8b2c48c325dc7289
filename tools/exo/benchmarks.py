# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo bench`: prints the rows that bench/ measures, and writes them as JSON.

The measuring is tools/exo/bench.py's: it has `rows(name)`, which yields, as each is known, a dict with
"name", "unit", "ours", "peer", "peer_name", "bar" and "met", and may add "why" where a bar is missed.
`name` selects rows: every row whose name contains it.
"""
import json
import sys

from . import build, install, paths
from .errors import Fail

COLUMNS = (("name", "<"), ("unit", "<"), ("ours", ">"), ("peer", ">"), ("ratio", ">"), ("bar", ">"), ("", "<"))


def main(options) -> int:
    try:
        from . import bench
    except ImportError as error:
        raise Fail(f"there are no benchmarks in this tree ({error})") from error
    install.ensure("run", "bench")
    build.ensure(paths.GUEST_PRESET)
    rows = []
    for row in bench.rows(options.name):
        rows.append(row)
        print(f"exo: measured {row['name']}", file=sys.stderr, flush=True)
    if options.json:
        try:
            with open(options.json, "w") as file:
                json.dump(rows, file, indent=2)
                file.write("\n")
        except OSError as error:
            raise Fail(f"{options.json}: {error.strerror}") from error
    if not rows:
        raise Fail(f"no benchmark is named {options.name}" if options.name else "no benchmark ran")
    print_table(rows)
    return 0


def print_table(rows: list) -> None:
    table = [[title for title, _ in COLUMNS]]
    table[0][3] = f"peer ({rows[0]['peer_name']})" if len({row["peer_name"] for row in rows}) == 1 else "peer"
    for row in rows:
        ratio = f"{row['peer'] / row['ours']:.2f}x" if row["peer"] and row["ours"] else ""
        verdict = "" if row["bar"] is None else "met" if row["met"] else "MISSED"
        table.append([row["name"], row["unit"], number(row["ours"]), number(row["peer"]), ratio,
                      number(row["bar"]), verdict])
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    for line in table:
        print("  ".join(f"{cell:{COLUMNS[i][1]}{widths[i]}}" for i, cell in enumerate(line)).rstrip())
    for row in rows:
        if row.get("why"):
            print(f"{row['name']}: {row['why']}")


def number(value) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
