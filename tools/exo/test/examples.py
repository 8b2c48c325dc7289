# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The programs of apps/examples/: each is booted as the first environment and judges itself.

It ends the machine with a status that says whether all was as it should be. What it prints is judged here
once more where that can be done from outside.
"""
import os
import re
import subprocess
import tempfile
from xml.etree import ElementTree

from .. import build, install, paths, qemu
from . import guest
from .runner import HANG_SECONDS

FOLDER = os.path.join(paths.GUEST_APPS, "examples")


def run(report) -> None:
    install.ensure("run")
    build.ensure(paths.GUEST_PRESET)
    for name in sorted(os.path.basename(file).removesuffix(".elf") for file in os.listdir(FOLDER)
                       if file.endswith(".elf")):
        for cpus in CPUS.get(name, (1,)):
            report.check(f"{name}@{cpus}" if cpus > 1 else name, lambda name=name, cpus=cpus: example(name, cpus))
    report.check("plot", plot)


def example(name: str, cpus: int) -> None:
    lines = output(name, cpus, EXTRA.get(name, ()))
    JUDGES.get(name, lambda lines: None)(lines)


def output(name: str, cpus: int, extra) -> list:
    """What an example prints, when all was as it should be."""
    lines, wrong = guest.boot(guest.DEFAULT, os.path.join(FOLDER, f"{name}.elf"), cpus, extra)
    assert not wrong, f"{wrong}; the last lines:\n" + "\n".join(lines[-25:])
    return lines


def numbers(lines: list) -> dict:
    """The lines `text: number`."""
    return {match[1]: int(match[2]) for match in (re.fullmatch(r"(.+): +(\d+)", line) for line in lines) if match}


def stride(lines: list) -> None:
    """At each line the slices so far are shared out, and nobody is a whole slice away from his share."""
    rows = [[int(word) for word in line.split(",")] for line in lines if re.fullmatch(r"\d+(,\d+){3}", line)]
    assert len(rows) == 101 and rows[-1][0] == 1000, rows
    for total, *shares in rows:
        assert sum(shares) == total, (total, shares)
        for share, tickets in zip(shares, (3, 2, 1)):
            assert abs(6 * share - tickets * total) < 6, (total, shares)
            assert total < 1000 or abs(6 * share - tickets * total) * 100 <= tickets * total, (total, shares)


def packing_pager(lines: list) -> None:
    said = numbers(lines)
    assert said["pages worked on"] >= 4 * said["pages it may have"], said
    assert said["pages it had at most"] <= said["pages it may have"], said
    assert said["pages it had at the end"] <= said["pages it may have"] - said["pages asked back"], said


def colours(lines: list) -> None:
    """The pages that it names have the colours that it says."""
    pages = {match[1]: [int(word) for word in match[2].split()]
             for match in (re.fullmatch(r"(\w+): .*; pages: ([\d ]+)", line) for line in lines) if match}
    assert [page % 64 for page in pages["source"]] == list(range(16)), pages
    assert [page % 64 for page in pages["target"]] == list(range(16, 32)), pages
    assert [page % 64 for page in pages["stream"]] == [63] * 16, pages
    every = sum(pages.values(), [])
    assert len(every) == len(set(every)) == 64, pages


def write_barrier(lines: list) -> None:
    found = [re.fullmatch(r"round \d+: pages written (\d+), by faults \1; pages written (\d+), by dirty bits \2", line)
             for line in lines]
    assert sum(bool(match) and 0 < int(match[1]) < 128 for match in found) == 4, lines


def pipes(lines: list) -> None:
    """A row for each way, and every liar ends as it should; the honest one never reads a wrong byte."""
    ways = [match[1] for match in (re.fullmatch(r"(\w+ \w+) +\| +\d+\.\d \|.+\|.+", line) for line in lines) if match]
    assert ways == ["plain memory", "software region", "message ring", "protected method"], lines
    ends = [match.groups() for match in (re.fullmatch(r"(.+), (.+): the liar: (.+); the other: (.+)", line)
                                         for line in lines) if match]
    assert len(ends) == 14 and {way for way, *_ in ends} == set(ways), ends
    for way, lie, liar, other in ends:
        good = ("done",) if way == "protected method" else ("found the liar", "its peer is gone", "gave up")
        assert other in good, (way, lie, liar, other)


def gang(lines: list) -> None:
    """With several processors the members of a gang see each other run in most turns, or in few."""
    found = (re.fullmatch(r"(.+); turns: (\d+), of these together: (\d+)", line) for line in lines)
    counts = {match[1]: (int(match[2]), int(match[3])) for match in found if match}
    if "apart" in counts:
        assert counts["apart"][1] * 10 < counts["apart"][0], counts
        assert counts["same positions"][1] * 10 > counts["same positions"][0] * 9, counts
    else:
        turns, together = counts["adjacent slices of one processor"]
        assert turns >= 100 and together == 0, counts


# Where time is counted in instructions, QEMU's processors run in step and every figure is the same each time.
EXTRA = {"pipes": ("-icount", "shift=0"), "gang": ("-icount", "shift=6")}
CPUS = {"gang": (1, 2, 4)}
JUDGES = {"colours": colours, "gang": gang, "packing_pager": packing_pager, "pipes": pipes, "stride": stride,
          "write_barrier": write_barrier}


def plot() -> None:
    """`exo plot stride` draws a curve for each of the three programs."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "stride.svg")
        done = subprocess.run([os.path.join(paths.ROOT, "exo"), "plot", "stride", "-o", path], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=HANG_SECONDS, check=False)
        assert (done.returncode, done.stdout) == (0, f"{path}\n".encode()), (done.returncode, done.stderr)
        root = ElementTree.parse(path).getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg", root.tag
    curves = [element for element in root.iter(f"{space}path") if len(element.get("d").split("L")) > 40]
    words = " ".join(root.itertext())
    assert len(curves) == 3 and "3 tickets" in words, (len(curves), words)
