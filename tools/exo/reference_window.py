# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""docs/reference/window.md: the layouts of all memory that kernel and applications share, out of abi/.

Names, types and meanings are read from the headers; offsets, sizes and values are asked of the compiler,
by a small program that prints them.
"""
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass

from . import install, paths, reference
from .errors import Fail

HEADERS = ("abi/layout.hpp", "abi/exposed.hpp", "abi/capability.hpp", "abi/env.hpp", "abi/wakeup.hpp",
           "abi/message_ring.hpp", "abi/packet_ring.hpp", "abi/method.hpp", "abi/syscalls.hpp")
STRUCT = re.compile(r"((?:^///[^\n]*\n)*)^struct (\w+) \{\n(.*?)^\};", re.M | re.S)
ENUM = re.compile(r"((?:^///[^\n]*\n)*)^enum class (\w+) : ([\w:]+) \{(.*?)\};", re.M | re.S)
CONSTANT = re.compile(r"^inline constexpr (?:std::\w+|unsigned|EnvId) (k\w+)\s*=[^;]*;"
                      r"\s*(?:///< (.*)|//.*)?$", re.M)
MEMBER = re.compile(r"^  (?!static|constexpr)([\w:]+(?:<[^;]*?>)?) ([\w, ]+?)(\[[^\]]+\])?(?: : (\d+))?"
                    r"(?: = \w+|\{\})?;\s*(?:///< (.*))?$")
FUNCTION = re.compile(r"^  (?!//)[^;]*\(")
NOTE = re.compile(r"^\s+(?://(?!/)|///) ?(.*)$|^\s{4,}///< (.*)$")
TAIL = re.compile(r"^\s+///< (.*)$")


@dataclass
class Member:
    kind: str
    name: str
    bits: str  # "" unless a bit-field
    meaning: str


def page() -> str:
    texts = {header: reference.read(header) for header in HEADERS}
    structs = [(header, *found) for header, text in texts.items() for found in parse_structs(text)]
    constants = [found for text in texts.values() for found in CONSTANT.findall(text)]
    asked = ask(structs, [name for name, _ in constants])
    lines = ["# The exposed window, and other memory shared with the kernel", "", reference.MADE, "",
             "The window is mapped read-only in every environment; reading it needs no call. The Uenv is the page that "
             "an environment shares with the kernel; rings, terms and batches are what calls are given. All numbers "
             "are little-endian; offsets and sizes are in bytes.",
             "", "## Where things are", "", *reference.paragraphs(about(texts["abi/exposed.hpp"])), "",
             *reference.paragraphs(about(texts["abi/layout.hpp"])), "",
             "| constant | value | |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {value_text(asked[name])} | {escape(meaning)} |" for name, meaning in constants]
    lines += ["", "## Enumerations", ""]
    for text in texts.values():
        for comment, name, kind, body in ENUM.findall(text):
            lines += render_enum(reference.uncomment(comment), name, kind, body)
    for header, comment, name, members in structs:
        lines += render_struct(header, comment, name, members, asked)
    return "\n".join(lines) + "\n"


def about(text: str) -> str:
    """The comment in front of `namespace xok`."""
    return reference.uncomment(re.search(r"((?:^///[^\n]*\n)+)^namespace xok \{", text, re.M).group(1))


def parse_structs(text: str) -> list:
    """(comment, name, members) of each structure. Its functions stand last.

    Raises Fail for a line that is not understood.
    """
    found = []
    for comment, name, body in STRUCT.findall(text):
        members, above = [], []
        for line in body.splitlines():
            if FUNCTION.match(line):
                break
            member, tail, note = MEMBER.match(line), TAIL.match(line), NOTE.match(line)
            if member:
                kind, names, array, bits, meaning = member.groups()
                words = " ".join([*above, meaning or ""]).strip()
                members += [Member(kind + (array or ""), each, bits or "", words) for each in names.split(", ")]
                above = []
            elif tail and members:  # the comment behind a member goes on
                members[-1].meaning += " " + tail.group(1)
            elif note:
                above.append(note.group(1))
            elif line.strip() and not line.startswith("  static constexpr"):
                raise Fail(f"{name}: the reference does not understand the line {line.strip()}")
        found.append((reference.uncomment(comment), name, members))
    return found


def ask(structs: list, constants: list) -> dict:
    """What the compiler says of "Struct" and "Struct.member": (offset, size), of bits (byte, bit); of constants."""
    install.ensure("build")
    code = [*(f'#include "{header}"' for header in HEADERS), "#include <cstdio>", "#include <cstring>",
            "using namespace xok;", "template <class T> void bits(const char* name, const T& one) {",
            "  unsigned char bytes[sizeof(T)]; std::memcpy(bytes, &one, sizeof one); unsigned at = 0;",
            "  while ((bytes[at / 8] >> at % 8 & 1) == 0) at++;",
            '  std::printf("%s %u %u\\n", name, at / 8, at % 8); }', "int main() {"]
    for _, _, name, members in structs:
        code.append(f'std::printf("{name} 0 %zu\\n", sizeof({name}));')
        for member in members:
            full = f"{name}.{member.name}"
            if member.bits:
                code.append(f"{{ {name} one; std::memset(static_cast<void*>(&one), 0, sizeof one); one.{member.name} = "
                            f'static_cast<decltype(one.{member.name})>(-1); bits("{full}", one); }}')
            else:
                code.append(f'std::printf("{full} %zu %zu\\n", offsetof({name}, {member.name}), '
                            f"sizeof({name}::{member.name}));")
    code += [f'std::printf("{name} %llu\\n", static_cast<unsigned long long>({name}));' for name in constants]
    code.append("}")
    answers = {}
    for line in run_program("\n".join(code)).splitlines():
        name, *numbers = line.split()
        answers[name] = tuple(map(int, numbers)) if len(numbers) == 2 else int(numbers[0])
    return answers


def run_program(code: str) -> str:
    with tempfile.TemporaryDirectory(prefix="xok-docs-") as folder:
        program = os.path.join(folder, "layout")
        done = subprocess.run(["g++", "-std=c++23", "-w", f"-I{paths.ROOT}", "-x", "c++", "-", "-o", program],
                              input=code, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise Fail(f"the layouts cannot be asked for:\n{done.stderr[:3000]}")
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def render_struct(header: str, comment: str, name: str, members: list, asked: dict) -> list:
    lines = [f"## {name}", "", f"{asked[name][1]} bytes, `{header}`.", "", *reference.paragraphs(comment), "",
             "| offset | size | member | type | meaning |", "| ---: | ---: | --- | --- | --- |"]
    for member in members:
        first, second = asked[f"{name}.{member.name}"]
        size = f"{member.bits} bits from {second}" if member.bits else f"{second}"
        lines.append(f"| {first} | {size} | `{member.name}` | `{escape(member.kind)}` | {escape(member.meaning)} |")
    return [*lines, ""]


def render_enum(comment: str, name: str, kind: str, body: str) -> list:
    lines = [f"### {name}", "", f"`{kind}`. {comment}".strip(), "", "| value | name | |", "| ---: | --- | --- |"]
    value = -1
    pieces = body if "\n" in body else body.replace(", ", ",\n")
    for line in pieces.splitlines():
        entry = re.match(r"\s*(\w+)(?: = (\d+))?,?\s*(?:///< (.*))?$", line)
        if entry:
            value = int(entry.group(2)) if entry.group(2) else value + 1
            lines.append(f"| {value} | `{entry.group(1)}` | {escape(entry.group(3) or '')} |")
    return [*lines, ""] if value >= 0 else []


def value_text(value: int) -> str:
    return f"`{value:#x}`" if value >= 1 << 16 else str(value)


def escape(text: str) -> str:
    return text.replace("|", "\\|")
