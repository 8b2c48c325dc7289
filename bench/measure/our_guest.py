# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Xok, started by `exo run` as a user starts it, with the counting plugin loaded.

The processor is the peer's, so that both execute the same instructions for the same work.
"""
import os
import signal
import subprocess

from exo import paths, processes
from exo.errors import Fail

from . import linux_guest, tools


def command(options: list, words: list, counters: str, marks: str = "",
            memory_mib: int = linux_guest.MEMORY_MIB) -> list:
    """The command line of `exo run` for a guest that runs `words` (none: a shell, beside Cheetah)."""
    plugin = f"{tools.program('count.so')},out={counters}" + (f",log={marks}" if marks else "")
    return [os.path.join(paths.ROOT, "exo"), "run", "--quiet", "--accel", "tcg",
            "--cpu", linux_guest.CPU, "-m", f"{memory_mib}M",
            "--qemu-arg=-plugin", f"--qemu-arg={plugin}", *options, *(["--", *words] if words else [])]


def run(programs: dict, words: list, counters: str, marks: str = "", timeout_s: int = 300,
        memory_mib: int = linux_guest.MEMORY_MIB) -> str:
    """Boots, runs one program to its end, powers off. Returns  what it printed"""
    options = []
    for place, source in programs.items():
        options += ["--add", f"{source}:{place}"]
    return finish(options, words, counters, marks, timeout_s, memory_mib)


def run_native(program: str, counters: str, marks: str, timeout_s: int = 120) -> str:
    """Boots a program of build/guest-release/bench/ in ExOS' place. Returns  what it printed"""
    path = os.path.join(paths.GUEST, "bench", f"bench_{program}.elf")
    return finish(["--init", path], [], counters, marks, timeout_s, linux_guest.MEMORY_MIB)


def finish(options: list, words: list, counters: str, marks: str, timeout_s: int, memory_mib: int) -> str:
    options = ["-p", "none", "--timeout", str(timeout_s), *options]
    done = subprocess.run(command(options, words, counters, marks, memory_mib), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=timeout_s + 60, check=False,
                          preexec_fn=processes.dies_with_us(signal.SIGTERM))
    text = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    if done.returncode != 0:
        name = words[0] if words else options[-1]
        raise Fail(f"{name} ended with status {done.returncode}: {done.stderr.decode()[-400:].strip()}")
    return text
