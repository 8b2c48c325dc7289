# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Unmodified programs: shell lines of tests/linux/, by the same static busybox here and in the guest.

Output, errors and status must be the same bytes. All cases run in one boot. When the guest stops
answering, the case it was in fails, and the others go on in a new boot. A sample runs once more with two
processors, named NAME@2. EXO_TEST_CPUS=N gives all cases N processors.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from .. import build, install, paths
from ..errors import Fail
from . import cases
from .runner import HANG_SECONDS

REBOOTS = 6
SAMPLE = 6  # every such case runs with two processors as well
LIMITED_USER = 64321  # nobody else's, so that a limit on a user's processes counts the case's only
GUEST_FOLDER = "/t"
ENVIRONMENT = {"HOME": "/root", "TZ": "UTC", "LC_ALL": "C", "TERM": "vt100"}
GUEST_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def run(report) -> None:
    install.ensure("run")
    wanted = [case for case in cases.load() if report.wants(case.name)]
    if not wanted:
        return
    busybox = install.busybox()
    build.ensure(paths.GUEST_PRESET)
    # /tmp, for the cases that run here as a user who may not look into the tree.
    scratch = tempfile.mkdtemp(prefix="exo-linux-", dir="/tmp")
    try:
        os.chmod(scratch, 0o755)
        here = {}
        worker = threading.Thread(target=lambda: here.update(on_host(wanted, busybox, f"{scratch}/host")))
        worker.start()
        cpus = int(os.environ.get("EXO_TEST_CPUS", "1"))
        there = in_guest(wanted, f"{scratch}/guest", cpus)
        sample = wanted[::SAMPLE] if cpus == 1 and not report.narrowed else []
        again = in_guest(sample, f"{scratch}/again", 2) if sample else {}
        worker.join()
        for case in wanted:
            compare(report, case.name, here.get(case.name), there.get(case.name))
        for case in sample:
            compare(report, f"{case.name}@2", here.get(case.name), again.get(case.name))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def compare(report, name: str, here, there) -> None:
    """here: (status, output, errors), or why there is none; there: likewise."""
    if here is None:
        report.failed(name, "no result on this machine")
    elif isinstance(here, str):
        report.skipped(name, here)
    elif there is None or isinstance(there, str):
        report.failed(name, there or "no result in the guest")
    elif here == there:
        report.passed(name)
    else:
        report.failed(name, difference(here, there))


def difference(here, there) -> str:
    import difflib
    lines = []
    if here[0] != there[0]:
        lines.append(f"status: {here[0]} here, {there[0]} in the guest")
    for what, ours, theirs in (("output", here[1], there[1]), ("errors", here[2], there[2])):
        if ours != theirs:
            ours, theirs = (data.decode("latin-1").split("\n") for data in (ours, theirs))
            lines += list(difflib.unified_diff(ours[:2000], theirs[:2000], f"{what}, here", f"{what}, guest",
                                               lineterm="", n=1))[:40]
    return "\n".join(lines)


def on_host(wanted: list, busybox: str, folder: str) -> dict:
    """Runs the cases on this machine, the limited ones as a user of their own."""
    applets = f"{folder}/bin"
    os.makedirs(applets)
    shutil.copyfile(busybox, f"{folder}/bin/busybox")
    os.chmod(f"{folder}/bin/busybox", 0o755)
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if name != "busybox":
            os.symlink("busybox", f"{applets}/{name}")
    found, plain, limited = {}, [], []
    for case in wanted:
        if case.needs and not os.path.exists(case.needs):
            found[case.name] = f"needs {case.needs} on this machine"
        elif case.limited and os.geteuid() != 0:
            found[case.name] = "needs root on this machine, for a user of its own"
        else:
            (limited if case.limited else plain).append(case)
    for group, user in ((plain, None), (limited, LIMITED_USER)):
        if group:
            place = f"{folder}/{user or 'cases'}"
            cases.lay_out(place, group)
            found.update(drive_host(f"{applets}/busybox", applets, place, user))
    return found


def drive_host(busybox: str, applets: str, place: str, user) -> dict:
    if user:
        for top, folders, names in os.walk(place):
            for name in (".", *folders, *names):
                os.lchown(os.path.join(top, name), user, user)
    identity = {"user": user, "group": user, "extra_groups": []} if user else {}
    done = subprocess.run([busybox, "sh", "driver.sh"], cwd=place, env=dict(ENVIRONMENT, PATH=applets),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          start_new_session=True, check=False, **identity)
    return read_results(done.stdout)


def in_guest(wanted: list, folder: str, cpus: int) -> dict:
    """Runs the cases in the guest; one that never ends costs a reboot."""
    found, remaining = {}, [case for case in wanted]
    for attempt in range(REBOOTS + 1):
        if not remaining:
            break
        place = f"{folder}/{attempt}"
        cases.lay_out(place, remaining)
        results, current, why = drive_guest(place, {case.name: case.seconds for case in remaining}, cpus)
        found.update(results)
        if current is not None:
            found.setdefault(current, why)
        elif not results:
            raise Fail(f"the guest ran no case: {why}")
        remaining = [case for case in remaining if case.name not in found]
    for case in remaining:
        found[case.name] = f"not run: the guest was started {REBOOTS + 1} times already"
    return found


def drive_guest(place: str, seconds: dict, cpus: int):
    """One boot: (results, the case that did not end or None, why)."""
    settings = [f"{name}={value}" for name, value in ENVIRONMENT.items()] + [f"PATH={GUEST_PATH}"]
    command = [os.path.join(paths.ROOT, "exo"), "run", "--quiet", "-p", "none", "-m", "512M", "-c", str(cpus),
               "--add", f"{place}:{GUEST_FOLDER}", "--cwd", GUEST_FOLDER, "--",
               "env", "-i", *settings, "sh", "driver.sh"]
    process = subprocess.Popen(command, cwd=paths.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    state = {"case": None, "since": time.monotonic(), "errors": b""}

    def follow():
        for line in process.stderr:
            if line.startswith(b"CASE "):
                state.update(case=line[5:].decode().strip(), since=time.monotonic())
            else:
                state["errors"] = (state["errors"] + line)[-4000:]
    output = bytearray()
    readers = [threading.Thread(target=follow), threading.Thread(target=lambda: read_all(process.stdout, output))]
    for reader in readers:
        reader.start()
    why = ""
    while process.poll() is None:
        time.sleep(0.05)
        limit = seconds.get(state["case"], 0) * cases.SLOWNESS + HANG_SECONDS
        if time.monotonic() - state["since"] > limit:
            why = f"the guest hung in this case (nothing for {limit:.0f} s)"
            process.send_signal(signal.SIGTERM)
            process.wait(HANG_SECONDS)
    for reader in readers:
        reader.join()
    results = read_results(bytes(output))
    if output.endswith(b"END\n") and process.returncode == 0:
        return results, None, ""
    text = state["errors"].decode(errors="replace").strip()
    why = (why or f"the guest ended in this case, status {process.returncode}") + (f"\n{text}" if text else "")
    current = state["case"]
    return results, current if current not in results else None, why


def read_all(stream, output: bytearray) -> None:
    while chunk := stream.read1(65536):
        output += chunk


def read_results(output: bytes) -> dict:
    """The RESULT records of driver.sh: name -> (status, output, errors)."""
    found, at = {}, 0
    while output.startswith(b"RESULT ", at):
        end = output.find(b"\n", at)
        words = output[at:end].split()
        if end < 0 or len(words) != 5 or not all(word.isdigit() for word in words[2:]):
            break
        length, errors_length = int(words[3]), int(words[4])
        middle, at = end + 1 + length, end + 1 + length + errors_length
        if at > len(output):
            break
        found[words[1].decode()] = (int(words[2]), output[end + 1:middle], output[middle:at])
    return found
