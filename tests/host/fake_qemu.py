#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Stands in for QEMU in the tests of the `exo` command: speaks the guest's side of docs/formats/boot.md.

Takes the descriptors of the character devices and the bundle from QEMU's arguments, and runs the job's
program on this machine. First arguments of its own instead of a program: `@panic` (kernel failure),
`@vanish` (power-off without a word), `@error` (cannot start), `@lines` (control lines to standard output).
"""
import os
import re
import socket
import subprocess
import sys
import threading


def channels() -> dict:
    found = {}
    for word in sys.argv:
        match = re.fullmatch(r"socket,id=(\w+),fd=(\d+)", word)
        if match:
            found[match.group(1)] = socket.socket(fileno=int(match.group(2)))
    return found


def job() -> dict:
    with open(sys.argv[sys.argv.index("-initrd") + 1], "rb") as file:
        bundle = file.read()
    assert bundle[:8] == b"XOKBNDL1" and int.from_bytes(bundle[16:24], "little") == len(bundle)
    found = {}
    for i in range(int.from_bytes(bundle[8:16], "little")):
        part = bundle[32 + 32 * i:64 + 32 * i]
        offset, length = int.from_bytes(part[16:24], "little"), int.from_bytes(part[24:32], "little")
        if part[:16].rstrip(b"\0") == b"job":
            for setting in bundle[offset:offset + length].split(b"\0")[:-1]:
                key, _, value = setting.decode().partition("=")
                found.setdefault(key, []).append(value)
    return found


def main() -> int:
    ports = channels()
    ports["log"].sendall(b"Xok: a stand-in\r\n")
    work = job()
    arguments = work.get("ARG", [])
    control = ports["control"].makefile("rw", buffering=1)
    if arguments[0] == "@panic":
        ports["log"].sendall(b"panic: on purpose\r\n")
        return 5
    if arguments[0] == "@vanish":
        return 0
    if arguments[0] == "@error":
        control.write(f"error {arguments[1]}: not found\n")
        return 0
    control.write("ready\n")
    control.flush()
    if arguments[0] == "@lines":
        line = control.readline()
        ports["stdout"].sendall(line.encode())
        control.write("exit 0\n")
        return 0
    environment = dict(setting.split("=", 1) for setting in work.get("ENV", []))
    program = subprocess.Popen(arguments, stdin=ports["stdin"], stdout=ports["stdout"], stderr=ports["stderr"],
                               env=environment)
    ports["stdin"].close()

    def follow():
        for line in control:
            if line.startswith("signal "):
                program.send_signal(int(line.split()[1]))
    threading.Thread(target=follow, daemon=True).start()
    status = program.wait()
    control.write(f"exit {status if status >= 0 else 128 - status}\n")
    control.flush()
    return 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
