# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Compiles the programs of bench/ with this machine's compiler, when they are newer than what is there.

The guests' programs are ordinary static Linux programs: the same file runs in both guests.
"""
import glob
import hashlib
import os
import subprocess

from exo import paths
from exo.errors import Fail

SOURCES = os.path.join(paths.ROOT, "bench")
FOLDER = os.path.join(paths.BUILD, "bench")

COMMON = ["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror"]
LEAN = ["-fno-exceptions", "-fno-rtti"]
# name -> (source, options)
PROGRAMS = {
    "count.so": ("plugin/count.cpp", [*LEAN, "-shared", "-fPIC", "-fvisibility=hidden"]),
    "micro": ("programs/micro.cpp", [*LEAN, "-static"]),
    "protection": ("programs/protection.cpp", [*LEAN, "-static"]),
    "web": ("programs/web.cpp", [*LEAN, "-static"]),
    "init": ("linux_guest/init.cpp", [*LEAN, "-static"]),
    "load": ("programs/load.cpp", []),
}


def program(name: str) -> str:
    """The path of a compiled program, brought up to date."""
    source, options = PROGRAMS[name]
    source = os.path.join(SOURCES, source)
    output = os.path.join(FOLDER, name)
    headers = glob.glob(os.path.join(SOURCES, "programs/*.hpp"))
    newest = max(os.path.getmtime(path) for path in (source, *headers))
    if not os.path.exists(output) or os.path.getmtime(output) < newest:
        os.makedirs(FOLDER, exist_ok=True)
        draft = f"{output}.{os.getpid()}"
        done = subprocess.run([*COMMON, *options, "-o", draft, source], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Fail(f"bench/{PROGRAMS[name][0]} does not compile:\n{done.stderr}")
        os.replace(draft, output)
    return output


def digest(*files: str) -> str:
    """A short hash of the contents of files."""
    whole = hashlib.blake2b(digest_size=12)
    for path in files:
        with open(path, "rb") as file:
            whole.update(file.read())
    return whole.hexdigest()


def page_of(size: int) -> str:
    """A file of `size` bytes for the web servers."""
    path = os.path.join(FOLDER, f"page{size}.txt")
    text = b"".join(b"%07d\n" % line for line in range(size // 8 + 1))[:size]
    os.makedirs(FOLDER, exist_ok=True)
    with open(path, "wb") as file:
        file.write(text)
    return path


def qemu_version() -> str:
    done = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]
