# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Debian packages: what each purpose needs, how to see that it is there, and how it is installed."""
import glob
import os
import shutil
import signal
import subprocess
import sys

from . import paths
from .errors import Fail

# purpose -> package -> a file that shows it is installed ("*" allowed). A file, not the package database:
# it is quicker to look at, and a tool that came another way is as good.
PACKAGES = {
    "build": {
        "g++": "/usr/bin/g++",
        "cmake": "/usr/bin/cmake",
        "ninja-build": "/usr/bin/ninja",
        "libc6-dev": "/usr/include/stdlib.h",
    },
    "run": {
        "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
        "seabios": "/usr/share/seabios/bios-256k.bin",
    },
    "gdb": {"gdb": "/usr/bin/gdb"},
    "host": {
        "libgtest-dev": "/usr/include/gtest/gtest.h",
        "libzydis-dev": "/usr/include/Zydis/Zydis.h",
        "clang-19": "/usr/bin/clang-19",  # compiles the grafts of the tests
    },
    "graft": {"clang-19": "/usr/bin/clang-19"},
    "style": {"clang-format-19": "/usr/bin/clang-format-19"},
    "tidy": {
        "clang-tidy-19": "/usr/bin/clang-tidy-19",
        "libclang-common-19-dev": "/usr/lib/llvm-19/lib/clang/19/include/stddef.h",
    },
    "fuzz": {
        "clang-19": "/usr/bin/clang++-19",
        "libclang-rt-19-dev": "/usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.fuzzer-x86_64.a",
    },
    "coverage": {"llvm-19": "/usr/bin/llvm-cov-19"},
    "net": {"curl": "/usr/bin/curl", "apache2-utils": "/usr/bin/ab"},
    "plot": {"gnuplot-nox": "/usr/bin/gnuplot*"},
    "docs": {"curl": "/usr/bin/curl"},
    "bench": {},  # bench.py fetches the peer's kernel itself; it need not be installed on this machine
    "host-bench": {"libbenchmark-dev": "/usr/include/benchmark/benchmark.h"},
    "iso": {
        "grub-common": "/usr/bin/grub-mkrescue",
        "grub-pc-bin": "/usr/lib/grub/i386-pc/multiboot2.mod",
        "grub-efi-amd64-bin": "/usr/lib/grub/x86_64-efi/multiboot2.mod",
        "xorriso": "/usr/bin/xorriso",
        "mtools": "/usr/bin/mformat",
    },
    "bochs": {
        "bochs": "/usr/bin/bochs",
        "bochs-term": "/usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so",
        "bochsbios": "/usr/share/bochs/BIOS-bochs-latest",
        "vgabios": "/usr/share/vgabios/vgabios.bin",
    },
    "uefi": {"ovmf": "/usr/share/OVMF/OVMF_CODE.fd"},
}

STATIC_BUSYBOX = "busybox/busybox"  # below build/exo, when the machine's own is not the static one


def missing(*purposes: str) -> list:
    """The packages of these purposes that are not installed."""
    wanted = {}
    for purpose in purposes:
        wanted.update(PACKAGES[purpose])
    return sorted(package for package, sign in wanted.items()
                  if not (glob.glob(sign) if "*" in sign else os.path.exists(sign)))


def ensure(*purposes: str) -> None:
    """Installs what is missing. Raises Fail, with the command to type, when that is not possible."""
    packages = missing(*purposes)
    if not packages:
        return
    print(f"exo: installing {' '.join(packages)}", file=sys.stderr, flush=True)
    if not shutil.which("apt-get"):
        raise Fail(f"missing: {' '.join(packages)} (Debian's names), and there is no apt-get here")
    apt("update")  # if it fails, for a source that has nothing to do with us, the lists may still do
    done = apt("install", "-y", "--no-install-recommends", *packages)
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout[-4000:])
        raise Fail(f"could not install; as root: apt-get install {' '.join(packages)}")
    still = missing(*purposes)
    if still:
        raise Fail(f"{' '.join(still)}: installed, but the files expected of it are not there")


APT = ("apt-get", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Options::=--force-confdef", "-o",
       "Dpkg::Options::=--force-confold")


def apt(*arguments: str) -> subprocess.CompletedProcess:
    """Runs apt-get as root, without a question, and gives what it printed.

    It has a session of its own: Ctrl-C must not break off dpkg in the middle of a package. It is asked to
    end instead, and waited for.
    """
    command = ["env", "DEBIAN_FRONTEND=noninteractive", *APT, *arguments]
    if os.geteuid() != 0:
        command = ["sudo", "-n", *command]  # which would drop the variable
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, b"neither root nor sudo\n")
    try:
        output, _ = process.communicate()
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    return subprocess.CompletedProcess(command, process.returncode, output)


def is_static(path: str) -> bool:
    """Whether this is an ELF program without an interpreter (PT_INTERP), that is, a static one."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    if head[:4] != b"\x7fELF" or len(head) < 64:
        return False
    offset = int.from_bytes(head[32:40], "little")
    size, count = int.from_bytes(head[54:56], "little"), int.from_bytes(head[56:58], "little")
    kinds = [int.from_bytes(head[offset + i * size:offset + i * size + 4], "little") for i in range(count)]
    return 3 not in kinds


def busybox() -> str:
    """Debian's static busybox: the machine's, or unpacked from the package into build/."""
    for path in ("/bin/busybox", "/usr/bin/busybox", os.path.join(paths.STATE, STATIC_BUSYBOX)):
        if is_static(path):
            return path
    return unpack_busybox()


def unpack_busybox() -> str:
    """Downloads the package busybox-static (it would displace an installed `busybox`) and unpacks it."""
    path = paths.state_file(STATIC_BUSYBOX)
    folder = os.path.dirname(path)
    print("exo: fetching busybox-static", file=sys.stderr, flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    download = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "busybox-static"]

    def attempt():
        return subprocess.run(download, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                              env=environment, check=False)
    done = attempt()
    if done.returncode != 0:
        apt("update")
        done = attempt()
    archives = sorted(glob.glob(os.path.join(folder, "busybox-static_*.deb")))
    if done.returncode != 0 or not archives:
        sys.stderr.buffer.write(done.stderr[-2000:])
        raise Fail("could not fetch Debian's package busybox-static")
    unpacked = os.path.join(folder, "package")
    subprocess.run(["dpkg-deb", "-x", archives[-1], unpacked], check=True)
    for inner in ("bin/busybox", "usr/bin/busybox"):
        if is_static(os.path.join(unpacked, inner)):
            os.replace(os.path.join(unpacked, inner), path)
            return path
    raise Fail("Debian's package busybox-static holds no static busybox")
