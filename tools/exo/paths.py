# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Where things are: the one table of files that the build makes and the command uses."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(ROOT, "build")
STATE = os.path.join(BUILD, "exo")  # stamps, caches and remembered probes of this command

# Another build of the guest: guest-debug, or guest-no-locks (CMakePresets.json).
GUEST_PRESET = os.environ.get("EXO_GUEST_PRESET", "guest-release")
HOST_PRESET = "host-asan"
FUZZ_PRESET = "host-fuzz"
TSAN_PRESET = "host-tsan"
TOOLS_PRESET = "host-tools"
BENCH_PRESET = "host-bench"
COVERAGE_PRESET = "host-coverage"

GUEST = os.path.join(BUILD, GUEST_PRESET)
KERNEL = os.path.join(GUEST, "kernel/xok")
EXOS = os.path.join(GUEST, "exos/exos.elf")
GUEST_TESTS = os.path.join(GUEST, "tests/guest")  # <name>.elf, each the first environment of a bundle
GUEST_APPS = os.path.join(GUEST, "apps")
GRAFT_TOOL = os.path.join(BUILD, TOOLS_PRESET, "tools/graft/exo_graft")

BENCH_GRAFTS = os.path.join(BUILD, BENCH_PRESET, "bench/bench_grafts")

# Every ELF program below GUEST_APPS goes to this folder of the image.
PROGRAM_FOLDER = "/usr/lib/xok"


def state_file(name: str) -> str:
    """A file of ours below build/, whose folder exists afterwards."""
    path = os.path.join(STATE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def relative(path: str) -> str:
    """`path` as one reads it from the root of the tree."""
    inside = os.path.relpath(path, ROOT)
    return path if inside.startswith("..") else inside
