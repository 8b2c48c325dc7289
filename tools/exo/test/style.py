# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The form of the source: clang-format, which folder includes which, headers that compile alone.

Names:  format/FILE   layers/FILE   header/FILE   python/FILE   syscalls   user-memory
"""
import os
import re
import subprocess

from .. import install, paths
from . import single_fetch, sources

# Folder -> the folders its files may include. Tests may include everything.
LAYERS = {
    "abi": {"abi", "base"},
    "base": {"abi", "base"},
    "libs": {"abi", "base", "libs"},
    "kernel": {"abi", "base", "libs", "kernel"},
    "exos": {"abi", "base", "libs", "exos"},
    "apps": {"abi", "base", "libs", "exos", "apps"},
}
KERNEL_IFDEF = re.compile(rb"^\s*#\s*(if|ifdef|ifndef|elif)\b.*\b_*(XOK_)?KERNEL_*\b", re.M)
LICENCE = b"SPDX-License-Identifier: MIT"
GUEST_FLAGS = ["-ffreestanding", "-mgeneral-regs-only"]
PYTHON_LINES = 450


def run(report) -> None:
    install.ensure("build", "host", "style")  # "host": headers of tests include GoogleTest's
    tree = sources.Tree()
    check_format(report)
    for path in sources.files(".hpp", ".cpp", ".def", ".h"):
        report.check(f"layers/{path}", lambda path=path: check_layers(tree, path))
    check_headers(report, tree)
    for path in python_files():
        report.check(f"python/{path}", lambda path=path: check_python(path))
    if os.path.exists(os.path.join(paths.ROOT, "abi/syscalls.def")):
        report.check("syscalls", check_system_calls)
    report.check("user-memory", single_fetch.check)


def check_format(report) -> None:
    wanted = [path for path in sources.files(".hpp", ".cpp", ".h") if report.wants(f"format/{path}")]
    # All files at once is quick; file by file only when something is wrong.
    if wanted and clang_format(wanted).returncode == 0:
        for path in wanted:
            report.passed(f"format/{path}")
        return

    def one(path):
        done = clang_format([path])
        if done.returncode == 0:
            report.passed(f"format/{path}")
        else:
            report.failed(f"format/{path}", done.stderr.decode(errors="replace")[:2000]
                          + f"\nclang-format-19 -i {path} puts it right")
    sources.in_parallel(one, wanted)


def clang_format(files: list):
    return subprocess.run(["clang-format-19", "--dry-run", "-Werror", "--ferror-limit=3", *files],
                          cwd=paths.ROOT, capture_output=True, check=False)


def check_layers(tree, path: str) -> None:
    folder = path.split("/")[0]
    text = tree.content(path)
    assert LICENCE in text[:60], f"{path}: does not begin with the licence line"
    if folder not in LAYERS or path.endswith(("_test.cpp", "_fuzz.cpp")):
        return
    for other in tree.includes(path):
        assert other.split("/")[0] in LAYERS[folder], f"{path} includes {other}, a layer above or beside it"
    match = folder == "libs" and KERNEL_IFDEF.search(text)
    assert not match, f"{path}: {match.group(0).decode()}: what differs is passed in"


def check_headers(report, tree) -> None:
    memory = sources.Memory("headers")
    wanted = [path for path in sources.files(".hpp") if report.wants(f"header/{path}")]

    def one(path):
        flags = GUEST_FLAGS if path.startswith(("kernel/", "exos/", "apps/")) else []
        command = ["g++", "-std=c++23", "-fno-exceptions", "-fno-rtti", "-fsyntax-only", "-I.", "-x", "c++",
                   *flags, "-"]
        key = tree.key(path, *command)
        if key in memory:
            report.passed(f"header/{path}")
            return
        done = subprocess.run(command, cwd=paths.ROOT, input=f'#include "{path}"\n'.encode(),
                              capture_output=True, check=False)
        if done.returncode == 0:
            memory.add(key)
            report.passed(f"header/{path}")
        else:
            report.failed(f"header/{path}", done.stderr.decode(errors="replace")[:3000])
    sources.in_parallel(one, wanted)


def python_files() -> list:
    found = []
    for folder in ("tools", "tests", "bench"):
        for top, folders, names in os.walk(os.path.join(paths.ROOT, folder)):
            folders[:] = sorted(name for name in folders if not name.startswith(("__", ".")))
            found += [os.path.relpath(os.path.join(top, name), paths.ROOT)
                      for name in sorted(names) if name.endswith(".py")]
    return found


def check_python(path: str) -> None:
    with open(os.path.join(paths.ROOT, path)) as file:
        text = file.read()
    lines = text.splitlines()
    assert len(lines) <= PYTHON_LINES, f"{path}: {len(lines)} lines; {PYTHON_LINES} are the limit"
    long = [number for number, line in enumerate(lines, 1) if len(line) > 120 or line != line.rstrip()]
    assert not long, f"{path}: line {long[0]} is too long or ends in blanks"
    import ast
    try:
        tree = ast.parse(text, path)
    except SyntaxError as error:
        raise AssertionError(str(error)) from error
    assert ast.get_docstring(tree), f"{path}: has no docstring"


def check_system_calls() -> None:
    """Every number and every name once."""
    with open(os.path.join(paths.ROOT, "abi/syscalls.def")) as file:
        calls = re.findall(r"^XOK_SYSCALL\(\s*(\w+)\s*,\s*(\w+)", file.read(), re.M)
    assert calls, "abi/syscalls.def: no call found"
    for what, column in (("number", [int(number, 0) for number, _ in calls]), ("name", [name for _, name in calls])):
        twice = sorted({item for item in column if column.count(item) > 1})
        assert not twice, f"abi/syscalls.def: {what} used twice: {twice[0]}"
