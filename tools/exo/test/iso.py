# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The disk image boots through GRUB: a guest test runs from it, by BIOS and by UEFI, as a CD and as a disk."""
import os

from .. import build, bundle, install, iso, paths, qemu, vm
from ..errors import Fail
from .guest import Recorder, LAST
from .runner import HANG_SECONDS

FIRMWARE = "/usr/share/OVMF/OVMF_CODE.fd"
PROGRAM = "calls_test.elf"  # what every machine has to pass


def run(report) -> None:
    ways = {"bios-cd": (False, True), "bios-disk": (False, False), "uefi-cd": (True, True)}
    wanted = [name for name in ways if report.wants(name)]
    if not wanted:
        return
    install.ensure("iso", "uefi", "run")
    build.ensure(paths.GUEST_PRESET)
    with open(os.path.join(paths.GUEST_TESTS, PROGRAM), "rb") as file:
        parts = {"init": file.read(), "job": bundle.job("batch", net="none", cheetah=False)}
    image = paths.state_file("test.iso")
    iso.make(parts, image)
    for name in wanted:
        report.check(name, lambda way=ways[name]: boot(image, *way))


def boot(image: str, uefi: bool, disc: bool) -> None:
    drive = "media=cdrom" if disc else "media=disk"
    arguments = ["-drive", f"file={image},format=raw,if=ide,readonly={'on' if disc else 'off'},snapshot=on,{drive}"]
    if uefi:
        arguments += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}"]
    if disc:
        arguments[1] = f"file={image},format=raw,if=ide,{drive}"
    with vm.Machine(qemu.Settings(memory_mib=512), {}, boot=arguments) as guest:
        session = Recorder(guest)
        session.limit(HANG_SECONDS)
        try:
            session.run()
            why = ""
        except Fail as failure:
            why = str(failure)
    lines = session.text.decode(errors="replace").replace("\r", "").split("\n")
    tail = "\n".join([line for line in lines if line.strip()][-15:])
    assert any(LAST.match(line) for line in lines), f"{why or 'ALL n PASSED is missing'}; the last lines:\n{tail}"
