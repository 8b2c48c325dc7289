// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What programs do when they run, the same for all engines.

#include <gtest/gtest.h>

#include <cstring>

#include "libs/graft/test_code.hpp"
#include "libs/graft/test_engines.hpp"

namespace xok::graft {
namespace {

using namespace code;

constexpr std::uint64_t kInput = Memory::input_address(0);

struct OnEachEngine : testing::TestWithParam<Engine> {
  Memory memory;
  std::uint64_t steps = 1000;

  Outcome run_code(const Code& code, const Arguments& arguments = {}) {
    const Loaded loaded{code};
    EXPECT_TRUE(loaded.program) << loaded.refusal.reason;
    if (!loaded.program) return 0;
    steps = 1000;
    return run(loaded, arguments);
  }
  Outcome run(const Loaded& loaded, const Arguments& arguments, Reads reads = Reads::Ignored) {
    return run_on(GetParam(), *loaded.program, memory, arguments, steps, reads);
  }
};

struct GraftMemory : OnEachEngine {};
struct GraftSteps : OnEachEngine {};
struct GraftCalls : OnEachEngine {};

TEST_P(GraftMemory, RegistersAndStackStartAtZeroAndArgumentsWhereTheyBelong) {
  for (unsigned r = 0; r < 10; ++r) {
    const Arguments arguments = {11, 12, 13, 14, 15};
    EXPECT_EQ(run_code({movr(0, r), exit()}, arguments), r >= 1 && r <= 5 ? 10 + r : 0) << r;
  }
  EXPECT_EQ(run_code({st(8, 10, -512, -1), st(8, 10, -8, -1), movr(1, 10), exit()}), 0);
  for (int offset = -512; offset < 0; offset += 8)
    EXPECT_EQ(run_code({ldx(8, 0, 10, offset), exit()}), 0) << offset;
  EXPECT_EQ(run_code({movr(1, 10), ldx(8, 0, 1, -512), exit()}), 0);
}

TEST_P(GraftMemory, LoadsEachWidthWithAndWithoutSign) {
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

TEST_P(GraftMemory, LoadsEndWhereTheInputEnds) {
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

TEST_P(GraftMemory, StoresGoToTheOutputAndNowhereElse) {
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

TEST_P(GraftMemory, TheOutputCannotBeRead) {
  std::byte output[8]{};
  ASSERT_TRUE(memory.set_output(output));
  EXPECT_EQ(run_code({ldx(8, 0, 1, 0), exit()}, {Memory::kOutputAddress}).error(), Stop::BadRead);
}

TEST_P(GraftMemory, TheStackIsReachedThroughCopiesOfItsRegister) {
  EXPECT_EQ(run_code({mov(2, 77), stx(8, 10, -16, 2), movr(3, 10), ldx(8, 0, 3, -16), exit()}), 77);
  EXPECT_EQ(run_code({movr(3, 10), st(4, 3, -4, 5), ldx(8, 0, 10, -8), exit()}), 5ull << 32);
  EXPECT_EQ(run_code({movr(3, 10), ldx(1, 0, 3, 0), exit()}).error(), Stop::BadRead);
  EXPECT_EQ(run_code({movr(3, 10), ldx(1, 0, 3, -513), exit()}).error(), Stop::BadRead);
}

TEST_P(GraftMemory, AGuessedAddressDoesNotReachAStackThatIsNotCleared) {
  EXPECT_EQ(run_code({ldx(8, 0, 1, 0), exit()}, {Memory::kStackAddress}).error(), Stop::BadRead);
  EXPECT_EQ(run_code({st(8, 1, 0, 0), exit()}, {Memory::kStackAddress}).error(), Stop::BadWrite);
}

TEST_P(GraftMemory, RecordsExactlyWhatIsRead) {
  const std::byte input[24]{};
  std::byte map[24]{};
  ASSERT_TRUE(memory.set_input(0, input, map));
  const Loaded loaded{
      {ldx(4, 0, 1, 3), ldx(8, 0, 1, 12), ldsx(1, 0, 1, 23), ldx(1, 0, 1, 24), exit()}};
  EXPECT_EQ(run(loaded, {kInput}).error(), Stop::BadRead);
  for (const std::byte mark : map) EXPECT_EQ(mark, std::byte{0}) << "not asked for";
  EXPECT_EQ(run(loaded, {kInput}, Reads::Recorded).error(), Stop::BadRead);
  for (std::size_t i = 0; i < 24; ++i) {
    const bool read = (i >= 3 && i < 7) || (i >= 12 && i < 20) || i == 23;
    EXPECT_EQ(map[i], std::byte{read}) << i;
  }
}

TEST_P(GraftMemory, RefusesBadRegions) {
  std::byte bytes[4]{};
  std::byte map[3]{};
  EXPECT_EQ(memory.set_input(Memory::kMaxInputs, bytes).error(), Errc::BadArgument);
  EXPECT_EQ(memory.set_input(0, bytes, map).error(), Errc::BadArgument);
  const std::span<std::byte> huge{bytes, Memory::kMaxRegion + 1};  // never looked at
  EXPECT_EQ(memory.set_input(0, huge).error(), Errc::BadArgument);
  EXPECT_EQ(memory.set_output(huge).error(), Errc::BadArgument);
}

TEST_P(GraftSteps, EachBlockIsPaidForWhenItIsEntered) {
  const Code loop = {mov(0, 0), alu64(AluOp::Add, 0, 1), jump(JumpOp::Jlt, 0, 10, -2), exit()};
  EXPECT_EQ(run_code(loop), 10);
  EXPECT_EQ(steps, 1000u - 22);
  const Loaded loaded{loop};
  for (std::uint64_t budget = 0; budget < 22; ++budget) {
    steps = budget;
    EXPECT_EQ(run(loaded, {}).error(), Stop::OutOfSteps);
    EXPECT_EQ(steps, 0u);
  }
  steps = 22;
  EXPECT_EQ(run(loaded, {}), 10);
  EXPECT_EQ(steps, 0u);
}

TEST_P(GraftSteps, EndlessLoopsEnd) {
  EXPECT_EQ(run_code({ja(-1)}).error(), Stop::OutOfSteps);
  EXPECT_EQ(run_code({ja32(-1)}).error(), Stop::OutOfSteps);
  EXPECT_EQ(run_code({jump(JumpOp::Jeq, 0, 0, -1), exit()}).error(), Stop::OutOfSteps);
}

TEST_P(GraftCalls, LocalFunctionsKeepR6ToR9AndHaveFramesOfTheirOwn) {
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

TEST_P(GraftCalls, HelpersGetArgumentsAndLeaveZeros) {
  const Loaded loaded{{mov(6, 9), call(1), movr(7, 1), alu64r(AluOp::Or, 7, 2),
                       alu64r(AluOp::Or, 7, 3), alu64r(AluOp::Or, 7, 4), alu64r(AluOp::Or, 7, 5),
                       alu64r(AluOp::Add, 0, 7), alu64r(AluOp::Add, 0, 6), exit()},
                      kHelpers};
  EXPECT_EQ(run(loaded, {1, 10, 100, 1000, 10000}), 54321 + 9);
  EXPECT_EQ(steps, 1000u - 15);
  EXPECT_EQ(run(loaded, {0, 1, 1, 1, 1}).error(), Stop::HelperFailed);
}

TEST_P(GraftCalls, HelpersReachOnlyWhatTheGraftReaches) {
  const std::byte input[8]{std::byte{1}, std::byte{2}, std::byte{3}};
  std::byte map[8]{};
  std::byte output[8]{};
  ASSERT_TRUE(memory.set_input(0, input, map));
  ASSERT_TRUE(memory.set_output(output));
  const Loaded loaded{{call(2), exit()}, kHelpers};
  const auto copied = [&](std::uint64_t from, std::uint64_t length, std::uint64_t to) {
    return run(loaded, {from, length, to}, Reads::Recorded);
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

struct GraftArithmetic : OnEachEngine {
  std::uint64_t result(const Instruction& in, std::uint64_t a, std::uint64_t b = 0) {
    return run_code({movr(0, 1), movr(3, 2), in, exit()}, {a, b}).value_or(0xbad);
  }
};

constexpr unsigned long long kLowest = 1ull << 63;

TEST_P(GraftArithmetic, DivisionsHaveResultsForAllNumbers) {
  const auto op64 = [&](AluOp op, int variant, std::uint64_t a, std::uint64_t b) {
    return result(alu64r(op, 0, 3, variant), a, b);
  };
  const auto op32 = [&](AluOp op, int variant, std::uint64_t a, std::uint64_t b) {
    return result(alu32r(op, 0, 3, variant), a, b);
  };
  const std::uint64_t minus7 = static_cast<std::uint64_t>(-7);
  EXPECT_EQ(op64(AluOp::Div, 0, 100, 7), 14u);
  EXPECT_EQ(op64(AluOp::Mod, 0, 100, 7), 2u);
  EXPECT_EQ(op64(AluOp::Div, 0, 100, 0), 0u);
  EXPECT_EQ(op64(AluOp::Mod, 0, 100, 0), 100u);
  EXPECT_EQ(op64(AluOp::Div, 1, 100, 0), 0u);
  EXPECT_EQ(op64(AluOp::Mod, 1, 100, 0), 100u);
  EXPECT_EQ(op64(AluOp::Div, 1, minus7, 2), static_cast<std::uint64_t>(-3));
  EXPECT_EQ(op64(AluOp::Mod, 1, minus7, 2), static_cast<std::uint64_t>(-1));
  EXPECT_EQ(op64(AluOp::Div, 1, kLowest, ~0ull), kLowest);
  EXPECT_EQ(op64(AluOp::Mod, 1, kLowest, ~0ull), 0u);
  EXPECT_EQ(op64(AluOp::Div, 1, 5, ~0ull), static_cast<std::uint64_t>(-5));
  EXPECT_EQ(op32(AluOp::Div, 0, 0x1'0000'0064, 0x1'0000'0007), 14u);
  EXPECT_EQ(op32(AluOp::Mod, 0, 0x1'0000'0064, 0x1'0000'0000), 100u);
  EXPECT_EQ(op32(AluOp::Div, 1, 0x80000000, 0xffffffff), 0x80000000u);
  EXPECT_EQ(op32(AluOp::Mod, 1, 0x80000000, 0xffffffff), 0u);
  EXPECT_EQ(op32(AluOp::Div, 1, minus7, 2), 0xfffffffdu);
  EXPECT_EQ(result(alu64(AluOp::Div, 0, -1), ~0ull), 1u) << "unsigned, of an extended immediate";
  EXPECT_EQ(result(alu64(AluOp::Div, 0, 0), 5), 0u);
  EXPECT_EQ(result(alu64(AluOp::Mod, 0, 0), 5), 5u);
}

TEST_P(GraftArithmetic, DivisionsUseAnyRegisters) {
  for (unsigned to = 0; to < 10; ++to)
    for (unsigned from = 0; from < 10; ++from) {
      Code code;
      for (unsigned r = 0; r < 10; ++r) code.push_back(mov(r, 100 + 7 * r));
      code.push_back(alu64(AluOp::Mul, to, 1000));
      code.push_back(alu64r(AluOp::Div, to, from));
      for (unsigned r = 1; r < 10; ++r) {
        code.push_back(alu64(AluOp::Mul, 0, 3));
        code.push_back(alu64r(AluOp::Add, 0, r));
      }
      code.push_back(exit());
      std::uint64_t r[10];
      for (unsigned i = 0; i < 10; ++i) r[i] = 100 + 7 * i;
      r[to] *= 1000;
      r[to] /= r[from];
      for (unsigned i = 1; i < 10; ++i) r[0] = r[0] * 3 + r[i];
      EXPECT_EQ(run_code(code), r[0]) << to << " by " << from;
    }
}

TEST_P(GraftArithmetic, ShiftsTakeTheirCountModuloTheWidth) {
  for (const std::uint64_t count : {0ull, 1ull, 31ull, 32ull, 33ull, 63ull, 64ull, 65ull, ~0ull}) {
    const std::uint64_t x = 0x89abcdef01234567;
    const auto low = static_cast<std::uint32_t>(x);
    const unsigned c64 = count & 63;
    const unsigned c32 = count & 31;
    const auto immediate = static_cast<std::int32_t>(count);
    for (const bool by_register : {false, true}) {
      const auto op64 = [&](AluOp op) {
        return result(by_register ? alu64r(op, 0, 3) : alu64(op, 0, immediate), x, count);
      };
      const auto op32 = [&](AluOp op) {
        return result(by_register ? alu32r(op, 0, 3) : alu32(op, 0, immediate), x, count);
      };
      EXPECT_EQ(op64(AluOp::Lsh), x << c64);
      EXPECT_EQ(op64(AluOp::Rsh), x >> c64);
      EXPECT_EQ(op64(AluOp::Arsh), static_cast<std::uint64_t>(static_cast<std::int64_t>(x) >> c64));
      EXPECT_EQ(op32(AluOp::Lsh), low << c32);
      EXPECT_EQ(op32(AluOp::Rsh), low >> c32);
      EXPECT_EQ(op32(AluOp::Arsh),
                static_cast<std::uint32_t>(static_cast<std::int32_t>(low) >> c32));
    }
  }
}

TEST_P(GraftArithmetic, ThirtyTwoBitsClearTheUpperHalf) {
  const std::uint64_t x = 0xaaaaaaaa'80000001;
  EXPECT_EQ(result(alu32(AluOp::Add, 0, -1), x), 0x80000000u);
  EXPECT_EQ(result(alu32(AluOp::Mov, 0, -1), x), 0xffffffffu);
  EXPECT_EQ(result(alu32r(AluOp::Mov, 0, 0), x), 0x80000001u);
  EXPECT_EQ(result(alu32(AluOp::Neg, 0, 0), x), 0x7fffffffu);
  EXPECT_EQ(result(alu32(AluOp::Mul, 0, 3), x), 0x80000003u);
  EXPECT_EQ(result(alu64(AluOp::Add, 0, -1), x), 0xaaaaaaaa'80000000);
  EXPECT_EQ(result(alu64(AluOp::And, 0, -16), x), 0xaaaaaaaa'80000000);
  EXPECT_EQ(result(alu64(AluOp::Mov, 0, -1), x), ~0ull);
}

TEST_P(GraftArithmetic, MovesExtendSigns) {
  const std::uint64_t x = 0x1234567'89abcdef;
  EXPECT_EQ(result(alu64r(AluOp::Mov, 0, 0, 8), x), 0xffffffffffffffef);
  EXPECT_EQ(result(alu64r(AluOp::Mov, 0, 0, 16), x), 0xffffffffffffcdef);
  EXPECT_EQ(result(alu64r(AluOp::Mov, 0, 0, 32), x), 0xffffffff89abcdef);
  EXPECT_EQ(result(alu32r(AluOp::Mov, 0, 0, 8), x), 0xffffffefu);
  EXPECT_EQ(result(alu32r(AluOp::Mov, 0, 0, 16), x), 0xffffcdefu);
}

TEST_P(GraftArithmetic, ByteSwaps) {
  const std::uint64_t x = 0x0123456789abcdef;
  EXPECT_EQ(result(swap(0, 16), x), 0xefcdu);
  EXPECT_EQ(result(swap(0, 32), x), 0xefcdab89u);
  EXPECT_EQ(result(swap(0, 64), x), 0xefcdab8967452301u);
  EXPECT_EQ(result(to_be(0, 16), x), 0xefcdu);
  EXPECT_EQ(result(to_be(0, 32), x), 0xefcdab89u);
  EXPECT_EQ(result(to_be(0, 64), x), 0xefcdab8967452301u);
  EXPECT_EQ(result(to_le(0, 16), x), 0xcdefu);
  EXPECT_EQ(result(to_le(0, 32), x), 0x89abcdefu);
  EXPECT_EQ(result(to_le(0, 64), x), x);
}

TEST_P(GraftArithmetic, ConditionsAreSignedAndUnsignedWideAndNarrow) {
  const auto taken = [&](Instruction in, std::uint64_t a, std::uint64_t b) {
    in.offset = 1;
    return run_code({mov(0, 1), in, mov(0, 0), exit()}, {a, b}) == 1;
  };
  const std::uint64_t minus1 = ~0ull;
  struct Row {
    JumpOp op;
    bool less, equal, more;  // 1 ? 2, 2 ? 2, 3 ? 2
    bool minus;              // -1 ? 1
  };
  const Row rows[] = {
      {JumpOp::Jeq, false, true, false, false},  {JumpOp::Jgt, false, false, true, true},
      {JumpOp::Jge, false, true, true, true},    {JumpOp::Jne, true, false, true, true},
      {JumpOp::Jsgt, false, false, true, false}, {JumpOp::Jsge, false, true, true, false},
      {JumpOp::Jlt, true, false, false, false},  {JumpOp::Jle, true, true, false, false},
      {JumpOp::Jslt, true, false, false, true},  {JumpOp::Jsle, true, true, false, true},
      {JumpOp::Jset, false, true, true, true},
  };
  for (const Row& row : rows) {
    const std::uint64_t dirt = 0xabcd'0000'0000;
    EXPECT_EQ(taken(jumpr(row.op, 1, 2, 1), 1, 2), row.less);
    EXPECT_EQ(taken(jumpr(row.op, 1, 2, 1), 2, 2), row.equal);
    EXPECT_EQ(taken(jumpr(row.op, 1, 2, 1), 3, 2), row.more);
    EXPECT_EQ(taken(jumpr(row.op, 1, 2, 1), minus1, 1), row.minus);
    EXPECT_EQ(taken(jump(row.op, 1, 2, 1), 1, 0), row.less);
    EXPECT_EQ(taken(jump(row.op, 1, 2, 1), 3, 0), row.more);
    EXPECT_EQ(taken(jump32r(row.op, 1, 2, 1), dirt + 1, 2), row.less);
    EXPECT_EQ(taken(jump32r(row.op, 1, 2, 1), dirt + 2, 2), row.equal);
    EXPECT_EQ(taken(jump32r(row.op, 1, 2, 1), 0xffffffff, 1), row.minus);
    EXPECT_EQ(taken(jump32(row.op, 1, 2, 1), dirt + 2, 0), row.equal);
  }
}

TEST_P(GraftArithmetic, WideImmediatesArriveWhole) {
  for (const std::uint64_t value :
       {0ull, 1ull, 0x80000000ull, 0xffffffffull, ~0ull, kLowest, 0x0123456789abcdefull}) {
    Code code;
    lddw(code, 0, value);
    code.push_back(exit());
    EXPECT_EQ(run_code(code), value);
  }
}

const auto kEngines = testing::ValuesIn(kAllEngines);
const auto kEngineName = [](const auto& info) { return std::string{name_of(info.param)}; };
INSTANTIATE_TEST_SUITE_P(On, GraftMemory, kEngines, kEngineName);
INSTANTIATE_TEST_SUITE_P(On, GraftSteps, kEngines, kEngineName);
INSTANTIATE_TEST_SUITE_P(On, GraftCalls, kEngines, kEngineName);
INSTANTIATE_TEST_SUITE_P(On, GraftArithmetic, kEngines, kEngineName);

}  // namespace
}  // namespace xok::graft
