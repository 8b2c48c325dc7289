# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Tests of `exo bench kernel` with made-up figures: which rows, what they say, the page, the chart. No guest runs."""
import math
import os
import tempfile
import xml.etree.ElementTree

from .. import bench_grafts, bench_kernel, bench_report, errors
from ..bench_notes import NOTES
from ..errors import Fail
from measure import counters  # noqa: I001  (bench_kernel puts it on the path)

SVG = "{http://www.w3.org/2000/svg}"


def figure(total: float, kernel: float = 0) -> counters.Figure:
    return counters.Figure(total, kernel, 0.01, 11, {"syscall": 1.0})


def table(keys: list, ours: dict, peer: dict) -> dict:
    """The rows with these keys, by key."""
    rows = [row for row in bench_kernel.ROWS if row.key in keys]
    return {entry["key"]: entry for entry in bench_kernel.table(rows, ours, peer)}


def expect(got, wanted) -> None:
    assert got == wanted, f"got {got!r}, not {wanted!r}"


def rows_are_whole() -> None:
    keys = [row.key for row in bench_kernel.ROWS]
    expect(len(keys), len(set(keys)))
    expect(set(NOTES), set(keys))
    for row in bench_kernel.ROWS:
        assert isinstance(row.bar, int) or row.bar == bench_kernel.A_FIFTH or bench_kernel.base_of(row), row


def rows_by_name() -> None:
    expect([row.key for row in bench_kernel.select("pte")], ["pte"])  # a key, though others contain it
    expect([row.key for row in bench_kernel.select("fork-")], ["fork-1", "fork-16", "fork-256", "fork-exec"])
    expect([row.key for row in bench_kernel.select("directed")], ["directed-yield"])
    expect(len(bench_kernel.select("")), len(bench_kernel.ROWS))
    for wrong in ("nosuch", "pte,null", "FORK"):
        try:
            bench_kernel.select(wrong)
        except Fail as failure:
            expect(failure.status, errors.USAGE)
            assert wrong in str(failure) and "fork-256" in str(failure), failure
        else:
            raise AssertionError(f"{wrong} is taken for a row")


def rows_judged() -> None:
    found = table(["null", "transfer", "prot1"],
                  {("calls", "null_call"): figure(900, 40), ("calls", "transfer"): figure(71),
                   ("protection", "prot1"): figure(20)},
                  {("micro", "null_call"): figure(600, 500), ("micro", "pipe_round_trip"): figure(1000),
                   ("protection", "prot1"): figure(100)})
    null, transfer, prot = found["null"], found["transfer"], found["prot1"]
    expect((null["ours"], null["peer"], null["bar"], null["met"]), (40, 500, 40, True))  # the kernel's part
    expect((transfer["ours"], transfer["peer"], transfer["met"]), (71, 500, False))  # half a round trip
    assert "per operation 1 syscall" in transfer["why"], transfer
    expect((prot["bar"], prot["met"]), (20, True))  # a fifth


def rows_growth() -> None:
    figures = {("micro", f"fork_{size}_mib"): figure(total) for size, total in ((1, 1000), (16, 1100), (256, 1101))}
    found = table(["fork-1", "fork-16", "fork-256"], figures, figures)
    expect([found[key]["met"] for key in ("fork-1", "fork-16", "fork-256")], [True, True, False])


def rows_without_figures() -> None:
    found = table(["prot1", "fork-256"], {("protection", "prot1"): "it burned"}, {})
    expect((found["prot1"]["ours"], found["prot1"]["bar"], found["prot1"]["met"]), (None, None, None))
    assert "ours: it burned; peer: not measured" in found["prot1"]["why"], found
    expect(found["fork-256"]["bar"], None)
    page = bench_report.page(list(found.values()), "chart.svg")
    assert "| - | - | - | - |" in page and "Not measured: ours: it burned" in page, page


def boots_one_by_one() -> None:
    """A test that takes the guest down costs its own figure only."""
    def run(tests, _counters, log):
        if "bad" in tests:
            raise Fail("the guest stopped")
        with open(log, "w") as file:
            for _ in tests:
                file.write("1 " + "0 " * len(counters.NAMES) + "\n2 30 " + "0 " * (len(counters.NAMES) - 1) + "\n")
        return "".join(f"BENCH {test} 10 1\n" for test in tests)
    with tempfile.TemporaryDirectory() as folder:
        found = counters.one_boot_or_several(["a", "bad", "b"], folder, run)
        expect(sorted(os.listdir(folder)), ["marks"])
    expect((found["a"].total, found["bad"], found["b"].total), (3, "the guest stopped", 3))


def report_page() -> None:
    rows = list(table(["null", "prot1"], {("calls", "null_call"): figure(60, 50), ("protection", "prot1"): figure(7)},
                      {("micro", "null_call"): figure(600, 500), ("protection", "prot1"): figure(3500)}).values())
    page = bench_report.page(rows, "k.svg")
    for piece in ("![The table as a chart](k.svg)", "| null call, in the kernel | 50 | 500 | 10.0 | 40 | not met |",
                  "| prot1: protect one page | 7 | 3,500 | 500.0 | 700 | met |", "getppid", NOTES["prot1"]):
        assert piece in page, f"{piece} is not in {page}"


def report_chart() -> None:
    rows = list(table(["null", "prot1"], {("calls", "null_call"): figure(0, 100)},
                      {("micro", "null_call"): figure(0, 10_000), ("protection", "prot1"): figure(1000)}).values())
    rows[0]["name"] = "<a & b>"
    picture = xml.etree.ElementTree.fromstring(bench_report.chart(rows))
    expect(picture.tag, SVG + "svg")
    texts = [element.text for element in picture.iter(SVG + "text")]
    assert "✗ <a & b>" in texts and "not measured" in texts and "10,000" in texts, texts
    widths = {kind: [float(element.get("width")) for element in picture.iter(SVG + "rect")
                     if element.get("fill") == bench_report.COLOURS[kind] and element.get("height") == "11"]
              for kind in ("ours", "peer")}
    expect((len(widths["ours"]), len(widths["peer"])), (1, 2))
    # Logarithmic: from 10 (the decade below the smallest, the bar of 40) each decade is as long.
    low = math.floor(math.log10(40))
    ratio = (math.log10(10_000) - low) / (math.log10(100) - low)
    assert abs(widths["peer"][0] / widths["ours"][0] - ratio) < 0.01, widths
    strokes = [element.get("stroke") for element in picture.iter(SVG + "line")]
    expect(strokes.count(bench_report.COLOURS["bar"]), 2)  # 40, and a fifth of 1000


def graft_rows() -> None:
    def run(name, nanoseconds, things, **more):
        return {"run_type": "iteration", "run_name": name, "cpu_time": nanoseconds, "things": things, **more}
    figures = bench_grafts.medians({"context": {"core_mhz": "2000"}, "benchmarks": [
        run("generate", 160.0, 10), run("generate", 150.0, 10), run("generate", 155.0, 10),
        run("owns-partition", 30.0, 1, instructions=0.0),
        {"run_type": "aggregate", "run_name": "generate", "cpu_time": 1.0}]})
    expect(figures, {"generate": {"cycles": 31.0}, "owns-partition": {"cycles": 60.0}})
    keys = ("generate", "owns-pointer", "owns-instructions")
    rows = bench_grafts.table({key: bench_grafts.ROWS[key] for key in keys}, figures)
    expect([(row["ours"], row["met"]) for row in rows], [(31.0, False), (60.0, None), (None, None)])
    try:
        bench_grafts.rows("nosuch")
    except Fail as failure:
        expect(failure.status, errors.USAGE)
    else:
        raise AssertionError("nosuch is taken for a row")


TESTS = (("bench-grafts", graft_rows), ("bench-rows", rows_are_whole), ("bench-rows-by-name", rows_by_name),
         ("bench-judged", rows_judged),
         ("bench-growth", rows_growth), ("bench-no-figures", rows_without_figures),
         ("bench-one-by-one", boots_one_by_one), ("bench-page", report_page), ("bench-chart", report_chart))
