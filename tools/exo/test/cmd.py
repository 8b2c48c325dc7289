# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The command `exo` as a user meets it: wrong use, streams and status of real programs, nothing left running."""
import hashlib
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .. import build, install, paths, qemu
from ..run import free_port
from .guest import Kind
from .runner import HANG_SECONDS, Skip
from .tools import alive, below, children, default_signals, same, until

EXO = os.path.join(paths.ROOT, "exo")


def run(report) -> None:
    install.ensure("run", "gdb")
    build.ensure(paths.GUEST_PRESET)
    for name, test in (
            ("help", help_texts), ("wrong-use", wrong_use), ("missing-file", missing_file),
            ("nowhere-to-write", nowhere_to_write),
            ("port-in-use", port_in_use), ("four-at-once", four_at_once),
            ("second-call-starts-nothing", second_call), ("print-command", print_command),
            ("print-command-works", printed_command_works),
            ("program-not-in-image", not_in_image), ("status", status), ("streams-apart", streams_apart),
            ("twenty-megabytes-through", twenty_megabytes), ("stdin-ends", stdin_ends),
            ("shell-from-pipe", piped_shell),
            ("add-files", add_files), ("local-program", local_program), ("environment", environment),
            ("trace-calls", trace_calls), ("pcap", pcap), ("machines", machines),
            ("missing-processor-features", missing_features), ("large-memory", large_memory), ("timeout", timeout),
            ("interrupt", interrupt), ("kill-leaves-nothing", kill_leaves_nothing),
            ("hangup-ignored-stays-ignored", hangup_ignored), ("terminal", terminal),
            ("gdb-waits", gdb_waits), ("killed-while-building", killed_while_building)):
        report.check(name, test)
    from . import cmd_xtop
    cmd_xtop.run(report)


def exo(*arguments, data: bytes = b"", seconds: float = HANG_SECONDS, **options):
    """(status, output, errors) of a call."""
    try:
        done = subprocess.run([EXO, *arguments], input=data, capture_output=True, timeout=seconds, check=False,
                              **options)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"still running after {seconds} s: exo {' '.join(arguments)}") from error
    return done.returncode, done.stdout, done.stderr


def guest(*program, data: bytes = b"", options=()):
    return exo("run", "--quiet", "-p", "none", *options, "--", *program, data=data)


def one_line(errors: bytes) -> str:
    assert errors.startswith(b"exo: ") and errors.count(b"\n") == 1, f"not one clear line: {errors!r}"
    return errors.decode()


def help_texts() -> None:
    for arguments in (["--help"], ["-h"], ["run", "--help"], ["test", "--help"], ["bench", "--help"], ["plot", "-h"],
                      ["iso", "-h"], ["docs", "-h"]):
        status_, output, errors = exo(*arguments)
        same((status_, errors), (0, b""))
        assert b"usage: ./exo" in output, output
    same(exo()[0], 2)


def wrong_use() -> None:
    for arguments in (["walk"], ["run", "--fast"], ["run", "ls"], ["run", "--"], ["run", "-p", "80"],
                      ["run", "-p", "x:y"], ["run", "-p", "1:99999"], ["run", "-m", "lots"], ["run", "-c", "0"],
                      ["run", "--timeout", "-1"], ["run", "--accel", "magic"], ["run", "--machine", "pdp11"],
                      ["run", "--add", "/etc"], ["run", "--add", "/etc/passwd:relative"],
                      ["bench", "kernel", "nosuch"], ["bench", "null", "pipe"],
                      ["bench", "--report", "r.md"],
                      ["run", "-m", "4M", "--", "true"], ["run", "-p", "192.0.2.1:8099:80", "--", "true"],
                      ["run", "--net", "somehow", "--", "true"], ["run", "--net", "10.0.2.15/33,10.0.2.2,10.0.2.3"],
                      ["run", "--trace", "dreams", "--", "true"], ["run", "--env", "x", "--", "true"],
                      ["test", "--what"], ["test", "no-such-test-anywhere/x"], ["iso", "extra"],
                      ["plot"], ["plot", "pie"], ["docs", "extra"]):
        status_, output, errors = exo(*arguments)
        same((arguments, status_, output), (arguments, 2, b""))
        one_line(errors)


def missing_file() -> None:
    status_, _, errors = exo("run", "--add", "/no/such/file:/x", "--", "true")
    same(status_, 1)
    assert "/no/such/file" in one_line(errors)
    for program in ("./no-such-program", "/..", ""):
        status_, _, errors = guest(program)
        same((program, status_), (program, 127))
        one_line(errors)
    status_, _, errors = exo("run", "--pcap", "/no/such/folder/x", "--", "true")
    same(status_, 1)
    one_line(errors)


def nowhere_to_write() -> None:
    """A full disk, and a folder for the build that cannot be made: one line, no traceback."""
    for arguments in (["--help"], ["run", "--help"], ["run", "--print-command", "--", "true"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([EXO, *arguments], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                                  timeout=HANG_SECONDS, check=False)
        same((arguments, done.returncode), (arguments, 1))
        one_line(done.stderr)
    tree = a_copy()
    try:
        with open(f"{tree}/build", "w") as file:
            file.write("not a folder\n")
        done = subprocess.run([f"{tree}/exo", "run", "--", "true"], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=HANG_SECONDS, check=False)
        same((done.returncode, done.stdout), (1, b""))
        one_line(done.stderr)
    finally:
        shutil.rmtree(tree)


def port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status_, _, errors = exo("run", "-p", f"{port}:80", "--", "true")
        same(status_, 1)
        assert f"port {port} is in use" in one_line(errors)


def four_at_once() -> None:
    """Only one can have the default port; the others do without."""
    processes = [subprocess.Popen([EXO, "run", "--quiet", "--", "true"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(4)]
    for process in processes:
        output, _ = process.communicate(timeout=HANG_SECONDS)
        same((process.returncode, output), (0, b""))


def second_call() -> None:
    """With nothing to do, no other program is started: none can be found. (How long it takes is in README.md.)"""
    same(exo("run", "--print-command", "--", "true")[0], 0)
    same(exo("run", "--print-command", "--", "true", env={"PATH": "/nowhere"})[::2], (0, b""))


def print_command() -> None:
    status_, output, errors = exo("run", "--print-command", "-m", "300M", "-p", "none", "--", "true")
    same((status_, errors, output.count(b"\n")), (0, b"", 1))
    for piece in (b"qemu-system-x86_64", b"-kernel", b"-initrd", b"300M"):
        assert piece in output, f"{piece} is not in {output}"


def printed_command_works() -> None:
    _, output, _ = exo("run", "--print-command", "--quiet", "-p", "none", "--", "echo", "printed")
    done = subprocess.run(["sh", "-c", output.decode()], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=HANG_SECONDS, check=False)
    same(done.stdout, b"printed\n")


def not_in_image() -> None:
    status_, output, errors = guest("no-such-program", "x")
    same((status_, output), (127, b""))
    assert "no-such-program" in one_line(errors)


def status() -> None:
    same(guest("true"), (0, b"", b""))
    same(guest("false"), (1, b"", b""))
    same(guest("sh", "-c", "exit 77"), (77, b"", b""))
    same(guest("sh", "-c", "kill -9 $$"), (137, b"", b""))
    same(guest("sh", "-c", "kill -TERM $$"), (143, b"", b""))


def streams_apart() -> None:
    same(guest("sh", "-c", "printf 'a\\r\\nb\\n\\tc'; printf 'error\\r\\n' >&2"), (0, b"a\r\nb\n\tc", b"error\r\n"))


def twenty_megabytes() -> None:
    data = os.urandom(20_000_000)
    status_, output, errors = guest("cat", data=data)
    same((status_, len(output), errors), (0, len(data), b""))
    same(hashlib.sha256(output).digest(), hashlib.sha256(data).digest())


def stdin_ends() -> None:
    same(guest("wc", "-c"), (0, b"0\n", b""))
    same(guest("sh", "-c", "cat; echo end", data=b"no newline"), (0, b"no newlineend\n", b""))
    same(guest("head", "-n", "1", data=b"one\n" * 200_000)[:2], (0, b"one\n"))


def piped_shell() -> None:
    same(exo("run", "-p", "none", data=b"echo hello; cd /etc\nls passwd\nexit 5\n"), (5, b"hello\npasswd\n", b""))


def add_files() -> None:
    folder = tempfile.mkdtemp()
    try:
        data = os.urandom(300_001)
        os.makedirs(f"{folder}/sub")
        with open(f"{folder}/sub/data", "wb") as file:
            file.write(data)
        os.symlink("sub/data", f"{folder}/link")
        # /var/run is a link of the image, to /run.
        same(guest("sha256sum", "/opt/x/link", options=["--add", f"{folder}:/var/run/../../opt/x"]),
             (0, f"{hashlib.sha256(data).hexdigest()}  /opt/x/link\n".encode(), b""))
    finally:
        shutil.rmtree(folder)


def local_program() -> None:
    folder = tempfile.mkdtemp()
    try:
        with open(f"{folder}/hello", "w") as file:
            file.write("#!/bin/sh\necho hello from $0, $1\n")
        os.chmod(f"{folder}/hello", 0o755)
        done = subprocess.run([EXO, "run", "--quiet", "-p", "none", "--", "./hello", "you"], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG_SECONDS, check=False)
        same((done.returncode, done.stdout, done.stderr), (0, b"hello from /root/hello, you\n", b""))
    finally:
        shutil.rmtree(folder)


def environment() -> None:
    same(guest("sh", "-c", "echo $X $HOME; pwd", options=["--env", "X=a=b", "--cwd", "/etc"]),
         (0, b"a=b /root\n/etc\n", b""))


def trace_calls() -> None:
    status_, output, errors = guest("echo", "hi", options=["--trace", "calls"])
    same((status_, output), (0, b"hi\n"))
    assert re.search(rb"write\(1, \"hi\\n\", 3\) += 3", errors), errors[-2000:]


def pcap() -> None:
    """A connection to the forwarded port makes the host's side ask for the guest's address at least."""
    path, port = paths.state_file("test.pcap"), free_port()
    process = subprocess.Popen([EXO, "run", "--quiet", "-p", f"{port}:80", "--pcap", path, "--", "sh", "-c",
                                "echo up; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        same(process.stdout.readline(), b"up\n")
        with socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS):
            until(lambda: os.path.getsize(path) >= 24 + 16 + 42, "no packet was recorded")
        process.communicate(b"end\n", timeout=HANG_SECONDS)
        same(process.returncode, 0)
    finally:
        process.kill()
        process.communicate()
    with open(path, "rb") as file:
        same(file.read(4), b"\xd4\xc3\xb2\xa1")


def machines() -> None:
    for machine in qemu.MACHINES:
        same((machine, guest("echo", "ok", options=["--machine", machine])), (machine, (0, b"ok\n", b"")))


def missing_features() -> None:
    """Each feature the kernel requires, left out of a processor: it is named, and the machine stops."""
    with open(os.path.join(paths.ROOT, "kernel/arch/x86_64/features.cpp")) as file:
        table = file.read().split("kRequired[] = {")[1].split("};")[0]
    required = re.findall(r'\{"(\w+)"', table)
    assert len(required) > 9, required
    for names in (*([name] for name in required), ["SMEP", "SMAP"], required[4:]):
        cpu = ",".join(["max", *(f"-{name.lower()}" for name in names)])
        said = f"Xok: this processor lacks what Xok needs: {', '.join(names)}.\n"
        status_, output, errors = guest("true", options=["--cpu", cpu])
        same((cpu, status_, output), (cpu, 125, b""))
        same((cpu, errors.decode().split("\n", 1)[1]), (cpu, said + "exo: the kernel stopped with an error\n"))
    status_, output, errors = guest("true", options=["--cpu", "max,-lm"])
    same((status_, output), (125, b""))
    assert b"Xok: this processor has no 64-bit mode." in errors, errors


def large_memory() -> None:
    """16 GiB, of which the host gives what is touched: the table of pages and little more."""
    if why := Kind("pc", "max", 16384).why_not():
        raise Skip(why)
    process, machines_ = started("sh", "-c", "echo up; exec sleep 1000000", options=["-m", "16G"])
    try:
        with open(f"/proc/{machines_[0]}/status") as file:
            resident_kib = int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))
    finally:
        process.terminate()
        process.communicate(timeout=HANG_SECONDS)
    assert resident_kib < 1 << 20, f"{resident_kib >> 10} MiB were touched"
    gone(machines_)


def timeout() -> None:
    same(guest("sleep", "1000000", options=["--timeout", "2"]), (124, b"", b"exo: timed out after 2 s\n"))


def started(*program, options=()):
    """A call whose program prints `up` when it runs, and the QEMU processes below it."""
    process = subprocess.Popen([EXO, "run", "--quiet", "-p", "none", *options, "--", *program],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=default_signals)
    same(process.stdout.readline(), b"up\n")
    return process, children(process.pid)


def gone(machines_: list) -> None:
    until(lambda: not any(alive(pid) for pid in machines_), f"processes outlive the command: {machines_}")


def interrupt() -> None:
    process, machines_ = started("sh", "-c", "trap 'echo int; exit 9' INT; echo up; while :; do sleep 0.1; done")
    process.send_signal(signal.SIGINT)
    same((process.communicate(timeout=HANG_SECONDS)[0], process.returncode), (b"int\n", 9))
    gone(machines_)


def kill_leaves_nothing() -> None:
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
        process, machines_ = started("sh", "-c", "echo up; sleep 1000000")
        assert machines_, "no QEMU was seen"
        process.send_signal(number)
        process.communicate(timeout=HANG_SECONDS)
        same(process.returncode, -number if number == signal.SIGKILL else 128 + number)
        gone(machines_)


def hangup_ignored() -> None:
    """As under nohup."""
    process = subprocess.Popen([EXO, "run", "--quiet", "-p", "none", "--", "sh", "-c", "echo up; read x; exit 3"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    same(process.stdout.readline(), b"up\n")
    process.send_signal(signal.SIGHUP)
    process.communicate(b"end\n", timeout=HANG_SECONDS)
    same(process.returncode, 3)


def terminal() -> None:
    """A shell on a terminal: boot lines, line editing, Ctrl-C, window size, exit, Ctrl-A X."""
    pid, screen = pty.fork()
    if pid == 0:
        os.execv(EXO, [EXO, "run", "-p", "none"])
    try:
        expect(screen, b"# ")
        os.write(screen, b"echo $((6*7)\x7f))x\x7f\n")
        expect(screen, b"42\r\n")
        os.write(screen, b"sh -c 'echo begun; exec sleep 1000000'\n")
        expect(screen, b"begun\r\n")
        os.write(screen, b"\x03")
        expect(screen, b"# ")
        os.write(screen, b"echo status-$?\n")
        expect(screen, b"status-130\r\n")
        os.write(screen, b"exit 3\n")
        assert os.waitstatus_to_exitcode(wait(pid)) == 3, "the shell's status is lost"
    finally:
        os.close(screen)
    pid, screen = pty.fork()
    if pid == 0:
        os.execv(EXO, [EXO, "run", "-p", "none"])
    try:
        expect(screen, b"# ")
        os.write(screen, b"\x01x")
        same(os.waitstatus_to_exitcode(wait(pid)), 0)
    finally:
        os.close(screen)


def expect(screen: int, text: bytes, seconds: float = HANG_SECONDS) -> bytes:
    """Reads until `text` comes."""
    seen, deadline = b"", time.monotonic() + seconds
    while text not in seen:
        ready, _, _ = select.select([screen], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{text!r} did not come, but {seen[-1500:]!r}"
        try:
            seen += os.read(screen, 4096)
        except OSError as error:
            raise AssertionError(f"the command ended; it wrote {seen[-1500:]!r}") from error
    return seen


def wait(pid: int, seconds: float = HANG_SECONDS) -> int:
    deadline = time.monotonic() + seconds
    while True:
        done, status_ = os.waitpid(pid, os.WNOHANG)
        if done:
            return status_
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise AssertionError("the command did not end")
        time.sleep(0.05)


def gdb_waits() -> None:
    """The machine stands still and answers a debugger; the port is ours from when its number is printed."""
    process = subprocess.Popen([EXO, "run", "--quiet", "-p", "none", "--gdb", "--", "true"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.stderr.readline()
        port = int(re.search(rb"127\.0\.0\.1:(\d+)", process.stderr.readline()).group(1))
        with socket.create_connection(("127.0.0.1", port), HANG_SECONDS) as debugger:
            debugger.sendall(b"$?#3f")
            answer = b""
            while b"$T" not in answer:  # the `+` that confirms the question may come by itself
                piece = debugger.recv(100)
                assert piece, f"the connection ended after {answer!r}"
                answer += piece
    finally:
        process.terminate()
        process.communicate()


def killed_while_building() -> None:
    """No compiler goes on when the command is killed in the middle of a build, by whatever signal."""
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        tree = a_copy()
        try:
            process = subprocess.Popen([f"{tree}/exo", "run", "--quiet", "-p", "none", "--", "true"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       preexec_fn=default_signals)
            until(lambda process=process: process.poll() is not None or any(
                "cc1plus" in name for _, name in below(process.pid)), "no compiler was started")
            builders = [pid for pid, _ in below(process.pid)]
            process.send_signal(number)
            process.communicate(timeout=HANG_SECONDS)
            same(process.returncode, -number if number == signal.SIGKILL else 128 + number)
            gone(builders)
        finally:
            shutil.rmtree(tree, ignore_errors=True)


def a_copy() -> str:
    """A folder with what a build needs, and nothing built."""
    tree = tempfile.mkdtemp(prefix="exo-copy-")
    shutil.copy(EXO, tree)
    for name in ("tools", *(n for n in build.SOURCES if not n.startswith("tools/"))):
        source = os.path.join(paths.ROOT, name)
        if os.path.isdir(source):
            shutil.copytree(source, f"{tree}/{name}", symlinks=True)
        elif os.path.exists(source):
            shutil.copy(source, tree)
    return tree
