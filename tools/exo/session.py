# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The conversation with a running guest: control lines in both directions, streams, the end of it all."""
import os
import signal
import sys

from . import errors, vm
from .errors import Fail
from .streams import Lines, Link, Loop, Tail

GRACE_SECONDS = 5  # from the control line `exit N` to QEMU's own end


class Session:
    """Pumps one machine's channels until it ends. Subclasses connect the program's streams."""

    def __init__(self, machine: vm.Machine):
        self.machine, self.loop = machine, Loop()
        self.log = Tail()
        self.silent = False  # do not print the kernel's last lines when it fails
        self.ready = False
        self.status = None  # the program's, once known
        self.error = ""  # why it did not start
        self._moved = -1
        self._guest_links = []
        self.from_guest("log", self.on_log)
        self.from_guest("control", Lines(self.on_control))

    def from_guest(self, channel: str, sink, on_broken=None) -> Link:
        link = self.loop.add(Link(self.machine.channels[channel].fileno(), sink, on_broken=on_broken))
        self._guest_links.append(link)
        return link

    def on_log(self, data: bytes) -> None:
        self.log(data)

    def on_ready(self) -> None:
        pass

    def on_control(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "ready":
            self.ready = True
            self.on_ready()
        elif word == "exit" and rest.isdigit():
            self.status = int(rest) & 255
            self.loop.set_deadline(GRACE_SECONDS, self.end_of_grace)
        elif word == "error":
            self.error = rest
            self.loop.set_deadline(GRACE_SECONDS, self.end_of_grace)

    def end_of_grace(self) -> None:
        """The status is known; QEMU may go on only as long as output still moves."""
        moved = sum(link.moved for link in self._guest_links)
        if moved != self._moved or any(link.pending for link in self._guest_links):
            self._moved = moved
            self.loop.set_deadline(GRACE_SECONDS, self.end_of_grace)
        else:
            self.machine.kill()

    def control(self, line: str) -> None:
        """Sends a control line; dropped when the guest is gone or does not listen."""
        try:
            self.machine.channels["control"].send(line.encode() + b"\n")
        except OSError:
            pass

    def limit(self, seconds) -> None:
        """Gives the machine so many seconds."""
        def too_late():
            raise Fail(f"timed out after {seconds:g} s", errors.TIMED_OUT)
        if seconds is not None:
            self.loop.set_deadline(seconds, too_late)

    def end_on_signals(self, *numbers) -> None:
        """SIGTERM and the like: leave, by way of every `finally`."""
        def leave(number):
            def handler():
                raise SystemExit(128 + number)
            return handler
        for number in numbers:
            self.loop.catch(number, leave(number))

    def finished(self) -> bool:
        return all(link.done for link in self._guest_links)

    def run(self) -> int:
        """Pumps to the end. Returns the program's status; Fail when there is none."""
        self.loop.run(self.finished)
        return self.result()

    def result(self) -> int:
        qemu_status = self.machine.process.wait()
        if self.error:
            raise Fail(self.error, errors.NOT_STARTED)
        if self.status is not None:
            return self.status
        why = vm.explain(qemu_status, self.machine.errors())
        if self.log.data and not self.silent:
            print("\n".join(self.log.lines(20)), file=sys.stderr)
        raise Fail(why, errors.FAILED if why.startswith("QEMU: ") else errors.GUEST_FAILED)


class BatchSession(Session):
    """One program whose standard streams are this command's."""

    def __init__(self, machine: vm.Machine, trace_file=None, stdin: int = 0, stdout: int = 1, stderr: int = 2):
        super().__init__(machine)
        channels = machine.channels
        self.loop.add(Link(stdin, channels["stdin"].fileno(), on_end=self.end_of_input))
        self.from_guest("stdout", stdout, on_broken=lambda: self.lost("stdout"))
        self.from_guest("stderr", stderr, on_broken=lambda: self.lost("stderr"))
        self.from_guest("trace", stderr if trace_file is None else trace_file)
        self._interrupts = 0

    def end_of_input(self) -> None:
        import socket
        try:
            # Half of the connection only: the guest must first be able to take what is still in it.
            self.machine.channels["stdin"].shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def lost(self, name: str) -> None:
        """The reader of our output is gone (`| head`): the program is told as by a broken pipe."""
        self.machine.channels[name].close()
        self.control(f"signal {int(signal.SIGPIPE)}")

    def catch_signals(self) -> None:
        self.end_on_signals(signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
        self.loop.catch(signal.SIGINT, self.interrupted)
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # in the background: end of file, not a stop

    def interrupted(self) -> None:
        self._interrupts += 1
        if self._interrupts > 1 or not self.ready:
            raise SystemExit(128 + signal.SIGINT)
        self.control(f"signal {int(signal.SIGINT)}")


def open_missing_descriptors() -> None:
    """A caller may have closed 0, 1 or 2; then a socket of ours must not get that number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
