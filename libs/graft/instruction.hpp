// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

/// The eBPF instruction set as its bytes lie in a file: RFC 9669, whose names are used here.
/// Integers are little-endian.
namespace xok::graft {

/// One instruction. `lddw`, the load of a 64-bit immediate, takes two.
struct Instruction {
  std::uint8_t opcode;
  std::uint8_t registers;  ///< destination in the low 4 bits, source in the high
  std::int16_t offset;
  std::int32_t immediate;

  constexpr unsigned destination() const { return registers & 0x0f; }
  constexpr unsigned source() const { return registers >> 4; }

  bool operator==(const Instruction&) const = default;
};
static_assert(sizeof(Instruction) == 8 && offsetof(Instruction, offset) == 2 &&
              offsetof(Instruction, immediate) == 4);

/// r0 result, r1 to r5 arguments, r6 to r9 kept over calls, r10 the end of the stack frame.
inline constexpr unsigned kRegisters = 11;
inline constexpr unsigned kFrameRegister = 10;

enum class Class : std::uint8_t { Ld, Ldx, St, Stx, Alu, Jmp, Jmp32, Alu64 };

/// The upper 4 bits of the opcode of an arithmetic instruction.
enum class AluOp : std::uint8_t {
  Add = 0x00,
  Sub = 0x10,
  Mul = 0x20,
  Div = 0x30,  ///< offset 1: signed
  Or = 0x40,
  And = 0x50,
  Lsh = 0x60,
  Rsh = 0x70,
  Neg = 0x80,
  Mod = 0x90,  ///< offset 1: signed
  Xor = 0xa0,
  Mov = 0xb0,  ///< offset 8, 16, 32: with sign extension
  Arsh = 0xc0,
  End = 0xd0,  ///< byte swaps; the immediate is the width
};

/// The upper 4 bits of the opcode of a jump.
enum class JumpOp : std::uint8_t {
  Ja = 0x00,
  Jeq = 0x10,
  Jgt = 0x20,
  Jge = 0x30,
  Jset = 0x40,
  Jne = 0x50,
  Jsgt = 0x60,
  Jsge = 0x70,
  Call = 0x80,
  Exit = 0x90,
  Jlt = 0xa0,
  Jle = 0xb0,
  Jslt = 0xc0,
  Jsle = 0xd0,
};

/// The upper 3 bits of the opcode of a load or store.
enum class Mode : std::uint8_t {
  Imm = 0x00,
  Abs = 0x20,
  Ind = 0x40,
  Mem = 0x60,
  MemSx = 0x80,
  Atomic = 0xc0,
};

inline constexpr std::uint8_t kSourceRegister = 0x08;  ///< of an opcode: the operand is a register
inline constexpr std::uint8_t kLoadImmediate64 = 0x18;
inline constexpr unsigned kCallHelper = 0;  ///< source field of a call
inline constexpr unsigned kCallLocal = 1;

constexpr Class class_of(std::uint8_t opcode) { return static_cast<Class>(opcode & 0x07); }
constexpr AluOp alu_op(std::uint8_t opcode) { return static_cast<AluOp>(opcode & 0xf0); }
constexpr JumpOp jump_op(std::uint8_t opcode) { return static_cast<JumpOp>(opcode & 0xf0); }
constexpr Mode mode_of(std::uint8_t opcode) { return static_cast<Mode>(opcode & 0xe0); }
constexpr bool has_source_register(std::uint8_t opcode) { return (opcode & kSourceRegister) != 0; }

/// Bytes that a load or store moves: the size bits say 4, 2, 1 or 8.
constexpr unsigned width_of(std::uint8_t opcode) {
  constexpr std::uint8_t kWidths[] = {4, 2, 1, 8};
  return kWidths[opcode >> 3 & 3];
}

constexpr std::uint8_t opcode(Class kind, AluOp op, bool source_register = false) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(kind) | static_cast<unsigned>(op) |
                                   (source_register ? kSourceRegister : 0u));
}
constexpr std::uint8_t opcode(Class kind, JumpOp op, bool source_register = false) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(kind) | static_cast<unsigned>(op) |
                                   (source_register ? kSourceRegister : 0u));
}

constexpr bool is_call(const Instruction& in, unsigned kind) {
  return in.opcode == opcode(Class::Jmp, JumpOp::Call) && in.source() == kind;
}
constexpr bool is_helper_call(const Instruction& in) { return is_call(in, kCallHelper); }
constexpr bool is_local_call(const Instruction& in) { return is_call(in, kCallLocal); }

/// Where the jump or local call `in` at index `at` goes; wraps around when it leaves the program.
constexpr std::size_t jump_target(std::size_t at, const Instruction& in) {
  const bool far = jump_op(in.opcode) == JumpOp::Call || class_of(in.opcode) == Class::Jmp32;
  const bool conditional = class_of(in.opcode) == Class::Jmp32 && jump_op(in.opcode) != JumpOp::Ja;
  const std::int64_t distance = far && !conditional ? in.immediate : in.offset;
  return at + 1 + static_cast<std::size_t>(distance);
}

}  // namespace xok::graft
