// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/listing.hpp"

#include <gtest/gtest.h>

#include "libs/graft/test_code.hpp"

namespace xok::graft {
namespace {

using namespace code;

std::string shown(Instruction in) {
  const Code code = {in, exit()};
  return text_of(code, 0);
}

// As llvm-objdump-19 shows them, but for calls and the indices of targets.
TEST(GraftListing, ShowsEachKindOfInstruction) {
  EXPECT_EQ(shown(alu64(AluOp::Add, 1, -16)), "r1 += -0x10");
  EXPECT_EQ(shown(alu64r(AluOp::Sub, 1, 2)), "r1 -= r2");
  EXPECT_EQ(shown(alu32(AluOp::Mul, 3, 5)), "w3 *= 0x5");
  EXPECT_EQ(shown(alu32r(AluOp::Div, 3, 4, 1)), "w3 s/= w4");
  EXPECT_EQ(shown(alu64(AluOp::Div, 3, 4)), "r3 /= 0x4");
  EXPECT_EQ(shown(alu64r(AluOp::Mod, 3, 4)), "r3 %= r4");
  EXPECT_EQ(shown(alu64r(AluOp::Mod, 3, 4, 1)), "r3 s%= r4");
  EXPECT_EQ(shown(alu64r(AluOp::Or, 3, 4)), "r3 |= r4");
  EXPECT_EQ(shown(alu64(AluOp::And, 3, 255)), "r3 &= 0xff");
  EXPECT_EQ(shown(alu64r(AluOp::Xor, 3, 4)), "r3 ^= r4");
  EXPECT_EQ(shown(alu64(AluOp::Lsh, 3, 4)), "r3 <<= 0x4");
  EXPECT_EQ(shown(alu32(AluOp::Rsh, 3, 4)), "w3 >>= 0x4");
  EXPECT_EQ(shown(alu64r(AluOp::Arsh, 3, 4)), "r3 s>>= r4");
  EXPECT_EQ(shown(alu64(AluOp::Neg, 3, 0)), "r3 = -r3");
  EXPECT_EQ(shown(movr(6, 10)), "r6 = r10");
  EXPECT_EQ(shown(alu32r(AluOp::Mov, 6, 1, 8)), "w6 = (s8)w1");
  EXPECT_EQ(shown(alu64r(AluOp::Mov, 6, 1, 32)), "r6 = (s32)r1");
  EXPECT_EQ(shown(mov(6, 0)), "r6 = 0x0");
  EXPECT_EQ(shown(swap(2, 16)), "r2 = bswap16 r2");
  EXPECT_EQ(shown(to_be(2, 32)), "r2 = be32 r2");
  EXPECT_EQ(shown(to_le(2, 64)), "r2 = le64 r2");
  EXPECT_EQ(shown(ldx(8, 0, 10, -8)), "r0 = *(u64 *)(r10 - 0x8)");
  EXPECT_EQ(shown(ldsx(2, 0, 1, 6)), "r0 = *(s16 *)(r1 + 0x6)");
  EXPECT_EQ(shown(stx(1, 1, 0, 2)), "*(u8 *)(r1 + 0x0) = r2");
  EXPECT_EQ(shown(st(4, 10, -32768, -1)), "*(u32 *)(r10 - 0x8000) = -0x1");
  EXPECT_EQ(shown(ja(-1)), "goto -0x1 <0>");
  EXPECT_EQ(shown(ja32(70000)), "gotol +0x11170 <70001>");
  EXPECT_EQ(shown(jump(JumpOp::Jeq, 1, 0, 9)), "if r1 == 0x0 goto +0x9 <10>");
  EXPECT_EQ(shown(jump32r(JumpOp::Jslt, 1, 2, 9)), "if w1 s< w2 goto +0x9 <10>");
  EXPECT_EQ(shown(jump(JumpOp::Jset, 1, 4, 0)), "if r1 & 0x4 goto +0x0 <1>");
  EXPECT_EQ(shown(call(7)), "call helper 7");
  EXPECT_EQ(shown(call_local(5)), "call +0x5 <6>");
  EXPECT_EQ(shown(exit()), "exit");
}

TEST(GraftListing, ShowsBothHalvesOfAWideLoadAsOne) {
  Code code;
  lddw(code, 4, 0x700000001);
  EXPECT_EQ(text_of(code, 0), "r4 = 0x700000001 ll");
  EXPECT_EQ(slots_of(code, 0), 2u);
  code.pop_back();
  EXPECT_EQ(text_of(code, 0), ".quad 0x100000418");
  EXPECT_EQ(slots_of(code, 0), 1u);
}

TEST(GraftListing, ShowsWhatIsNoInstructionAsNumbers) {
  EXPECT_EQ(shown(raw(0xff, 0, 0, 0, 0)), ".quad 0xff");
  EXPECT_EQ(shown(raw(0xdb, 1, 2, 8, 0)), ".quad 0x821db") << "atomic";
  EXPECT_EQ(shown(raw(0x96, 0, 0, 0, 0)), ".quad 0x96") << "exit of the 32-bit class";
  for (unsigned op = 0; op < 256; ++op) EXPECT_FALSE(shown(raw(op, 15, 15, -1, -1)).empty());
}

}  // namespace
}  // namespace xok::graft
