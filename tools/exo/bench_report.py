# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The report of `exo bench kernel`: a page in Markdown, and the chart in it as SVG."""
import math
from html import escape

from .bench_notes import NOTES
from .benchmarks import number, verdict

# The chart: one line of two bars per row, on a logarithmic axis, and a stroke where the row's bar is.
LABELS, AXIS, RIGHT, LINE, TOP = 360, 520, 90, 34, 44
COLOURS = {"ours": "#2b6cb0", "peer": "#c7cdd4", "bar": "#c53030"}
STYLE = "text { font: 12px sans-serif; fill: #222 } .small { font-size: 10px; fill: #666 }"


def page(rows: list, chart_name: str) -> str:
    """The whole page. rows: as bench_kernel.py gives them."""
    lines = ["# Speed of the kernel's operations", "",
             "Written by `./exo bench kernel --report FILE.md`: guest instructions, counted by `bench/plugin` in both "
             f"guests of one run; {rows[0]['peer_name']}. Median of 11 repetitions in one boot. Instruction counts "
             "leave out what real processors charge for crossings and cache misses.", "",
             f"![The table as a chart]({chart_name})", "",
             "| row | Xok | Linux | ratio | bar | |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for row in rows:
        cells = [row["name"], number(row["ours"]), number(row["peer"]), ratio(row), number(row["bar"]), verdict(row)]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "What Linux does instead, where it has no such operation: " + "; ".join(
        f"{row['name']}: {row['peer_does']}" for row in rows if row["peer_does"]) + "."] * any(
        row["peer_does"] for row in rows)
    lines += ["", "## Why each stands where it does, and what is left to gain", ""]
    lines += [note(row) for row in rows]
    return "\n".join(lines) + "\n"


def ratio(row: dict) -> str:
    return f"{row['peer'] / row['ours']:,.1f}" if row["ours"] and row["peer"] else "-"


def note(row: dict) -> str:
    spread = row.get("ours_spread")
    measured = f" (spread {spread:.1%}{events(row)})" if spread is not None else ""
    reason = f" Not measured: {row['why']}." if row["ours"] is None or row["peer"] is None else ""
    return f"- **{row['name']}**{measured}: {NOTES.get(row['key'], '')}{reason}"


def events(row: dict) -> str:
    """What costs more than an instruction on real hardware, per operation."""
    dear = ("syscall", "iret", "cr3", "invlpg")
    found = [f"{count:.3g} {name}" for name, count in row.get("ours_events", {}).items()
             if name in dear and count >= 0.05]
    return "; per operation " + ", ".join(found) if found else ""


def chart(rows: list) -> str:
    """An SVG picture of the rows."""
    values = [row[key] for row in rows for key in ("ours", "peer", "bar") if row[key]]
    low = math.floor(math.log10(min(values, default=1)))
    high = max(math.ceil(math.log10(max(values, default=10))), low + 1)
    width, height = LABELS + AXIS + RIGHT, TOP + LINE * len(rows) + 30

    def across(value: float) -> float:
        return LABELS + AXIS * (math.log10(value) - low) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" role="img" aria-label="Kernel operations in guest instructions">',
             f"<style>{STYLE}</style>", f'<rect width="{width}" height="{height}" fill="white"/>']
    parts += legend()
    for power in range(low, high + 1):
        at = across(10 ** power)
        parts.append(f'<line x1="{at:.1f}" y1="{TOP - 6}" x2="{at:.1f}" y2="{height - 24}" stroke="#eee"/>')
        parts.append(text(at, height - 10, f"{10 ** power:,}", "middle", "small"))
    for index, row in enumerate(rows):
        parts += bars(row, TOP + LINE * index, across)
    return "\n".join([*parts, "</svg>"]) + "\n"


def legend() -> list:
    parts, at = [], LABELS
    for key, label in (("ours", "Xok"), ("peer", "Linux"), ("bar", "bar to meet")):
        parts.append(f'<rect x="{at}" y="12" width="12" height="12" fill="{COLOURS[key]}"/>')
        parts.append(text(at + 18, 22, label))
        at += 110
    parts.append(text(at, 22, "guest instructions, logarithmic", kind="small"))
    return parts


def bars(row: dict, top: float, across) -> list:
    mark = {True: "✓ ", False: "✗ ", None: ""}[row["met"]]
    parts = [text(LABELS - 10, top + 17, mark + row["name"], "end")]
    for place, key in enumerate(("ours", "peer")):
        if not row[key]:
            parts.append(text(LABELS + 4, top + 10 + 13 * place, "not measured", kind="small"))
            continue
        end = across(row[key])
        parts.append(f'<rect x="{LABELS}" y="{top + 1 + 13 * place}" width="{max(end - LABELS, 1):.1f}" height="11" '
                     f'fill="{COLOURS[key]}"/>')
        parts.append(text(max(end, LABELS + 1) + 4, top + 10 + 13 * place, number(row[key]), kind="small"))
    if row["bar"]:
        at = across(row["bar"])
        parts.append(f'<line x1="{at:.1f}" y1="{top - 1}" x2="{at:.1f}" y2="{top + 15}" stroke="{COLOURS["bar"]}" '
                     'stroke-width="2"/>')
    return parts


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(words)}</text>'
