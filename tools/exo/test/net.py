# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Cheetah seen from this machine: files are identical, no request fails, bad clients harm nobody."""
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from .. import build, install, paths
from ..run import free_port
from .runner import HANG_SECONDS

EXO = os.path.join(paths.ROOT, "exo")
FILES = 300
LARGEST = 10 << 20
BAD_CLIENTS = 200


def run(report) -> None:
    names = ("answers", "files-are-identical", "ab-new-connections", "ab-keep-alive", "slow-and-broken-clients",
             "ranges-and-dates", "bad-requests", "pipelined-requests", "stalled-request-times-out", "from-inside",
             "still-answers")
    wanted = [name for name in names if report.wants(name)]
    if not wanted:
        return
    install.ensure("run", "net")
    build.ensure(paths.GUEST_PRESET)
    folder = tempfile.mkdtemp(prefix="exo-net-")
    try:
        contents = make_files(f"{folder}/t")
        with Guest(f"{folder}/t") as guest:
            tests = Tests(guest, folder, contents)
            report.check("answers", tests.answers)
            if not guest.up:
                for name in wanted[1:]:
                    report.failed(name, "the server does not answer")
                return
            for name in names[1:]:
                report.check(name, getattr(tests, name.replace("-", "_")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_files(folder: str) -> dict:
    """300 files, the sizes around what matters to TCP and pages, the largest 10 MiB; the same every time."""
    os.makedirs(folder)
    source = random.Random(1)
    sizes = [0, 1, 2, 99, 100, 535, 536, 537, 1023, 1024, 1459, 1460, 1461, 2920, 4095, 4096, 4097, 8192, 65535, 65536,
             65537, 1 << 20, 5 << 20, LARGEST]
    while len(sizes) < FILES:
        sizes.append(int(2 ** source.uniform(0, 18)))
    contents = {}
    for number, size in enumerate(sizes):
        name = f"f{number:03}.bin"
        contents[name] = source.randbytes(size)
        with open(f"{folder}/{name}", "wb") as file:
            file.write(contents[name])
    return contents


class Guest:
    """A guest whose shell waits on a pipe while Cheetah serves."""

    def __init__(self, files: str):
        self.port, self.up = free_port(), False
        self.process = subprocess.Popen(
            [EXO, "run", "--quiet", "-m", "512M", "-p", f"{self.port}:80", "--add", f"{files}:/www/t"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def shell(self, command: str) -> str:
        """One line of output of a command in the guest."""
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def connect(self, seconds: float = HANG_SECONDS) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def exchange(self, request: bytes, seconds: float = HANG_SECONDS) -> bytes:
        """Sends and reads until the server closes or falls silent."""
        with self.connect(seconds) as connection:
            answer = b""
            try:
                connection.sendall(request)
                while data := connection.recv(65536):
                    answer += data
            except (TimeoutError, ConnectionError):
                pass
            return answer


def status_of(answer: bytes) -> int:
    match = re.match(rb"HTTP/1\.[01] (\d\d\d) ", answer)
    return int(match.group(1)) if match else 0


class Tests:
    def __init__(self, guest: Guest, folder: str, contents: dict):
        self.guest, self.folder, self.contents = guest, folder, contents

    def answers(self) -> None:
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline:
            if self.guest.process.poll() is not None:
                raise AssertionError(f"the guest ended: {self.guest.process.stderr.read().decode()}")
            try:
                answer = self.guest.exchange(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", 30)
            except OSError:
                answer = b""
            if status_of(answer) == 200 and b"<html" in answer:
                self.guest.up = True
                return
            time.sleep(0.2)
        raise AssertionError(f"no answer within {HANG_SECONDS} s")

    def files_are_identical(self) -> None:
        got = f"{self.folder}/got"
        os.makedirs(got)
        configuration = f"{self.folder}/curl"
        with open(configuration, "w") as file:
            for name in self.contents:
                file.write(f'url = "{self.guest.url("/t/" + name)}"\noutput = "{got}/{name}"\n')
        done = subprocess.run(["curl", "-sS", "--fail", "-K", configuration], capture_output=True,
                              text=True, timeout=HANG_SECONDS, check=False)
        assert done.returncode == 0, f"curl: status {done.returncode} {done.stderr[:1000]}"
        wrong = []
        for name, wanted in self.contents.items():
            path = f"{got}/{name}"
            data = b""
            if os.path.exists(path):
                with open(path, "rb") as file:
                    data = file.read()
            if data != wanted:
                wrong.append(f"{name}: {len(data)} of {len(wanted)} bytes")
        assert not wrong, f"{len(wrong)} of {len(self.contents)} differ: {'; '.join(wrong[:10])}"

    def ab(self, *options: str) -> None:
        done = subprocess.run(["ab", "-q", "-n", "2000", "-c", "16", "-s", str(HANG_SECONDS), *options,
                               self.guest.url("/t/f009.bin")], capture_output=True, text=True,
                              timeout=HANG_SECONDS, check=False)
        text = done.stdout + done.stderr
        assert done.returncode == 0, text[-2000:]
        assert re.search(r"Complete requests: +2000\b", text), text[-2000:]
        assert re.search(r"Failed requests: +0\b", text) and "Non-2xx" not in text, text[-2000:]

    def ab_new_connections(self) -> None:
        self.ab()

    def ab_keep_alive(self) -> None:
        self.ab("-k")

    def slow_and_broken_clients(self) -> None:
        """200 clients that dribble, stall, break off or send rubbish; meanwhile a good one is served."""
        source, bad = random.Random(2), []
        for number in range(BAD_CLIENTS):
            try:
                client = self.guest.connect()
                kind = number % 5
                if kind == 0:
                    client.sendall(b"GET /t/f0")
                elif kind == 1:
                    client.sendall(source.randbytes(3000))
                elif kind == 2:
                    client.sendall(b"GET /t/f023.bin HTTP/1.1\r\nHost: x\r\n\r\n")  # and never reads
                elif kind == 3:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    client.sendall(b"GET /t/f020.bin HTTP/1.1\r\nHost: x\r\n\r\n")
                    client.close()  # a reset
                bad.append(client)
            except OSError:
                pass  # refused or reset: the server's right
        try:
            for name in ("f005.bin", "f018.bin", "f021.bin"):
                began = time.monotonic()
                answer = self.guest.exchange(f"GET /t/{name} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
                body = answer.partition(b"\r\n\r\n")[2]
                assert status_of(answer) == 200 and body == self.contents[name], \
                    f"{name}: status {status_of(answer)}, {len(body)} bytes after {time.monotonic() - began:.0f} s"
        finally:
            for client in bad:
                client.close()

    def ranges_and_dates(self) -> None:
        data = self.contents["f018.bin"]

        def ask(headers: str, method: str = "GET"):
            answer = self.guest.exchange(
                f"{method} /t/f018.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode())
            head, _, body = answer.partition(b"\r\n\r\n")
            return status_of(answer), head.decode("latin-1"), body
        for wish, part in (("0-9", data[:10]), ("100-", data[100:]), ("-5", data[-5:])):
            status, head, body = ask(f"Range: bytes={wish}\r\n")
            assert (status, body) == (206, part) and "content-range: bytes" in head.lower(), f"{wish}: {head}"
        assert ask("Range: bytes=9999999-\r\n")[0] == 416
        status, head, body = ask("", "HEAD")
        assert (status, body) == (200, b"") and f"content-length: {len(data)}" in head.lower(), head
        date = re.search(r"(?im)^last-modified: (.*?)\r?$", head)
        assert date, f"no Last-Modified: {head}"
        status, _, body = ask(f"If-Modified-Since: {date.group(1)}\r\n")
        assert (status, body) == (304, b""), status

    def bad_requests(self) -> None:
        wrong = []
        for request, wanted in (
                (b"GET / HTTP/1.1\r\n\r\n", (400,)),  # no Host
                (b"NONSENSE\r\n\r\n", (400,)),
                (b"GET /\x00 HTTP/1.0\r\n\r\n", (400,)),
                (b"GET / HTTP/1.1\r\nHost: x\r\nno colon here\r\nConnection: close\r\n\r\n", (400,)),
                (b"GET /../../etc/passwd HTTP/1.0\r\n\r\n", (400, 403, 404)),
                (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n", (400, 403, 404)),
                (b"GET /nothing-here HTTP/1.0\r\n\r\n", (404,)),
                (b"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", (405,)),
                (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", (405,)),
                (b"BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", (501,)),
                (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414,)),
                (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100000 + b"\r\n\r\n", (431,)),
                (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n", (431,)),
                (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", (505,))):
            got = status_of(self.guest.exchange(request))
            if got not in wanted:
                wrong.append(f"{request[:50]!r}: {got}, not {wanted}")
        assert not wrong, "\n".join(wrong)

    def pipelined_requests(self) -> None:
        names = ("f004.bin", "f000.bin", "f016.bin")
        requests = b"".join(b"GET /t/%s HTTP/1.1\r\nHost: x\r\n%s\r\n" %
                            (name.encode(), b"Connection: close\r\n" if name == names[-1] else b"") for name in names)
        answer = self.guest.exchange(requests)
        for name in names:
            head, _, answer = answer.partition(b"\r\n\r\n")
            length = len(self.contents[name])
            assert status_of(head) == 200 and answer[:length] == self.contents[name], f"{name}: {head!r}"
            answer = answer[length:]

    def stalled_request_times_out(self) -> None:
        """An unfinished request is answered with 408 or closed, in the end."""
        with self.guest.connect() as connection:
            connection.sendall(b"GET / HT")
            answer = connection.recv(1000)
            assert answer == b"" or status_of(answer) == 408, answer

    def from_inside(self) -> None:
        """busybox' wget through ExOS' sockets, and ping to the gateway."""
        assert self.guest.shell("wget -q -O - http://10.0.2.15/t/f009.bin | wc -c") == "1024"
        assert self.guest.shell("ping -c 2 10.0.2.2 > /dev/null && echo reached") == "reached"

    def still_answers(self) -> None:
        """After all of it: sixteen good clients at once."""
        wrong = []

        def fetch():
            answer = self.guest.exchange(b"GET /t/f017.bin HTTP/1.0\r\nHost: x\r\n\r\n")
            if answer.partition(b"\r\n\r\n")[2] != self.contents["f017.bin"]:
                wrong.append(status_of(answer))
        threads = [threading.Thread(target=fetch) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong, f"{len(wrong)} of 16 got something else: {wrong}"
