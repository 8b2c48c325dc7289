# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The disk image in Bochs, a second and stricter emulator: guest tests, started by GRUB from a CD.

Bochs has AVX-512, AMD's and Intel's ways of doing the same, a serial line that takes its time, and the same
sequence of instructions in every run. Its processor models have their real counterparts' features, so an older
one shows what is said when something is missing. Names: MODEL/PROGRAM/name
"""
import glob
import os
import pty
import select
import signal
import subprocess
import time

from .. import build, bundle, install, iso, paths, processes
from ..errors import Fail
from .guest import judge
from .runner import HANG_SECONDS

NEWEST = "corei7_icelake_u"  # AVX-512, UMIP
OTHERS = ("broadwell_ult", "ryzen")  # the oldest of Intel's with what Xok needs; AMD's
PROCESSOR_TESTS = ("attacks_processor", "attacks_returns", "attacks_vectors", "calls_test")  # what may differ there
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
com1: enabled=1, mode=file, dev={serial}
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
    wanted = [(NEWEST, name) for name in programs] + [(model, name) for model in OTHERS for name in PROCESSOR_TESTS]
    wanted = [(model, name) for model, name in wanted if wants(report, f"{model}/{name}")]
    old = report.wants("missing-feature")
    if not wanted and not old:
        return
    install.ensure("iso", "bochs")
    for model, name in wanted:
        judge(report, f"{model}/{name}", *boot(model, programs[name], lambda text: False))
    if old:
        report.check("missing-feature", lambda: missing_feature(programs["calls_test"]))


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
    image, serial = paths.state_file("bochs/xok.iso"), paths.state_file("bochs/serial")
    iso.make(parts, image)
    write("bochs/commands", COMMANDS)
    write("bochs/configuration", CONFIGURATION.format(model=model, image=image, serial=serial))
    write("bochs/serial", "")
    terminal, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            ["bochs", "-q", "-f", paths.state_file("bochs/configuration"), "-rc", paths.state_file("bochs/commands")],
            stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=dict(os.environ, TERM="vt100"),
            start_new_session=True, preexec_fn=processes.dies_with_us(signal.SIGKILL))
    except FileNotFoundError as error:
        raise Fail("bochs is not installed") from error
    finally:
        os.close(theirs)
    try:
        wrong = follow(process, terminal, lambda: enough(read(serial)))
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    return read(serial).split("\n"), wrong


def follow(process, terminal: int, enough) -> str:
    """Waits for Bochs to end; takes what it draws, which would stop it otherwise."""
    deadline = time.monotonic() + HANG_SECONDS
    while process.poll() is None and not enough():
        if time.monotonic() > deadline:
            return f"timed out after {HANG_SECONDS} s"
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                os.read(terminal, 1 << 16)
            except OSError:  # the other side is closed: it ends
                process.wait()
    return ""


def read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read().decode(errors="replace").replace("\r", "")


def write(name: str, text: str) -> None:
    with open(paths.state_file(name), "w") as file:
        file.write(text)
