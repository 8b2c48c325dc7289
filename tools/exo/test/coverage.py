# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Coverage of kernel/core by its host tests, the oracle and the fuzz corpus (on demand only).

Prints lines and branches of each file, and fails below BARS. What was never executed is in
build/exo/coverage/missed.txt. The fuzz corpus is what `./exo test fuzz` has kept, if it ever ran.
Names: lines, branches
"""
import glob
import json
import os
import shutil
import subprocess

from .. import build, paths
from ..errors import Fail
from . import sources

BARS = {"lines": 95.0, "branches": 85.0}
# Program -> settings: the long ones are shortened.
PROGRAMS = {"core_test": {}, "core_model_test": {},
            "core_explorer_test": {"XOK_EXPLORE_DEPTH": "2"}, "core_oracle_test": {"XOK_ORACLE_COUNT": "300"}}
NOT_COUNTED = r"(_test\.cpp|_fuzz\.cpp|/testing/)"
SECONDS = 1800


def run(report) -> None:
    build.ensure(paths.COVERAGE_PRESET)
    folder = os.path.join(paths.BUILD, paths.COVERAGE_PRESET, "kernel/core")
    kept = os.path.dirname(paths.state_file("coverage/x"))
    shutil.rmtree(kept, ignore_errors=True)
    os.makedirs(kept)
    commands = [([os.path.join(folder, name)], settings) for name, settings in PROGRAMS.items()]
    corpora = [path for path in (paths.state_file("fuzz/core_fuzz/corpus"),
                                 os.path.join(paths.ROOT, "tests/fuzz/corpus/core")) if os.path.isdir(path)]
    commands.append(([os.path.join(folder, "core_fuzz"), "-runs=0", "-verbosity=0", *corpora], {}))
    sources.in_parallel(lambda item: execute(kept, *item), commands)
    merged = os.path.join(kept, "all.profdata")
    tool(["llvm-profdata-19", "merge", "-sparse", "-o", merged, *glob.glob(f"{kept}/*.profraw")])
    programs = [command[0] for command, _ in commands]
    arguments = [programs[0], *[f"-object={path}" for path in programs[1:]], f"-instr-profile={merged}",
                 f"-ignore-filename-regex={NOT_COUNTED}", os.path.join(paths.ROOT, "kernel/core")]
    summary = json.loads(tool(["llvm-cov-19", "export", "-summary-only", *arguments]))["data"][0]
    with open(os.path.join(kept, "missed.txt"), "wb") as file:
        file.write(tool(["llvm-cov-19", "show", "-show-branches=count", "-show-instantiations=false", *arguments]))
    print_table(summary)
    for kind, bar in BARS.items():
        percent = summary["totals"][kind]["percent"]
        if percent >= bar:
            report.passed(kind)
        else:
            report.failed(kind, f"{percent:.2f} % of the {kind}, {bar} % are wanted")


def execute(kept: str, command: list, settings: dict) -> None:
    name = os.path.basename(command[0])
    environment = os.environ | settings | {"LLVM_PROFILE_FILE": os.path.join(kept, f"{name}.profraw")}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise Fail(f"{name} ended with status {done.returncode}:\n{done.stdout.decode(errors='replace')[-4000:]}")


def tool(command: list) -> bytes:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if done.returncode != 0:
        raise Fail(f"{command[0]}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def print_table(summary: dict) -> None:
    rows = [(paths.relative(file["filename"]), file["summary"]) for file in summary["files"]]
    for name, counts in [*sorted(rows, key=lambda row: row[0]), ("total", summary["totals"])]:
        cells = [f"{kind} {counts[kind]['covered']:5}/{counts[kind]['count']:5} {counts[kind]['percent']:6.2f} %"
                 for kind in BARS]
        print(f"{name:40} {'   '.join(cells)}")
