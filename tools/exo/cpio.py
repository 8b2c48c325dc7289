# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Writes newc cpio archives whose file data the guest can use in place (docs/formats/boot.md).

Each file's data starts on a page boundary: the name field is padded with NULs, which c_namesize counts.
The data is zero-padded to the next page, where the next header starts. An unpacker thus skips zero bytes
between members; `read` below is the reference.
"""
import os
from stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

PAGE = 4096
HEADER = 110
FIELD_MAXIMUM = 0xFFFFFFFF  # eight hexadecimal digits
TRAILER = "TRAILER!!!"


class Writer:
    """Collects members; `bytes()` gives the archive."""

    def __init__(self):
        self._chunks = []
        self._length = 0
        self._inode = 0

    def file(self, path: str, data: bytes, mode: int = 0o644, mtime: int = 0) -> None:
        self._member(path, S_IFREG | mode, data, mtime, align=len(data) > 0)

    def folder(self, path: str, mode: int = 0o755, mtime: int = 0) -> None:
        self._member(path, S_IFDIR | mode, b"", mtime)

    def link(self, path: str, target: str, mtime: int = 0) -> None:
        self._member(path, S_IFLNK | 0o777, os.fsencode(target), mtime)

    def bytes(self) -> bytes:
        """The whole archive, ended by its trailer and padded to a page."""
        self._inode = -1
        self._member(TRAILER, 0, b"", 0)
        self._append(b"\0" * (-self._length % PAGE))
        return b"".join(self._chunks)

    def _member(self, path: str, mode: int, data: bytes, mtime: int, align: bool = False) -> None:
        name = os.fsencode(path.lstrip("/")) + b"\0"
        end = self._length + HEADER + len(name)
        name += b"\0" * (-end % (PAGE if align else 4))
        self._inode += 1
        mtime = min(max(mtime, 0), FIELD_MAXIMUM)
        fields = (self._inode, mode, 0, 0, 2 if S_IFMT(mode) == S_IFDIR else 1, mtime, len(data),
                  0, 0, 0, 0, len(name), 0)
        self._append(b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name + data)
        self._append(b"\0" * (-self._length % (PAGE if align else 4)))

    def _append(self, data: bytes) -> None:
        self._chunks.append(data)
        self._length += len(data)


def read(archive: bytes):
    """Yields (path, mode, mtime, data, offset of the data) of each member; ValueError when malformed."""
    at = 0
    while True:
        while archive[at:at + 1] == b"\0":
            at += 1
        if archive[at:at + 6] != b"070701":
            raise ValueError(f"no member at byte {at}")
        fields = [int(archive[i:i + 8], 16) for i in range(at + 6, at + HEADER, 8)]
        mode, mtime, length, name_length = fields[1], fields[5], fields[6], fields[11]
        name = archive[at + HEADER:at + HEADER + name_length]
        name = os.fsdecode(name.rstrip(b"\0"))
        start = at + HEADER + name_length
        start += -start % 4
        if name == TRAILER:
            return
        if start + length > len(archive):
            raise ValueError(f"{name}: cut short")
        yield name, mode, mtime, archive[start:start + length], start
        at = start + length
        at += -at % 4
