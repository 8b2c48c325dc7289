# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Guest tests: each program of tests/guest/ is booted as the first environment, on every machine type.

It prints `PASS name`, `FAIL name: why` and `SKIP name: why` on the first serial line, and `ALL n PASSED`
last. Names: MACHINE/PROGRAM/name, MACHINE/PROGRAM-PROCESSORS/name
"""
import glob
import os
import re

from .. import build, bundle, install, paths, qemu, vm
from ..errors import Fail
from ..run import SerialSession
from .runner import HANG_SECONDS

MACHINES = ("pc", "q35", "microvm")
# Which programs run on how many processors; the others on one. A second boot has its number in the name.
PROCESSORS = {"smp_test": (4,), "smp_memory_test": (2,), "storm_test": (1, 2)}
# Which run long: on one machine type only.
ONE_MACHINE = {"smp_memory_test"}
LINE = re.compile(r"^(PASS|FAIL|SKIP) ([^:\s]+):? ?(.*)$")
LAST = re.compile(r"^ALL (\d+) PASSED$")


def run(report) -> None:
    install.ensure("run")
    build.ensure(paths.GUEST_PRESET)
    programs = sorted(glob.glob(os.path.join(paths.GUEST_TESTS, "*.elf")))
    if not programs:
        raise Fail(f"no guest test was built in {paths.relative(paths.GUEST_TESTS)}")
    for machine in MACHINES:
        for program in programs:
            base = os.path.basename(program).removesuffix(".elf")
            if base in ONE_MACHINE and machine != MACHINES[0]:
                continue
            for cpus in PROCESSORS.get(base, (1,)):
                name = f"{machine}/{base}" + (f"-{cpus}" if cpus > 1 else "")
                if report.wants(name) or not report.narrowed or name in report.options.filter:
                    judge(report, name, *boot(machine, program, cpus))


class Recorder(SerialSession):
    """Keeps the whole first serial line."""

    def __init__(self, machine):
        self.text = bytearray()
        super().__init__(machine, self.text.extend)


def boot(machine: str, program: str, cpus: int = 1, extra=()):
    """(lines, how it ended: "" or what is wrong)"""
    with open(program, "rb") as file:
        parts = {"init": file.read(), "job": bundle.job("batch", net="none", cheetah=False)}
    with vm.Machine(qemu.Settings(machine=machine, cpus=cpus, extra=list(extra)), parts) as guest:
        session = Recorder(guest)
        session.limit(HANG_SECONDS)
        try:
            status = session.run()
            wrong = f"the first environment ended with status {status}" if status else ""
        except Fail as failure:
            wrong = str(failure)
    return session.text.decode(errors="replace").replace("\r", "").split("\n"), wrong


def judge(report, name: str, lines: list, wrong: str) -> None:
    """Turns what was printed into results."""
    passed = failed = 0
    complete = None
    for line in lines:
        match = LINE.match(line)
        if match:
            word, test, why = match.groups()
            if word == "PASS":
                passed += 1
                report.passed(f"{name}/{test}")
            elif word == "SKIP":
                report.skipped(f"{name}/{test}", why)
            else:
                failed += 1
                report.failed(f"{name}/{test}", why)
        elif LAST.match(line):
            complete = int(LAST.match(line).group(1))
    tail = "\n".join([line for line in lines if line.strip()][-25:])
    if complete is None and (wrong or not failed):
        report.failed(f"{name}/(end)", f"{wrong or 'the line ALL n PASSED is missing'}; the last lines:\n{tail}")
    elif complete is not None and (complete != passed or failed):
        report.failed(f"{name}/(end)", f"ALL {complete} PASSED, but {passed} PASS and {failed} FAIL lines")
