# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The peer's results. They depend on its kernel, our programs and QEMU only, so they are measured once.

XOK_BENCH_FRESH=1 in the environment measures them again.
"""
import json
import os

from . import linux_guest, tools
from .counters import Figure

PATH = os.path.join(tools.FOLDER, "linux-results.json")


def key(*programs: str) -> str:
    """What a result depends on."""
    files = [tools.program(name) for name in ("count.so", "init", *programs)]
    return " ".join((linux_guest.version(), tools.digest(*files), tools.qemu_version(),
                     linux_guest.COMMAND_LINE, linux_guest.CPU, str(linux_guest.MEMORY_MIB)))


def load() -> dict:
    try:
        with open(PATH) as file:
            return json.load(file)
    except (FileNotFoundError, ValueError):
        return {}


def get(name: str, depends: str):
    """The remembered figures, test -> Figure or reason; None when they must be measured."""
    entry = load().get(name)
    if os.environ.get("XOK_BENCH_FRESH") or not entry or entry["key"] != depends:
        return None
    return {test: Figure(**value) if isinstance(value, dict) else value
            for test, value in entry["figures"].items()}


def put(name: str, depends: str, figures: dict) -> None:
    results = load()
    results[name] = {"key": depends, "figures": {test: value.as_dict() if isinstance(value, Figure) else value
                                                 for test, value in figures.items()}}
    with open(f"{PATH}.{os.getpid()}", "w") as file:
        json.dump(results, file, indent=1)
    os.replace(f"{PATH}.{os.getpid()}", PATH)
