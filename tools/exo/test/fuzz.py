# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Fuzz targets, each for a short time (--fuzz-seconds), from the corpus in tests/fuzz/corpus/NAME.

What a run finds of interest is kept in build/exo/fuzz/NAME; an input that fails is printed in base64.
"""
import base64
import glob
import os
import subprocess

from .. import build, paths
from . import sources
from .runner import HANG_SECONDS

MEMORY_MIB = 2048
INPUT_SECONDS = 120  # a hang; inputs take milliseconds


def run(report) -> None:
    build.ensure(paths.FUZZ_PRESET)
    folder = os.path.join(paths.BUILD, paths.FUZZ_PRESET)
    programs = sorted(path for path, _, _ in build.files_below(folder)
                      if path.endswith("_fuzz") and os.access(path, os.X_OK))
    wanted = [path for path in programs if report.wants(os.path.basename(path))]
    sources.in_parallel(lambda path: fuzz(report, path), wanted)


def fuzz(report, program: str) -> None:
    name = os.path.basename(program)
    kept = os.path.dirname(paths.state_file(f"fuzz/{name}/corpus/x"))
    artifacts = os.path.dirname(paths.state_file(f"fuzz/{name}/failures/x"))
    for old in glob.glob(os.path.join(artifacts, "*")):
        os.unlink(old)
    committed = os.path.join(paths.ROOT, "tests/fuzz/corpus", name.removesuffix("_fuzz"))
    corpora = [kept] + ([committed] if os.path.isdir(committed) else [])
    command = [program, f"-max_total_time={report.options.fuzz_seconds}", f"-timeout={INPUT_SECONDS}",
               f"-rss_limit_mb={MEMORY_MIB}", f"-artifact_prefix={artifacts}/", "-print_final_stats=0",
               "-verbosity=1", *corpora]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=report.options.fuzz_seconds + HANG_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        report.failed(name, "did not end in time")
        return
    if done.returncode == 0:
        report.passed(name)
        return
    why = done.stdout.decode(errors="replace")[-5000:]
    for path in sorted(glob.glob(os.path.join(artifacts, "*")))[:1]:
        with open(path, "rb") as file:
            data = file.read()
        why += f"\ninput {paths.relative(path)} ({len(data)} bytes): {base64.b64encode(data[:600]).decode()}"
    report.failed(name, why)
