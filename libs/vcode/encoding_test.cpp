// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Every form of every instruction, with all registers, read back by a disassembler.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "libs/vcode/assembler.hpp"
#include "libs/vcode/disassembled.hpp"

namespace xok::vcode {
namespace {

constexpr const char* kNames[4][16] = {
    {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b",
     "r13b", "r14b", "r15b"},
    {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w",
     "r14w", "r15w"},
    {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d",
     "r13d", "r14d", "r15d"},
    {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
     "r14", "r15"}};
constexpr const char* kSizes[] = {"byte", "word", "dword", "qword"};
constexpr Size kAllSizes[] = {Size::B1, Size::B2, Size::B4, Size::B8};
constexpr Size kWide[] = {Size::B4, Size::B8};
constexpr std::uint8_t kScales[] = {1, 2, 4, 8};
constexpr std::uint8_t kCounts[] = {0, 1, 31, 63};
constexpr std::int32_t kNumbers[] = {0,    1,   -1,     127,    128,        -128,
                                     -129, 255, 0x1234, -70000, 0x7fffffff, -0x7fffffff - 1};

std::string name(Size size, Reg reg) {
  return kNames[static_cast<unsigned>(size)][static_cast<unsigned>(reg)];
}

std::string name(Size size, Mem mem) {
  std::string out =
      std::string{kSizes[static_cast<unsigned>(size)]} + " [" + name(Size::B8, mem.base);
  if (mem.index != Reg::Rsp)
    out += "+" + name(Size::B8, mem.index) + "*" + std::to_string(mem.scale);
  if (mem.displacement != 0)
    out += (mem.displacement > 0 ? "+" : "") + std::to_string(mem.displacement);
  return out + "]";
}

std::vector<Reg> registers() {
  std::vector<Reg> out;
  for (unsigned i = 0; i < 16; ++i) out.push_back(static_cast<Reg>(i));
  return out;
}

/// Memory operands with every base, every index, every scale, every size of displacement.
std::vector<Mem> memories() {
  std::vector<Mem> out;
  for (const Reg base : registers()) {
    for (const std::int32_t displacement : kNumbers) out.push_back(at(base, displacement));
    for (const Reg index : registers()) {
      if (index == Reg::Rsp) continue;
      for (const std::uint8_t scale : kScales)
        for (const std::int32_t displacement : {0, 16, -4096})
          out.push_back(at(base, index, scale, displacement));
    }
  }
  return out;
}

/// One instruction, as the disassembler reads it.
template <class Emit>
std::string one(Emit emit) {
  std::array<std::byte, 32> buffer{};
  Assembler a{buffer};
  emit(a);
  const auto length = a.finish();
  if (!length) return "(error)";
  EXPECT_LE(*length, 15u);
  EXPECT_EQ(a.instructions(), 1u);
  const auto lines = disassembled(std::span{buffer}.first(*length));
  return lines.size() == 1 ? lines[0] : "(" + std::to_string(lines.size()) + " instructions)";
}

TEST(VcodeEncoding, MovesBetweenRegisters) {
  for (const Reg to : registers())
    for (const Reg from : registers()) {
      for (const Size size : kWide)
        EXPECT_EQ(one([&](Assembler& a) { a.mov(size, to, from); }),
                  "mov " + name(size, to) + ", " + name(size, from));
      for (const Size size : {Size::B1, Size::B2}) {
        EXPECT_EQ(one([&](Assembler& a) { a.zero_extend(size, to, from); }),
                  "movzx " + name(Size::B4, to) + ", " + name(size, from));
        for (const Size wide : kWide)
          EXPECT_EQ(one([&](Assembler& a) { a.sign_extend(wide, size, to, from); }),
                    "movsx " + name(wide, to) + ", " + name(size, from));
      }
      EXPECT_EQ(one([&](Assembler& a) { a.zero_extend(Size::B4, to, from); }),
                "mov " + name(Size::B4, to) + ", " + name(Size::B4, from));
      EXPECT_EQ(one([&](Assembler& a) { a.sign_extend(Size::B8, Size::B4, to, from); }),
                "movsxd " + name(Size::B8, to) + ", " + name(Size::B4, from));
    }
}

TEST(VcodeEncoding, ImmediatesTakeTheShortestForm) {
  const std::uint64_t values[] = {0,
                                  1,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  1ull << 32,
                                  0xffffffff80000000,
                                  0xffffffff7fffffff,
                                  ~0ull,
                                  0x123456789abcdef0};
  for (const Reg to : registers())
    for (const std::uint64_t value : values) {
      const bool half = value <= 0xffffffff;
      const std::string number = std::to_string(static_cast<std::int64_t>(value));
      const std::string text = one([&](Assembler& a) { a.mov_immediate(to, value); });
      if (half) {  // the disassembler may show 32 bits signed
        const std::string other =
            std::to_string(static_cast<std::int32_t>(static_cast<std::uint32_t>(value)));
        const std::string start = "mov " + name(Size::B4, to) + ", ";
        EXPECT_TRUE(text == start + number || text == start + other) << text;
      } else {
        EXPECT_EQ(text, "mov " + name(Size::B8, to) + ", " + number);
      }
    }
}

TEST(VcodeEncoding, LoadsAndStores) {
  for (const Mem mem : memories())
    for (const Reg reg : registers()) {
      for (const Size size : kAllSizes) {
        const bool extends = size == Size::B1 || size == Size::B2;
        EXPECT_EQ(one([&](Assembler& a) { a.load(size, reg, mem); }),
                  (extends ? "movzx " : "mov ") + name(size == Size::B8 ? size : Size::B4, reg) +
                      ", " + name(size, mem));
        EXPECT_EQ(one([&](Assembler& a) { a.store(size, mem, reg); }),
                  "mov " + name(size, mem) + ", " + name(size, reg));
        EXPECT_EQ(one([&](Assembler& a) { a.load_signed(size, reg, mem); }),
                  (size == Size::B8   ? "mov "
                   : size == Size::B4 ? "movsxd "
                                      : "movsx ") +
                      name(Size::B8, reg) + ", " + name(size, mem));
      }
    }
}

TEST(VcodeEncoding, StoresOfImmediatesAndAddresses) {
  for (const Mem mem : memories()) {
    for (const std::int32_t value : kNumbers) {
      const auto stored = [&](Size size, std::int32_t shown) {
        EXPECT_EQ(one([&](Assembler& a) { a.store_immediate(size, mem, value); }),
                  "mov " + name(size, mem) + ", " + std::to_string(shown));
      };
      stored(Size::B1, static_cast<std::int8_t>(value));
      stored(Size::B2, static_cast<std::int16_t>(value));
      stored(Size::B4, value);
      stored(Size::B8, value);
    }
    for (const Reg reg : registers()) {
      const std::string text = one([&](Assembler& a) { a.lea(reg, mem); });
      const std::string shown = name(Size::B8, mem);
      EXPECT_EQ(text.substr(0, text.find(',')), "lea " + name(Size::B8, reg));
      EXPECT_EQ(text.substr(text.find('[')), shown.substr(shown.find('[')));
    }
  }
}

TEST(VcodeEncoding, TwoOperandArithmetic) {
  constexpr const char* kOps[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
  const auto all_memories = memories();
  for (unsigned i = 0; i < 8; ++i) {
    const auto op = static_cast<Op>(i);
    const std::string start = kOps[i] + std::string{" "};
    for (const Size size : kWide) {
      for (const Reg to : registers()) {
        for (const Reg from : registers())
          EXPECT_EQ(one([&](Assembler& a) { a.alu(op, size, to, from); }),
                    start + name(size, to) + ", " + name(size, from));
        for (const std::int32_t value : kNumbers)
          EXPECT_EQ(one([&](Assembler& a) { a.alu(op, size, to, value); }),
                    start + name(size, to) + ", " + std::to_string(value));
      }
      for (std::size_t m = i; m < all_memories.size(); m += 7) {
        const Mem mem = all_memories[m];
        for (const Reg reg : {Reg::Rax, Reg::Rsp, Reg::R9}) {
          EXPECT_EQ(one([&](Assembler& a) { a.alu(op, size, reg, mem); }),
                    start + name(size, reg) + ", " + name(size, mem));
          EXPECT_EQ(one([&](Assembler& a) { a.alu(op, size, mem, reg); }),
                    start + name(size, mem) + ", " + name(size, reg));
        }
        for (const std::int32_t value : kNumbers)
          EXPECT_EQ(one([&](Assembler& a) { a.alu(op, size, mem, value); }),
                    start + name(size, mem) + ", " + std::to_string(value));
      }
    }
  }
}

TEST(VcodeEncoding, OneOperandArithmeticAndShifts) {
  const auto expect = [](Size size, Reg reg, const std::string& start, auto emit,
                         const std::string& end = "") {
    EXPECT_EQ(one(emit), start + " " + name(size, reg) + end);
  };
  for (const Size size : kWide)
    for (const Reg reg : registers()) {
      expect(size, reg, "neg", [&](Assembler& a) { a.negate(size, reg); });
      expect(size, reg, "not", [&](Assembler& a) { a.complement(size, reg); });
      expect(size, reg, "mul", [&](Assembler& a) { a.multiply_wide(size, reg); });
      expect(size, reg, "div", [&](Assembler& a) { a.divide_unsigned(size, reg); });
      expect(size, reg, "idiv", [&](Assembler& a) { a.divide_signed(size, reg); });
      expect(size, reg, "bswap", [&](Assembler& a) { a.swap_bytes(size, reg); });
      expect(Size::B2, reg, "rol", [&](Assembler& a) { a.swap_bytes(Size::B2, reg); }, ", 8");
      const std::pair<Shift, const char*> shifts[] = {{Shift::Rol, "rol"},
                                                      {Shift::Ror, "ror"},
                                                      {Shift::Shl, "shl"},
                                                      {Shift::Shr, "shr"},
                                                      {Shift::Sar, "sar"}};
      for (const auto& [op, text] : shifts) {
        expect(size, reg, text, [&](Assembler& a) { a.shift_by_cl(op, size, reg); }, ", cl");
        for (const std::uint8_t count : kCounts)
          expect(
              size, reg, text, [&](Assembler& a) { a.shift(op, size, reg, count); },
              ", " + std::to_string(count));
      }
      for (const Reg from : registers()) {
        expect(
            size, reg, "imul", [&](Assembler& a) { a.multiply(size, reg, from); },
            ", " + name(size, from));
        expect(
            size, reg, "test", [&](Assembler& a) { a.test(size, reg, from); },
            ", " + name(size, from));
        for (const std::int32_t value : kNumbers)
          expect(
              size, reg, "imul", [&](Assembler& a) { a.multiply(size, reg, from, value); },
              ", " + name(size, from) + ", " + std::to_string(value));
      }
      for (const std::int32_t value : kNumbers)
        expect(
            size, reg, "test", [&](Assembler& a) { a.test(size, reg, value); },
            ", " + std::to_string(value));
    }
  EXPECT_EQ(one([](Assembler& a) { a.extend_rax_to_rdx(Size::B4); }), "cdq");
  EXPECT_EQ(one([](Assembler& a) { a.extend_rax_to_rdx(Size::B8); }), "cqo");
}

constexpr const char* kConditions[] = {"o", "no", "b", "nb", "z", "nz", "be", "nbe",
                                       "s", "ns", "p", "np", "l", "nl", "le", "nle"};

TEST(VcodeEncoding, Conditions) {
  for (unsigned i = 0; i < 16; ++i) {
    const auto cond = static_cast<Cond>(i);
    EXPECT_EQ(opposite(opposite(cond)), cond);
    for (const Reg reg : registers()) {
      EXPECT_EQ(one([&](Assembler& a) { a.set_if(cond, reg); }),
                std::string{"set"} + kConditions[i] + " " + name(Size::B1, reg));
      for (const Reg from : registers())
        for (const Size size : kWide)
          EXPECT_EQ(one([&](Assembler& a) { a.move_if(cond, size, reg, from); }),
                    std::string{"cmov"} + kConditions[i] + " " + name(size, reg) + ", " +
                        name(size, from));
    }
  }
}

TEST(VcodeEncoding, StackAndIndirectControl) {
  for (const Reg reg : registers()) {
    EXPECT_EQ(one([&](Assembler& a) { a.push(reg); }), "push " + name(Size::B8, reg));
    EXPECT_EQ(one([&](Assembler& a) { a.pop(reg); }), "pop " + name(Size::B8, reg));
    EXPECT_EQ(one([&](Assembler& a) { a.jump(reg); }), "jmp " + name(Size::B8, reg));
    EXPECT_EQ(one([&](Assembler& a) { a.call(reg); }), "call " + name(Size::B8, reg));
  }
  for (const Mem mem : memories()) {
    EXPECT_EQ(one([&](Assembler& a) { a.jump(mem); }), "jmp " + name(Size::B8, mem));
    EXPECT_EQ(one([&](Assembler& a) { a.call(mem); }), "call " + name(Size::B8, mem));
  }
  EXPECT_EQ(one([](Assembler& a) { a.ret(); }), "ret");
  EXPECT_EQ(one([](Assembler& a) { a.trap(); }), "ud2");
}

using Lines = std::vector<std::string>;

template <class Emit>
Lines lines(Emit emit) {
  std::array<std::byte, 1024> buffer{};
  Assembler a{buffer};
  emit(a);
  const auto length = a.finish();
  return length ? disassembled(std::span{buffer}.first(*length)) : Lines{"(error)"};
}

TEST(VcodeEncoding, JumpsForwardArePatchedAllOfThem) {
  EXPECT_EQ(lines([](Assembler& a) {
              Label end;
              a.jump(end);                 // 0, 5 bytes
              a.jump_if(Cond::Less, end);  // 5, 6 bytes
              a.call(end);                 // 11, 5 bytes
              a.lea(Reg::R9, end);         // 16, 7 bytes
              a.ret();                     // 23
              a.bind(end);                 // 24
              a.ret();
            }),
            (Lines{"jmp @24", "jl @24", "call @24", "lea r9, qword [rip+1]", "ret", "ret"}));
}

TEST(VcodeEncoding, JumpsBackAreShortWhereTheyCanBe) {
  for (const int distance : {0, 100, 126, 127, 200}) {
    const Lines found = lines([&](Assembler& a) {
      Label start;
      a.bind(start);
      for (int i = 0; i < distance; ++i) a.ret();
      a.jump(start);
      a.jump_if(Cond::Overflow, start);
      a.call(start);
    });
    ASSERT_EQ(found.size(), static_cast<std::size_t>(distance + 3));
    EXPECT_EQ(found[static_cast<std::size_t>(distance)], "jmp @0");
    EXPECT_EQ(found[static_cast<std::size_t>(distance) + 1], "jo @0");
    EXPECT_EQ(found[static_cast<std::size_t>(distance) + 2], "call @0");
  }
}

TEST(VcodeEncoding, APrologueAlignsTheStack) {
  EXPECT_EQ(
      lines([](Assembler& a) {
        a.prologue({Reg::Rbx, Reg::R12}, 20);
        a.epilogue({Reg::Rbx, Reg::R12}, 20);
      }),
      (Lines{"push rbx", "push r12", "sub rsp, 24", "add rsp, 24", "pop r12", "pop rbx", "ret"}));
  EXPECT_EQ(lines([](Assembler& a) {
              a.prologue({Reg::Rbx}, 0);
              a.epilogue({Reg::Rbx}, 0);
            }),
            (Lines{"push rbx", "pop rbx", "ret"}));
}

TEST(VcodeErrors, AFullBufferIsToldOnceAndNeverOverrun) {
  for (std::size_t size = 0; size <= 64; ++size) {
    std::vector<std::byte> buffer(size);  // its end is AddressSanitizer's
    Assembler a{buffer};
    Label start;
    Label end;
    a.bind(start);
    for (int i = 0; i < 8; ++i) {
      a.store_immediate(Size::B8, at(Reg::R12, Reg::R13, 8, 1 << 20), 1 << 20);
      a.jump_if(Cond::Equal, end);
      a.jump(start);
      a.lea(Reg::R8, end);
    }
    a.bind(end);
    EXPECT_EQ(a.finish().error(), Errc::NoSpace) << size;
    EXPECT_LE(a.size(), size);
  }
  std::array<std::byte, Assembler::kRoom> just{};
  Assembler a{just};
  a.ret();
  EXPECT_EQ(a.finish(), 1u);
  a.ret();
  EXPECT_EQ(a.finish().error(), Errc::NoSpace);
  EXPECT_EQ(a.size(), 1u);
}

TEST(VcodeErrors, ALabelThatIsNeverBoundIsAnError) {
  std::array<std::byte, 64> buffer{};
  Assembler a{buffer};
  Label somewhere;
  a.jump(somewhere);
  EXPECT_EQ(a.finish().error(), Errc::BadArgument);
  a.bind(somewhere);
  EXPECT_TRUE(a.finish());
}

}  // namespace
}  // namespace xok::vcode
