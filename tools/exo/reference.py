# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo docs`: writes the pages of docs/reference/ from the headers, which are the manual.

    calls.md    every kernel call: abi/syscalls.def, and the comments of kernel/core/calls_*.hpp
    window.md   the exposed window and the Uenv (reference_window.py)

The suite `docs` fails when a page is not what would be written now.
"""
import glob
import os
import re
from dataclasses import dataclass

from . import paths
from .errors import Fail

FOLDER = os.path.join(paths.ROOT, "docs/reference")
MADE = "Written by `./exo docs` out of the headers, where changes belong."
SYSCALL = re.compile(r"XOK_SYSCALL\((0x[0-9a-fA-F]+),\s*(\w+),\s*(\w+),\s*\((.*)\)\)")
DECLARED = re.compile(r"((?:^///[^\n]*\n)+)^CallResult (\w+)\(", re.M)
ABOUT = re.compile(r"((?:^///[^\n]*\n)+)^namespace xok::kernel::calls \{", re.M)
ERROR = re.compile(r"^  (\w+)(?: = \d+)?,\s*///< (.*(?:\n\s+///<.*)*)", re.M)
SECTIONS = ("Returns", "Errors", "Waits", "Effects", "Cost", "Source")
NEEDED = ("Errors", "Cost")


@dataclass
class Call:
    number: str
    name: str
    touches_memory: bool
    arguments: str  # with their kinds
    what: str
    fields: dict  # one of SECTIONS, or "Arguments" -> lines


def main() -> int:
    os.makedirs(FOLDER, exist_ok=True)
    for name, text in pages().items():
        with open(os.path.join(FOLDER, name), "w") as file:
            file.write(text)
        print(paths.relative(os.path.join(FOLDER, name)))
    return 0


def pages() -> dict:
    """Name of a file in FOLDER -> what it must hold."""
    from . import reference_window
    return {"calls.md": calls_page(read("abi/syscalls.def"), headers()), "window.md": reference_window.page()}


def read(path: str) -> str:
    with open(os.path.join(paths.ROOT, path)) as file:
        return file.read()


def calls_page(table: str, texts: dict) -> str:
    """table: abi/syscalls.def; texts: as headers() gives them."""
    groups = parse_calls(table, texts)
    lines = ["# Kernel calls", "", MADE, "", *paragraphs(introduction(table)), ""]
    for title, about, calls in groups:
        lines += [f"## {title[0].upper()}{title[1:]}", "", *(f"{text}\n" for text in about)]
        for call in calls:
            lines += render(call)
    lines += ["## Errors", "", "A call that fails returns the negative number, and has changed nothing unless its "
              "section says so. Some errors are only the libraries'.", "", "| error | means |", "| --- | --- |"]
    lines += [f"| `{name}` | {' '.join(text.replace('///<', ' ').split())} |"
              for name, text in ERROR.findall(read("abi/errors.hpp"))]
    return "\n".join(lines) + "\n"


def missing(table: str, texts: dict) -> list:
    """What the headers must still say, as "CALL (FIELD)"."""
    return [f"{call.name} ({field})" for _, _, calls in parse_calls(table, texts) for call in calls
            for field in NEEDED if field not in call.fields]


def headers() -> dict:
    """Name -> text of each header that declares calls."""
    found = sorted(glob.glob(os.path.join(paths.ROOT, "kernel/core/calls_*.hpp")))
    return {os.path.basename(path): read(path) for path in found}


def introduction(table: str) -> str:
    """The comment at the top of the table."""
    head = table.split("\n// --", 1)[0]
    lines = [line[2:].removeprefix(" ") for line in head.splitlines() if line.startswith("//")]
    return "\n".join(lines[2:])  # not the licence


def paragraphs(text: str) -> list:
    """Prose as it stands; what is indented, blank lines around it left out, keeps its form."""
    lines = []
    for block in filter(None, re.split(r"\n\n+", text.strip("\n"))):
        if all(line.startswith("  ") for line in block.splitlines()):
            lines += ["```text", *(line[2:] for line in block.splitlines()), "```", ""]
        else:
            lines += [*block.splitlines(), ""]
    return lines[:-1]


def parse_calls(table: str, texts: dict) -> list:
    """(title, what its headers say in general, calls) of each group of the table, in its order."""
    declared, about = {}, {}
    for file, text in texts.items():
        general = ABOUT.search(text)
        for comment, name in DECLARED.findall(text):
            declared[name], about[name] = uncomment(comment), (file, uncomment(general.group(1)) if general else "")
    groups = []
    for line in table.splitlines():
        if line.startswith("// -- "):
            groups.append((line[6:].strip(), [], []))
        match = SYSCALL.match(line)
        if not match:
            continue
        number, name, memory, arguments = match.groups()
        if name not in declared:
            raise Fail(f"no header kernel/core/calls_*.hpp declares {name} behind a comment")
        if not groups:
            raise Fail(f"abi/syscalls.def: {name} stands before the first line `// -- GROUP`")
        what, fields = parse_comment(declared[name], [word.split()[-1] for word in arguments.split(",") if word])
        groups[-1][2].append(Call(number, name, memory == "MayCopyUser", arguments, what, fields))
        text = about[name][1]
        if text not in groups[-1][1]:
            groups[-1][1].append(text)
    return groups


def uncomment(block: str) -> str:
    return "\n".join(line[3:].removeprefix(" ").rstrip() for line in block.splitlines())


def parse_comment(text: str, arguments: list):
    """(what the call does, field -> lines). A field begins with its name, an argument's with at least two spaces."""
    labels = "|".join(map(re.escape, arguments))
    argument = re.compile(rf"(?:{labels})(?:(?:,| to) (?:{labels}))*:?  ") if arguments else None
    what, fields, now = [], {}, None
    for line in text.splitlines():
        word = re.match(r"(\w+)(?=:? |$)", line)
        if word and word.group(1) in SECTIONS:
            now = word.group(1)
            fields.setdefault(now, []).append(line[len(now):].lstrip(": "))
        elif argument and argument.match(line):
            now = "Arguments"
            fields.setdefault(now, []).append(line)
        elif now is None:
            what.append(line)
        elif line.strip():
            fields[now].append(line)
    return "\n".join(what).strip(), fields


def render(call: Call) -> list:
    lines = [f"### {call.name}", "", f"`{call.number}` `{call.name}({call.arguments})`"
             + ("" if call.touches_memory else " · no user memory is touched"), "", call.what, ""]
    for name in ("Arguments", *SECTIONS):
        if name not in call.fields:
            continue
        text = aligned(name, call.fields[name])
        if any("  " in line for line in text) or name == "Arguments":
            lines += [f"**{name}**", "", "```text", *text, "```", ""]
        else:
            lines += [f"**{name}** {text[0]}", *text[1:], ""]
    return lines


def aligned(name: str, lines: list) -> list:
    """Lines of a field, without the room its name took."""
    if name == "Arguments":
        return lines
    common = min((len(line) - len(line.lstrip()) for line in lines[1:]), default=0)
    return [lines[0], *(line[common:] for line in lines[1:])]
