# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Guest tests: each program of tests/guest/ is booted as the first environment, on many machines.

It prints `PASS name`, `FAIL name: why` and `SKIP name: why` on the first serial line, and `ALL n PASSED`
last. Machines: each machine type, processor and amount of memory once, or, with --all-machines, all
combinations. Names: MACHINE/PROGRAM/name, MACHINE/PROGRAM-PROCESSORS/name, where MACHINE is a type and what is
not usual, as in pc-EPYC-64M.
"""
import concurrent.futures
import glob
import itertools
import os
import re
from dataclasses import dataclass

from .. import build, bundle, install, paths, qemu, vm
from ..errors import Fail
from ..run import SerialSession
from .runner import HANG_SECONDS

MACHINES = tuple(qemu.MACHINES)
# Broadwell is the oldest model with all that Xok needs (SMAP came last). TCG leaves out of each what it does not
# emulate, and warns.
CPUS = (qemu.DEFAULT_CPU, "Skylake-Server", "EPYC", "Broadwell")
MEMORIES_MIB = (qemu.DEFAULT_MEMORY_MIB, 64, 16384)
# Which programs run on how many processors; the others on one. A second boot has its number in the name.
PROCESSORS = {"smp_test": (4,), "smp_memory_test": (2,), "storm_test": (1, 2), "storm_smp_test": (2,),
              "attacks_collider": (2,), "attacks_rewriting": (2,)}
# Which run long: on one machine only. Several processors: on one model and size only.
ONE_MACHINE = {"smp_memory_test", "storm_smp_test", "attacks_collider", "attacks_rewriting"}
# Which see the processor's model and the memory's size; the others run there with --all-machines only.
PROCESSOR_AND_MEMORY = {"calls_test", "attacks_memory", "attacks_processor", "attacks_vectors", "attacks_returns"}
# Which take words of the kernel's command line from an environment variable (to replay a seed).
SETTINGS = {"storm_smp_test": "XOK_STORM"}
# What the kernel may say while a storm rages: that a program has made a mistake.
STORM = re.compile(r"^storm: ")
DEATH = re.compile(r"^xok: environment \d+ \(slot \d+\) died: ")
LINE = re.compile(r"^(PASS|FAIL|SKIP) ([^:\s]+):? ?(.*)$")
LAST = re.compile(r"^ALL (\d+) PASSED$")


def run(report) -> None:
    install.ensure("run")
    build.ensure(paths.GUEST_PRESET)
    programs = sorted(glob.glob(os.path.join(paths.GUEST_TESTS, "*.elf")))
    if not programs:
        raise Fail(f"no guest test was built in {paths.relative(paths.GUEST_TESTS)}")
    jobs = []
    for machine in machines(report.options.all_machines):
        for program in programs:
            base = os.path.basename(program).removesuffix(".elf")
            if (base in ONE_MACHINE and machine.unusual) or not runs_on(base, machine, report.options.all_machines):
                continue
            for count in PROCESSORS.get(base, (1,)):
                if count > 1 and machine.other_processor and not report.options.all_machines:
                    continue
                name = f"{machine.name}/{base}" + (f"-{count}" if count > 1 else "")
                if report.wants(name) or not report.narrowed or name in report.options.filter:
                    if why := machine.why_not():
                        report.skipped(name, why)
                    else:
                        jobs.append((name, boot, machine, program, count))
    several_at_once(report, jobs)


def runs_on(program: str, machine, every: bool) -> bool:
    return every or not machine.other_processor or program in PROCESSOR_AND_MEMORY


def several_at_once(report, jobs: list) -> None:
    """Judges machines, one for each processor of the host at a time. jobs: (name, boot, its arguments...)"""
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count())
    try:
        running = [(name, pool.submit(start, *arguments)) for name, start, *arguments in jobs]
        for name, job in running:
            judge(report, name, *job.result())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Kind:
    """A machine to test on."""
    machine: str
    cpu: str
    memory_mib: int

    @property
    def name(self) -> str:
        memory = f"{self.memory_mib >> 10}G" if self.memory_mib >= 1024 else f"{self.memory_mib}M"
        return "-".join([self.machine, *([self.cpu] if self.cpu != CPUS[0] else []),
                         *([memory] if self.memory_mib != MEMORIES_MIB[0] else [])])

    @property
    def unusual(self) -> int:
        """How many of its properties are not the first in their lists."""
        return ((self.machine != MACHINES[0]) + (self.cpu != CPUS[0]) + (self.memory_mib != MEMORIES_MIB[0]))

    @property
    def other_processor(self) -> bool:
        return self.cpu != CPUS[0] or self.memory_mib != MEMORIES_MIB[0]

    def why_not(self) -> str:
        """What keeps this host from having it. Guest memory is only promised, but some hosts count promises."""
        host_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
        return "" if host_mib > self.memory_mib else f"this host has {host_mib} MiB"


def machines(every: bool) -> list:
    kinds = [Kind(*kind) for kind in itertools.product(MACHINES, CPUS, MEMORIES_MIB)]
    return [kind for kind in kinds if every or kind.unusual <= 1]


DEFAULT = Kind(MACHINES[0], CPUS[0], MEMORIES_MIB[0])


class Recorder(SerialSession):
    """Keeps the whole first serial line."""

    def __init__(self, machine):
        self.text = bytearray()
        super().__init__(machine, self.text.extend)


def boot(kind: Kind, program: str, count: int = 1, extra=()):
    """(lines, how it ended: "" or what is wrong)"""
    with open(program, "rb") as file:
        parts = {"init": file.read(), "job": bundle.job("batch", net="none", cheetah=False)}
    words = os.environ.get(SETTINGS.get(os.path.basename(program).removesuffix(".elf"), ""), "")
    settings = qemu.Settings(kind.machine, cpu=kind.cpu, memory_mib=kind.memory_mib, cpus=count,
                             extra=[*extra, *(["-append", words] if words else [])])
    with vm.Machine(settings, parts) as guest:
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
    storms = False
    for line in lines:
        match = LINE.match(line)
        storms = storms or bool(STORM.match(line))
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
        elif storms and line.strip() and not STORM.match(line) and not DEATH.match(line):
            failed += 1
            report.failed(f"{name}/(kernel)", f"the kernel said: {line}")
    tail = "\n".join([line for line in lines if line.strip()][-25:])
    if complete is None and (wrong or not failed):
        report.failed(f"{name}/(end)", f"{wrong or 'the line ALL n PASSED is missing'}; the last lines:\n{tail}")
    elif complete is not None and (complete != passed or failed):
        report.failed(f"{name}/(end)", f"ALL {complete} PASSED, but {passed} PASS and {failed} FAIL lines")
