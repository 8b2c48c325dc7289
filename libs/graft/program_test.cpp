// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/program.hpp"

#include <gtest/gtest.h>

#include <string>

#include "libs/graft/memory.hpp"
#include "libs/graft/test_code.hpp"

namespace xok::graft {
namespace {

using namespace code;

std::uint64_t nothing(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
                      Memory&) {
  return 0;
}

constexpr Helper kHelpers[] = {{7, 10, nothing}, {9, 0, nothing}};

Errc error_of(const Code& code) { return Loaded{code, kHelpers}.error; }
/// The error of one instruction that an exit follows.
Errc error_of(Instruction one) { return error_of(Code{one, exit()}); }

TEST(GraftProgram, AcceptsWhatTheCompilerMakes) {
  Code code = {mov(0, 0),
               ldx(8, 1, 10, -8),
               stx(1, 10, -512, 2),
               call(7),
               call(9),
               jump(JumpOp::Jeq, 1, 3, 1),
               ja(0),
               exit()};
  EXPECT_EQ(error_of(code), Errc{});
  code.clear();
  lddw(code, 3, 0x123456789abcdef0);
  code.push_back(exit());
  EXPECT_EQ(error_of(code), Errc{});
}

TEST(GraftProgram, RefusesEmptyPartialAndTooLong) {
  EXPECT_EQ(error_of(Code{}), Errc::BadFormat);
  const Code code = {mov(0, 0), exit()};
  std::vector<Program::Slot> slots(2);
  const auto bytes = std::as_bytes(std::span{code});
  EXPECT_EQ(Program::from(bytes.first(15), {}, slots).error(), Errc::BadFormat);
  EXPECT_EQ(Program::from(bytes, {}, std::span{slots}.first(1)).error(), Errc::BadArgument);
  EXPECT_TRUE(Program::from(bytes, {}, slots));
  Code longest(kMaxInstructions, mov(0, 0));
  longest.back() = exit();
  EXPECT_EQ(error_of(longest), Errc{});
  longest.push_back(exit());
  EXPECT_EQ(error_of(longest), Errc::TooBig);
}

TEST(GraftProgram, RefusesBadHelperTables) {
  const Code code = {exit()};
  std::vector<Program::Slot> slots(1);
  const auto with = [&](std::span<const Helper> helpers) {
    const auto program = Program::from(std::as_bytes(std::span{code}), helpers, slots);
    return program ? Errc{} : program.error();
  };
  const Helper twice[] = {{1, 0, nothing}, {1, 0, nothing}};
  EXPECT_EQ(with(twice), Errc::BadArgument);
  const Helper dear[] = {{1, 65536, nothing}};
  EXPECT_EQ(with(dear), Errc::BadArgument);
  const Helper none[] = {{1, 0, nullptr}};
  EXPECT_EQ(with(none), Errc::BadArgument);
  std::vector<Helper> many;
  for (std::uint32_t i = 0; i <= kMaxHelpers; ++i) many.push_back({i, 0, nothing});
  EXPECT_EQ(with(many), Errc::BadArgument);
  many.pop_back();
  EXPECT_EQ(with(many), Errc{});
}

/// Every opcode with fields that no instruction could object to, against RFC 9669's table.
TEST(GraftProgram, AcceptsExactlyTheOpcodesOfTheInstructionSet) {
  const std::string alu =
      "04 0c 14 1c 24 2c 34 3c 44 4c 54 5c 64 6c 74 7c 84 94 9c a4 ac b4 bc "
      "c4 cc 07 0f 17 1f 27 2f 37 3f 47 4f 57 5f 67 6f 77 7f 87 97 9f a7 af "
      "b7 bf c7 cf ";
  const std::string memory = "61 69 71 79 81 89 91 62 6a 72 7a 63 6b 73 7b ";
  const std::string jumps =
      "05 06 15 1d 25 2d 35 3d 45 4d 55 5d 65 6d 75 7d 95 a5 ad b5 bd c5 cd "
      "d5 dd 16 1e 26 2e 36 3e 46 4e 56 5e 66 6e 76 7e a6 ae b6 be c6 ce d6 "
      "de ";
  const std::string allowed = " " + alu + memory + jumps;
  for (unsigned op = 0; op < 256; ++op) {
    char text[8];
    std::snprintf(text, sizeof text, " %02x ", op);
    const bool expected = allowed.find(text) != std::string::npos;
    EXPECT_EQ(error_of(raw(op, 0, 0, 0, 0)) == Errc{}, expected) << std::hex << op;
  }
  for (const unsigned op : {0xd4u, 0xdcu, 0xd7u})
    for (const int bits : {0, 8, 16, 24, 32, 64, 128})
      EXPECT_EQ(error_of(raw(op, 0, 0, 0, bits)) == Errc{}, bits == 16 || bits == 32 || bits == 64);
  EXPECT_EQ(error_of(raw(0xdf, 0, 0, 0, 16)), Errc::BadFormat);
}

TEST(GraftProgram, RefusesRegistersThatAreNone) {
  for (const unsigned r : {11u, 12u, 15u}) {
    EXPECT_EQ(error_of(mov(r, 0)), Errc::BadFormat);
    EXPECT_EQ(error_of(movr(0, r)), Errc::BadFormat);
    EXPECT_EQ(error_of(jumpr(JumpOp::Jeq, r, 0, 0)), Errc::BadFormat);
    EXPECT_EQ(error_of(ldx(8, 0, r, 0)), Errc::BadFormat);
  }
}

TEST(GraftProgram, RefusesToWriteTheFramePointer) {
  EXPECT_EQ(error_of(mov(10, 0)), Errc::BadFormat);
  EXPECT_EQ(error_of(alu64(AluOp::Add, 10, -8)), Errc::BadFormat);
  EXPECT_EQ(error_of(ldx(8, 10, 1, 0)), Errc::BadFormat);
  EXPECT_EQ(error_of(swap(10, 16)), Errc::BadFormat);
  Code code;
  lddw(code, 10, 1);
  code.push_back(exit());
  EXPECT_EQ(error_of(code), Errc::BadFormat);
}

TEST(GraftProgram, RefusesFieldsThatShouldBeZero) {
  EXPECT_EQ(error_of(raw(0x07, 0, 1, 0, 5)), Errc::BadFormat) << "source beside an immediate";
  EXPECT_EQ(error_of(raw(0x0f, 0, 1, 0, 5)), Errc::BadFormat) << "immediate beside a source";
  EXPECT_EQ(error_of(raw(0x07, 0, 0, 1, 5)), Errc::BadFormat) << "offset of an addition";
  EXPECT_EQ(error_of(raw(0x87, 0, 0, 0, 1)), Errc::BadFormat) << "immediate of a negation";
  EXPECT_EQ(error_of(raw(0xd7, 0, 1, 0, 16)), Errc::BadFormat) << "source of a swap";
  EXPECT_EQ(error_of(raw(0x79, 0, 1, 0, 1)), Errc::BadFormat) << "immediate of a load";
  EXPECT_EQ(error_of(raw(0x7a, 10, 1, -8, 1)), Errc::BadFormat) << "source of a constant store";
  EXPECT_EQ(error_of(raw(0x7b, 10, 1, -8, 1)), Errc::BadFormat) << "immediate of a store";
  EXPECT_EQ(error_of(raw(0x05, 1, 0, 0, 0)), Errc::BadFormat) << "register of ja";
  EXPECT_EQ(error_of(raw(0x05, 0, 0, 0, 1)), Errc::BadFormat) << "immediate of ja";
  EXPECT_EQ(error_of(raw(0x06, 0, 0, 1, 0)), Errc::BadFormat) << "offset of ja32";
  EXPECT_EQ(error_of(raw(0x15, 0, 1, 0, 0)), Errc::BadFormat) << "source beside an immediate";
  EXPECT_EQ(error_of(raw(0x1d, 0, 1, 0, 1)), Errc::BadFormat) << "immediate beside a source";
  EXPECT_EQ(error_of(raw(0x95, 0, 0, 0, 1)), Errc::BadFormat) << "immediate of exit";
  EXPECT_EQ(error_of(raw(0x85, 1, 0, 0, 7)), Errc::BadFormat) << "destination of call";
  EXPECT_EQ(error_of(raw(0x85, 0, 0, 1, 7)), Errc::BadFormat) << "offset of call";
}

TEST(GraftProgram, AcceptsOnlyTheVariantsThatExist) {
  for (int variant = -1; variant <= 65; ++variant) {
    const bool division = variant == 0 || variant == 1;
    EXPECT_EQ(error_of(alu64(AluOp::Div, 0, 1, variant)) == Errc{}, division);
    EXPECT_EQ(error_of(alu32r(AluOp::Mod, 0, 1, variant)) == Errc{}, division);
    const bool narrow = variant == 0 || variant == 8 || variant == 16;
    EXPECT_EQ(error_of(alu32r(AluOp::Mov, 0, 1, variant)) == Errc{}, narrow);
    EXPECT_EQ(error_of(alu64r(AluOp::Mov, 0, 1, variant)) == Errc{}, narrow || variant == 32);
    EXPECT_EQ(error_of(alu64(AluOp::Mov, 0, 1, variant)) == Errc{}, variant == 0);
  }
}

TEST(GraftProgram, RefusesWhatIsNotSupported) {
  EXPECT_EQ(error_of(raw(0xdb, 10, 0, -8, 0)), Errc::NotSupported) << "atomic add";
  EXPECT_EQ(error_of(raw(0xc3, 10, 0, -8, 0)), Errc::NotSupported);
  EXPECT_EQ(error_of(raw(0x20, 0, 0, 0, 0)), Errc::NotSupported) << "packet, absolute";
  EXPECT_EQ(error_of(raw(0x48, 0, 0, 0, 0)), Errc::NotSupported) << "packet, indirect";
  EXPECT_EQ(error_of(raw(0x18, 0, 1, 0, 0)), Errc::NotSupported) << "a map";
  EXPECT_EQ(error_of(raw(0x85, 0, 2, 0, 0)), Errc::NotSupported) << "BTF id";
}

TEST(GraftProgram, RefusesBrokenWideLoads) {
  EXPECT_EQ(error_of(Code{exit(), raw(0x18, 0, 0, 0, 1)}), Errc::BadFormat) << "half";
  EXPECT_EQ(error_of(Code{raw(0x18, 0, 0, 0, 1), raw(0, 1, 0, 0, 0), exit()}), Errc::BadFormat);
  EXPECT_EQ(error_of(Code{raw(0x18, 0, 0, 0, 1), exit(), exit()}), Errc::BadFormat);
  EXPECT_EQ(error_of(Code{raw(0x18, 0, 0, 1, 1), raw(0, 0, 0, 0, 0), exit()}), Errc::BadFormat);
  EXPECT_EQ(error_of(Code{raw(0x18, 0, 0, 0, 1), raw(0, 0, 0, 0, 0)}), Errc::BadFormat)
      << "nothing after it";
}

TEST(GraftProgram, RefusesJumpsThatLeaveTheirFunction) {
  EXPECT_EQ(error_of(ja(0)), Errc{});
  EXPECT_EQ(error_of(ja(-1)), Errc{});
  EXPECT_EQ(error_of(ja(1)), Errc::BadFormat);
  EXPECT_EQ(error_of(ja(-2)), Errc::BadFormat);
  EXPECT_EQ(error_of(ja(32767)), Errc::BadFormat);
  EXPECT_EQ(error_of(ja(-32768)), Errc::BadFormat);
  EXPECT_EQ(error_of(ja32(0x7fffffff)), Errc::BadFormat);
  EXPECT_EQ(error_of(ja32(-0x7fffffff - 1)), Errc::BadFormat);
  EXPECT_EQ(error_of(jump(JumpOp::Jne, 0, 0, 1)), Errc::BadFormat);
  EXPECT_EQ(error_of(jump32(JumpOp::Jne, 0, 0, -2)), Errc::BadFormat);
  Code wide = {ja(1)};
  lddw(wide, 0, 1);
  wide.push_back(exit());
  EXPECT_EQ(error_of(wide), Errc::BadFormat) << "into an lddw";
  EXPECT_EQ(error_of(Code{call_local(2), ja(1), exit(), exit()}), Errc::BadFormat)
      << "into another function";
}

TEST(GraftProgram, RefusesFunctionsThatRunOffTheirEnd) {
  EXPECT_EQ(error_of(Code{mov(0, 0)}), Errc::BadFormat);
  EXPECT_EQ(error_of(Code{exit(), call(7)}), Errc::BadFormat);
  EXPECT_EQ(error_of(Code{exit(), jump(JumpOp::Jeq, 0, 0, -1)}), Errc::BadFormat);
  EXPECT_EQ(error_of(Code{call_local(0), exit()}), Errc::BadFormat);
  EXPECT_EQ(error_of(Code{ja(-1)}), Errc{}) << "a loop that never ends is metered";
}

TEST(GraftProgram, RefusesCallsOfNothing) {
  EXPECT_EQ(error_of(call(7)), Errc{});
  EXPECT_EQ(error_of(call(8)), Errc::NotFound);
  EXPECT_EQ(error_of(call_local(1)), Errc::BadFormat);
  EXPECT_EQ(error_of(call_local(-2)), Errc::BadFormat);
  Code code = {call_local(2), exit()};
  lddw(code, 0, 1);
  code.push_back(exit());
  EXPECT_EQ(error_of(code), Errc::BadFormat) << "into an lddw";
}

TEST(GraftProgram, RefusesRecursionAndDeepNesting) {
  EXPECT_EQ(error_of(Code{call_local(-1), exit()}), Errc::TooBig);
  EXPECT_EQ(error_of(Code{call_local(1), exit(), call_local(-1), exit()}), Errc::TooBig);
  const auto chain = [](std::size_t functions) {
    Code code;
    for (std::size_t i = 1; i < functions; ++i) {
      code.push_back(call_local(1));
      code.push_back(exit());
    }
    code.push_back(exit());
    return code;
  };
  EXPECT_EQ(error_of(chain(kMaxDepth)), Errc{});
  EXPECT_EQ(error_of(chain(kMaxDepth + 1)), Errc::TooBig);
}

TEST(GraftProgram, RefusesAccessesOutsideTheFrame) {
  for (const unsigned width : {1u, 2u, 4u, 8u}) {
    const int w = static_cast<int>(width);
    EXPECT_EQ(error_of(ldx(width, 0, 10, -w)), Errc{});
    EXPECT_EQ(error_of(ldx(width, 0, 10, -w + 1)), Errc::Denied);
    EXPECT_EQ(error_of(stx(width, 10, -512, 0)), Errc{});
    EXPECT_EQ(error_of(stx(width, 10, -513, 0)), Errc::Denied);
    EXPECT_EQ(error_of(st(width, 10, -w + 1, 0)), Errc::Denied);
    EXPECT_EQ(error_of(st(width, 10, 32767, 0)), Errc::Denied);
    EXPECT_EQ(error_of(st(width, 10, -32768, 0)), Errc::Denied);
  }
}

TEST(GraftProgram, SaysWhichInstructionAndWhy) {
  const Loaded loaded{{mov(0, 0), mov(1, 1), call(99), exit()}};
  EXPECT_EQ(loaded.error, Errc::NotFound);
  EXPECT_EQ(loaded.refusal.instruction, 2u);
  EXPECT_STREQ(loaded.refusal.reason, "a call of a helper that is not declared");
}

TEST(GraftProgram, ClearsOnlyTheStackThatCanBeReached) {
  EXPECT_EQ(Loaded({exit()}).program->first_stack_byte(), kFrameSize);
  EXPECT_EQ(Loaded({stx(8, 10, -16, 0), exit()}).program->first_stack_byte(), kFrameSize - 16);
  EXPECT_FALSE(Loaded({stx(8, 10, -16, 0), exit()}).program->stack_escapes());
  EXPECT_EQ(Loaded({movr(1, 10), exit()}).program->first_stack_byte(), 0u);
  EXPECT_TRUE(Loaded({movr(1, 10), exit()}).program->stack_escapes());
  EXPECT_TRUE(Loaded({stx(8, 10, -8, 10), exit()}).program->stack_escapes());
  const Loaded two{{call_local(1), exit(), stx(8, 10, -8, 0), exit()}};
  EXPECT_EQ(two.program->stack_size(), 2 * kFrameSize);
  EXPECT_EQ(two.program->first_stack_byte(), 2 * kFrameSize - 8);
}

TEST(GraftProgram, ChargesBlocksByTheirInstructionsAndHelpers) {
  const Loaded loaded{{mov(0, 0), call(7), jump(JumpOp::Jeq, 0, 0, 1), mov(1, 1), exit()},
                      kHelpers};
  ASSERT_TRUE(loaded.program);
  const auto slots = loaded.program->slots();
  EXPECT_EQ(slots[0].block_steps, 3u + 10u);
  EXPECT_EQ(slots[1].block_steps, 0u);
  EXPECT_EQ(slots[3].block_steps, 1u);
  EXPECT_EQ(slots[4].block_steps, 1u);
}

}  // namespace
}  // namespace xok::graft
