# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""clang-tidy over every C++ source file of the host and the guest build; findings are failures.

A file that passed is not looked at again until it, a header it includes, its flags or .clang-tidy change.
"""
import json
import os
import subprocess
import threading

from .. import build, install, paths
from . import sources

PRESETS = (paths.HOST_PRESET, paths.GUEST_PRESET)
TEST_CHECKS = "--checks=-bugprone-unchecked-optional-access,-performance-inefficient-vector-operation"
CLANG_EXTRA = ("-Wno-unknown-warning-option", "-Wno-unused-command-line-argument",
               "-Wno-ignored-optimization-argument")


def run(report) -> None:
    install.ensure("build", "host", "tidy")
    for preset in PRESETS:
        build.configure(preset)
    tree, memory = sources.Tree(), sources.Memory("tidy")
    with open(os.path.join(paths.ROOT, ".clang-tidy")) as file:
        configuration = file.read()
    commands = compile_commands()
    database = write_database(commands)
    lock = threading.Lock()

    def one(path):
        key = tree.key(path, configuration, " ".join(commands[path]["arguments"]))
        if key in memory:
            report.passed(path)
            return
        # A test may use an optional that it has just asserted, and need not hurry.
        checks = [TEST_CHECKS] if path.endswith("_test.cpp") else []
        done = subprocess.run(["clang-tidy-19", "--quiet", *checks, "-p", database, path], cwd=paths.ROOT,
                              capture_output=True, text=True, check=False)
        if done.returncode == 0:
            with lock:
                memory.add(key)
            report.passed(path)
        else:
            report.failed(path, done.stdout.replace(paths.ROOT + "/", "")[:4000] or done.stderr[-2000:])
    sources.in_parallel(one, [path for path in sorted(commands) if report.wants(path)])


def compile_commands() -> dict:
    """Source file -> its entry; the host's where both builds have one."""
    import shlex
    found = {}
    for preset in PRESETS:
        with open(os.path.join(paths.BUILD, preset, "compile_commands.json")) as file:
            entries = json.load(file)
        for entry in entries:
            path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), paths.ROOT)
            if path.startswith(("..", "build/")) or not path.endswith(".cpp") or path in found:
                continue
            words = [word for word in shlex.split(entry["command"])
                     if not word.startswith("-fsanitize")]
            # libstdc++'s headers mention long double, which Clang refuses without x87 even unused.
            found[path] = {"directory": entry["directory"], "file": entry["file"],
                           "arguments": [words[0], *CLANG_EXTRA, *words[1:], "-mx87"]}
    return found


def write_database(commands: dict) -> str:
    folder = os.path.dirname(paths.state_file("tidy/compile_commands.json"))
    with open(os.path.join(folder, "compile_commands.json"), "w") as file:
        json.dump(list(commands.values()), file)
    return folder
