# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The command's own parts, without a guest: archives, bundles, streams against a stand-in for QEMU.

These run in a second and need nothing built, so they also hold where the guest does not run yet.
"""
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

from .. import bundle, cpio, install, paths, qemu, rootfs, webpages
from ..errors import Fail
from . import bench_parts, cases, reference_parts, single_fetch_parts
from .runner import HANG_SECONDS

STAND_IN = os.path.join(paths.ROOT, "tests/host/fake_qemu.py")

# Runs one job against the stand-in, in a process of its own, as `exo run` does.
BATCH = """
import sys
sys.path.insert(0, {tools!r})
from exo import bundle, qemu, vm
from exo.errors import Fail
from exo.session import BatchSession
qemu.QEMU = {stand_in!r}
try:
    parts = {{"init": b"x", "job": bundle.job("batch", sys.argv[2:], ["PATH=/usr/bin:/bin", "SET=by job"])}}
    with vm.Machine(qemu.Settings(), parts) as machine:
        session = BatchSession(machine)
        session.catch_signals()
        session.limit(float(sys.argv[1]) or None)
        sys.exit(session.run())
except Fail as failure:
    print(f"exo: {{failure}}", file=sys.stderr)
    sys.exit(failure.status)
"""


def run(report) -> None:
    install.ensure("run")
    for name, test in (("archive-members", archive_members), ("archive-alignment", archive_alignment),
                       ("bundle-layout", bundle_layout), ("job-strings", job_strings),
                       ("image-has-the-applets", image_has_applets), ("add-a-folder", add_folder),
                       ("add-to-the-right-place", add_places), ("add-odd-files", add_odd), ("web-pages", web_pages),
                       ("linux-cases-are-enough", enough_cases),
                       ("qemu-takes-every-machine", qemu_takes_machines),
                       ("streams-binary-both-ways", streams_binary), ("streams-apart", streams_apart),
                       ("streams-backpressure", streams_backpressure), ("streams-end-of-file", streams_end),
                       ("streams-reader-leaves", streams_reader_leaves), ("status", statuses),
                       ("closed-descriptors", closed_descriptors), ("interrupt", interrupt),
                       ("timeout", timeout), ("machine-ends-early", machine_ends), ("killed-parent", killed_parent),
                       *bench_parts.TESTS, *reference_parts.TESTS, *single_fetch_parts.TESTS):
        report.check(name, test)


def same(got, wanted) -> None:
    assert got == wanted, f"got {got!r}, not {wanted!r}"[:2000]


def archive_members() -> None:
    writer = cpio.Writer()
    writer.folder("d", 0o1777, 5)
    writer.file("d/f", b"data", 0o640, 7)
    writer.file("empty", b"")
    writer.link("l", "d/f")
    writer.file("big", bytes(range(256)) * 100, 0o755)
    members = {name: (mode, mtime, data) for name, mode, mtime, data, _ in cpio.read(writer.bytes())}
    same(list(members), ["d", "d/f", "empty", "l", "big"])
    same(members["d"], (stat.S_IFDIR | 0o1777, 5, b""))
    same(members["d/f"], (stat.S_IFREG | 0o640, 7, b"data"))
    same(members["l"][2], b"d/f")
    same(members["big"][2], bytes(range(256)) * 100)
    # Where no file has to be padded, any unpacker reads it.
    writer = cpio.Writer()
    writer.folder("a")
    writer.link("a/b", "c")
    listed = subprocess.run([install.busybox(), "cpio", "-t"], input=writer.bytes(), capture_output=True, check=False)
    same(listed.stdout, b"a\na/b\n")


def archive_alignment() -> None:
    writer = cpio.Writer()
    for length in (1, 100, 4095, 4096, 4097, 20000):
        writer.file(f"some/file-{length}", b"x" * length)
    archive = writer.bytes()
    same(len(archive) % 4096, 0)
    for name, _, _, data, offset in cpio.read(archive):
        same((name, offset % 4096), (name, 0))
        end = offset + len(data)
        same(archive[end:end + -end % 4096].strip(b"\0"), b"")


def bundle_layout() -> None:
    data = b"".join(bundle.pack({"init": b"i" * 5000, "job": b"j"}))
    same(data[:8], b"XOKBNDL1")
    same(int.from_bytes(data[8:16], "little"), 2)
    same(int.from_bytes(data[16:24], "little"), len(data))
    same(len(data), 4 * 4096)
    same(data[32:64], b"init".ljust(16, b"\0") + (4096).to_bytes(8, "little") + (5000).to_bytes(8, "little"))
    same(data[3 * 4096:3 * 4096 + 2], b"j\0")


def job_strings() -> None:
    same(bundle.job("batch", ["a", "b c"], ["X=1"], "calls", True, "none", False),
         b"MODE=batch\0ARG=a\0ARG=b c\0ENV=X=1\0TRACE=calls\0QUIET=1\0NET=none\0CHEETAH=0\0")


def image_has_applets() -> None:
    members = {name: (mode, data) for name, mode, _, data, _ in cpio.read(rootfs.archive())}
    same(members["bin/sh"][1], b"/bin/busybox")
    same(stat.S_IMODE(members["tmp"][0]), 0o1777)
    with open(install.busybox(), "rb") as file:
        assert members["bin/busybox"][1] == file.read(), "busybox is not Debian's binary"
    assert b"<html" in members["www/index.html"][1] and b"root:" in members["etc/passwd"][1]
    seen = set()
    for name, (mode, _) in members.items():
        above = os.path.dirname(name)
        assert not above or above in seen, f"{name} comes before its folder"
        if stat.S_ISDIR(mode):
            seen.add(name)


def add_folder() -> None:
    folder = tempfile.mkdtemp()
    try:
        os.makedirs(f"{folder}/x/y")
        with open(f"{folder}/x/y/f", "wb") as file:
            file.write(b"1")
        os.chmod(f"{folder}/x/y/f", 0o750)
        os.symlink("y/f", f"{folder}/x/l")
        members = {name: (mode, data) for name, mode, _, data, _ in
                   cpio.read(rootfs.extra([(f"{folder}/x", "/tmp/new/place"), (f"{folder}/x/y/f", "/etc/f")]))}
        same(sorted(members), ["etc/f", "tmp/new", "tmp/new/place", "tmp/new/place/l", "tmp/new/place/y",
                               "tmp/new/place/y/f"])
        same(members["etc/f"], (stat.S_IFREG | 0o750, b"1"))
    finally:
        shutil.rmtree(folder)


def add_places() -> None:
    """Paths are read as the guest would; what it could not unpack is refused here."""
    with tempfile.NamedTemporaryFile() as file:
        for place, wanted in (("/../../y/../x", "x"), ("/var/run/./f", "run/f"), ("//opt//f", "opt/f")):
            members = [name for name, *_ in cpio.read(rootfs.extra([(file.name, place)]))]
            same((place, members[-1]), (place, wanted))
        for places in (["/bin"], ["/"], ["/etc/passwd/f"], ["/f", "/f/g"], ["/f/g", "/f"], ["/bin/sh/f"]):
            try:
                rootfs.extra([(file.name, place) for place in places])
            except Fail:
                continue
            raise AssertionError(f"{places} is taken")


def add_odd() -> None:
    """Names that are not UTF-8, and times before 1970."""
    folder = os.fsencode(tempfile.mkdtemp())
    try:
        with open(folder + b"/\xff", "wb"):
            pass
        os.utime(folder + b"/\xff", (-5, -5))
        os.symlink(b"\xff", folder + b"/l")
        members = {name: (mtime, data) for name, _, mtime, data, _ in
                   cpio.read(rootfs.extra([(os.fsdecode(folder), "/o")]))}
        same(members[os.fsdecode(b"o/\xff")], (0, b""))
        same(members["o/l"][1], b"\xff")
    finally:
        shutil.rmtree(folder)


def web_pages() -> None:
    page = webpages.convert("# Title `x`\n\na **b** <c> [d](e.md)\nmore\n\n![p](q.svg)\n\n- one\n- two\n\n| h | i |\n"
                            "| --- | --- |\n| `a|b` | 2 |\n\n```sh\n<raw>\n```\n")
    for piece in ("<h1>Title <code>x</code></h1>", '<p>a <b>b</b> &lt;c&gt; <a href="e.html">d</a> more</p>',
                  "<ul><li>one</li><li>two</li></ul>", '<img alt="p" src="q.svg">', "<th>h</th>", "<td>2</td>",
                  "<pre>&lt;raw&gt;</pre>"):
        assert piece in page, f"{piece} is not in {page}"
    made = webpages.pages()
    assert "index.html" in made and "docs/reports/kernel.svg" in made and b"<img" in made["docs/reports/kernel.html"]


def enough_cases() -> None:
    assert len(cases.load()) >= 65, "fewer than 65 command lines"
    empty = [case.name for case in cases.load() if not case.run]
    same(empty, [])


def qemu_takes_machines() -> None:
    """QEMU itself accepts the arguments: it is started stopped and told to quit."""
    for machine in qemu.MACHINES:
        settings = qemu.Settings(machine=machine, forwards=[], extra=["-S", "-monitor", "stdio"])
        channels = {name: "null" for name in qemu.channel_names()}
        done = subprocess.run(qemu.command(settings, [], channels), input=b"quit\n", capture_output=True,
                              timeout=HANG_SECONDS, check=False)
        same((machine, done.returncode, done.stderr), (machine, 0, b""))


def batch(*arguments: str, seconds: float = HANG_SECONDS, **options):
    """A started batch run against the stand-in."""
    code = BATCH.format(tools=os.path.join(paths.ROOT, "tools"), stand_in=STAND_IN)
    return subprocess.Popen([sys.executable, "-S", "-E", "-c", code, str(seconds), *arguments],
                            preexec_fn=default_signals, **options)


def finished(*arguments: str, data: bytes = b"", seconds: float = HANG_SECONDS):
    process = batch(*arguments, seconds=seconds, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = process.communicate(data, timeout=HANG_SECONDS)
    return process.returncode, output, errors


def streams_binary() -> None:
    data = os.urandom(20_000_000)
    status, output, errors = finished("cat", data=data)
    same((status, len(output), errors), (0, len(data), b""))
    same(hashlib.sha256(output).digest(), hashlib.sha256(data).digest())


def streams_apart() -> None:
    same(finished("sh", "-c", "printf 'a\\r\\nb'; printf 'c\\n' >&2; echo $SET; exit 3"),
         (3, b"a\r\nbby job\n", b"c\n"))


def streams_backpressure() -> None:
    process = batch("sh", "-c", "yes | head -c 8000000; echo written >&2", stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.set_blocking(process.stderr.fileno(), False)
    time.sleep(0.5)  # time for a fault to show; without one, nothing happens however long it is
    same(process.stderr.read(), None)  # nothing reads, so the writer waits
    output, _ = process.communicate(timeout=HANG_SECONDS)
    same((process.returncode, len(output)), (0, 8_000_000))


def streams_end() -> None:
    same(finished("wc", "-c", data=b"")[:2], (0, b"0\n"))
    same(finished("sh", "-c", "cat; echo end", data=b"no newline")[:2], (0, b"no newlineend\n"))
    same(finished("true", data=b"x" * 5_000_000)[0], 0)  # a program that does not read its input


def streams_reader_leaves() -> None:
    process = batch("sh", "-c", "while :; do echo x; done", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL)
    process.stdout.read(100)
    process.stdout.close()
    same(process.wait(HANG_SECONDS), 128 + 13)


def statuses() -> None:
    same(finished("sh", "-c", "exit 77")[0], 77)
    same(finished("sh", "-c", "kill -9 $$")[0], 137)
    same(finished("@error", "nosuch"), (127, b"", b"exo: nosuch: not found\n"))


def closed_descriptors() -> None:
    code = BATCH.format(tools=os.path.join(paths.ROOT, "tools"), stand_in=STAND_IN)
    code = code.replace("qemu.QEMU", "from exo.session import open_missing_descriptors\n"
                        "open_missing_descriptors()\nqemu.QEMU", 1)
    done = subprocess.run(["sh", "-c", '"$@" <&- 2>&-', "sh", sys.executable, "-S", "-E", "-c", code, "600", "cat"],
                          stdout=subprocess.PIPE, check=False)
    same((done.returncode, done.stdout), (0, b""))


def interrupt() -> None:
    process = batch("sh", "-c", "trap 'echo int; exit 9' INT; echo up; while :; do sleep 0.05; done",
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    same(process.stdout.readline(), b"up\n")
    process.send_signal(2)
    same((process.stdout.read(), process.wait(HANG_SECONDS)), (b"int\n", 9))
    process = batch("sh", "-c", "trap '' INT; echo up; sleep 1000000", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    process.stdout.readline()

    def ended():  # two signals close together may arrive as one
        process.send_signal(2)
        return process.poll() is not None
    until(ended, "a program that ignores Ctrl-C cannot be left")
    same(process.returncode, 130)
    process.stdout.close()


def timeout() -> None:
    status, _, errors = finished("sleep", "1000", seconds=1)
    same((status, errors), (124, b"exo: timed out after 1 s\n"))


def machine_ends() -> None:
    status, _, errors = finished("@panic")
    same((status, errors), (125, b"Xok: a stand-in\npanic: on purpose\nexo: the kernel stopped with an error\n"))
    status, _, errors = finished("@vanish")
    same(status, 125)
    assert b"powered off" in errors, errors


def killed_parent() -> None:
    """kill -9 of the command takes the machine with it."""
    process = batch("sh", "-c", "echo up; sleep 1000", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    process.stdout.readline()
    machines = children(process.pid)
    assert machines, "no machine was started"
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: not any(alive(pid) for pid in machines), f"process {machines} outlives the command")


def until(condition, complaint: str) -> None:
    """Waits for it; a test says what never came true."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)


def default_signals() -> None:
    """A `preexec_fn`: signals that are ignored here, as in a background job or under nohup, are not in the child."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def below(pid: int) -> list:
    """(process, its program's name) of everything that a process has started, not of itself."""
    found = []
    for task in children(pid):
        try:
            with open(f"/proc/{task}/comm") as file:
                found.append((task, file.read().strip()))
            found += below(task)
        except OSError:
            pass  # ended meanwhile
    return found


def children(pid: int) -> list:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
