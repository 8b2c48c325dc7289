# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The table of `exo bench kernel`: the kernel's operations beside what a Linux program has in their place.

Both guests are measured in the same run, on the same virtual machine, with bench/plugin. A row is measured
by a program for the bare machine where it is about the kernel itself ("calls", "protection"), and by the
same unmodified program as on Linux where it is about processes ("micro").
"""
import os
import tempfile
from dataclasses import dataclass

from . import bench, errors
from .errors import Fail
from measure import counters, linux_guest, our_guest, tools  # noqa: I001  (bench puts them on the path)

MEMORY_MIB = 512  # for a parent of 256 MiB
NATIVE = ("calls", "protection")
PAGES = 100  # of prot100


@dataclass(frozen=True)
class Source:
    """Where a figure comes from: a test of a program, as a share of its operation."""
    program: str
    test: str
    share: float = 1


@dataclass(frozen=True)
class Row:
    key: str
    name: str
    bar: object  # at most so many; or "a fifth": of the peer's; or (key, factor): so much of that row
    ours: Source
    peer: Source
    part: str = "total"  # or "kernel"
    peer_does: str = ""  # where it is not the same thing


HALF_PIPE = Source("micro", "pipe_round_trip", 0.5)
A_FIFTH = "a fifth"


def micro(key: str, name: str, bar, test: str, part: str = "total") -> Row:
    return Row(key, name, bar, Source("micro", test), Source("micro", test), part)


def protection(key: str, what: str) -> Row:
    return Row(key, f"{key}: {what}", A_FIFTH, Source("protection", key), Source("protection", key))


ROWS = (
    Row("null", "null call, in the kernel", 40, Source("calls", "null_call"), Source("micro", "null_call"),
        "kernel", "getppid"),
    micro("foreign", "foreign call (getppid), in the kernel", 12, "null_call", "kernel"),
    micro("getppid", "getppid of an unmodified program", 60, "null_call"),
    Row("fault", "page fault to a native handler and back, in the kernel", 80, Source("calls", "fault"),
        Source("micro", "fault_handler"), "kernel", "SIGSEGV handler"),
    micro("sigsegv", "SIGSEGV handler of an unmodified program", 900, "fault_handler"),
    micro("fresh-page", "fresh page", 900, "page_fault"),
    Row("pte", "page-table entry alone", 120, Source("calls", "pte_insert"), Source("protection", "prot1"),
        peer_does="mprotect of one page"),
    Row("pte-batch", "page-table entry in a batch of 128", 45, Source("calls", "pte_insert_batch"),
        Source("protection", "prot100", 1 / PAGES), peer_does="mprotect of 100 pages, for one"),
    Row("transfer", "synchronous control transfer, one way", 70, Source("calls", "transfer"), HALF_PIPE,
        peer_does="a byte through a pipe, one way"),
    Row("directed-yield", "directed yield", 90, Source("calls", "directed_yield"), HALF_PIPE,
        peer_does="a byte through a pipe, one way"),
    Row("switch", "environment switch", 150, Source("calls", "switch"), HALF_PIPE,
        peer_does="a byte through a pipe, one way"),
    micro("pipe", "pipe round trip of 1 byte, two processes", 3_500, "pipe_round_trip"),
    micro("fork-1", "fork + exit + wait, 1 MiB parent", 45_000, "fork_1_mib"),
    micro("fork-16", "fork + exit + wait, 16 MiB parent", ("fork-1", 1.1), "fork_16_mib"),
    micro("fork-256", "fork + exit + wait, 256 MiB parent", ("fork-1", 1.1), "fork_256_mib"),
    micro("fork-exec", "fork + exec of a static program + wait", 170_000, "fork_exec_wait"),
    protection("dirty", "is a page dirty?"),
    protection("prot1", "protect one page"),
    protection("prot100", "protect 100 pages"),
    protection("unprot100", "unprotect 100 pages"),
    protection("trap", "fault, handler, return"),
    protection("appel1", "fault; protect one, unprotect one"),
    protection("appel2", "protect 100, fault on each, unprotect it"),
)


def select(wish: str) -> list:
    """The row with this key; otherwise all whose key or name contain it.

    Errors  Fail, wrong usage: there is none
    """
    found = [row for row in ROWS if row.key == wish] or [row for row in ROWS if wish in row.key or wish in row.name]
    if not found:
        raise Fail(f"no row is named {wish}; there are: {' '.join(row.key for row in ROWS)}", errors.USAGE)
    return found


def rows(wish: str) -> list:
    """A dict per row, as benchmarks.py describes it, with "key" and "peer_does" besides."""
    wanted = select(wish)
    return table(wanted, *measure(wanted))


def measure(wanted: list):
    """Boots what the rows need. Returns  two dicts (program, test) -> Figure, or the reason why there is none"""
    wanted = [*wanted, *(base for row in wanted if (base := base_of(row)))]
    return collect([row.ours for row in wanted], our_figures), collect([row.peer for row in wanted], peer_figures)


def base_of(row: Row):
    """The row that this one's bar refers to."""
    return next(base for base in ROWS if base.key == row.bar[0]) if isinstance(row.bar, tuple) else None


def collect(sources: list, figures_of) -> dict:
    """figures_of(program, tests, folder)  test -> Figure or reason; the folder is for its files."""
    found = {}
    for program in dict.fromkeys(source.program for source in sources):
        tests = list(dict.fromkeys(source.test for source in sources if source.program == program))
        with tempfile.TemporaryDirectory(prefix="xok-bench-") as folder:
            try:
                figures = figures_of(program, tests, folder)
            except Fail as why:
                figures = dict.fromkeys(tests, str(why))
        found.update({(program, test): figure for test, figure in figures.items()})
    return found


def our_figures(program: str, tests: list, folder: str) -> dict:
    if program not in NATIVE:
        return linux_program(our_guest, program, tests, folder)
    count, marks = os.path.join(folder, "counters"), os.path.join(folder, "marks")
    return counters.join(our_guest.run_native(program, count, marks), marks)


def peer_figures(program: str, tests: list, folder: str) -> dict:
    return linux_program(linux_guest, program, tests, folder)


def linux_program(guest, program: str, tests: list, folder: str) -> dict:
    path = f"/bench/{program}"
    return counters.one_boot_or_several(tests, folder, lambda names, *files: guest.run(
        {path: tools.program(program)}, [path, *names], *files, memory_mib=MEMORY_MIB))


def table(wanted: list, ours: dict, peer: dict) -> list:
    """The rows' dicts, out of figures."""
    found = []
    for row in wanted:
        mine, theirs = figure_of(row.ours, ours), figure_of(row.peer, peer)
        limit = bar_of(row, value(theirs, row.part, row.peer.share), ours)
        entry = bench.compare(row, mine, theirs, limit, (row.ours.share, row.peer.share))
        found.append({**entry, "key": row.key, "peer_does": row.peer_does})
    return found


def figure_of(source: Source, figures: dict):
    return figures.get((source.program, source.test), "not measured")


def value(figure, part: str, share: float):
    whole = bench.part(figure, part)
    return None if whole is None else whole * share


def bar_of(row: Row, peer_value, ours: dict):
    if row.bar == A_FIFTH:
        return None if peer_value is None else peer_value / 5
    base = base_of(row)
    if base is None:
        return row.bar
    first = value(figure_of(base.ours, ours), base.part, base.ours.share)
    return None if first is None else first * row.bar[1]
