# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Pumps between descriptors in one poll loop: byte-exact, bounded memory, end of file passed on.

A Link moves bytes from one descriptor to another or to a function. It reads only when it has nothing left
to write, so a slow reader slows the writer down (backpressure) through QEMU's and the guest's queues.
"""
import os
import select
import signal
import socket
import stat
import time
from functools import reduce
from operator import or_

CHUNK = 65536
PIPE_CHUNK = 4096  # what a pipe that polls as writable takes without blocking


class Link:
    """source -> sink. `sink` is a descriptor, or a function that is given each piece of bytes."""

    def __init__(self, source: int, sink, on_end=None, on_broken=None):
        """on_end: called once when the source has ended and all is written; on_broken: the sink is gone."""
        self.source, self.on_end, self.on_broken = source, on_end, on_broken
        self.write = sink if callable(sink) else None
        self.sink = -1 if callable(sink) else sink
        self.pending = memoryview(b"")
        self.ended = False  # the source
        self.done = False  # everything
        self.moved = 0
        self.chunk = CHUNK
        if self.write is None and not stat.S_ISREG(os.fstat(self.sink).st_mode):
            self.chunk = PIPE_CHUNK if not is_socket(self.sink) else CHUNK

    def interest(self):
        """(descriptor, poll event) this link waits for, or None when it is done."""
        if self.done:
            return None
        return (self.sink, select.POLLOUT) if self.pending else (self.source, select.POLLIN)

    def step(self) -> None:
        """Does what can be done without waiting, now that the descriptor of `interest` is ready."""
        if self.pending:
            self._flush()
            return
        try:
            data = os.read(self.source, CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # the peer is gone (connection reset), or a background read of the terminal
            data = b""
        if not data:
            self.ended = True
            self._finish()
        elif self.write:
            self.moved += len(data)
            self.write(data)
        else:
            self.pending = memoryview(data)
            self._flush()

    def _flush(self) -> None:
        try:
            count = os.write(self.sink, self.pending[:self.chunk])
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.pending = memoryview(b"")
            self.done = True
            if self.on_broken:
                self.on_broken()
            return
        self.moved += count
        self.pending = self.pending[count:]
        if self.ended and not self.pending:
            self._finish()

    def _finish(self) -> None:
        self.done = True
        if self.on_end:
            self.on_end()


class Loop:
    """Runs links until `finished()` says so, a deadline passes, or a handler raises."""

    def __init__(self):
        self.links = []
        self.signals = {}  # number -> handler, called from the loop
        self.deadline = None
        self.on_deadline = None
        self._wakeup, self._wakeup_writer = socket.socketpair()
        self._wakeup.setblocking(False)
        self._wakeup_writer.setblocking(False)
        self._old_handlers = {}

    def add(self, link: Link) -> Link:
        self.links.append(link)
        return link

    def catch(self, number: int, handler) -> None:
        """Calls `handler` from the loop when the signal arrives; one that we are to ignore (nohup) stays ignored."""
        if signal.getsignal(number) == signal.SIG_IGN:
            return
        self.signals[number] = handler
        if not self._old_handlers:
            signal.set_wakeup_fd(self._wakeup_writer.fileno(), warn_on_full_buffer=False)
        self._old_handlers[number] = signal.signal(number, lambda *_: None)

    def set_deadline(self, seconds, handler) -> None:
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.on_deadline = handler

    def run(self, finished) -> None:
        try:
            while not finished():
                self._turn()
        finally:
            if self._old_handlers:
                signal.set_wakeup_fd(-1)
            for number, handler in self._old_handlers.items():
                signal.signal(number, handler)
            self._wakeup.close()
            self._wakeup_writer.close()

    def _turn(self) -> None:
        poll, waiting = select.poll(), {}
        poll.register(self._wakeup, select.POLLIN)
        for link in self.links:
            interest = link.interest()
            if interest:
                waiting.setdefault(interest[0], []).append((interest[1], link))
        for descriptor, links in waiting.items():
            poll.register(descriptor, reduce(or_, (event for event, _ in links)))
        timeout = None if self.deadline is None else max(0, (self.deadline - time.monotonic()) * 1000)
        for descriptor, happened in poll.poll(timeout):
            if descriptor == self._wakeup.fileno():
                for number in self._wakeup.recv(256):
                    if number in self.signals:
                        self.signals[number]()
            for event, link in waiting.get(descriptor, ()):
                if happened & ~(select.POLLIN | select.POLLOUT) or happened & event:
                    link.step()
        if self.deadline is not None and time.monotonic() >= self.deadline:
            self.deadline = None
            self.on_deadline()


class Lines:
    """A function for a Link that calls `handler` with each whole line, without its end."""

    def __init__(self, handler):
        self._handler = handler
        self._rest = b""

    def __call__(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._handler(line.rstrip(b"\r").decode(errors="replace"))


class Tail:
    """Keeps the last bytes of what it is given."""

    LIMIT = 65536

    def __init__(self):
        self.data = b""

    def __call__(self, data: bytes) -> None:
        self.data = (self.data + data)[-self.LIMIT:]

    def lines(self, count: int) -> list:
        return [line.rstrip("\r") for line in self.data.decode(errors="replace").split("\n") if line.strip()][-count:]


def is_socket(descriptor: int) -> bool:
    return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
