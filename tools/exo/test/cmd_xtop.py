# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Part of the suite cmd: `xtop` beside unmodified programs, through a pipe and on a terminal."""
import os
import pty
import re
import struct
from fcntl import ioctl
from termios import TIOCSWINSZ

from .cmd import EXO, expect, guest, wait
from .tools import same

ENVIRONMENT = re.compile(r"^(?P<sign>\S)   \d+ +(?P<status>\w+) +\d+ +[\d.]+ +(?P<pages>\d+) +\d+ +(?P<slices>\d+)"
                         r" +(?P<calls>\d+) +\d+ +\d+ +(?P<account>\d+)  (?P<name>\S+)$", re.M)


def run(report) -> None:
    for name, test in (("xtop-shows-environments", shows_environments), ("xtop-counts-pages", counts_pages),
                       ("xtop-makes-no-call", makes_no_call), ("xtop-repeats", repeats),
                       ("xtop-options", options), ("xtop-terminal", on_a_terminal)):
        report.check(name, test)


def picture(*program, options=()) -> str:
    status, output, errors = guest(*program, options=options)
    same((status, errors), (0, b""))
    return output.decode()


def pages(text: str) -> dict:
    match = re.search(r"^pages +(\d+)  free (\d+)  user (\d+)  kernel (\d+)  boot (\d+)$", text, re.M)
    assert match, text
    return dict(zip(("all", "free", "user", "kernel", "boot"), map(int, match.groups())))


def shows_environments() -> None:
    """init, a shell, two that sleep, and xtop itself; each has the slice that ExOS gives to a process."""
    text = picture("sh", "-c", "sleep 1000 & sleep 1000 & xtop; kill %1 %2")
    found = [match.groupdict() for match in ENVIRONMENT.finditer(text)]
    same([one["status"] for one in found].count("drawing"), 1)
    same((len(found), [one["status"] for one in found].count("asleep")), (5, 4))
    same({(one["slices"], one["account"], one["name"]) for one in found}, {("1", "0", "1")})
    assert "  environments 5  ended 0\n" in text, text
    signs = "".join(one["sign"] for one in found)
    row = re.search(r"^slices 0  (\S+)  from 0$", text, re.M)
    assert row and sorted(row[1].replace(".", "")) == sorted(signs), text
    drawing = next(one for one in found if one["status"] == "drawing")
    assert int(drawing["pages"]) > 50 and int(drawing["calls"]) > 20, text


def counts_pages() -> None:
    """All pages are somewhere; 64 MiB more are 16384 pages more; a file of 8 MiB takes 2048."""
    small, large = (pages(picture("xtop", options=["-m", memory])) for memory in ("128M", "192M"))
    for count in (small, large):
        same(count["free"] + count["user"] + count["kernel"] + count["boot"], count["all"])
    same(large["all"] - small["all"], 16384)
    text = picture("sh", "-c", "xtop; head -c 8388608 /dev/zero > /tmp/file; xtop")
    before, after = (pages(part) for part in text.split("machine")[1:])
    grown = after["user"] - before["user"]
    assert abs(grown - 2048) < 64, (before, after)  # the pages of the programs themselves come and go
    owned = [int(number) for number in re.findall(r"(\d+) pages of 1$", text, re.M)]
    same(owned[1] - owned[0], grown)  # in ExOS everything belongs to capability 1


def makes_no_call() -> None:
    """By the kernel's own count of this environment's calls; and to ExOS nothing but what writing needs."""
    status, output, errors = guest("xtop", "-n", "2", "-d", ".01", options=["--trace", "calls"])
    same(status, 0)
    same(re.findall(rb"^xtop +(\d+) kernel calls to draw this$", output, re.M), [b"0", b"0"])
    made = re.findall(rb"^(?:\[pid +\d+\] )?(\w+)\(", errors, re.M)
    same(made[made.index(b"ioctl"):], [b"ioctl", b"write", b"nanosleep", b"write", b"write", b"exit_group"])


def repeats() -> None:
    """Through a pipe once, or as often as is said, with an empty line in between."""
    same(picture("xtop").count("machine "), 1)
    text = picture("xtop", "-n", "3", "-d", "0.01")
    same((text.count("machine "), text.count("\n\nmachine ")), (3, 2))
    assert "\x1b" not in text, "a control sequence where no terminal is"
    same(guest("sh", "-c", "xtop > /dev/full")[::2], (1, b"xtop: cannot write\n"))


def options() -> None:
    status, output, errors = guest("xtop", "--help")
    same((status, errors), (0, b""))
    for word in (b"usage: xtop", b"-n COUNT", b"-d SECONDS", b"--help"):
        assert word in output, output
    for arguments, wrong in ((["-n", "0"], "0: not a positive number"),
                             (["-d", "soon"], "soon: not a number of seconds"),
                             (["-n"], "-n: needs a value"), (["-x"], "-x: unknown option"),
                             (["now"], "now: takes no operand")):
        same(guest("xtop", *arguments), (2, b"", f"xtop: {wrong} (see xtop --help)\n".encode()))


def on_a_terminal() -> None:
    """It draws over itself, within a window of 9 rows and 40 columns; Ctrl-C ends it."""
    pid, screen = pty.fork()
    if pid == 0:
        os.execv(EXO, [EXO, "run", "--quiet", "-p", "none"])
    try:
        ioctl(screen, TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        expect(screen, b"# ")
        os.write(screen, b"stty rows 40 cols 120; xtop -d 0.1\n")
        expect(screen, b"\nfilter ")  # the network service's, once it is up
        os.write(screen, b"\x03")
        expect(screen, b"# ")
        os.write(screen, b"stty rows 9 cols 40; xtop -d 0.05\n")
        seen = expect(screen, b"\x1b[H")
        for _ in range(3):
            seen = expect(screen, b"\x1b[J").partition(b"\x1b[H")[2].partition(b"\x1b[J")[0]
        lines = seen.replace(b"\r", b"").split(b"\x1b[K\n")
        same((len(lines), lines[-1], lines[0][:8]), (10, b"", b"machine "))
        assert max(map(len, lines)) == 40 and re.fullmatch(rb"\.\.\. \d+ more lines", lines[-2]), lines
        os.write(screen, b"\x03")
        expect(screen, b"# ")
        os.write(screen, b"exit 4\n")
        same(os.waitstatus_to_exitcode(wait(pid)), 4)
    finally:
        os.close(screen)
