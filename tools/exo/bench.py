# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The rows of `exo bench`: what each measures, its bar, and which measurement in bench/ it comes from.

All figures are guest instructions, counted by bench/plugin in both guests in the same way. Each is the
median of 11 repetitions within one boot, but the boot itself, which is the median of 3.
"""
import os
import sys
import tempfile
from dataclasses import dataclass

from . import install, paths
from .errors import Fail

sys.path.insert(0, os.path.join(paths.ROOT, "bench"))

from measure import cache, counters, http_load, linux_guest, our_guest, tools  # noqa: E402

UNIT = "guest instructions"
BOOTS = 3
PAGE = "/bench/page1024.txt"
WEB_MODES = [("new", 16), ("keep", 16), ("new", 1), ("keep", 1)]


@dataclass(frozen=True)
class Row:
    name: str
    group: str  # which measurement yields it: micro, boot, web, nginx, shared
    test: object  # the test within the group
    bar: object = None  # at most; None: for information
    part: str = "total"  # or "kernel"


ROWS = (
    Row("power-on to true to power-off", "boot", "true", 300_000_000),
    Row("null system call (getppid)", "micro", "null_call", 120),
    Row("null system call, kernel part", "micro", "null_call", 12, "kernel"),
    Row("page fault on fresh memory", "micro", "page_fault", 2_500),
    Row("fault, handler, return (SIGSEGV)", "micro", "fault_handler", 3_000),
    Row("fork + exit + wait", "micro", "fork_exit_wait", 150_000),
    Row("fork + exec static + wait", "micro", "fork_exec_wait", 450_000),
    Row("pipe round trip of 1 byte, two processes", "micro", "pipe_round_trip", 9_000),
    Row("create, write, read and unlink a file of 1 KiB", "micro", "file_operations"),
    Row("1 KiB GET, new connection each", "web", ("new", 16), 45_000),
    Row("1 KiB GET, new connection each, nginx", "nginx", ("new", 16), 45_000),
    Row("1 KiB GET, keep-alive", "web", ("keep", 16), 14_000),
    Row("1 KiB GET, keep-alive, nginx", "nginx", ("keep", 16), 14_000),
    Row("1 KiB GET, new connection each, one at a time", "web", ("new", 1)),
    Row("1 KiB GET, keep-alive, one at a time", "web", ("keep", 1)),
    Row("64 bytes shared with programs not trusted, read", "shared", "read"),
    Row("64 bytes shared with programs not trusted, changed", "shared", "update"),
)


def rows(name: str):
    """Yields a dict per row whose name contains `name`, as each is known (see benchmarks.py)."""
    wanted = [row for row in ROWS if name in row.name]
    ours, peer = {}, {}
    for row in wanted:
        our_group = "web" if row.group == "nginx" else row.group  # Cheetah stands against both servers
        if our_group not in ours:
            ours[our_group] = measure(OURS, our_group)
        if row.group not in peer:
            peer[row.group] = peer_figures(row.group)
        yield as_dict(row, ours[our_group], peer[row.group])


def as_dict(row: Row, ours: dict, peer: dict) -> dict:
    """ours, peer: test -> Figure, or the reason why there is none."""
    entry = compare(row, ours.get(row.test, "not measured"), peer.get(row.test, "not measured"), row.bar)
    entry["peer_name"] = peer_name(row.group)
    return entry


def compare(row, mine, theirs, bar, shares=(1, 1)) -> dict:
    """The dict of a row (anything with `name` and `part`), out of two Figures or reasons; of each its share."""
    values = [None if (whole := part(figure, row.part)) is None else whole * share
              for figure, share in zip((mine, theirs), shares)]
    result = {"name": row.name, "unit": UNIT, "ours": values[0], "peer": values[1],
              "peer_name": peer_name(""), "bar": bar, "met": None}
    for key, figure in (("ours", mine), ("peer", theirs)):
        if isinstance(figure, counters.Figure):
            result[f"{key}_spread"] = figure.spread
            result[f"{key}_events"] = figure.events
    if bar is not None:
        result["met"] = values[0] is not None and values[0] <= bar
    reasons = [f"{who}: {why}" for who, why in (("ours", mine), ("peer", theirs)) if isinstance(why, str)]
    if not reasons and result["met"] is False:
        events = ", ".join(f"{count:g} {event}" for event, count in mine.events.items() if count >= 0.5)
        reasons = [f"{mine.kernel:,.0f} of {mine.total:,.0f} in the kernel; per operation {events}"]
    if reasons:
        result["why"] = "; ".join(reasons)
    return result


def part(figure, which: str):
    return getattr(figure, which) if isinstance(figure, counters.Figure) else None


def peer_name(group: str) -> str:
    if group == "shared":
        return "Xok, plain memory under a lock"
    server = {"web": ", epoll server", "nginx": ", nginx"}.get(group, "")
    return f"Linux {linux_guest.version()}, tuned{server}"


def peer_figures(group: str) -> dict:
    """The peer's side, from the cache where nothing it depends on has changed."""
    if group == "shared":
        return measure(PEER, group)
    programs = {"micro": ("micro",), "boot": (), "web": ("web", "load"), "nginx": ("load",)}[group]
    try:
        depends = cache.key(*programs)
        figures = cache.get(group, depends)
        if figures is None:
            figures = measure(PEER, group)
            if not any(isinstance(figure, str) for figure in figures.values()):
                cache.put(group, depends, named(figures))
        return unnamed(figures)
    except Fail as why:
        return Everything(str(why))


def named(figures: dict) -> dict:
    """JSON has only strings for keys."""
    return {test if isinstance(test, str) else " ".join(map(str, test)): figure
            for test, figure in figures.items()}


def unnamed(figures: dict) -> dict:
    modes = {" ".join(map(str, mode)): mode for mode in WEB_MODES}
    return {modes.get(test, test): figure for test, figure in figures.items()}


class Everything(dict):
    """Gives the same reason for every test."""

    def __init__(self, reason: str):
        super().__init__()
        self.reason = reason

    def get(self, _test, _default=None):
        return self.reason


OURS, PEER = our_guest, linux_guest


def measure(guest, group: str) -> dict:
    """Runs one group in one guest. Returns  test -> Figure, or the reason why there is none"""
    measurement = {"micro": measure_micro, "boot": measure_boot, "web": measure_web, "nginx": measure_nginx,
                   "shared": measure_shared}
    with tempfile.TemporaryDirectory(prefix="xok-bench-") as folder:
        try:
            return measurement[group](guest, folder)
        except Fail as why:
            return Everything(str(why))


def measure_micro(guest, folder: str) -> dict:
    tests = list(dict.fromkeys(row.test for row in ROWS if row.group == "micro"))
    return counters.one_boot_or_several(tests, folder, lambda names, *files: guest.run(
        {"/bench/micro": tools.program("micro")}, ["/bench/micro", *names], *files))


def measure_boot(guest, folder: str) -> dict:
    count = os.path.join(folder, "counters")
    samples = []
    for _ in range(BOOTS):
        if guest is PEER:
            guest.run({"/bin/true": install.busybox()}, ["/bin/true"], count)
        else:
            guest.run({}, ["/bin/true"], count)
        samples.append(counters.read(count))
    return {"true": counters.figure(samples, 1)}


def web_modes(group: str) -> list:
    return [row.test for row in ROWS if row.group == group]


def measure_web(guest, folder: str, server: str = "web") -> dict:
    """Cheetah on our side; on the peer's, `server`."""
    count, port = os.path.join(folder, "counters"), http_load.free_port()
    page = tools.page_of(1024)
    if guest is OURS:
        options = ["-p", f"{port}:80", "--add", f"{page}:/www{PAGE}"]
        command = our_guest.command(options, [], count)
    elif server == "nginx":
        programs = {**linux_guest.nginx(), f"/www{PAGE}": page}
        command = linux_guest.command(programs, ["/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf"], count, port=port)
    else:
        programs = {"/bench/web": tools.program("web"), f"/www{PAGE}": page}
        command = linux_guest.command(programs, ["/bench/web", "80", "/www"], count, port=port)
    return http_load.measure(command, port, PAGE, web_modes("web" if guest is OURS else server))


def measure_nginx(guest, folder: str) -> dict:
    return measure_web(guest, folder, "nginx")


def measure_shared(guest, folder: str) -> dict:
    """Copy-modify-replace on our side; its peer is our own guest too, without it."""
    count, marks = os.path.join(folder, "counters"), os.path.join(folder, "marks")
    prefix = "plain_" if guest is PEER else "record_"
    figures = counters.join(our_guest.run_native("shared", count, marks), marks)
    return {test.removeprefix(prefix): figure for test, figure in figures.items() if test.startswith(prefix)}
