# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo graft` as its user meets it: the samples, wrong use, files that are no grafts. No guest runs."""
import os
import struct
import subprocess
import tempfile

from .. import build, install, paths
from .runner import HANG_SECONDS

EXO = os.path.join(paths.ROOT, "exo")
SAMPLES = os.path.join(paths.ROOT, "libs/graft/samples")
INDIRECT = os.path.join(SAMPLES, "indirect.c")
EXIT = bytes([0x95, 0, 0, 0, 0, 0, 0, 0])


def run(report) -> None:
    install.ensure("graft")
    build.ensure(paths.TOOLS_PRESET)
    for name, test in (("help", help_text), ("wrong-use", wrong_use), ("check-samples", check_samples),
                       ("check-refuses", check_refuses), ("check-helpers", check_helpers), ("dump", dump),
                       ("run-sample", run_sample), ("run-partition", run_partition), ("run-registers", run_registers),
                       ("run-stops", run_stops), ("compiled-is-the-same", compiled_is_the_same),
                       ("names", names), ("source-that-does-not-compile", bad_source),
                       ("missing-files", missing_files), ("garbage", garbage), ("truncated-object", truncated)):
        report.check(name, test)


def graft(*arguments):
    """(status, output, errors) of `exo graft ARGUMENT...`."""
    try:
        done = subprocess.run([EXO, "graft", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=HANG_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"still running: exo graft {' '.join(arguments)}") from error
    return done.returncode, done.stdout, done.stderr


def same(got, wanted) -> None:
    assert got == wanted, f"got {got!r}, not {wanted!r}"[:2000]


class Files:
    """Files for a test, in a folder that goes with it."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def put(self, name: str, data) -> str:
        path = os.path.join(self._folder.name, name)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path

    def compile(self, source: str) -> str:
        output = os.path.join(self._folder.name, os.path.basename(source) + ".o")
        subprocess.run(["clang-19", "-target", "bpf", "-O2", f"-I{paths.ROOT}", "-c", source, "-o", output],
                       check=True)
        return output


def block(pointers: dict) -> bytes:
    """An indirect block with these pointers."""
    return struct.pack("<512Q", *(pointers.get(i, 0) for i in range(512)))


def help_text() -> None:
    status, output, errors = graft("--help")
    same((status, errors), (0, ""))
    for word in ("usage: ./exo graft", "check", "dump", "run", "--input", "--arg", "--steps", "--reads", "--compile"):
        assert word in output, output


def wrong_use() -> None:
    for arguments, said in (
            ((), "COMMAND"), (("check",), "FILE"), (("eat", "x"), "invalid choice"),
            (("check", "x", "y", "z"), "unrecognized"), (("run", "--nonsense", "x"), "--nonsense"),
            (("run", "--steps", "0", "x"), "positive"), (("run", "--arg", "one", "x"), "number of 64 bits"),
            (("run", "--arg", str(1 << 64), "x"), "number of 64 bits"),
            (("check", "--helper", str(1 << 32), "x"), "number of 32 bits"),
            (("run", "--output-size", "99999999", "x"), "16 MiB"),
            (("check", "--input", "x", "y"), "--input is for"), (("dump", "--compile", "y"), "--compile is for"),
            (("run", "--helper", "1", "y"), "--helper is for"),
            (("run", *["--arg=1"] * 6, "x"), "at most 5"),
            (("run", "--input", "x", *["--arg=1"] * 3, "x"), "at most 5"),
            (("run", *["--input=x"] * 5, "x"), "at most 4 inputs")):
        status, output, errors = graft(*arguments)
        same((status, output), (2, ""))
        assert errors.startswith("exo: ") and said in errors and errors.count("\n") == 1, (arguments, errors)


def check_samples() -> None:
    status, output, errors = graft("check", INDIRECT)
    same((status, errors), (0, ""))
    lines = output.splitlines()
    same([line.split(":")[0] for line in lines], ["owns", "owns_partition"])
    assert all("accepted" in line and "instructions" in line for line in lines), output
    same(graft("check", os.path.join(SAMPLES, "directory.cpp"))[0], 0)
    same(graft("check", INDIRECT, "owns")[1].count("\n"), 1)


def check_refuses() -> None:
    with Files() as files:
        status, output, _ = graft("check", files.put("raw", bytes(8) + EXIT))
        same(status, 1)
        assert "refused: instruction 0: unknown opcode" in output, output
        table = files.put("t.c", '#include "abi/graft.h"\nstatic const int t[] = {3, 1, 4, 1, 5};\n'
                                 "XOK_GRAFT(pick) xok_u64 pick(xok_u64 i) { return t[i]; }\n"
                                 "XOK_GRAFT(fine) xok_u64 fine(xok_u64 i) { return i; }\n")
        status, output, _ = graft("check", table)
        same(status, 1)
        assert "pick: refused: refers to a variable" in output and "fine: accepted" in output, output
        status, output, errors = graft("run", table, "pick")
        same((status, output), (1, ""))
        assert "pick: refused: refers to a variable" in errors, errors


def check_helpers() -> None:
    with Files() as files:
        calls = files.put("calls", struct.pack("<BBhi", 0x85, 0, 0, 7) + EXIT)
        status, output, _ = graft("check", calls)
        assert status == 1 and "a helper that is not declared" in output, output
        same(graft("check", "--helper", "7", calls)[0], 0)


def dump() -> None:
    status, output, _ = graft("dump", INDIRECT, "owns_partition")
    same(status, 0)
    lines = output.splitlines()
    same((lines[0], lines[-1].split(maxsplit=1)[1]), ("owns_partition:", "exit"))
    assert any("= *(u64 *)(r1 + 0x0)" in line for line in lines), output
    with Files() as files:  # what would be refused can be looked at
        listed = graft("dump", files.put("raw", b"\xff" * 8))[1].splitlines()
        same(listed[1].split(), ["0", ".quad", "0xffffffffffffffff"])


def run_sample() -> None:
    with Files() as files:
        data = files.put("block", block({3: 1000, 511: 7}))
        status, output, errors = graft("run", "--input", data, INDIRECT, "owns")
        same((status, errors), (0, ""))
        lines = output.splitlines()
        same(lines[0], "result: 2 (0x2)")
        assert lines[1].startswith("steps: ") and int(lines[1].split()[1]) > 512, output
        same(lines[2:], ["output: 29 bytes, then zeros",
                         "  000000 e8 03 00 00 00 00 00 00 01 00 00 00 07 00 00 00",
                         "  000010 07 00 00 00 00 00 00 00 01 00 00 00 07"])


def run_partition() -> None:
    with Files() as files:
        data = files.put("block", block({3: 1000}))
        status, output, _ = graft("run", "--input", data, "--arg", "3", "--reads", INDIRECT, "owns_partition")
        same(status, 0)
        assert "result: 1 (0x1)" in output and "input 0, bytes read: 24-31\n" in output, output


def run_registers() -> None:
    with Files() as files:
        for register, result in enumerate((11, 12, 13, 14, 2**64 - 1), 1):
            move = files.put("move", bytes([0xbf, register << 4, 0, 0, 0, 0, 0, 0]) + EXIT)
            output = graft("run", *(f"--arg={value}" for value in (11, 12, "0x0d", 14, -1)), move)[1]
            same(output.splitlines()[0], f"result: {result} ({result:#x})")


def run_stops() -> None:
    with Files() as files:
        data = files.put("block", block({i: i + 1 for i in range(512)}))
        short = files.put("short", block({})[:4095])
        for options, said in (
                (("--steps", "100", "--input", data), "out of steps"),
                (("--input", short), "a read outside"), (("--output-size", "100", "--input", data), "a write outside")):
            for engine in ((), ("--compile",)):
                status, output, errors = graft("run", *options, *engine, INDIRECT, "owns")
                same(status, 1)
                assert f"exo: owns: stopped: {said}" in errors, errors
                assert "steps: " in output and "result" not in output, output


def compiled_is_the_same() -> None:
    with Files() as files:
        data = files.put("block", block({i: 3 * i for i in range(512)}))
        arguments = ("run", "--reads", "--output-size", "8192", "--input", data, INDIRECT, "owns")
        same(graft(*arguments, "--compile"), graft(*arguments))


def names() -> None:
    with Files() as files:
        object_file = files.compile(INDIRECT)
        same(graft("check", object_file)[0], 0)
        for arguments, said in ((("run", object_file), "which graft? It holds: owns owns_partition"),
                                (("dump", object_file, "own"), "no graft own; it holds: owns owns_partition")):
            status, output, errors = graft(*arguments)
            same((status, output), (1, ""))
            assert said in errors, errors


def bad_source() -> None:
    with Files() as files:
        status, output, errors = graft("check", files.put("bad.c", "this is not C\n"))
        same((status, output), (1, ""))
        assert "was not compiled" in errors, errors


def missing_files() -> None:
    for arguments in (("check", "/no/such/file"), ("check", "/no/such/file.c"), ("check", "/"),
                      ("run", "--input", "/no/such/file", INDIRECT, "owns")):
        status, output, errors = graft(*arguments)
        same((status, output), (1, ""))
        assert errors.startswith("exo: /") and errors.count("\n") == 1, errors


def garbage() -> None:
    with open("/bin/true", "rb") as file:
        host = file.read()
    with Files() as files:
        for name, data, said in (("empty", b"", "neither"), ("odd", b"seven b", "neither"),
                                 ("elf", b"\x7fELF" + bytes(60), "not an object file for BPF"),
                                 ("host", host, "not an object file for BPF")):
            for command in ("check", "dump", "run"):
                status, output, errors = graft(command, files.put(name, data))
                same((status, output), (1, ""))
                assert said in errors and errors.count("\n") == 1, errors


def truncated() -> None:
    """The host program alone, at every length of an object file."""
    with Files() as files:
        with open(files.compile(INDIRECT), "rb") as file:
            whole = file.read()
        for length in range(1, len(whole), 7):
            path = files.put("cut", whole[:length])
            done = subprocess.run([paths.GRAFT_TOOL, "check", path], capture_output=True, text=True,
                                  timeout=HANG_SECONDS, check=False)
            same((done.returncode, done.stderr[:5]), (1, "exo: "))
