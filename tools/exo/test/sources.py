# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The tree's C++ files, what they include, and a memory of the checks each one has passed."""
import os
import re
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

from .. import build, paths, processes

FOLDERS = ("abi", "base", "libs", "kernel", "exos", "apps", "tests", "bench", "tools")
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)
JOBS = 2  # the machine this runs on has two processors


def files(*endings: str) -> list:
    """Paths from the root of the tree, sorted."""
    found = []
    for folder in FOLDERS:
        for path, _, _ in build.files_below(os.path.join(paths.ROOT, folder)):
            if path.endswith(endings):
                found.append(os.path.relpath(path, paths.ROOT))
    return sorted(found)


class Tree:
    """File contents and include relations, read once."""

    def __init__(self):
        self._contents = {}

    def content(self, path: str) -> bytes:
        if path not in self._contents:
            with open(os.path.join(paths.ROOT, path), "rb") as file:
                self._contents[path] = file.read()
        return self._contents[path]

    def includes(self, path: str) -> list:
        """The files of the tree that `path` includes itself."""
        found = []
        for name in INCLUDE.findall(self.content(path)):
            name = name.decode()
            for candidate in (name, os.path.join(os.path.dirname(path), name)):
                candidate = os.path.normpath(candidate)
                if os.path.isfile(os.path.join(paths.ROOT, candidate)):
                    found.append(candidate)
                    break
        return found

    def closure(self, path: str) -> list:
        """`path` and all it includes, directly or not, sorted."""
        seen, waiting = set(), [path]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting += self.includes(here)
        return sorted(seen)

    def key(self, path: str, *context: str) -> str:
        """A hash over everything that decides the outcome of a check of `path`."""
        state = blake2b(digest_size=16)
        for text in context:
            state.update(text.encode() + b"\0")
        for name in self.closure(path):
            state.update(name.encode() + b"\0" + self.content(name) + b"\0")
        return state.hexdigest()


class Memory:
    """The keys of checks that passed, in build/exo/; only passes are remembered."""

    def __init__(self, name: str):
        self._path = paths.state_file(f"passed-{name}")
        self._keys = set(build.read(self._path).split())

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        if key not in self._keys:
            self._keys.add(key)
            with open(self._path, "a") as file:
                file.write(key + "\n")


def in_parallel(function, items: list) -> None:
    """Calls function(item) for all, two at a time; the first exception is raised at the end."""
    with ThreadPoolExecutor(JOBS) as pool:
        try:
            for future in [pool.submit(function, item) for item in items]:
                future.result()
        except (KeyboardInterrupt, SystemExit):  # Ctrl-C, SIGTERM: what runs is ended, what waits never starts
            pool.shutdown(wait=False, cancel_futures=True)
            processes.end_children()
            raise
