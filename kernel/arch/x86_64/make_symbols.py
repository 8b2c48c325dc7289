#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Writes the kernel's table of function names as assembly (format: symbols.hpp).

usage: make_symbols.py NM KERNEL OUTPUT
"""
import subprocess
import sys

LONGEST_NAME = 96


def short_name(name):
    """The name without parameters and qualifiers that only tell scopes of one file apart."""
    depth = 0
    name = name.replace("(anonymous namespace)::", "")
    for i, c in enumerate(name):
        if c == "(" and depth == 0 and i > 0 and not name.startswith("operator()", i - 8):
            name = name[:i]
            break
        depth += (c == "<") - (c == ">" and name[i - 1:i] != "-")
    return name.replace("xok::kernel::", "").replace("xok::", "")[:LONGEST_NAME]


def main():
    nm, kernel, output = sys.argv[1:]
    text = subprocess.run([nm, "-C", "-n", kernel], check=True, capture_output=True, text=True).stdout
    begin = None
    functions = {}
    for line in text.splitlines():
        address, kind, name = line.split(" ", 2)
        if name == "text_begin":
            begin = int(address, 16)
        if kind in "tTwW" and name not in ("text_begin", "text_end"):
            functions.setdefault(int(address, 16), short_name(name))
    names = {}
    entries = []
    size = 0
    for address in sorted(a for a in functions if a >= begin):
        name = functions[address]
        if name not in names:
            names[name] = size
            size += len(name) + 1
        entries.append((address - begin, names[name]))
    with open(output, "w", encoding="ascii") as out:
        out.write('.section .symbol_table, "a"\n.balign 8\n.globl symbol_table\nsymbol_table:\n')
        out.write(f".long {len(entries)}\n")
        out.writelines(f".long {offset}, {name}\n" for offset, name in entries)
        out.writelines(f'.asciz "{name}"\n' for name in names)
        out.write('.section .note.GNU-stack, "", @progbits\n')


if __name__ == "__main__":
    main()
