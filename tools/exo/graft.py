# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo graft`: checks, lists and runs grafts, the programs that applications give to the kernel.

The work is done by the host program of tools/graft. A source file is compiled first, as its author would.
"""
import os
import subprocess
import sys
import tempfile

from . import build, install, paths
from .errors import Fail

SOURCES = (".c", ".cc", ".cpp")
COMPILER = ("clang-19", "-target", "bpf", "-mcpu=v4", "-O2", "-Wall", f"-I{paths.ROOT}")


def main(command: str, options) -> int:
    build.ensure(paths.TOOLS_PRESET)
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder:
        words = [paths.GRAFT_TOOL, command, object_of(options.file, folder)]
        words += [options.name] if options.name else []
        words += settings(options)
        return subprocess.run(words, stdin=subprocess.DEVNULL, check=False).returncode


def settings(options) -> list:
    """What the host program takes as KEY=VALUE."""
    given = vars(options)
    words = []
    for key in ("input", "arg", "helper"):
        words += [f"{key}={value}" for value in given.get(key, ())]
    for key in ("steps", "output_size"):
        if key in given:
            words.append(f"{key.replace('_', '-')}={given[key]}")
    return words + [f"{key}=1" for key in ("compile", "reads") if given.get(key)]


def object_of(path: str, folder: str) -> str:
    """The file itself, or what is compiled of it."""
    if not path.endswith(SOURCES):
        return path
    if not os.path.exists(path):
        raise Fail(f"{path}: No such file or directory")
    install.ensure("graft")
    output = os.path.join(folder, os.path.basename(path) + ".o")
    if subprocess.run([*COMPILER, "-c", path, "-o", output], stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise Fail(f"{path} was not compiled (the reason is above)")
    return output
