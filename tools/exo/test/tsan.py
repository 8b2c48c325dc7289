# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""ThreadSanitizer: what several processors do at once, each a thread.

core_threads_test  kernel/core on the fake machine
core_pairs_test    pairs of calls, and an event between
exos_rt_test       memory shared by programs that distrust each other

Names: PROGRAM
"""
import os
import subprocess

from .. import build, paths
from .runner import HANG_SECONDS

PROGRAMS = {"core_threads_test": "kernel/core", "core_pairs_test": "kernel/core", "exos_rt_test": "exos"}
FEWER = {"XOK_PAIRS_EVERY": "41"}  # the sanitizer is slow, and what it sees is much the same in each pair


def run(report) -> None:
    for name, folder in PROGRAMS.items():
        if report.wants(name):
            build.ensure(paths.TSAN_PRESET)
            judge(report, name, os.path.join(paths.BUILD, paths.TSAN_PRESET, folder, name))


def judge(report, name: str, program: str) -> None:
    try:
        done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **FEWER}, timeout=HANG_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        report.failed(name, f"not done after {HANG_SECONDS} s")
        return
    if done.returncode == 0:
        report.passed(name)
    else:
        report.failed(name, done.stdout.decode(errors="replace")[-6000:])
