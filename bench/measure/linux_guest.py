# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The peer: Debian's kernel for virtual machines, tuned, with an initramfs of just our programs.

Nothing is installed: the packages are downloaded to build/bench and unpacked there. Tuned means without
mitigations, without clearing of allocations, without security modules and audit, and without ERMS, which
QEMU would count byte by byte; what is left is what a careful operator of Linux can have.
"""
import glob
import os
import re
import signal
import stat
import subprocess
import sys

from exo import cpio, install, processes
from exo.errors import Fail

from . import tools

PACKAGES = os.path.join(tools.FOLDER, "packages")
KERNEL_META = "linux-image-cloud-amd64"
COMMAND_LINE = ("console=ttyS0 quiet loglevel=0 panic=-1 mitigations=off init_on_alloc=0 "
                "randomize_kstack_offset=off lsm= audit=0 tsc=reliable")
CPU = "max,-erms"
MEMORY_MIB = 256  # as `exo run`

# In the order in which they must be loaded.
NET_MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
               "failover", "net_failover", "virtio_net")


class Archive(cpio.Writer):
    """The same format without page alignment: Linux refuses names padded beyond 4096 bytes."""

    def file(self, path: str, data: bytes, mode: int = 0o644, mtime: int = 0) -> None:
        self._member(path, stat.S_IFREG | mode, data, mtime)


def download(package: str) -> str:
    """Fetches a package of Debian's and unpacks it. Returns  the folder it is unpacked in"""
    folder = os.path.join(PACKAGES, package)
    os.makedirs(PACKAGES, exist_ok=True)
    if not os.path.isdir(folder):
        print(f"exo: fetching {package} for the Linux guest", file=sys.stderr, flush=True)
        command = ["apt-get", "-o", "APT::Sandbox::User=root", "download", package]
        done = subprocess.run(command, cwd=PACKAGES, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            install.apt("update", [package])
            done = subprocess.run(command, cwd=PACKAGES, capture_output=True, text=True, check=False)
        archives = glob.glob(os.path.join(PACKAGES, f"{package}_*.deb"))
        if done.returncode != 0 or not archives:
            raise Fail(f"could not fetch Debian's package {package}:\n{done.stderr[-2000:]}")
        subprocess.run(["dpkg-deb", "-x", archives[-1], f"{folder}.part"], check=True)
        os.replace(f"{folder}.part", folder)
    return folder


def kernel_package() -> str:
    """The package that the meta-package stands for; the one unpacked before, if there is one."""
    present = [os.path.basename(path) for path in glob.glob(os.path.join(PACKAGES, "linux-image-*"))
               if os.path.isdir(path) and not path.endswith(".part")]
    if present:
        return sorted(present)[-1]
    for attempt in range(2):
        done = subprocess.run(["apt-cache", "depends", KERNEL_META], capture_output=True, text=True, check=False)
        named = re.search(r"Depends: (linux-image-\S+)", done.stdout)
        if named:
            return named.group(1)
        if attempt == 0:
            install.apt("update", [KERNEL_META])
    raise Fail(f"apt-get knows no package {KERNEL_META}")


def version() -> str:
    return kernel_package().removeprefix("linux-image-")


def kernel() -> str:
    return os.path.join(download(kernel_package()), "boot", f"vmlinuz-{version()}")


def module(name: str) -> bytes:
    top = os.path.join(download(kernel_package()), "lib/modules", version())
    found = glob.glob(os.path.join(top, "**", f"{name}.ko"), recursive=True)
    if not found:
        raise Fail(f"the kernel {version()} has no module {name}")
    with open(found[0], "rb") as file:
        return file.read()


def initramfs(programs: dict, network: bool) -> str:
    """An archive with init, `programs` (guest path -> file here) and, for the network, its modules."""
    archive = Archive()
    files = {"/init": tools.program("init"), **programs}
    folders = {"/proc", "/dev", "/tmp"}
    for path in files:
        while (path := os.path.dirname(path)) != "/":
            folders.add(path)
    for folder in sorted(folders):
        archive.folder(folder)
    for path, source in files.items():
        with open(source, "rb") as file:
            archive.file(path, file.read(), 0o755)
    if network:
        archive.folder("/modules")
        for name in NET_MODULES:
            archive.file(f"/modules/{name}.ko", module(name))
        archive.file("/modules.txt", "".join(f"/modules/{name}.ko\n" for name in NET_MODULES).encode())
    path = os.path.join(tools.FOLDER, f"linux-{'-'.join(os.path.basename(p) for p in programs)}.cpio")
    with open(path, "wb") as file:
        file.write(archive.bytes())
    return path


def command(programs: dict, words: list, counters: str, marks: str = "", port: int = 0,
            memory_mib: int = MEMORY_MIB) -> list:
    """QEMU's command line for a guest that runs `words` and powers off.

    counters, marks  files that the plugin writes
    port             a port of localhost that is forwarded to the guest's port 80; 0: no network
    """
    plugin = f"{tools.program('count.so')},out={counters}" + (f",log={marks}" if marks else "")
    line = f"{COMMAND_LINE} {'bench.net=1 ' if port else ''}bench.run={','.join(words)}"
    arguments = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                 "-machine", "pc,usb=off,vmport=off,hpet=off", "-accel", "tcg", "-cpu", CPU, "-smp", "1",
                 "-m", f"{memory_mib}M", "-serial", "stdio", "-plugin", plugin, "-kernel", kernel(),
                 "-initrd", initramfs(programs, bool(port)), "-append", line]
    if port:
        arguments += ["-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{port}-:80",
                      "-device", "virtio-net-pci,netdev=net0,romfile="]
    return arguments


def run(programs: dict, words: list, counters: str, marks: str = "", timeout_s: int = 300,
        memory_mib: int = MEMORY_MIB) -> str:
    """Boots, runs one program to its end, powers off. Returns  what it printed"""
    arguments = command(programs, words, counters, marks, memory_mib=memory_mib)
    try:
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s,
                              check=False, preexec_fn=processes.dies_with_us(signal.SIGKILL))
    except subprocess.TimeoutExpired as late:
        raise Fail(f"the Linux guest did not finish {words[0]} within {timeout_s} s") from late
    text = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    if "BENCH-STATUS 0" not in text:
        raise Fail(f"{words[0]} failed in the Linux guest:\n{text[-2000:]}{done.stderr.decode()[-2000:]}")
    return text


def nginx() -> dict:
    """nginx and its libraries, guest path -> file here, from Debian's packages and this machine.

    Raises Fail when this machine lacks one of the libraries.
    """
    binary = os.path.join(download("nginx"), "usr/sbin/nginx")
    done = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False)
    if done.returncode != 0 or "not found" in done.stdout:
        raise Fail("a library of nginx is missing on this machine:\n" + done.stdout)
    files = {"/usr/sbin/nginx": binary}
    for path in re.findall(r"(/\S+) \(0x", done.stdout):
        files[path] = os.path.realpath(path)
    for name, text in (("passwd", "root:x:0:0:root:/root:/bin/sh\n"), ("group", "root:x:0:\n")):
        files[f"/etc/{name}"] = os.path.join(tools.FOLDER, f"nginx-{name}")
        with open(files[f"/etc/{name}"], "w") as file:
            file.write(text)
    files["/etc/nginx/nginx.conf"] = os.path.join(tools.SOURCES, "linux_guest/nginx.conf")
    files["/etc/nginx/mime.types"] = os.path.join(download("nginx-common"), "etc/nginx/mime.types")
    return files
