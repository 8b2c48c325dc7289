// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/interpreter.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "libs/graft/test_code.hpp"

namespace xok::graft {
namespace {

using namespace code;

constexpr std::uint64_t kInput = Memory::input_address(0);

struct Interpreted : testing::Test {
  Memory memory;
  std::uint64_t steps = 1000;

  Outcome run_code(const Code& code, const Arguments& arguments = {}) {
    const Loaded loaded{code};
    EXPECT_TRUE(loaded.program) << loaded.refusal.reason;
    if (!loaded.program) return 0;
    steps = 1000;
    return run(*loaded.program, memory, arguments, steps);
  }
};

using GraftMemory = Interpreted;
using GraftSteps = Interpreted;
using GraftCalls = Interpreted;

TEST_F(GraftMemory, RegistersAndStackStartAtZeroAndArgumentsWhereTheyBelong) {
  for (unsigned r = 0; r < 10; ++r) {
    const Arguments arguments = {11, 12, 13, 14, 15};
    EXPECT_EQ(run_code({movr(0, r), exit()}, arguments), r >= 1 && r <= 5 ? 10 + r : 0) << r;
  }
  EXPECT_EQ(run_code({st(8, 10, -512, -1), st(8, 10, -8, -1), movr(1, 10), exit()}), 0);
  for (int offset = -512; offset < 0; offset += 8)
    EXPECT_EQ(run_code({ldx(8, 0, 10, offset), exit()}), 0) << offset;
  EXPECT_EQ(run_code({movr(1, 10), ldx(8, 0, 1, -512), exit()}), 0);
}

TEST_F(GraftMemory, LoadsEachWidthWithAndWithoutSign) {
  const unsigned char bytes[] = {0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8};
  ASSERT_TRUE(memory.set_input(0, std::as_bytes(std::span{bytes})));
  const auto loaded = [&](Instruction in) { return run_code({in, exit()}, {kInput}); };
  EXPECT_EQ(loaded(ldx(1, 0, 1, 0)), 0x81);
  EXPECT_EQ(loaded(ldx(2, 0, 1, 0)), 0x9281);
  EXPECT_EQ(loaded(ldx(4, 0, 1, 0)), 0xb4a39281);
  EXPECT_EQ(loaded(ldx(8, 0, 1, 0)), 0xf8e7d6c5b4a39281);
  EXPECT_EQ(loaded(ldsx(1, 0, 1, 7)), 0xfffffffffffffff8);
  EXPECT_EQ(loaded(ldsx(2, 0, 1, 6)), 0xfffffffffffff8e7);
  EXPECT_EQ(loaded(ldsx(4, 0, 1, 4)), 0xfffffffff8e7d6c5);
}

TEST_F(GraftMemory, LoadsEndWhereTheInputEnds) {
  const std::byte bytes[11]{};
  ASSERT_TRUE(memory.set_input(2, bytes));
  const std::uint64_t start = Memory::input_address(2);
  for (const unsigned width : {1u, 2u, 4u, 8u}) {
    const auto at = [&](std::uint64_t address) {
      return run_code({ldx(width, 0, 1, 0), exit()}, {address});
    };
    EXPECT_EQ(at(start), 0);
    EXPECT_EQ(at(start + 11 - width), 0);
    EXPECT_EQ(at(start + 12 - width).error(), Stop::BadRead);
    EXPECT_EQ(at(start - 1).error(), Stop::BadRead);
    EXPECT_EQ(at(start + Memory::kMaxRegion).error(), Stop::BadRead) << "an input that is not set";
    EXPECT_EQ(at(0).error(), Stop::BadRead);
    EXPECT_EQ(at(~0ull).error(), Stop::BadRead);
    EXPECT_EQ(at(~0ull - width + 1).error(), Stop::BadRead);
    EXPECT_EQ(at(start | 1ull << 32).error(), Stop::BadRead);
    EXPECT_EQ(at(start | 1ull << 63).error(), Stop::BadRead);
  }
}

TEST_F(GraftMemory, StoresGoToTheOutputAndNowhereElse) {
  std::byte output[9]{};
  const std::byte input[16]{};
  ASSERT_TRUE(memory.set_output(output));
  ASSERT_TRUE(memory.set_input(0, input));
  for (const unsigned width : {1u, 2u, 4u, 8u}) {
    const auto at = [&](std::uint64_t address) {
      return run_code({st(width, 1, 0, -2), exit()}, {address});
    };
    std::memset(output, 0, sizeof output);
    EXPECT_EQ(at(Memory::kOutputAddress + 9 - width), 0);
    EXPECT_EQ(output[9 - width], std::byte{0xfe});
    EXPECT_EQ(output[8 - width], std::byte{0});
    EXPECT_EQ(at(Memory::kOutputAddress + 10 - width).error(), Stop::BadWrite);
    EXPECT_EQ(at(Memory::kOutputAddress - 1).error(), Stop::BadWrite);
    EXPECT_EQ(at(kInput).error(), Stop::BadWrite);
    EXPECT_EQ(at(0).error(), Stop::BadWrite);
    EXPECT_EQ(at(~0ull).error(), Stop::BadWrite);
  }
  EXPECT_EQ(run_code({stx(4, 1, 1, 2), exit()}, {Memory::kOutputAddress, 0x1122334455}), 0);
  EXPECT_EQ(output[1], std::byte{0x55});
  EXPECT_EQ(output[4], std::byte{0x22});
}

TEST_F(GraftMemory, TheOutputCannotBeRead) {
  std::byte output[8]{};
  ASSERT_TRUE(memory.set_output(output));
  EXPECT_EQ(run_code({ldx(8, 0, 1, 0), exit()}, {Memory::kOutputAddress}).error(), Stop::BadRead);
}

TEST_F(GraftMemory, TheStackIsReachedThroughCopiesOfItsRegister) {
  EXPECT_EQ(run_code({mov(2, 77), stx(8, 10, -16, 2), movr(3, 10), ldx(8, 0, 3, -16), exit()}), 77);
  EXPECT_EQ(run_code({movr(3, 10), st(4, 3, -4, 5), ldx(8, 0, 10, -8), exit()}), 5ull << 32);
  EXPECT_EQ(run_code({movr(3, 10), ldx(1, 0, 3, 0), exit()}).error(), Stop::BadRead);
  EXPECT_EQ(run_code({movr(3, 10), ldx(1, 0, 3, -513), exit()}).error(), Stop::BadRead);
}

TEST_F(GraftMemory, AGuessedAddressDoesNotReachAStackThatIsNotCleared) {
  EXPECT_EQ(run_code({ldx(8, 0, 1, 0), exit()}, {Memory::kStackAddress}).error(), Stop::BadRead);
  EXPECT_EQ(run_code({st(8, 1, 0, 0), exit()}, {Memory::kStackAddress}).error(), Stop::BadWrite);
}

TEST_F(GraftMemory, RecordsExactlyWhatIsRead) {
  const std::byte input[24]{};
  std::byte map[24]{};
  ASSERT_TRUE(memory.set_input(0, input, map));
  const Loaded loaded{
      {ldx(4, 0, 1, 3), ldx(8, 0, 1, 12), ldsx(1, 0, 1, 23), ldx(1, 0, 1, 24), exit()}};
  EXPECT_EQ(run(*loaded.program, memory, {kInput}, steps).error(), Stop::BadRead);
  for (const std::byte mark : map) EXPECT_EQ(mark, std::byte{0}) << "not asked for";
  EXPECT_EQ(run(*loaded.program, memory, {kInput}, steps, Reads::Recorded).error(), Stop::BadRead);
  for (std::size_t i = 0; i < 24; ++i) {
    const bool read = (i >= 3 && i < 7) || (i >= 12 && i < 20) || i == 23;
    EXPECT_EQ(map[i], std::byte{read}) << i;
  }
}

TEST_F(GraftMemory, RefusesBadRegions) {
  std::byte bytes[4]{};
  std::byte map[3]{};
  EXPECT_EQ(memory.set_input(Memory::kMaxInputs, bytes).error(), Errc::BadArgument);
  EXPECT_EQ(memory.set_input(0, bytes, map).error(), Errc::BadArgument);
  const std::span<std::byte> huge{bytes, Memory::kMaxRegion + 1};  // never looked at
  EXPECT_EQ(memory.set_input(0, huge).error(), Errc::BadArgument);
  EXPECT_EQ(memory.set_output(huge).error(), Errc::BadArgument);
}

TEST_F(GraftSteps, EachBlockIsPaidForWhenItIsEntered) {
  const Code loop = {mov(0, 0), alu64(AluOp::Add, 0, 1), jump(JumpOp::Jlt, 0, 10, -2), exit()};
  EXPECT_EQ(run_code(loop), 10);
  EXPECT_EQ(steps, 1000u - 22);
  const Loaded loaded{loop};
  for (std::uint64_t budget = 0; budget < 22; ++budget) {
    steps = budget;
    EXPECT_EQ(run(*loaded.program, memory, {}, steps).error(), Stop::OutOfSteps);
    EXPECT_EQ(steps, 0u);
  }
  steps = 22;
  EXPECT_EQ(run(*loaded.program, memory, {}, steps), 10);
  EXPECT_EQ(steps, 0u);
}

TEST_F(GraftSteps, EndlessLoopsEnd) {
  EXPECT_EQ(run_code({ja(-1)}).error(), Stop::OutOfSteps);
  EXPECT_EQ(run_code({ja32(-1)}).error(), Stop::OutOfSteps);
  EXPECT_EQ(run_code({jump(JumpOp::Jeq, 0, 0, -1), exit()}).error(), Stop::OutOfSteps);
}

TEST_F(GraftCalls, LocalFunctionsKeepR6ToR9AndHaveFramesOfTheirOwn) {
  const Code code = {
      mov(6, 1), mov(7, 2), mov(8, 3), mov(9, 4), st(8, 10, -8, 100), call_local(5), movr(1, 6),
      alu64r(AluOp::Add, 0, 7), ldx(8, 1, 10, -8), alu64r(AluOp::Add, 0, 1), exit(),
      // the callee
      mov(6, 50), mov(7, 50), mov(8, 50), mov(9, 50), st(8, 10, -8, 7), ldx(8, 0, 10, -8), exit()};
  EXPECT_EQ(run_code(code), 7 + 2 + 100);
}

std::uint64_t add_all(std::uint64_t r1, std::uint64_t r2, std::uint64_t r3, std::uint64_t r4,
                      std::uint64_t r5, Memory& memory) {
  if (r1 == 0) memory.refuse();
  return r1 + 2 * r2 + 3 * r3 + 4 * r4 + 5 * r5;
}

/// Copies r2 bytes from r1 to r3.
std::uint64_t copy(std::uint64_t r1, std::uint64_t r2, std::uint64_t r3, std::uint64_t,
                   std::uint64_t, Memory& memory) {
  const auto from = memory.readable(r1, r2);
  const auto to = memory.writable(r3, r2);
  if (!from || !to) {
    memory.refuse();
    return 0;
  }
  std::memmove(to->data(), from->data(), r2);
  return r2;
}

constexpr Helper kHelpers[] = {{1, 5, add_all}, {2, 0, copy}};

TEST_F(GraftCalls, HelpersGetArgumentsAndLeaveZeros) {
  const Loaded loaded{{mov(6, 9), call(1), movr(7, 1), alu64r(AluOp::Or, 7, 2),
                       alu64r(AluOp::Or, 7, 3), alu64r(AluOp::Or, 7, 4), alu64r(AluOp::Or, 7, 5),
                       alu64r(AluOp::Add, 0, 7), alu64r(AluOp::Add, 0, 6), exit()},
                      kHelpers};
  EXPECT_EQ(run(*loaded.program, memory, {1, 10, 100, 1000, 10000}, steps), 54321 + 9);
  EXPECT_EQ(steps, 1000u - 15);
  EXPECT_EQ(run(*loaded.program, memory, {0, 1, 1, 1, 1}, steps).error(), Stop::HelperFailed);
}

TEST_F(GraftCalls, HelpersReachOnlyWhatTheGraftReaches) {
  const std::byte input[8]{std::byte{1}, std::byte{2}, std::byte{3}};
  std::byte map[8]{};
  std::byte output[8]{};
  ASSERT_TRUE(memory.set_input(0, input, map));
  ASSERT_TRUE(memory.set_output(output));
  const Loaded loaded{{call(2), exit()}, kHelpers};
  const auto copied = [&](std::uint64_t from, std::uint64_t length, std::uint64_t to) {
    return run(*loaded.program, memory, {from, length, to}, steps, Reads::Recorded);
  };
  EXPECT_EQ(copied(kInput + 1, 2, Memory::kOutputAddress), 2);
  EXPECT_EQ(output[1], std::byte{3});
  EXPECT_EQ(map[0], std::byte{0});
  EXPECT_EQ(map[1], std::byte{1});
  EXPECT_EQ(map[2], std::byte{1});
  EXPECT_EQ(map[3], std::byte{0});
  EXPECT_EQ(copied(kInput, 9, Memory::kOutputAddress).error(), Stop::HelperFailed);
  EXPECT_EQ(copied(kInput, ~0ull, Memory::kOutputAddress).error(), Stop::HelperFailed);
  EXPECT_EQ(copied(kInput, 2, kInput).error(), Stop::HelperFailed);
  EXPECT_EQ(copied(Memory::kOutputAddress, 2, Memory::kOutputAddress).error(), Stop::HelperFailed);
  EXPECT_EQ(copied(0, 0, Memory::kOutputAddress).error(), Stop::HelperFailed);
  EXPECT_EQ(copied(Memory::kStackAddress, 1, Memory::kOutputAddress).error(), Stop::HelperFailed);
}

}  // namespace
}  // namespace xok::graft
