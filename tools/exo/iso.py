# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo iso`: a disk image that boots by GRUB (Multiboot2) on BIOS and on UEFI machines.

One image serves as a CD, as a USB stick and as a disk. The machine needs no virtio: the shell is then on
the first serial line.
"""
import os
import shutil
import sys
import tempfile

from . import build, bundle, install, paths, processes, run
from .errors import Fail

GRUB_CONFIGURATION = """set timeout=0
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
menuentry "Xok" {
  multiboot2 /boot/xok
  module2 /boot/bundle
  boot
}
"""


def main(options) -> int:
    install.ensure("iso", "run")
    build.ensure(paths.GUEST_PRESET)
    output = options.output or os.path.join(paths.BUILD, "xok.iso")
    make(shell_parts(), output)
    print(f"exo: {paths.relative(os.path.abspath(output))}: boots on BIOS and UEFI machines", file=sys.stderr)
    return 0


def shell_parts() -> dict:
    """A bundle that starts the shell, and Cheetah where there is a network."""
    environment = [f"{name}={value}" for name, value in run.ENVIRONMENT.items()] + ["TERM=vt100"]
    return {**run.image(paths.EXOS), "job": bundle.job("shell", environment=environment, cheetah=True)}


def make(parts: dict, output: str) -> None:
    """Writes the image; Fail, with what grub-mkrescue said, when that does not work."""
    tree = tempfile.mkdtemp(prefix="iso-", dir=os.path.dirname(paths.state_file("iso")))
    try:
        os.makedirs(f"{tree}/boot/grub")
        shutil.copyfile(paths.KERNEL, f"{tree}/boot/xok")
        with open(f"{tree}/boot/bundle", "wb") as file:
            file.writelines(bundle.pack(parts))
        with open(f"{tree}/boot/grub/grub.cfg", "w") as file:
            file.write(GRUB_CONFIGURATION)
        modules = "multiboot2 normal iso9660 part_gpt part_msdos fat serial terminal all_video"
        done = processes.run(["grub-mkrescue", "-o", output, f"--install-modules={modules}", tree])
        if done.returncode != 0:
            sys.stderr.buffer.write(done.stdout[-4000:])
            raise Fail(f"grub-mkrescue could not make {output} (its output is above)")
    except OSError as error:
        raise Fail(f"{error.filename}: {error.strerror}") from error
    finally:
        shutil.rmtree(tree, ignore_errors=True)
