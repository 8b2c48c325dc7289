# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Tests of `exo docs` with made-up headers: what it takes from them, and what it refuses."""
from .. import reference, reference_window
from ..errors import Fail

TABLE = """// licence
// owner
//
// About the table.
//
//   a form

// -- first things
XOK_SYSCALL(0x01, take, MayCopyUser, (CapSlot cap, Count n))
"""
HEADER = """/// About these calls.
namespace xok::kernel::calls {

/// Takes n
/// things.
///
/// cap  needs Write
/// n    how many;  at most 3
/// Returns  how many
/// Errors   TooBig  n
///          Denied
/// Cost     O(n),
///          and a bit
CallResult take(Call& call, CapSlot cap, Count n);
"""
LAYOUT = """/// One thing.
/// Two lines.
struct Thing {
  static constexpr int kOne = 1;
  std::uint8_t low : 3;  ///< three bits
  std::uint8_t high : 5;
  // Both of them:
  std::uint32_t a, b;  ///< words
                       ///< of it
  std::array<std::uint8_t, 6> name{};

  int function(int x) { return x; }
  int not_a_member;
};
"""


def expect(got, wanted) -> None:
    assert got == wanted, f"got {got!r}, not {wanted!r}"


def refused(function, *arguments, why: str) -> None:
    try:
        function(*arguments)
    except Fail as failure:
        assert why in str(failure), failure
    else:
        raise AssertionError(f"not refused: {why}")


def calls() -> None:
    page = reference.calls_page(TABLE, {"calls_x.hpp": HEADER})
    for piece in (
            "About the table.\n\n```text\na form\n```\n",
            "## First things\n\nAbout these calls.\n\n### take\n\n`0x01` `take(CapSlot cap, Count n)`\n\nTakes n\n",
            "**Arguments**\n\n```text\ncap  needs Write\nn    how many;  at most 3\n```\n\n**Returns** how many\n",
            "**Errors**\n\n```text\nTooBig  n\nDenied\n```\n\n**Cost** O(n),\nand a bit\n",
            "| `Denied` | the capability is valid but"):
        assert piece in page, f"{piece!r} is not in {page}"


def calls_refused() -> None:
    for field, text in (("Cost", "/// Cost     O(n),\n///          and a bit\n"),
                        ("Errors", "/// Errors   TooBig  n\n///          Denied\n")):
        texts = {"calls_x.hpp": HEADER.replace(text, "")}
        expect(reference.missing(TABLE, texts), [f"take ({field})"])
        assert f"**{field}**" not in reference.calls_page(TABLE, texts)
    expect(reference.missing(TABLE, {"calls_x.hpp": HEADER}), [])
    refused(reference.calls_page, TABLE, {"calls_x.hpp": HEADER.replace("take(", "give(")}, why="declares take")
    refused(reference.calls_page, TABLE.replace("// -- first", "//"), {"calls_x.hpp": HEADER}, why="before the first")


def layouts() -> None:
    (comment, name, members), = reference_window.parse_structs(LAYOUT)
    expect((comment, name), ("One thing.\nTwo lines.", "Thing"))
    expect([(member.name, member.kind, member.bits, member.meaning) for member in members],
           [("low", "std::uint8_t", "3", "three bits"), ("high", "std::uint8_t", "5", ""),
            ("a", "std::uint32_t", "", "Both of them: words"),
            ("b", "std::uint32_t", "", "Both of them: words of it"),
            ("name", "std::array<std::uint8_t, 6>", "", "")])
    refused(reference_window.parse_structs, LAYOUT.replace("  // Both", "  Both"), why="does not understand")


def offsets() -> None:
    """The compiler's answers for structures whose layout the processor, or a static_assert, fixes."""
    structs = [(header, *found) for header in reference_window.HEADERS
               for found in reference_window.parse_structs(reference.read(header))]
    asked = reference_window.ask(structs, ["kUserTop", "kExposedVersion"])
    expect(asked["kUserTop"], 0x7f0000000000)
    expect((asked["Uenv"], asked["Uenv.library"], asked["Uenv.foreign_entry"]), ((0, 4096), (1024, 3072), (8, 8)))
    expect([asked[f"PageInfo.{name}"] for name in ("status", "writer_limit", "account")], [(0, 0), (0, 6), (1, 1)])


TESTS = (("reference-calls", calls), ("reference-calls-refused", calls_refused), ("reference-layouts", layouts),
         ("reference-offsets", offsets))
