# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The guest's shell on this terminal: raw mode, Ctrl-A commands, window size."""
import os
import select
import signal
import sys
import termios
import tty

from .session import Session
from .streams import Link

CTRL_A = 0x01
HELP = "\r\nCtrl-A X leaves (the machine is switched off); Ctrl-A Ctrl-A sends Ctrl-A.\r\n"


class RawTerminal:
    """Raw mode while the context lasts; always put back."""

    def __enter__(self):
        self._saved = termios.tcgetattr(0)
        tty.setraw(0)
        return self

    def __exit__(self, *_):
        termios.tcsetattr(0, termios.TCSADRAIN, self._saved)
        sys.stdout.flush()


class TerminalSession(Session):
    """Connects the terminal's port with standard input and output."""

    def __init__(self, machine, quiet: bool):
        self._boot_lines = not quiet
        super().__init__(machine)
        self.from_guest("tty", 1)
        self.from_guest("trace", self.log)
        self.loop.add(Link(0, self.typed, on_end=self.leave))
        self.escape = False
        self.left = False
        self.loop.catch(signal.SIGWINCH, self.send_size)
        self.end_on_signals(signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
        self.send_size()

    def on_log(self, data: bytes) -> None:
        super().on_log(data)
        if self._boot_lines:
            os.write(1, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def on_ready(self) -> None:
        self._boot_lines = False
        self.send_size()

    def send_size(self) -> None:
        try:
            size = os.get_terminal_size(0)
        except OSError:
            return
        self.control(f"winsize {size.lines} {size.columns}")

    def typed(self, data: bytes) -> None:
        """Bytes from the keyboard: all go to the guest, but for Ctrl-A and the key after it."""
        out = bytearray()
        for byte in data:
            if self.escape:
                self.escape = False
                if byte in b"xX":
                    self.leave()
                    return
                if byte == CTRL_A:
                    out.append(CTRL_A)
                else:
                    os.write(1, HELP.encode())
            elif byte == CTRL_A:
                self.escape = True
            else:
                out.append(byte)
        self.send(bytes(out))

    def send(self, data: bytes) -> None:
        channel = self.machine.channels["tty"]
        while data:
            try:
                data = data[channel.send(data):]
            except BlockingIOError:
                waiting = select.poll()
                waiting.register(channel, select.POLLOUT)
                if not waiting.poll(1000):
                    return  # the guest does not read its keyboard
            except OSError:
                return

    def leave(self) -> None:
        self.left = True
        self.machine.kill()

    def finished(self) -> bool:
        return self.left or super().finished()

    def result(self) -> int:
        if self.left:
            os.write(1, b"\r\n")
            return 0
        return super().result()
