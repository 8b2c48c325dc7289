# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Whether kernel/core reads each word of user memory once: another thread may change it between two reads.

Looks at the text of the functions, as they are written in this tree. A *source* is what a read names: the
address that from_user gets, or a member of a volatile structure of the application's (Uenv and its parts). In
each function a source may be read at one place; in a loop only when something in it changes from round to round.
What a called function reads of a parameter counts as read by who passes it. See `problems`.
"""
import os
import re
from dataclasses import dataclass, field

from .. import paths
from . import sources

READER = "from_user"
RAW_READER = "copy_from_user"
MAY_READ_RAW = {"kernel/core/machine.hpp", "kernel/core/call.hpp"}
STRUCTURES = r"volatile\s+(?:Uenv|IpcArea|Revocation|FaultSave|SliceSave)\s*&"
# Members that hold members: naming one is not a read.
PARTS = {"ipc", "fault", "double_fault", "slice_start", "slice_end", "revocation", "save"}
NO_FUNCTIONS = {"if", "for", "while", "switch", "return", "sizeof", "catch", "static_assert", "alignas", "decltype"}
WORD = r"[A-Za-z_]\w*"


@dataclass
class Function:
    """One definition. reads: source -> places; a source begins with a parameter's or a variable's name."""
    name: str
    path: str
    parameters: list
    body: str
    reads: dict = field(default_factory=dict)


def kernel_files() -> dict:
    found = {}
    for path in sources.files(".hpp", ".cpp"):
        if os.path.dirname(path) == "kernel/core" and not path.endswith(("_test.cpp", "_fuzz.cpp")):
            with open(os.path.join(paths.ROOT, path)) as file:
                found[path] = file.read()
    return found


def check() -> None:
    """The kernel as it is. Also that this reader of text has seen it: every call and every from_user."""
    files = kernel_files()
    lines = problems(files)
    assert not lines, "\n".join(lines)
    bodies = {function.name: function for path, text in files.items()
              for function in definitions(path, without_comments(text))}
    with open(os.path.join(paths.ROOT, "abi/syscalls.def")) as file:
        missing = set(re.findall(r"^XOK_SYSCALL\([^,]+,\s*(\w+)", file.read(), re.M)) - set(bodies)
    assert not missing, f"not seen: {', '.join(sorted(missing))}"
    calls = sum(len(re.findall(rf"\.{READER}\(", without_comments(text))) for text in files.values())
    seen = sum(function.body.count(f".{READER}(") for function in bodies.values())
    assert seen == calls, f"{calls} reads, {seen} of them in functions that were seen"


def problems(files: dict) -> list:
    """files: path -> text of C++ files. Returns  what is read twice, one line each"""
    found = []
    functions = []
    for path, text in files.items():
        text = without_comments(text)
        if path not in MAY_READ_RAW and re.search(rf"\b{RAW_READER}\b", text):
            found.append(f"{path}: {RAW_READER} is for Call::{READER} alone")
        members = re.findall(rf"{STRUCTURES}\s*({WORD}_)\s*;", text)
        functions += [(function, members) for function in definitions(path, text)]
    known = {}
    for function, _ in functions:
        known.setdefault(function.name, []).append(function)
    for _ in range(4):  # as deep as helpers call helpers
        for function, members in functions:
            function.reads = reads_of(function, members, known)
    for function, _ in functions:
        for source, places in sorted(function.reads.items()):
            if len(places) > 1 and not apart(function.body, places):
                found.append(f"{function.path}: {function.name} reads {source} in {len(places)} places")
            found += [f"{function.path}: {function.name} reads {source} again in each round of a loop"
                      for at, expression in places if not changes_in_loop(function.body, at, expression)]
    return found


def without_comments(text: str) -> str:
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', "", text, flags=re.S)


def definitions(path: str, text: str):
    """Every function with a body, those of classes too; not lambdas, which belong to who holds them."""
    at = 0
    head = re.compile(rf"\b({WORD})\s*\(")
    while match := head.search(text, at):
        at = match.end()
        if match.group(1) in NO_FUNCTIONS:
            continue
        close = closing(text, match.end() - 1)
        after = re.compile(r"\s*(?:const|noexcept|override)?\s*(?:->\s*[\w:<>]+\s*)?(?::[^;{]*?(?:\{[^{}]*\}[^;{]*?)*)?"
                           r"\{").match(text, close + 1)
        if not after or re.search(r"[=,(]\s*$|\breturn\s*$|\]\s*$", text[max(0, match.start() - 40):match.start()]):
            continue
        end = closing(text, after.end() - 1)
        names = []
        for parameter in split(text[match.end():close]):
            words = re.findall(WORD, parameter.split("=")[0])
            names.append((words[-1] if words else "", bool(re.search(STRUCTURES, parameter))))
        yield Function(match.group(1), path, names, text[after.end():end])
        at = end


def closing(text: str, at: int) -> int:
    """Where the bracket that opens at `at` is closed."""
    pairs, depth = {"(": ")", "{": "}", "[": "]"}, 0
    opening = text[at]
    for i in range(at, len(text)):
        depth += (text[i] == opening) - (text[i] == pairs[opening])
        if depth == 0:
            return i
    return len(text)


def split(text: str) -> list:
    """At the commas that are outside of brackets."""
    parts, depth, begin = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "([{<") - (letter in ")]}>" and text[i - 1:i + 1] != "->")
        if letter == "," and depth == 0:
            parts.append(text[begin:i])
            begin = i + 1
    return [part.strip() for part in [*parts, text[begin:]] if part.strip()]


def reads_of(function: Function, members: list, known: dict) -> dict:
    """source -> [(place, expression)]"""
    reads = {}
    structures = [name for name, volatile in function.parameters if volatile] + members
    structures += re.findall(rf"{STRUCTURES}\s*({WORD})\s*=", function.body)
    for match in re.finditer(rf"\b({WORD})\s*\(", function.body):
        name, arguments = match.group(1), split(function.body[match.end():closing(function.body, match.end() - 1)])
        if name == READER and len(arguments) == 3:
            reads.setdefault(root(arguments[1]), []).append((match.start(), arguments[1]))
        for callee in known.get(name, ())[:1]:
            for (parameter, _), argument in zip(callee.parameters, arguments):
                for source in callee.reads:
                    if source.split(".")[0] == parameter and parameter:
                        inner = source[len(parameter):]
                        reads.setdefault(root(argument) + inner, []).append((match.start(), argument))
    for structure in set(structures):
        for match in re.finditer(rf"(?<![\w.]){structure}((?:\.{WORD})+)(\[[^\]]*\])?", function.body):
            after = function.body[match.end():].lstrip()
            written = re.match(r"=[^=]|\+=|-=|\+\+|--", after)
            if not written and match.group(1).split(".")[-1] not in PARTS:
                reads.setdefault(structure + match.group(1), []).append((match.start(), match.group(0)))
    return reads


def root(expression: str) -> str:
    """What an expression is made of, without indices and offsets: `UserAddr{bytes.value + total}` is `bytes`."""
    words = [word for word in re.findall(rf"{WORD}(?:\.{WORD})*", re.sub(r"\[[^\]]*\]", "", expression))
             if word not in ("UserAddr", "static_cast", "std", "uint64_t")]
    return words[0].removesuffix(".value") if words else expression


def loops_around(body: str, at: int) -> list:
    """The text of each loop, head and all, that the place is in."""
    found = []
    for match in re.finditer(r"\b(?:for|while)\s*\(", body):
        head_end = closing(body, match.end() - 1)
        rest = body[head_end + 1:]
        braced = rest.lstrip().startswith("{")
        end = closing(body, body.index("{", head_end)) if braced else body.find(";", head_end)
        if match.start() < at <= end:
            found.append(body[match.start():end + 1])
    return found


def changes_in_loop(body: str, at: int, expression: str) -> bool:
    """Whether the place is in no loop, or something in the expression is changed by the innermost one."""
    loops = loops_around(body, at)
    if not loops:
        return True
    inner = min(loops, key=len)
    return any(re.search(rf"\b{word}\s*(\+\+|--|\+=|-=|=[^=])|(\+\+|--){word}\b|\b{word} : ", inner)
               for word in re.findall(WORD, expression))


def apart(body: str, places: list) -> bool:
    """Whether of two places each time only one is reached: `return` stands behind the first, in a block of its own."""
    (first, _), *others = sorted(places)
    for second, _ in others:
        between = body[first:second]
        if "return" not in between or between.count("}") <= between.count("{"):
            return False
    return True
