# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Reads tests/linux/*.test (their form: tests/linux/README.md) and lays cases out as folders."""
import glob
import os
from dataclasses import dataclass, field

from .. import paths
from ..errors import Fail

FOLDER = os.path.join(paths.ROOT, "tests/linux")
SECONDS = 20
SLOWNESS = 10  # a slow or busy machine may take so much longer: limits are for hangs only


@dataclass
class Case:
    """One comparison of guest and host."""
    name: str
    seconds: int = SECONDS
    limited: bool = False  # on the host as a user of its own, for limits to count
    needs: str = ""
    files: list = field(default_factory=list)  # (name, mode, bytes)
    stdin: bytes = b""
    run: bytes = b""


def load() -> list:
    """All cases, in the order of the files; Fail when a file is malformed."""
    found = []
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.test"))):
        found += parse(path)
    names = [case.name for case in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise Fail(f"tests/linux: two cases are named {min(twice)}")
    return found


def parse(path: str) -> list:
    cases, content = [], None
    with open(path, "rb") as file:
        lines = file.read().decode().split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith("|") and content is not None and cases:
            content.append(line[2:] if line.startswith("| ") else line[1:])
            continue
        word, colon, rest = line.partition(":")
        rest = rest.strip()
        if not line.strip() or line.startswith("#"):
            continue
        if word != "name" and not cases or not colon:
            raise Fail(f"{paths.relative(path)}:{number}: not understood: {line}")
        content = finish(cases, content)
        case = cases[-1] if cases else None
        if word == "name":
            cases.append(Case(rest))
        elif word == "seconds":
            case.seconds = int(rest)
        elif word == "limited":
            case.limited = rest == "yes"
        elif word == "needs":
            case.needs = rest
        elif word == "file":
            name, _, mode = rest.partition(" ")
            content = Content(case, name, int(mode or "644", 8))
        elif word in ("stdin", "run"):
            content = Content(case, word, None)
        else:
            raise Fail(f"{paths.relative(path)}:{number}: not understood: {line}")
    finish(cases, content)
    return cases


class Content(list):
    """The lines of a block, and where they go."""

    def __init__(self, case: Case, name: str, mode):
        super().__init__()
        self.case, self.name, self.mode = case, name, mode


def finish(cases: list, content):
    """Stores a block that has ended."""
    if content is not None:
        data = "".join(line + "\n" for line in content).encode()
        if content.mode is not None:
            content.case.files.append((content.name, content.mode, data))
        else:
            setattr(content.case, content.name, data)
    return None


def lay_out(folder: str, cases: list) -> None:
    """Makes the folder that driver.sh works in."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(FOLDER, "driver.sh"), "rb") as file:
        write(f"{folder}/driver.sh", file.read())
    write(f"{folder}/list", "".join(case.name + "\n" for case in cases).encode())
    for case in cases:
        work = f"{folder}/{case.name}/work"
        os.makedirs(work, exist_ok=True)
        write(f"{folder}/{case.name}/run.sh", case.run)
        write(f"{folder}/{case.name}/stdin", case.stdin)
        write(f"{folder}/{case.name}/seconds", b"%d\n" % (case.seconds * SLOWNESS))
        for name, mode, data in case.files:
            os.makedirs(os.path.dirname(f"{work}/{name}"), exist_ok=True)
            write(f"{work}/{name}", data)
            os.chmod(f"{work}/{name}", mode)


def write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o644)
