# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Requests against a web server in a guest: instructions per request, and where they were spent.

Both guests are reached the same way, over QEMU's user network, and asked by the same client in the same
mode: "new" opens a connection for each request, "keep" keeps it; with 1 connection, or with 16, where
requests share interrupts and acknowledgements.
"""
import os
import signal
import socket
import subprocess
import time

from exo import processes
from exo.errors import Fail

from . import counters, tools

REPETITIONS = 11
REQUESTS = {"new": 400, "keep": 1000}
FIRST_ANSWER_S = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int, path: str) -> bool:
    """Whether the server answers one request, now."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
            connection.settimeout(3)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def drive(port: int, path: str, connections: int, requests: int, mode: str) -> None:
    words = [str(port), path, str(connections), str(requests), "keep" if mode == "keep" else "close"]
    done = subprocess.run([tools.program("load"), *words], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Fail(f"requests failed ({mode}, {connections} connections): {done.stdout.strip()}")


def measure(command: list, port: int, path: str, modes: list) -> dict:
    """Starts a guest and measures it. Returns  (mode, connections) -> Figure, or why there is none

    command  starts a guest that serves `path` on `port` until it is told to end
    modes    (mode, connections) pairs
    """
    count_file = next(word for word in command if "out=" in word).partition("out=")[2].partition(",")[0]
    guest = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, start_new_session=True,
                             preexec_fn=processes.dies_with_us(signal.SIGKILL))
    try:
        wait_for_server(guest, port, path)
        return {key: measure_mode(count_file, port, path, *key) for key in modes}
    finally:
        stop(guest)


def wait_for_server(guest: subprocess.Popen, port: int, path: str) -> None:
    end = time.monotonic() + FIRST_ANSWER_S
    while not answers(port, path):
        if guest.poll() is not None:
            raise Fail(f"the guest ended: {guest.stderr.read().decode()[-400:].strip()}")
        if time.monotonic() > end:
            raise Fail(f"no answer to GET {path} within {FIRST_ANSWER_S} s")
        time.sleep(0.2)


def measure_mode(count_file: str, port: int, path: str, mode: str, connections: int):
    requests = REQUESTS[mode]
    try:
        drive(port, path, connections, requests // 4, mode)
        samples = []
        for _ in range(REPETITIONS):
            before = counters.read(count_file)
            drive(port, path, connections, requests, mode)
            samples.append(counters.difference(before, counters.read(count_file)))
        return counters.figure(samples, requests)
    except Fail as why:
        return str(why)


def stop(guest: subprocess.Popen) -> None:
    """Ends a guest: `exo run` and QEMU both end on SIGTERM."""
    guest.terminate()
    try:
        guest.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(guest.pid, 9)
        guest.wait()
    for stream in (guest.stdin, guest.stderr):
        stream.close()
