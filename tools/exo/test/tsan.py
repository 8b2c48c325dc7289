# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""ThreadSanitizer: kernel/core entered by several processors at once, each a thread on the fake machine.

Names: core_threads_test
"""
import os
import subprocess

from .. import build, paths
from .runner import HANG_SECONDS

PROGRAM = "core_threads_test"


def run(report) -> None:
    if not report.wants(PROGRAM):
        return
    build.ensure(paths.TSAN_PRESET)
    program = os.path.join(paths.BUILD, paths.TSAN_PRESET, "kernel/core", PROGRAM)
    try:
        done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=HANG_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        report.failed(PROGRAM, f"not done after {HANG_SECONDS} s")
        return
    if done.returncode == 0:
        report.passed(PROGRAM)
    else:
        report.failed(PROGRAM, done.stdout.decode(errors="replace")[-6000:])
