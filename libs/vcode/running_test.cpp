// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What the instructions do when they run.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "libs/vcode/assembler.hpp"
#include "libs/vcode/executable.hpp"

namespace xok::vcode {
namespace {

using Word = std::uint64_t;
using Function = Word(Word, Word, Word, void*);

constexpr Word kValues[] = {0,
                            1,
                            2,
                            3,
                            63,
                            0x80,
                            0xff,
                            0x8000,
                            0x7fffffff,
                            0x80000000,
                            0xffffffff,
                            0x100000000,
                            1ull << 63,
                            ~0ull,
                            0x123456789abcdef0,
                            0xfedcba9876543210};

Word cut(Size size, Word value) { return size == Size::B4 ? value & 0xffffffff : value; }
constexpr Size kWide[] = {Size::B4, Size::B8};

/// The upper half of the 128-bit product, by halves.
Word upper_half(Word x, Word y) {
  const Word low = (x & 0xffffffff) * (y & 0xffffffff);
  const Word middle = (x >> 32) * (y & 0xffffffff) + (low >> 32);
  const Word other = (x & 0xffffffff) * (y >> 32) + (middle & 0xffffffff);
  return (x >> 32) * (y >> 32) + (middle >> 32) + (other >> 32);
}

/// A function of up to four arguments (rdi, rsi, rdx, rcx), result in rax.
template <class Emit>
struct Made {
  explicit Made(Emit emit) : code{bytes(emit)} {}
  Word operator()(Word a = 0, Word b = 0, Word c = 0, void* d = nullptr) const {
    return code.template as<Function>()(a, b, c, d);
  }
  std::span<const std::byte> bytes(Emit emit) {
    Assembler assembler{buffer};
    emit(assembler);
    const auto length = assembler.finish();
    EXPECT_TRUE(length);
    return std::span{buffer}.first(length ? *length : 1);
  }
  std::array<std::byte, 4096> buffer{};
  Executable code;
};

TEST(VcodeRunning, TwoOperandArithmetic) {
  for (const Size size : kWide) {
    const auto check = [&](Op op, auto expected) {
      const Made by_register{[&](Assembler& a) {
        a.alu(op, size, Reg::Rdi, Reg::Rsi);
        a.mov(Size::B8, Reg::Rax, Reg::Rdi);
        a.ret();
      }};
      const Made from_memory{[&](Assembler& a) {
        a.alu(op, size, Reg::Rdi, at(Reg::Rcx));
        a.mov(Size::B8, Reg::Rax, Reg::Rdi);
        a.ret();
      }};
      const Made to_memory{[&](Assembler& a) {
        a.alu(op, size, at(Reg::Rcx), Reg::Rsi);
        a.load(size, Reg::Rax, at(Reg::Rcx));
        a.ret();
      }};
      for (const Word x : kValues)
        for (Word y : kValues) {
          const Word want = cut(size, expected(x, y));
          EXPECT_EQ(by_register(x, y), want);
          EXPECT_EQ(from_memory(x, 0, 0, &y), want);
          Word place = x;
          EXPECT_EQ(to_memory(0, y, 0, &place), want);
        }
      for (const std::int32_t y : {0, 1, -1, 127, -128, 1000, -100000}) {
        const Made by_immediate{[&](Assembler& a) {
          a.alu(op, size, Reg::Rdi, y);
          a.alu(op, size, at(Reg::Rcx), y);
          a.mov(Size::B8, Reg::Rax, Reg::Rdi);
          a.ret();
        }};
        for (const Word x : kValues) {
          Word place = x;
          const Word want = expected(x, static_cast<Word>(y));
          EXPECT_EQ(by_immediate(x, 0, 0, &place), cut(size, want));
          EXPECT_EQ(cut(size, place), cut(size, want));
        }
      }
    };
    check(Op::Add, [](Word x, Word y) { return x + y; });
    check(Op::Or, [](Word x, Word y) { return x | y; });
    check(Op::And, [](Word x, Word y) { return x & y; });
    check(Op::Sub, [](Word x, Word y) { return x - y; });
    check(Op::Xor, [](Word x, Word y) { return x ^ y; });
  }
}

TEST(VcodeRunning, CarriesGoFromOneAdditionToTheNext) {
  const Made sum{[](Assembler& a) {  // the upper half of rdi + rsi, plus rdx
    a.add(Size::B8, Reg::Rdi, Reg::Rsi);
    a.mov_immediate(Reg::Rax, 0);
    a.alu(Op::Adc, Size::B8, Reg::Rax, Reg::Rdx);
    a.ret();
  }};
  EXPECT_EQ(sum(~0ull, 1, 5), 6u);
  EXPECT_EQ(sum(1, 1, 5), 5u);
  const Made difference{[](Assembler& a) {
    a.sub(Size::B8, Reg::Rdi, Reg::Rsi);
    a.mov(Size::B8, Reg::Rax, Reg::Rdx);
    a.alu(Op::Sbb, Size::B8, Reg::Rax, 0);
    a.ret();
  }};
  EXPECT_EQ(difference(0, 1, 5), 4u);
  EXPECT_EQ(difference(1, 1, 5), 5u);
}

TEST(VcodeRunning, MultiplicationAndDivision) {
  for (const Size size : kWide) {
    const Made product{[&](Assembler& a) {
      a.multiply(size, Reg::Rdi, Reg::Rsi);
      a.mov(Size::B8, Reg::Rax, Reg::Rdi);
      a.ret();
    }};
    const Made by_1000{[&](Assembler& a) {
      a.multiply(size, Reg::Rax, Reg::Rdi, 1000);
      a.multiply(size, Reg::Rax, Reg::Rax, -3);
      a.ret();
    }};
    const auto divide = [size](bool is_signed, bool rest) {
      return [=](Assembler& a) {
        a.mov(Size::B8, Reg::Rax, Reg::Rdi);
        if (is_signed) {
          a.extend_rax_to_rdx(size);
          a.divide_signed(size, Reg::Rsi);
        } else {
          a.alu(Op::Xor, Size::B4, Reg::Rdx, Reg::Rdx);
          a.divide_unsigned(size, Reg::Rsi);
        }
        if (rest) a.mov(Size::B8, Reg::Rax, Reg::Rdx);
        a.ret();
      };
    };
    const Made quotient{divide(false, false)};
    const Made rest{divide(false, true)};
    const Made signed_quotient{divide(true, false)};
    const Made signed_rest{divide(true, true)};
    const auto signed_of = [&](Word value) {
      return size == Size::B8 ? static_cast<std::int64_t>(value)
                              : static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
    };
    for (const Word x : kValues)
      for (const Word y : kValues) {
        EXPECT_EQ(product(x, y), cut(size, x * y));
        EXPECT_EQ(by_1000(x), cut(size, x * 1000 * static_cast<Word>(-3)));
        if (cut(size, y) == 0) continue;
        EXPECT_EQ(quotient(x, y), cut(size, x) / cut(size, y));
        EXPECT_EQ(rest(x, y), cut(size, x) % cut(size, y));
        if (signed_of(y) == -1) continue;
        EXPECT_EQ(signed_quotient(x, y), cut(size, static_cast<Word>(signed_of(x) / signed_of(y))));
        EXPECT_EQ(signed_rest(x, y), cut(size, static_cast<Word>(signed_of(x) % signed_of(y))));
      }
  }
  const Made upper{[](Assembler& a) {
    a.mov(Size::B8, Reg::Rax, Reg::Rdi);
    a.multiply_wide(Size::B8, Reg::Rsi);
    a.mov(Size::B8, Reg::Rax, Reg::Rdx);
    a.ret();
  }};
  for (const Word x : kValues)
    for (const Word y : kValues) EXPECT_EQ(upper(x, y), upper_half(x, y));
}

TEST(VcodeRunning, ShiftsNegationsAndSwaps) {
  for (const Size size : kWide) {
    const unsigned bits = size == Size::B8 ? 64 : 32;
    const auto check = [&](Shift op, auto expected) {
      for (unsigned count = 0; count < bits; ++count) {
        const Made fixed{[&](Assembler& a) {
          a.shift(op, size, Reg::Rdi, static_cast<std::uint8_t>(count));
          a.mov(size, Reg::Rax, Reg::Rdi);
          a.ret();
        }};
        const Made by_cl{[&](Assembler& a) {
          a.mov(Size::B8, Reg::Rcx, Reg::Rsi);
          a.shift_by_cl(op, size, Reg::Rdi);
          a.mov(size, Reg::Rax, Reg::Rdi);
          a.ret();
        }};
        for (const Word x : kValues) {
          const Word want = cut(size, expected(cut(size, x), count));
          EXPECT_EQ(fixed(x), want);
          EXPECT_EQ(by_cl(x, count), want);
        }
      }
    };
    check(Shift::Shl, [](Word x, unsigned n) { return x << n; });
    check(Shift::Shr, [](Word x, unsigned n) { return x >> n; });
    check(Shift::Sar, [bits](Word x, unsigned n) {
      return static_cast<Word>(static_cast<std::int64_t>(x << (64 - bits)) >> (64 - bits) >> n);
    });
    const auto rotated = [bits](Word x, unsigned n) {
      return n == 0 ? x : x << n | x >> (bits - n);
    };
    check(Shift::Rol, rotated);
    check(Shift::Ror, [=](Word x, unsigned n) { return rotated(x, (bits - n) % bits); });
  }
  const auto unary = [](auto emit) {
    return Made{[emit](Assembler& a) {
      a.mov(Size::B8, Reg::Rax, Reg::Rdi);
      emit(a);
      a.ret();
    }};
  };
  for (const Word x : kValues) {
    EXPECT_EQ(unary([](Assembler& a) { a.negate(Size::B8, Reg::Rax); })(x), 0 - x);
    EXPECT_EQ(unary([](Assembler& a) { a.negate(Size::B4, Reg::Rax); })(x), cut(Size::B4, 0 - x));
    EXPECT_EQ(unary([](Assembler& a) { a.complement(Size::B8, Reg::Rax); })(x), ~x);
    EXPECT_EQ(unary([](Assembler& a) { a.swap_bytes(Size::B8, Reg::Rax); })(x),
              __builtin_bswap64(x));
    EXPECT_EQ(unary([](Assembler& a) { a.swap_bytes(Size::B4, Reg::Rax); })(x),
              __builtin_bswap32(static_cast<std::uint32_t>(x)));
    EXPECT_EQ(unary([](Assembler& a) { a.swap_bytes(Size::B2, Reg::Rax); })(x),
              (x & ~0xffffull) | __builtin_bswap16(static_cast<std::uint16_t>(x)));
  }
}

TEST(VcodeRunning, MemoryAndExtensions) {
  std::array<unsigned char, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(0x81 + 13 * i);
  for (const Size size : {Size::B1, Size::B2, Size::B4, Size::B8}) {
    const unsigned width = 1u << static_cast<unsigned>(size);
    const Made loaded{[&](Assembler& a) {
      a.load(size, Reg::Rax, at(Reg::Rcx, Reg::Rdi, 2, 3));
      a.ret();
    }};
    const Made extended{[&](Assembler& a) {
      a.load_signed(size, Reg::Rax, at(Reg::Rcx, Reg::Rdi, 2, 3));
      a.ret();
    }};
    const Made stored{[&](Assembler& a) {
      a.store(size, at(Reg::Rcx, -1), Reg::Rdi);
      a.store_immediate(size, at(Reg::Rcx, 8), -2);
      a.ret();
    }};
    Word want = 0;
    std::memcpy(&want, &bytes[3 + 2 * 4], width);
    EXPECT_EQ(loaded(4, 0, 0, bytes.data()), want);
    const unsigned unused = 64 - 8 * width;
    EXPECT_EQ(extended(4, 0, 0, bytes.data()),
              static_cast<Word>(static_cast<std::int64_t>(want << unused) >> unused));
    std::array<unsigned char, 32> after{};
    stored(0x8877665544332211, 0, 0, &after[8]);
    for (unsigned i = 0; i < 32; ++i) {
      const bool first = i >= 7 && i < 7 + width;
      const bool second = i >= 16 && i < 16 + width;
      EXPECT_EQ(after[i], first ? 0x11 * (i - 6) : second ? (i == 16 ? 0xfe : 0xff) : 0) << i;
    }
  }
  const auto widened = [](Word x, auto emit) {
    const Made made{[&](Assembler& a) {
      emit(a);
      a.ret();
    }};
    return made(x);
  };
  for (const Word x : kValues) {
    for (const Size to : kWide) {
      EXPECT_EQ(widened(x, [&](Assembler& a) { a.sign_extend(to, Size::B1, Reg::Rax, Reg::Rdi); }),
                cut(to, static_cast<Word>(static_cast<std::int8_t>(x))));
      EXPECT_EQ(widened(x, [&](Assembler& a) { a.sign_extend(to, Size::B2, Reg::Rax, Reg::Rdi); }),
                cut(to, static_cast<Word>(static_cast<std::int16_t>(x))));
    }
    EXPECT_EQ(
        widened(x, [](Assembler& a) { a.sign_extend(Size::B8, Size::B4, Reg::Rax, Reg::Rdi); }),
        static_cast<Word>(static_cast<std::int32_t>(x)));
    EXPECT_EQ(widened(x, [](Assembler& a) { a.zero_extend(Size::B1, Reg::Rax, Reg::Rdi); }),
              x & 0xff);
    EXPECT_EQ(widened(x, [](Assembler& a) { a.zero_extend(Size::B2, Reg::Rax, Reg::Rdi); }),
              x & 0xffff);
    EXPECT_EQ(widened(x, [](Assembler& a) { a.zero_extend(Size::B4, Reg::Rax, Reg::Rdi); }),
              x & 0xffffffff);
    EXPECT_EQ(widened(0, [x](Assembler& a) { a.mov_immediate(Reg::Rax, x); }), x);
    EXPECT_EQ(widened(x, [](Assembler& a) { a.lea(Reg::Rax, at(Reg::Rdi, Reg::Rdi, 4, -7)); }),
              5 * x - 7);
  }
}

TEST(VcodeRunning, ConditionsHold) {
  const auto holds = [](Cond cond, Word x, Word y) {
    const auto sx = static_cast<std::int64_t>(x);
    const auto sy = static_cast<std::int64_t>(y);
    std::int64_t difference = 0;
    const bool overflow = __builtin_sub_overflow(sx, sy, &difference);
    switch (cond) {
      case Cond::Overflow:
        return overflow;
      case Cond::NotOverflow:
        return !overflow;
      case Cond::Below:
        return x < y;
      case Cond::AboveEqual:
        return x >= y;
      case Cond::Equal:
        return x == y;
      case Cond::NotEqual:
        return x != y;
      case Cond::BelowEqual:
        return x <= y;
      case Cond::Above:
        return x > y;
      case Cond::Negative:
        return difference < 0;
      case Cond::NotNegative:
        return difference >= 0;
      case Cond::Parity:
        return __builtin_parityll(static_cast<Word>(difference) & 0xff) == 0;
      case Cond::NotParity:
        return __builtin_parityll(static_cast<Word>(difference) & 0xff) != 0;
      case Cond::Less:
        return sx < sy;
      case Cond::GreaterEqual:
        return sx >= sy;
      case Cond::LessEqual:
        return sx <= sy;
      case Cond::Greater:
        return sx > sy;
    }
    return false;
  };
  for (unsigned i = 0; i < 16; ++i) {
    const auto cond = static_cast<Cond>(i);
    const Made set{[&](Assembler& a) {
      a.mov_immediate(Reg::Rax, 0);
      a.compare(Size::B8, Reg::Rdi, Reg::Rsi);
      a.set_if(cond, Reg::Rax);
      a.ret();
    }};
    const Made moved{[&](Assembler& a) {
      a.mov_immediate(Reg::Rax, 0);
      a.mov_immediate(Reg::Rdx, 1);
      a.compare(Size::B8, Reg::Rdi, Reg::Rsi);
      a.move_if(cond, Size::B8, Reg::Rax, Reg::Rdx);
      a.ret();
    }};
    const Made jumped{[&](Assembler& a) {
      Label yes;
      a.compare(Size::B8, Reg::Rdi, Reg::Rsi);
      a.mov_immediate(Reg::Rax, 1);
      a.jump_if(cond, yes);
      a.mov_immediate(Reg::Rax, 0);
      a.bind(yes);
      a.ret();
    }};
    for (const Word x : kValues)
      for (const Word y : kValues) {
        EXPECT_EQ(set(x, y) != 0, holds(cond, x, y));
        EXPECT_EQ(moved(x, y) != 0, holds(cond, x, y));
        EXPECT_EQ(jumped(x, y) != 0, holds(cond, x, y));
      }
  }
  const Made any{[](Assembler& a) {
    a.mov_immediate(Reg::Rax, 0);
    a.test(Size::B8, Reg::Rdi, Reg::Rsi);
    a.set_if(Cond::NotEqual, Reg::Rax);
    a.mov_immediate(Reg::Rdx, 2);
    a.test(Size::B4, Reg::Rdi, 0x100);
    Label no;
    a.jump_if(Cond::Equal, no);
    a.add(Size::B8, Reg::Rax, Reg::Rdx);
    a.bind(no);
    a.ret();
  }};
  EXPECT_EQ(any(0x101, 1), 3u);
  EXPECT_EQ(any(0x100, 1), 2u);
  EXPECT_EQ(any(0x201, 1), 1u);
}

TEST(VcodeRunning, LoopsCallsAndTables) {
  const Made factorial{[](Assembler& a) {
    Label again;
    Label done;
    a.mov_immediate(Reg::Rax, 1);
    a.bind(again);
    a.compare(Size::B8, Reg::Rdi, 1);
    a.jump_if(Cond::BelowEqual, done);
    a.multiply(Size::B8, Reg::Rax, Reg::Rdi);
    a.sub(Size::B8, Reg::Rdi, 1);
    a.jump(again);
    a.bind(done);
    a.ret();
  }};
  EXPECT_EQ(factorial(10), 3628800u);

  const Made fibonacci{[](Assembler& a) {
    Label self;
    Label small;
    a.bind(self);
    a.prologue({Reg::Rbx, Reg::R12}, 16);
    a.mov(Size::B8, Reg::Rax, Reg::Rdi);
    a.compare(Size::B8, Reg::Rdi, 2);
    a.jump_if(Cond::Below, small);
    a.mov(Size::B8, Reg::Rbx, Reg::Rdi);
    a.sub(Size::B8, Reg::Rdi, 1);
    a.call(self);
    a.store(Size::B8, at(Reg::Rsp, 8), Reg::Rax);
    a.lea(Reg::Rdi, at(Reg::Rbx, -2));
    a.lea(Reg::R12, self);
    a.call(Reg::R12);
    a.add(Size::B8, Reg::Rax, at(Reg::Rsp, 8));
    a.bind(small);
    a.epilogue({Reg::Rbx, Reg::R12}, 16);
  }};
  EXPECT_EQ(fibonacci(15), 610u);

  // A jump through memory, and one through a register.
  const Made chosen{[](Assembler& a) {
    Label table[3];
    Label end;
    for (unsigned i = 0; i < 3; ++i) {
      a.lea(Reg::R9, table[i]);
      a.store(Size::B8, at(Reg::Rcx, static_cast<std::int32_t>(8 * i)), Reg::R9);
    }
    a.jump(at(Reg::Rcx, Reg::Rdi, 8));
    for (unsigned i = 0; i < 3; ++i) {
      a.bind(table[i]);
      a.mov_immediate(Reg::Rax, 100 + i);
      a.lea(Reg::R10, end);
      a.jump(Reg::R10);
      a.trap();
    }
    a.bind(end);
    a.ret();
  }};
  std::array<Word, 3> table{};
  for (Word i = 0; i < 3; ++i) EXPECT_EQ(chosen(i, 0, 0, table.data()), 100 + i);

  const Made through_memory{[](Assembler& a) {
    Label callee;
    a.lea(Reg::Rax, callee);
    a.store(Size::B8, at(Reg::Rcx), Reg::Rax);
    a.prologue({}, 0);
    a.call(at(Reg::Rcx));
    a.epilogue({}, 0);
    a.bind(callee);
    a.push(Reg::Rdi);
    a.pop(Reg::Rax);
    a.ret();
  }};
  EXPECT_EQ(through_memory(42, 0, 0, table.data()), 42u);
}

}  // namespace
}  // namespace xok::vcode
