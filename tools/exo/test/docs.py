# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Every fenced `sh` block of the documents is run, in order, and must end with status 0; nothing in them is stale.

A block runs in the root of the tree; one that clones the project, in an empty folder. Words after `sh`:
    with-guest   while a guest serves, on a free port that takes the place of 8080
Blocks marked `text` are transcripts. `./exo test` without a filter, inside a document, runs the suite
`tools` only, for it would not end otherwise.  Names: FILE:LINE

    reference/PAGE   the page is what `./exo docs` writes now; reference/complete: errors and cost of every call
    tutorial/code    the C++ of docs/tutorial.md, in order, is the program it explains, of 100 lines at most
    tutorial/output  the program, booted, prints what the first transcript shows
"""
import difflib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from .. import build, install, paths, reference
from ..run import free_port
from .runner import HANG_SECONDS

PRELUDE = """set -e
git() {
  if [ "$1" = clone ]; then ln -s "$XOK_ROOT" "${3:-$(basename "$2" .git)}"; else command git "$@"; fi
}
"""


TUTORIAL = ("docs/tutorial.md", "apps/examples/tiny_libos.cpp")


def run(report) -> None:
    check_reference(report)
    report.check("tutorial/code", lambda: check_tutorial(*(reference.read(path) for path in TUTORIAL)))
    report.check("tutorial/output", lambda: check_tutorial_output(reference.read(TUTORIAL[0])))
    for name, words, text in blocks():
        report.check(name, lambda words=words, text=text: run_block(words, text))


def check_reference(report) -> None:
    if any(report.wants(f"reference/{name}") for name in ("calls.md", "window.md")):
        for name, text in reference.pages().items():
            report.check(f"reference/{name}", lambda name=name, text=text: same_page(name, text))
    report.check("reference/complete", check_complete)


def check_complete() -> None:
    missing = reference.missing(reference.read("abi/syscalls.def"), reference.headers())
    assert not missing, f"kernel/core/calls_*.hpp do not say of every call what they must: {', '.join(missing)}"


def same_page(name: str, text: str) -> None:
    path = os.path.join(reference.FOLDER, name)
    old = build.read(path)
    if old != text:
        changed = list(difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm="", n=0))
        raise AssertionError(f"{paths.relative(path)} is stale: ./exo docs writes it again\n" + "\n".join(changed[:30]))


def check_tutorial(page: str, program: str) -> None:
    pieces = re.findall(r"^```cpp\n(.*?)^```$", page, re.M | re.S)
    assert pieces, f"{TUTORIAL[0]} shows no C++"
    shown, wanted = ([line for line in text.splitlines() if line.strip()] for text in ("".join(pieces), program))
    assert len(wanted) <= 100, f"{TUTORIAL[1]} has {len(wanted)} lines"
    changed = list(difflib.unified_diff(wanted, shown, *reversed(TUTORIAL), lineterm=""))
    assert not changed, "the tutorial shows another program\n" + "\n".join(changed[:30])


def check_tutorial_output(page: str) -> None:
    install.ensure("run")
    transcript = re.search(r"^```text\n(.*?)^```$", page, re.M | re.S).group(1)
    program = os.path.join(paths.GUEST_APPS, "examples/tiny_libos.elf")
    done = subprocess.run([os.path.join(paths.ROOT, "exo"), "run", "--quiet", "-p", "none", "--init", program],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG_SECONDS, check=False)
    output = done.stdout.decode(errors="replace").replace("\r", "")
    assert done.returncode == 0 and output.endswith(transcript), f"status {done.returncode}\n{output[-1000:]}"


def documents() -> list:
    found = [os.path.join(paths.ROOT, name) for name in ("README.md", "CONTRIBUTING.md")]
    for folder, folders, names in os.walk(os.path.join(paths.ROOT, "docs")):
        folders.sort()
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".md")]
    return [path for path in found if os.path.isfile(path)]


def blocks() -> list:
    """(name, words after `sh`, text) of each block."""
    found = []
    for path in documents():
        fence, start, text = None, 0, []
        with open(path) as file:
            for number, line in enumerate(file, 1):
                mark = re.match(r"\s*```(.*)", line)
                if mark and fence is None:
                    fence, start, text = mark.group(1).split(), number, []
                elif mark:
                    if fence[:1] == ["sh"]:
                        found.append((f"{paths.relative(path)}:{start}", fence[1:], "".join(text)))
                    fence = None
                else:
                    text.append(line)
    return found


def run_block(words: list, text: str) -> None:
    install.ensure("docs", "run")
    scratch = tempfile.mkdtemp(prefix="exo-docs-")
    guest = None
    try:
        if "with-guest" in words:
            port = free_port()
            guest, text = serve(port), text.replace("localhost:8080", f"localhost:{port}")
        environment = dict(os.environ, XOK_ROOT=paths.ROOT, EXO_IN_TEST="1")
        process = subprocess.Popen(["bash", "-c", PRELUDE + text], env=environment, stdin=subprocess.DEVNULL,
                                   cwd=scratch if "git clone" in text else paths.ROOT, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            output, _ = process.communicate(timeout=HANG_SECONDS)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, 15)
            output, _ = process.communicate()
            raise AssertionError(f"still running after {HANG_SECONDS} s\n{tail(output)}") from error
        assert process.returncode == 0, f"status {process.returncode}\n{tail(output)}"
    finally:
        if guest:
            guest.terminate()
            guest.communicate()
        shutil.rmtree(scratch, ignore_errors=True)


def tail(output: bytes) -> str:
    return output.decode(errors="replace")[-3000:]


def serve(port: int):
    """A guest whose web server answers on this port."""
    guest = subprocess.Popen([os.path.join(paths.ROOT, "exo"), "run", "--quiet", "-p", f"{port}:80"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline and guest.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 30) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if connection.recv(100).startswith(b"HTTP/"):
                    return guest
        except OSError:
            pass
        time.sleep(0.2)
    guest.terminate()
    raise AssertionError(f"no guest serves: {tail(guest.communicate()[0])}")
