# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Building: CMake and ninja for a preset, and nothing at all when no file changed since the last time.

A stamp per preset holds a hash over path, size and time of every source file as they were *before* the
build began, and of the build's outputs. A file changed while the compiler ran gives another hash, so the
next call builds again; ninja itself then decides what to do.
"""
import fcntl
import os
import sys

from . import install, paths, processes
from .errors import Fail

SOURCES = ("CMakeLists.txt", "CMakePresets.json", "cmake", "abi", "base", "libs", "kernel", "exos", "apps",
           "tests/guest", "tests/host", "tests/fuzz", "bench", "tools/graft")
NEEDS = {paths.GUEST_PRESET: ("build",), paths.HOST_PRESET: ("build", "host"),
         paths.FUZZ_PRESET: ("build", "fuzz"), paths.TSAN_PRESET: ("build", "host"),
         paths.TOOLS_PRESET: ("build",), paths.BENCH_PRESET: ("build", "host-bench"),
         paths.COVERAGE_PRESET: ("build", "host", "fuzz", "coverage")}
# What is built of a preset; everything where nothing is said.
TARGETS = {paths.TSAN_PRESET: ("core_threads_test",),
           paths.TOOLS_PRESET: ("exo_graft",), paths.BENCH_PRESET: ("bench_grafts",),
           paths.COVERAGE_PRESET: ("core_test", "core_model_test", "core_explorer_test", "core_oracle_test",
                                   "core_fuzz")}


def files_below(path: str):
    """(path, size, time) of every file of a folder, or of one file; nothing when it is not there."""
    try:
        entries = list(os.scandir(path))
    except NotADirectoryError:
        status = os.stat(path)
        yield path, status.st_size, status.st_mtime_ns
        return
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(entry.path)
        else:
            status = entry.stat(follow_symlinks=False)
            yield entry.path, status.st_size, status.st_mtime_ns


def digest(items) -> str:
    """A short hash of a collection of tuples, in any order."""
    from hashlib import blake2b
    return blake2b("\n".join(sorted(map(repr, items))).encode(), digest_size=16).hexdigest()


def sources_digest() -> str:
    items = []
    for name in SOURCES:
        items += files_below(os.path.join(paths.ROOT, name))
    compiler = os.stat("/usr/bin/g++")
    items.append(("g++", compiler.st_size, compiler.st_mtime_ns))
    return digest(items)


def outputs_digest(preset: str) -> str:
    """Over the files that `exo` uses of a preset: a deleted or foreign output must be made anew."""
    folder = os.path.join(paths.BUILD, preset)
    names = ["build.ninja"]
    if preset == paths.GUEST_PRESET:
        names += [paths.KERNEL, paths.EXOS]
    if preset == paths.TOOLS_PRESET:
        names += [paths.GRAFT_TOOL]
    items = []
    for name in names:
        try:
            status = os.stat(os.path.join(folder, name))
            items.append((name, status.st_size, status.st_mtime_ns))
        except FileNotFoundError:
            items.append((name, 0, 0))
    return digest(items)


def ensure(preset: str, quiet: bool = False) -> None:
    """Brings a preset up to date. Raises Fail after printing the whole output when that does not work."""
    install.ensure(*NEEDS[preset])
    stamp = paths.state_file(f"built-{preset}")
    with open(paths.state_file(f"lock-{preset}"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = sources_digest()
        if read(stamp) == before + outputs_digest(preset):
            return
        if not quiet:
            print(f"exo: building {preset} ...", file=sys.stderr, flush=True)
        folder = os.path.join(paths.BUILD, preset)
        if not os.path.exists(os.path.join(folder, "build.ninja")):
            step(["cmake", "--preset", preset], "configuring", preset, lock)
        step(["ninja", "-C", folder, *TARGETS.get(preset, ())], "building", preset, lock)
        with open(stamp, "w") as file:
            file.write(before + outputs_digest(preset))


def configure(preset: str) -> None:
    """Only CMake's part, for compile_commands.json: also where the sources do not compile."""
    install.ensure(*NEEDS[preset])
    with open(paths.state_file(f"lock-{preset}"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        step(["cmake", "--preset", preset], "configuring", preset, lock)


def step(command: list, what: str, preset: str, lock) -> None:
    """lock: inherited, so that it is held until the last compiler has ended, also when we are killed."""
    done = processes.run(command, cwd=paths.ROOT, pass_fds=[lock.fileno()])
    if done.returncode != 0:
        import re
        sys.stderr.buffer.write(re.sub(rb"(?m)^\[\d+/\d+\] .*\n", b"", done.stdout))  # ninja's progress
        sys.stderr.flush()
        raise Fail(f"{what} {preset} failed (the output is above)")


def read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""
