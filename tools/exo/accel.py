# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Whether KVM may be used: only where Xok itself was seen to boot on it.

/dev/kvm can exist and still not run a guest, or not this one. So the first call on a machine boots a
minimal job on KVM, and the answer is kept in build/exo/, for this host, this QEMU and this machine type.
"""
import os
import shutil

from . import bundle, paths, qemu, vm
from .errors import Fail
from .session import Session

PROBE_SECONDS = 8


def decide(wish: str, machine: str, parts) -> str:
    """`tcg` or `kvm` for the user's `--accel`. parts: a function that gives the boot bundle's parts."""
    if wish != "auto":
        if wish == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise Fail("--accel kvm: /dev/kvm is not there or not ours to open")
        return wish
    if not os.access("/dev/kvm", os.R_OK | os.W_OK) or not os.path.exists(paths.EXOS):
        return "tcg"
    host = os.uname()
    key = f"{host.nodename} {host.release} {host.version} {machine} {qemu_identity()}"
    memory = paths.state_file("accel")
    known = {}
    if os.path.exists(memory):
        with open(memory) as file:
            known = dict(line.rstrip("\n").split("\t") for line in file if "\t" in line)
    if key not in known:
        known[key] = "kvm" if boots_on_kvm(machine, parts()) else "tcg"
        with open(memory, "w") as file:
            file.writelines(f"{name}\t{value}\n" for name, value in known.items())
    return known[key]


def qemu_identity() -> str:
    path = shutil.which(qemu.QEMU)
    return str(os.stat(path).st_mtime_ns) if path else "none"


def boots_on_kvm(machine: str, parts: dict) -> bool:
    job = bundle.job("batch", ["/bin/true"], net="none", quiet=True, cheetah=False)
    try:
        with vm.Machine(qemu.Settings(machine=machine, accel="kvm"), {**parts, "job": job}) as guest:
            session = Session(guest)
            session.limit(PROBE_SECONDS)
            session.silent = True
            return session.run() == 0
    except Fail:
        return False
