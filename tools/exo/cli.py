# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The command line of `exo`. Each command's module is imported only when it runs."""
import argparse
import os
import sys

from . import errors, processes
from .errors import Fail

TOP = """usage: ./exo COMMAND [OPTION]...

  run    boot Xok in QEMU: a shell here, and the web server on http://localhost:8080
         run [OPTION]... -- PROGRAM ARG...   runs one program instead; its streams and status are yours
  test   build and run every test, or those that match a filter
  bench  measure, and print a table beside Linux
  plot   run an example and draw what it measured, as SVG
  iso    make a disk image that boots on BIOS and UEFI machines
  graft  check, list or run a program that applications give to the kernel: graft check|dump|run FILE
  docs   write the reference pages, docs/reference/, out of the headers

What is missing is installed with apt-get. `./exo COMMAND --help` says more.
"""

RUN_END = """PROGRAM is looked for in the image; ./PROGRAM is taken from this machine. Without a program and without a
terminal on standard input, a shell reads its commands from there: echo ls | ./exo run.
In the shell: `exit` or Ctrl-A X leaves.

exit status: the program's (128+N when signal N killed it); 124 timed out; 125 the kernel or the machine
failed; 127 the program could not be started; 2 wrong usage; 1 anything else.
"""


GRAFT_TEXT = """Grafts: small programs that applications give to the kernel (docs/architecture.md).

  check  says whether each graft of FILE would be accepted, or why not
  dump   lists instructions
  run    runs one and prints its result, steps and output
         with --input, r1 is the first input's address, r2 its length, r3 the output's address, and --arg gives
         r4 and r5; without, --arg gives r1 to r5"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message):
        raise Fail(f"{message} (see ./{self.prog} --help)", errors.USAGE)


def positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return value


def mebibytes(text: str) -> int:
    units = {"k": 1 / 1024, "m": 1, "g": 1024}
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].lower() in units else (text, "m")
    if not number.isdecimal() or not 1 <= int(number) * units[unit] <= 1 << 20:
        raise argparse.ArgumentTypeError(f"{text} is not a size such as 256M or 1G")
    return int(int(number) * units[unit])


def run_parser() -> Parser:
    from . import qemu
    parser = Parser(prog="exo run", usage="./exo run [OPTION]... [-- PROGRAM ARG...]", epilog=RUN_END,
                    description="Boots Xok in QEMU.", formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("-p", dest="publish", metavar="HOST:GUEST", action="append", default=[],
        help="forward a port of this machine's localhost to the guest; repeatable; `none` for none "
             "(default 8080:80)")
    add("-m", dest="memory", metavar="SIZE", type=mebibytes, default=qemu.DEFAULT_MEMORY_MIB,
        help=f"memory, {qemu.MINIMUM_MEMORY_MIB}M at least (default {qemu.DEFAULT_MEMORY_MIB}M)")
    add("-c", dest="cpus", metavar="CPUS", type=positive, default=1, help="processors (default 1)")
    add("--add", metavar="HOST_PATH:GUEST_PATH", action="append", default=[],
        help="put a file or directory of this machine into the image; repeatable")
    add("--env", metavar="KEY=VALUE", action="append", default=[], help="set a variable; repeatable")
    add("--cwd", metavar="PATH", default="", help="directory of the guest that PROGRAM starts in")
    add("--timeout", metavar="SECONDS", type=seconds, help="stop then, with status 124")
    add("--accel", choices=("tcg", "kvm", "auto"), default="auto",
        help="auto: KVM where Xok was seen to boot on it, else TCG (default)")
    add("--machine", choices=tuple(qemu.MACHINES), default=qemu.DEFAULT_MACHINE,
        help=f"QEMU's machine type (default {qemu.DEFAULT_MACHINE})")
    add("--cpu", metavar="MODEL", default=qemu.DEFAULT_CPU, help=f"QEMU's processor (default {qemu.DEFAULT_CPU})")
    add("--net", metavar="HOW", default="", help="dhcp (default), none, or ADDRESS/BITS,GATEWAY,DNS")
    add("--gdb", action="store_true", help="wait for a debugger; prints the command that attaches one")
    add("--pcap", metavar="FILE", default="", help="write every packet to FILE (tcpdump -r FILE)")
    add("--trace", metavar="WHAT", default="", help="calls: every Linux system call, as strace prints it")
    add("--trace-file", metavar="FILE", default="", help="traces go to FILE, not to standard error")
    add("--init", metavar="FILE", default="", help="boot this program for the bare machine in ExOS' place")
    add("--qemu-arg", metavar="ARG", action="append", default=[], help="one more argument of QEMU; repeatable")
    add("--print-command", action="store_true", help="print QEMU's command line and stop")
    add("--quiet", action="store_true", help="no boot lines")
    return parser


def run_command(arguments: list) -> int:
    program = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, program = arguments[:at], arguments[at + 1:]
        if not program:
            raise Fail("nothing after --: which program?", errors.USAGE)
    options, rest = run_parser().parse_known_args(arguments)
    if rest:
        hint = "unknown option" if rest[0].startswith("-") else "a program goes after --:"
        raise Fail(f"{hint} {rest[0]} (see ./exo run --help)", errors.USAGE)
    if options.init and program:
        raise Fail("--init takes no program", errors.USAGE)
    from . import run
    return run.main(options, program)


def test_command(arguments: list) -> int:
    parser = Parser(prog="exo test", usage="./exo test [OPTION]... [FILTER]",
                    description="Builds and runs the tests. FILTER is a suite, part of a test's name, or "
                                "SUITE/NAME; * and ? are allowed.")
    parser.add_argument("filter", metavar="FILTER", nargs="?", default="")
    parser.add_argument("-v", "--verbose", action="store_true", help="one line per test")
    parser.add_argument("--list", action="store_true", help="print the suites and stop")
    parser.add_argument("--fuzz-seconds", metavar="N", type=positive, default=5,
                        help="time for each fuzz target (default 5)")
    parser.add_argument("--all-machines", action="store_true",
                        help="the guest tests on every combination of machine, processor and memory")
    parser.add_argument("--json", metavar="FILE", default="", help="write the results to FILE")
    options = parser.parse_args(arguments)
    from .test import runner
    return runner.main(options)


def bench_command(arguments: list) -> int:
    parser = Parser(prog="exo bench", usage="./exo bench [OPTION]... [kernel|grafts] [NAME]",
                    description="Measures, and prints a table beside Linux. `kernel`: the kernel's own operations. "
                                "`grafts`: generated code, on this machine. NAME is part of a row's name.")
    parser.add_argument("name", metavar="NAME", nargs="*")
    parser.add_argument("--json", metavar="FILE", default="", help="write the rows to FILE")
    parser.add_argument("--report", metavar="FILE.md", default="",
                        help="kernel: write a page with the table, and its chart as FILE.svg")
    options = parser.parse_args(arguments)
    from . import benchmarks
    return benchmarks.main(options)


def plot_command(arguments: list) -> int:
    parser = Parser(prog="exo plot", usage="./exo plot [-o FILE] NAME",
                    description="Runs the example NAME (stride) and draws its values with gnuplot.")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("-o", dest="output", metavar="FILE", default="", help="default build/NAME.svg")
    options = parser.parse_args(arguments)
    from . import plot
    return plot.main(options)


def iso_command(arguments: list) -> int:
    parser = Parser(prog="exo iso", usage="./exo iso [-o FILE]",
                    description="Makes a disk image that boots by GRUB on BIOS and UEFI machines.")
    parser.add_argument("-o", dest="output", metavar="FILE", default="", help="default build/xok.iso")
    options = parser.parse_args(arguments)
    from . import iso
    return iso.main(options)


def number(text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        value = -1 << 64
    if not -1 << 63 <= value < 1 << 64:
        raise argparse.ArgumentTypeError(f"{text} is not a number of 64 bits")
    return value % (1 << 64)


def graft_command(arguments: list) -> int:
    parser = Parser(prog="exo graft", usage="./exo graft check|dump|run [OPTION]... FILE [NAME]",
                    description=GRAFT_TEXT, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", metavar="COMMAND", choices=("check", "dump", "run"), help=argparse.SUPPRESS)
    parser.add_argument("file", metavar="FILE",
                        help="made by `clang -target bpf`, raw instructions, or C or C++ source")
    parser.add_argument("name", metavar="NAME", nargs="?", default="",
                        help="a graft of FILE (default: all, or the only one)")
    checks = parser.add_argument_group("check")
    checks.add_argument("--helper", metavar="N", type=helper_id, action="append", default=[],
                        help="let programs call helper N; repeatable, up to 64")
    runs = parser.add_argument_group("run")
    runs.add_argument("--input", metavar="FILE", action="append", default=[], help="what it reads; repeatable, up to 4")
    runs.add_argument("--arg", metavar="N", type=number, action="append", default=[],
                      help="the next argument register's value; repeatable")
    runs.add_argument("--steps", metavar="N", type=positive, default=1_000_000, help="the most steps (default 1000000)")
    runs.add_argument("--output-size", metavar="BYTES", type=size_below_16m, default=4096, help="default 4096")
    runs.add_argument("--compile", action="store_true", help="run machine code; otherwise it is interpreted")
    runs.add_argument("--reads", action="store_true", help="say which bytes of the inputs were read")
    options = parser.parse_args(arguments)
    check_graft_options(options)
    from . import graft
    return graft.main(options.command, options)


def check_graft_options(options) -> None:
    used = [key for key in ("input", "arg", "compile", "reads") if getattr(options, key)]
    if options.command != "run" and used:
        raise Fail(f"--{used[0]} is for `exo graft run`", errors.USAGE)
    if options.command != "check" and options.helper:
        raise Fail("--helper is for `exo graft check`", errors.USAGE)
    if len(options.input) > 4 or len(set(options.helper)) > 64:
        raise Fail("at most 4 inputs and 64 helpers", errors.USAGE)
    if len(options.arg) > (2 if options.input else 5):
        raise Fail("at most 5 arguments, of which an input takes 3", errors.USAGE)
    options.helper = sorted(set(options.helper))


def helper_id(text: str) -> int:
    value = number(text)
    if value >= 1 << 32:
        raise argparse.ArgumentTypeError(f"{text} is not a number of 32 bits")
    return value


def size_below_16m(text: str) -> int:
    value = number(text)
    if value > 1 << 24:
        raise argparse.ArgumentTypeError(f"{text} is more than 16 MiB")
    return value


def docs_command(arguments: list) -> int:
    Parser(prog="exo docs", usage="./exo docs", description="Writes docs/reference/ again, out of the headers. The "
           "suite `docs` fails when it is stale.").parse_args(arguments)
    from . import reference
    return reference.main()


COMMANDS = {"run": run_command, "test": test_command, "bench": bench_command, "plot": plot_command,
            "iso": iso_command, "graft": graft_command, "docs": docs_command}


def main(arguments: list) -> int:
    processes.end_on_signals()
    try:
        if not arguments or arguments[0] in ("-h", "--help", "help"):
            print(TOP, end="", file=sys.stdout if arguments else sys.stderr, flush=True)
            return 0 if arguments else errors.USAGE
        if arguments[0] not in COMMANDS:
            raise Fail(f"unknown command {arguments[0]} (see ./exo --help)", errors.USAGE)
        try:
            return COMMANDS[arguments[0]](arguments[1:])
        finally:
            if sys.stdout:
                sys.stdout.flush()  # so that what goes wrong with it is said below
    except Fail as failure:
        print(f"exo: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head`
        forget_output()
        return 141
    except OSError as error:  # a disk that is full, a tree that is not ours to write to
        forget_output()
        print(f"exo: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        return errors.FAILED


def forget_output() -> None:
    """What is still to be flushed would fail once more when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
