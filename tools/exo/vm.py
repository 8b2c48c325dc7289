# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""One QEMU process and its channels.

The channels are socket pairs and the boot bundle is a file in memory, both handed over as descriptors, so
there is nothing to clean up, however this command ends. QEMU asks the host kernel to be killed when its
parent dies, and runs in a session of its own, so that no key on the terminal reaches it.
"""
import os
import signal
import socket
import subprocess

from . import bundle, paths, processes, qemu
from .errors import Fail


class Machine:
    """A started QEMU. `channels` has our ends of the channels, by name; use it as a context manager."""

    def __init__(self, settings: qemu.Settings, parts: dict, kernel: str = paths.KERNEL, boot=None):
        """parts: the boot bundle; boot: QEMU arguments that replace kernel and bundle (a disk)."""
        self.channels = {}
        theirs = {}
        keep = []
        if boot is None:
            bundle_file, length = bundle.in_memory(parts)
            keep.append(bundle_file)
            boot = ["-kernel", kernel, "-initrd", f"/proc/self/fd/{bundle_file}"]
            settings.memory_mib = max(settings.memory_mib, memory_for(length))
        for name in qemu.channel_names():
            ours, other = socket.socketpair()
            ours.setblocking(False)
            self.channels[name] = ours
            theirs[name] = other
            keep.append(other.fileno())
        backends = {name: f"socket,fd={other.fileno()}" for name, other in theirs.items()}
        if settings.gdb_socket:
            keep.append(settings.gdb_socket.fileno())
        self._errors = os.memfd_create("qemu-stderr")
        try:
            self.process = subprocess.Popen(
                qemu.command(settings, boot, backends), stdin=subprocess.DEVNULL,
                stdout=self._errors, stderr=self._errors, pass_fds=keep, start_new_session=True,
                preexec_fn=processes.dies_with_us(signal.SIGKILL))
        except FileNotFoundError as error:
            raise Fail(f"{qemu.QEMU} is not installed") from error
        finally:
            for other in theirs.values():
                other.close()
            if settings.gdb_socket:
                settings.gdb_socket.close()
            if boot[0] == "-kernel":
                os.close(keep[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self) -> None:
        """Ends QEMU if it still runs, and collects it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def errors(self) -> str:
        """What QEMU itself complained about; not its warnings, as of features of a model that TCG does not have."""
        text = os.pread(self._errors, 65536, 0).decode(errors="replace")
        return "\n".join(line for line in text.splitlines() if ": warning: " not in line).strip()


def memory_for(bundle_bytes: int) -> int:
    """The MiB a guest needs at least to unpack a bundle and still have room for programs."""
    return 0 if bundle_bytes < (32 << 20) else 128 + 3 * (bundle_bytes >> 20)


def explain(status: int, errors: str) -> str:
    """Why the machine ended without saying how its program ended, in one line."""
    if status == qemu.KERNEL_FAILED:
        return "the kernel stopped with an error"
    if status == qemu.FIRST_ENVIRONMENT_FAILED:
        return "the first environment failed"
    if errors and status == 1:
        last = errors.splitlines()[-1].removeprefix(f"{qemu.QEMU}: ")
        return f"QEMU: {last}"
    if status in qemu.CLEAN_STATUSES:
        return "the machine powered off (or reset) before the program's status was known"
    if status < 0:
        return f"QEMU was killed by signal {-status}" + (f": {errors.splitlines()[0]}" if errors else "")
    return f"QEMU ended with status {status}" + (f": {errors.splitlines()[-1]}" if errors else "")
