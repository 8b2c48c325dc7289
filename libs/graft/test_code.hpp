// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/graft/program.hpp"

/// An assembler in the form of functions, and a Program that owns its storage. Tests only.
namespace xok::graft::code {

using Code = std::vector<Instruction>;

constexpr Instruction raw(unsigned opcode, unsigned to, unsigned from, int offset,
                          std::int64_t immediate) {
  return {static_cast<std::uint8_t>(opcode), static_cast<std::uint8_t>(from << 4 | to),
          static_cast<std::int16_t>(offset), static_cast<std::int32_t>(immediate)};
}

constexpr Instruction alu64(AluOp op, unsigned to, std::int64_t value, int variant = 0) {
  return raw(opcode(Class::Alu64, op), to, 0, variant, value);
}
constexpr Instruction alu64r(AluOp op, unsigned to, unsigned from, int variant = 0) {
  return raw(opcode(Class::Alu64, op, true), to, from, variant, 0);
}
constexpr Instruction alu32(AluOp op, unsigned to, std::int64_t value, int variant = 0) {
  return raw(opcode(Class::Alu, op), to, 0, variant, value);
}
constexpr Instruction alu32r(AluOp op, unsigned to, unsigned from, int variant = 0) {
  return raw(opcode(Class::Alu, op, true), to, from, variant, 0);
}
constexpr Instruction mov(unsigned to, std::int64_t value) { return alu64(AluOp::Mov, to, value); }
constexpr Instruction movr(unsigned to, unsigned from) { return alu64r(AluOp::Mov, to, from); }
constexpr Instruction swap(unsigned to, int bits) {
  return raw(opcode(Class::Alu64, AluOp::End), to, 0, 0, bits);
}
constexpr Instruction to_be(unsigned to, int bits) {
  return raw(opcode(Class::Alu, AluOp::End, true), to, 0, 0, bits);
}
constexpr Instruction to_le(unsigned to, int bits) {
  return raw(opcode(Class::Alu, AluOp::End), to, 0, 0, bits);
}

constexpr unsigned size_bits(unsigned width) {
  return width == 1 ? 0x10 : width == 2 ? 0x08 : width == 4 ? 0x00 : 0x18;
}
constexpr Instruction ldx(unsigned width, unsigned to, unsigned base, int offset) {
  return raw(0x61 | size_bits(width), to, base, offset, 0);
}
constexpr Instruction ldsx(unsigned width, unsigned to, unsigned base, int offset) {
  return raw(0x81 | size_bits(width), to, base, offset, 0);
}
constexpr Instruction stx(unsigned width, unsigned base, int offset, unsigned from) {
  return raw(0x63 | size_bits(width), base, from, offset, 0);
}
constexpr Instruction st(unsigned width, unsigned base, int offset, std::int64_t value) {
  return raw(0x62 | size_bits(width), base, 0, offset, value);
}

constexpr Instruction jump(JumpOp op, unsigned a, std::int64_t b, int distance) {
  return raw(opcode(Class::Jmp, op), a, 0, distance, b);
}
constexpr Instruction jumpr(JumpOp op, unsigned a, unsigned b, int distance) {
  return raw(opcode(Class::Jmp, op, true), a, b, distance, 0);
}
constexpr Instruction jump32(JumpOp op, unsigned a, std::int64_t b, int distance) {
  return raw(opcode(Class::Jmp32, op), a, 0, distance, b);
}
constexpr Instruction jump32r(JumpOp op, unsigned a, unsigned b, int distance) {
  return raw(opcode(Class::Jmp32, op, true), a, b, distance, 0);
}
constexpr Instruction ja(int distance) { return jump(JumpOp::Ja, 0, 0, distance); }
constexpr Instruction ja32(int distance) { return raw(0x06, 0, 0, 0, distance); }
constexpr Instruction call(std::int64_t helper) { return raw(0x85, 0, kCallHelper, 0, helper); }
constexpr Instruction call_local(std::int64_t distance) {
  return raw(0x85, 0, kCallLocal, 0, distance);
}
constexpr Instruction exit() { return raw(0x95, 0, 0, 0, 0); }

inline void lddw(Code& code, unsigned to, std::uint64_t value) {
  code.push_back(raw(kLoadImmediate64, to, 0, 0, static_cast<std::int64_t>(value & 0xffffffff)));
  code.push_back(raw(0, 0, 0, 0, static_cast<std::int64_t>(value >> 32)));
}

/// A checked program and its storage.
struct Loaded {
  explicit Loaded(const Code& code, std::span<const Helper> helpers = {}) : slots(code.size()) {
    auto checked = Program::from(std::as_bytes(std::span{code}), helpers, slots, &refusal);
    if (checked) {
      program = *checked;
    } else {
      error = checked.error();
    }
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  std::vector<Program::Slot> slots;
  Refusal refusal;
  std::optional<Program> program;
  Errc error{};
};

}  // namespace xok::graft::code
