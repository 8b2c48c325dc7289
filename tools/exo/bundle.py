# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Writes the boot bundle and its job part (docs/formats/boot.md, abi/boot_bundle.hpp)."""
import os
import struct

PAGE = 4096
MAGIC = b"XOKBNDL1"
MAXIMUM_PARTS = 100


def pack(parts: dict) -> list:
    """The bundle of these parts (name -> bytes), as a list of chunks to write one after another."""
    if len(parts) > MAXIMUM_PARTS:
        raise ValueError("too many parts")
    table, chunks, offset = b"", [], PAGE
    for name, data in parts.items():
        encoded = name.encode()
        if len(encoded) > 15:
            raise ValueError(f"part name too long: {name}")
        padding = -len(data) % PAGE
        table += struct.pack("<16sQQ", encoded, offset, len(data))
        chunks += [data, b"\0" * padding]
        offset += len(data) + padding
    header = struct.pack("<8sQQQ", MAGIC, len(parts), offset, 0) + table
    return [header + b"\0" * (PAGE - len(header)), *chunks]


def job(mode: str, arguments=(), environment=(), trace: str = "", quiet: bool = False, net: str = "",
        cheetah=None) -> bytes:
    """The part `job`: what the first environment is to do."""
    lines = [f"MODE={mode}"]
    lines += [f"ARG={argument}" for argument in arguments]
    lines += [f"ENV={setting}" for setting in environment]
    if trace:
        lines.append(f"TRACE={trace}")
    if quiet:
        lines.append("QUIET=1")
    if net:
        lines.append(f"NET={net}")
    if cheetah is not None:
        lines.append(f"CHEETAH={int(cheetah)}")
    return b"".join(os.fsencode(line) + b"\0" for line in lines)


def in_memory(parts: dict):
    """The bundle as a file without a name, which vanishes with its last user: (descriptor, length)."""
    descriptor = os.memfd_create("xok-bundle", 0)
    length = 0
    for chunk in pack(parts):
        view = memoryview(chunk)
        while view:
            written = os.write(descriptor, view)
            view = view[written:]
            length += written
    return descriptor, length
