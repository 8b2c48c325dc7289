# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Child processes that do not outlive this command, however it ends."""
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1


def dies_with_us(number: int):
    """A `preexec_fn`: the host kernel sends the child this signal when the calling thread ends."""
    import ctypes
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def before_exec():  # in the child
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)
    return before_exec


def run(command: list, **options) -> subprocess.CompletedProcess:
    """subprocess.run without standard input, output and errors together as bytes."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=dies_with_us(signal.SIGTERM), check=False, **options)


def end_children() -> None:
    """Asks all our children to end."""
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            for child in file.read().split():
                os.kill(int(child), signal.SIGTERM)


def end_on_signals() -> None:
    """SIGTERM and SIGHUP leave by way of every `finally`; but for one that the caller has us ignore (nohup)."""
    def leave(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, leave)
