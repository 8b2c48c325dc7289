# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Tests of single_fetch.py: code that reads user memory twice, in each way it knows, and code that does not."""
from . import single_fetch

PATH = "kernel/core/made_up.cpp"
HELPER = "bool get(Call& call, UserAddr from, Thing& to) {\n  return call.from_user(&to, from, sizeof to);\n}\n"


def found(body: str, head: str = "CallResult made_up(Call& call, UserAddr at, Count n)", before: str = "") -> list:
    return single_fetch.problems({PATH: f"{before}{head} {{\n{body}\n}}\n"})


def expect_none(*arguments, **more) -> None:
    lines = found(*arguments, **more)
    assert not lines, lines


def expect_one(*arguments, **more) -> None:
    lines = found(*arguments, **more)
    assert len(lines) == 1 and "made_up" in lines[0], lines


def once() -> None:
    expect_none("Thing t; if (!call.from_user(&t, at, sizeof t)) return fail(Errc::Fault); return t.a + t.a;")
    expect_none("Thing t; get(call, at, t); return 0;", before=HELPER)
    expect_none("volatile Uenv& u = uenv(1); const auto a = u.ipc.busy; u.ipc.busy = 0; use(u.ipc); return a;")


def twice() -> None:
    expect_one("Thing t; call.from_user(&t, at, 8); check(t); call.from_user(&t, at, 8); return 0;")
    expect_one("Thing t; call.from_user(&t, UserAddr{at.value}, 8); call.from_user(&t, UserAddr{at.value + 8}, 8);")


def by_a_helper() -> None:
    expect_one("Thing t; get(call, at, t); check(t); get(call, at, t); return 0;", before=HELPER)
    expect_one("Thing t; call.from_user(&t, at, 8); check(t); get(call, at, t); return 0;", before=HELPER)


def loops() -> None:
    step = "call.from_user(&t, UserAddr{at.value + i * 8}, 8);"
    expect_none(f"Thing t; for (std::uint64_t i = 0; i < n.value; i++) {{ {step} use(t); }}")
    expect_none(f"Thing t; std::uint64_t i = 0; while (i < n.value) {{ {step} i += 8; }}")
    expect_one(f"Thing t; std::uint64_t i = 0; while (more()) {{ {step} use(t); }}")
    expect_one("Thing t; do_it(); for (int k = 0; k < 2; k++) call.from_user(&t, at, 8);")


def structures() -> None:
    begin = "volatile Uenv& u = call.core.machine.uenv(call.self);"
    expect_one(f"{begin} if (u.grant_slot >= kSlots) return fail(Errc::Denied); return slots[u.grant_slot];")
    expect_one("if (area.entry == 0) return 0; return area.entry;", head="int made_up(const volatile IpcArea& area)")
    expect_none("const auto entry = area.entry; return entry == 0 ? 0 : entry;",
                head="int made_up(const volatile IpcArea& area)")
    expect_one("if (u.ipc.entry == 0) return 0; return entry_of(u.ipc);", head="int made_up(volatile Uenv& u)",
               before="int entry_of(volatile IpcArea& area) { return area.entry; }\n")


def raw() -> None:
    lines = found("core.machine.copy_from_user(&t, at.value, 8);")
    assert len(lines) == 1 and "copy_from_user" in lines[0], lines


def branches() -> None:
    read = "call.from_user(&t, at, 8);"
    expect_none(f"Thing t; if (n.value == 1) {{ {read} return 1; }}\n{read} return 2;")
    expect_one(f"Thing t; if (n.value == 1) {{ {read} }}\n{read} return 2;")


def kernel_is_seen() -> None:
    """A second read put into real code is found: the functions are understood as they are written."""
    files = single_fetch.kernel_files()
    for path, old, new in (
            ("kernel/core/calls_cap.cpp", "canonical(grant)", "canonical(Capability::from_bits(offer.grant))"),
            ("kernel/core/calls_env.cpp", "wanted.rflags = user_flags",
             "call.from_user(&wanted, context, sizeof wanted);\n  wanted.rflags = user_flags"),
            ("kernel/core/calls_network.cpp", "std::size_t total = 0;",
             "call.from_user(piece.data(), pieces, 16);\n  std::size_t total = 0;"),
            ("kernel/core/calls_ipc.cpp", "from_bits(area.gate)", "from_bits(area.gate + area.entry)")):
        changed = files[path].replace(old, new, 1)
        assert changed != files[path], f"{path} has no `{old}` any more"
        lines = single_fetch.problems({**files, path: changed})
        assert lines, f"a second read in {path} is not found"


TESTS = (("single-fetch-once", once), ("single-fetch-twice", twice), ("single-fetch-helper", by_a_helper),
         ("single-fetch-loops", loops), ("single-fetch-structures", structures), ("single-fetch-raw", raw),
         ("single-fetch-branches", branches), ("single-fetch-kernel", kernel_is_seen))
