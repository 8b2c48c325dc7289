# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo run`: boots Xok in QEMU, with a shell on this terminal or with one program as the only job."""
import errno
import os
import shlex
import signal
import socket
import sys

from . import accel, build, bundle, errors, install, paths, qemu, rootfs, vm
from .errors import Fail
from .session import BatchSession, Session, open_missing_descriptors
from .streams import Link

DEFAULT_FORWARD = ("tcp", "127.0.0.1", 8080, 80)
TRACES = ("calls",)
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/sh",
}


def main(options, program: list) -> int:
    """options: what cli.py parsed; program: the words after `--`."""
    open_missing_descriptors()
    install.ensure("run", *(("gdb",) if options.gdb else ()))
    additions = [parse_addition(text) for text in options.add]
    program = take_local_program(program, additions)
    if program and not program[0]:
        raise Fail("the program's name is empty", errors.NOT_STARTED)
    terminal = not program and os.isatty(0)
    job = make_job(options, program, terminal)
    settings = machine_settings(options, interactive=not program)
    build.ensure(paths.GUEST_PRESET, options.quiet)
    if options.init:
        return run_first_environment(options, settings)
    parts = image(paths.EXOS)
    if additions:
        parts["extra"] = rootfs.extra(additions)
    parts["job"] = job
    if options.print_command:
        return print_command(settings, parts, terminal)
    settings.accel = accel.decide(options.accel, settings.machine, lambda: image(paths.EXOS))
    announce_debugger(settings)
    with vm.Machine(settings, parts) as machine:
        if terminal:
            from .terminal import RawTerminal, TerminalSession
            with RawTerminal():
                session = TerminalSession(machine, options.quiet)
                session.limit(options.timeout)
                return session.run()
        trace_file = open_for_writing(options.trace_file) if options.trace_file else None
        session = BatchSession(machine, trace_file)
        session.catch_signals()
        session.limit(options.timeout)
        return session.run()


def image(first: str) -> dict:
    """The parts every bundle has."""
    return {"init": rootfs.contents(first), "root": rootfs.archive()}


def make_job(options, program: list, terminal: bool) -> bytes:
    environment = dict(ENVIRONMENT)
    if terminal:
        environment["TERM"] = os.environ.get("TERM", "vt100")
    for setting in options.env:
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise Fail(f"--env {setting}: not KEY=VALUE", errors.USAGE)
        environment[name] = value
    for word in options.trace.split(",") if options.trace else ():
        if word not in TRACES:
            raise Fail(f"--trace {word}: unknown; known: {', '.join(TRACES)}", errors.USAGE)
    arguments = program
    if not program and not terminal:
        arguments = ["/bin/sh"]  # commands through a pipe: a shell that reads them, without a terminal
    if options.cwd and arguments:
        arguments = ["/bin/sh", "-c", 'cd "$1" || exit 127; shift; exec "$@"', "sh", options.cwd, *arguments]
    for text in (*arguments, *environment.values()):
        if "\0" in text:
            raise Fail("an argument holds a NUL", errors.USAGE)
    return bundle.job("shell" if terminal else "batch", arguments,
                      [f"{name}={value}" for name, value in environment.items()], options.trace,
                      options.quiet, options.net, cheetah=not program)


def machine_settings(options, interactive: bool) -> qemu.Settings:
    settings = qemu.Settings(machine=options.machine, cpu=options.cpu, cpus=options.cpus,
                             memory_mib=options.memory, extra=options.qemu_arg)
    if options.memory < qemu.MINIMUM_MEMORY_MIB and not options.init:
        raise Fail(f"-m: the image needs {qemu.MINIMUM_MEMORY_MIB}M at least", errors.USAGE)
    check_network(options.net)
    if options.pcap:
        os.close(open_for_writing(options.pcap))
        settings.pcap = os.path.abspath(options.pcap)
    if options.publish:
        settings.forwards = [forward for text in options.publish for forward in parse_forward(text)]
        for forward in settings.forwards:
            if not (reserve(forward) and port_is_free(forward)):
                raise Fail(f"port {forward[2]} is in use (-p HOST:GUEST takes another, -p none takes none)")
    elif interactive:
        settings.forwards = [DEFAULT_FORWARD]
        if not (reserve(DEFAULT_FORWARD) and port_is_free(DEFAULT_FORWARD)):
            raise Fail(f"port {DEFAULT_FORWARD[2]} is in use (-p HOST:GUEST takes another, -p none takes none)")
    elif reserve(DEFAULT_FORWARD) and port_is_free(DEFAULT_FORWARD):
        # A single program seldom serves anything; it does not fail because another one runs.
        settings.forwards = [DEFAULT_FORWARD]
    if options.print_command:
        settings.accel = "tcg" if options.accel == "auto" else options.accel
    if options.gdb:
        listener = socket.create_server(("127.0.0.1", 0))
        settings.gdb_port = listener.getsockname()[1]
        settings.gdb_socket = None if options.print_command else listener
    return settings


def parse_forward(text: str) -> list:
    """`[ADDRESS:]HOST:GUEST[/udp]` or `none`."""
    if text == "none":
        return []
    ports, _, protocol = text.partition("/")
    pieces = ports.rsplit(":", 2)
    address = pieces.pop(0) if len(pieces) == 3 else "127.0.0.1"
    if len(pieces) != 2 or protocol not in ("", "tcp", "udp"):
        raise Fail(f"-p {text}: not HOST:GUEST", errors.USAGE)
    try:
        host, guest = (int(piece) for piece in pieces)
    except ValueError:
        raise Fail(f"-p {text}: ports are numbers", errors.USAGE) from None
    if not (0 < host < 65536 and 0 < guest < 65536):
        raise Fail(f"-p {text}: ports are 1 to 65535", errors.USAGE)
    return [(protocol or "tcp", address, host, guest)]


def port_is_free(forward) -> bool:
    protocol, address, host, _ = forward
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM) as probe:
        if protocol == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, host))
        except socket.gaierror:
            raise Fail(f"-p: {address} is not an address of this machine", errors.USAGE) from None
        except PermissionError:
            raise Fail(f"port {host}: only root may use it (-p HOST:GUEST takes another)") from None
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise Fail(f"-p: {address} is not an address of this machine", errors.USAGE) from None
            return False
    return True


def check_network(text: str) -> None:
    """`--net`: as docs/formats/boot.md has it."""
    if text in ("", "dhcp", "none"):
        return
    pieces = text.split(",")
    address, _, bits = pieces[0].partition("/")
    try:
        for piece in (address, *pieces[1:]):
            socket.inet_pton(socket.AF_INET, piece)
    except (OSError, ValueError):
        bits = ""
    if len(pieces) != 3 or not bits.isdecimal() or int(bits) > 32:
        raise Fail(f"--net {text}: not dhcp, none or ADDRESS/BITS,GATEWAY,DNS", errors.USAGE)


RESERVED = []  # sockets, open as long as this command runs


def reserve(forward) -> bool:
    """Takes a port against other calls of `exo`, which may all see it free before the first QEMU has it."""
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind("\0exo-{}-{}-{}".format(*forward))
    except OSError:
        mark.close()
        return False
    RESERVED.append(mark)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parse_addition(text: str):
    """`HOST_PATH:GUEST_PATH` -> (existing path here, path there)."""
    source, colon, place = text.rpartition(":")
    if not colon or not source or not place.startswith("/"):
        raise Fail(f"--add {text}: not HOST_PATH:/GUEST_PATH", errors.USAGE)
    if not os.path.exists(source):
        raise Fail(f"--add {source}: no such file or directory")
    if place.endswith("/") and place != "/":
        place += os.path.basename(os.path.normpath(source))
    return source, place


def take_local_program(program: list, additions: list) -> list:
    """A PROGRAM given as ./path is one of this machine: it comes along, to /root."""
    if program and program[0].startswith(("./", "../")):
        if not os.path.isfile(program[0]):
            why = "not a file" if os.path.exists(program[0]) else "no such file"
            raise Fail(f"{program[0]}: {why}", errors.NOT_STARTED)
        place = "/root/" + os.path.basename(program[0])
        additions.append((program[0], place))
        return [place, *program[1:]]
    return program


def announce_debugger(settings: qemu.Settings, first: str = paths.EXOS) -> None:
    if settings.gdb_port:
        print("exo: the machine waits for a debugger; in another terminal:\n"
              f"gdb -ex 'target remote 127.0.0.1:{settings.gdb_port}' "
              f"-ex {shlex.quote('add-symbol-file ' + first)} {shlex.quote(paths.KERNEL)}",
              file=sys.stderr, flush=True)


def print_command(settings: qemu.Settings, parts: dict, terminal: bool) -> int:
    """A command that can be pasted: the bundle as a file, the channels on this terminal."""
    path = paths.state_file("printed.bundle")
    with open(path, "wb") as file:
        file.writelines(bundle.pack(parts))
    null = "file,path=/dev/null"
    channels = {"log": "file,path=/dev/stderr", "tty": "stdio,signal=off" if terminal else null,
                "stdin": null, "stdout": null if terminal else "file,path=/dev/stdout",
                "stderr": null if terminal else "file,path=/dev/stderr", "control": null, "trace": null}
    command = shlex.join(qemu.command(settings, ["-kernel", paths.KERNEL, "-initrd", path], channels))
    sys.stdout.buffer.write(os.fsencode(command) + b"\n")
    return 0


def run_first_environment(options, settings: qemu.Settings) -> int:
    """`--init FILE`: a program for the bare machine in ExOS' place; its output is the first serial line."""
    parts = {"init": rootfs.contents(options.init), "job": bundle.job("batch", net=options.net)}
    if options.print_command:
        return print_command(settings, parts, terminal=False)
    settings.accel = accel.decide(options.accel, settings.machine, lambda: image(paths.EXOS))
    announce_debugger(settings, os.path.abspath(options.init))
    with vm.Machine(settings, parts) as machine:
        session = SerialSession(machine)
        session.end_on_signals(signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT)
        session.limit(options.timeout)
        return session.run()


class SerialSession(Session):
    """Shows the first serial line; the status is what the first environment left at power-off."""

    def __init__(self, machine: vm.Machine, sink: int = 1):
        super().__init__(machine)
        self.silent = True
        self._guest_links.append(self.loop.add(Link(machine.channels["log"].fileno(), sink)))
        self.loop.links.pop(0)  # the link that only kept the last lines
        self._guest_links.pop(0)

    def result(self) -> int:
        status = self.machine.process.wait()
        if status in qemu.CLEAN_STATUSES and not self.machine.errors():
            return 0
        if status == qemu.FIRST_ENVIRONMENT_FAILED:
            return 1
        return super().result()


def open_for_writing(path: str) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    except OSError as error:
        raise Fail(f"{path}: {error.strerror}") from error
