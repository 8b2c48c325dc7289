// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <type_traits>

#include "base/byte_order.hpp"
#include "libs/graft/instruction.hpp"

/// What the arithmetic instructions and the conditions compute (RFC 9669, sections 4.1 to 4.3).
namespace xok::graft {

template <std::unsigned_integral T>
constexpr T signed_divide(T a, T b) {
  using Signed = std::make_signed_t<T>;
  if (b == 0) return 0;
  if (b == static_cast<T>(-1)) return T{0} - a;  // the lowest number has no opposite: it stays
  return static_cast<T>(static_cast<Signed>(a) / static_cast<Signed>(b));
}

template <std::unsigned_integral T>
constexpr T signed_modulo(T a, T b) {
  using Signed = std::make_signed_t<T>;
  if (b == 0) return a;
  if (b == static_cast<T>(-1)) return 0;
  return static_cast<T>(static_cast<Signed>(a) % static_cast<Signed>(b));
}

/// The low `bits` of a value with their sign spread over the rest; `bits` 8, 16, 32, or 0: as it
/// is.
template <std::unsigned_integral T>
constexpr T sign_extend(T value, int bits) {
  switch (bits) {
    case 8:
      return static_cast<T>(static_cast<std::int8_t>(value));
    case 16:
      return static_cast<T>(static_cast<std::int16_t>(value));
    case 32:
      return static_cast<T>(static_cast<std::int32_t>(value));
    default:
      return value;
  }
}

/// a OP b for all operations but End. `variant` is the instruction's offset.
template <std::unsigned_integral T>
constexpr T compute(AluOp op, T a, T b, int variant) {
  constexpr unsigned kShiftMask = std::numeric_limits<T>::digits - 1;
  const unsigned shift = static_cast<unsigned>(b) & kShiftMask;
  switch (op) {
    case AluOp::Add:
      return a + b;
    case AluOp::Sub:
      return a - b;
    case AluOp::Mul:
      return a * b;
    case AluOp::Div:
      return variant != 0 ? signed_divide(a, b) : b == 0 ? 0 : a / b;
    case AluOp::Or:
      return a | b;
    case AluOp::And:
      return a & b;
    case AluOp::Lsh:
      return a << shift;
    case AluOp::Rsh:
      return a >> shift;
    case AluOp::Neg:
      return T{0} - a;
    case AluOp::Mod:
      return variant != 0 ? signed_modulo(a, b) : b == 0 ? a : a % b;
    case AluOp::Xor:
      return a ^ b;
    case AluOp::Mov:
      return sign_extend(b, variant);
    case AluOp::Arsh:
      return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> shift);
    case AluOp::End:
      break;
  }
  return a;
}

/// The End instructions: on a little-endian machine "to little-endian" only cuts.
constexpr std::uint64_t swap_bytes(const Instruction& in, std::uint64_t value) {
  const bool swaps = class_of(in.opcode) == Class::Alu64 || has_source_register(in.opcode);
  switch (in.immediate) {
    case 16: {
      const auto low = static_cast<std::uint16_t>(value);
      return swaps ? byte_swap(low) : low;
    }
    case 32: {
      const auto low = static_cast<std::uint32_t>(value);
      return swaps ? byte_swap(low) : low;
    }
    default:
      return swaps ? byte_swap(value) : value;
  }
}

/// Whether a conditional jump is taken.
template <std::unsigned_integral T>
constexpr bool holds(JumpOp op, T a, T b) {
  using Signed = std::make_signed_t<T>;
  const auto sa = static_cast<Signed>(a);
  const auto sb = static_cast<Signed>(b);
  switch (op) {
    case JumpOp::Jeq:
      return a == b;
    case JumpOp::Jgt:
      return a > b;
    case JumpOp::Jge:
      return a >= b;
    case JumpOp::Jset:
      return (a & b) != 0;
    case JumpOp::Jne:
      return a != b;
    case JumpOp::Jsgt:
      return sa > sb;
    case JumpOp::Jsge:
      return sa >= sb;
    case JumpOp::Jlt:
      return a < b;
    case JumpOp::Jle:
      return a <= b;
    case JumpOp::Jslt:
      return sa < sb;
    case JumpOp::Jsle:
      return sa <= sb;
    case JumpOp::Ja:
    case JumpOp::Call:
    case JumpOp::Exit:
      break;
  }
  return true;
}

}  // namespace xok::graft
