// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/listing.hpp"

#include <bit>
#include <cstdio>

namespace xok::graft {
namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

/// A signed number: 0x5, -0x5.
std::string signed_hex(std::int64_t value) {
  return value < 0 ? "-" + hex(0 - static_cast<std::uint64_t>(value))
                   : hex(static_cast<std::uint64_t>(value));
}

std::string reg(unsigned r, bool wide) { return (wide ? "r" : "w") + std::to_string(r); }

std::string place(const Instruction& in, unsigned base, bool is_signed) {
  const std::string type = (is_signed ? "s" : "u") + std::to_string(8 * width_of(in.opcode));
  const std::string offset = in.offset < 0 ? " - " + hex(static_cast<std::uint64_t>(-in.offset))
                                           : " + " + hex(static_cast<std::uint64_t>(in.offset));
  return "*(" + type + " *)(r" + std::to_string(base) + offset + ")";
}

std::string operand(const Instruction& in, bool wide) {
  return has_source_register(in.opcode) ? reg(in.source(), wide) : signed_hex(in.immediate);
}

std::string swap(const Instruction& in) {
  const std::string to = reg(in.destination(), true);
  const char* const kind = class_of(in.opcode) == Class::Alu64 ? "bswap"
                           : has_source_register(in.opcode)    ? "be"
                                                               : "le";
  return to + " = " + kind + std::to_string(in.immediate) + " " + to;
}

std::string arithmetic(const Instruction& in) {
  const bool wide = class_of(in.opcode) == Class::Alu64;
  const std::string to = reg(in.destination(), wide);
  const std::string from = operand(in, wide);
  const char* const sign = in.offset != 0 ? "s" : "";
  switch (alu_op(in.opcode)) {
    case AluOp::Add:
      return to + " += " + from;
    case AluOp::Sub:
      return to + " -= " + from;
    case AluOp::Mul:
      return to + " *= " + from;
    case AluOp::Div:
      return to + " " + sign + "/= " + from;
    case AluOp::Or:
      return to + " |= " + from;
    case AluOp::And:
      return to + " &= " + from;
    case AluOp::Lsh:
      return to + " <<= " + from;
    case AluOp::Rsh:
      return to + " >>= " + from;
    case AluOp::Neg:
      return to + " = -" + to;
    case AluOp::Mod:
      return to + " " + sign + "%= " + from;
    case AluOp::Xor:
      return to + " ^= " + from;
    case AluOp::Mov:
      return to + " = " + (in.offset != 0 ? "(s" + std::to_string(in.offset) + ")" : "") + from;
    case AluOp::Arsh:
      return to + " s>>= " + from;
    case AluOp::End:
      return swap(in);
  }
  return "";
}

std::string target(std::size_t at, const Instruction& in, std::int64_t distance) {
  const auto to = static_cast<std::int64_t>(jump_target(at, in));
  return (distance < 0 ? "" : "+") + signed_hex(distance) + " <" + std::to_string(to) + ">";
}

const char* sign_of(JumpOp op) {
  switch (op) {
    case JumpOp::Jeq:
      return "==";
    case JumpOp::Jgt:
      return ">";
    case JumpOp::Jge:
      return ">=";
    case JumpOp::Jset:
      return "&";
    case JumpOp::Jne:
      return "!=";
    case JumpOp::Jsgt:
      return "s>";
    case JumpOp::Jsge:
      return "s>=";
    case JumpOp::Jlt:
      return "<";
    case JumpOp::Jle:
      return "<=";
    case JumpOp::Jslt:
      return "s<";
    case JumpOp::Jsle:
      return "s<=";
    default:
      return nullptr;
  }
}

std::string jump(std::size_t at, const Instruction& in) {
  const bool wide = class_of(in.opcode) == Class::Jmp;
  const JumpOp op = jump_op(in.opcode);
  if (op == JumpOp::Ja && wide) return "goto " + target(at, in, in.offset);
  if (op == JumpOp::Ja) return "gotol " + target(at, in, in.immediate);
  if (op == JumpOp::Exit && wide) return "exit";
  if (is_local_call(in)) return "call " + target(at, in, in.immediate);
  if (is_helper_call(in))
    return "call helper " + std::to_string(static_cast<std::uint32_t>(in.immediate));
  const char* const sign = sign_of(op);
  if (sign == nullptr) return "";
  return "if " + reg(in.destination(), wide) + " " + sign + " " + operand(in, wide) + " goto " +
         target(at, in, in.offset);
}

std::string load_or_store(const Instruction& in) {
  const Mode mode = mode_of(in.opcode);
  const Class kind = class_of(in.opcode);
  if (mode != Mode::Mem && !(kind == Class::Ldx && mode == Mode::MemSx)) return "";
  switch (kind) {
    case Class::Ldx:
      return reg(in.destination(), true) + " = " + place(in, in.source(), mode == Mode::MemSx);
    case Class::St:
      return place(in, in.destination(), false) + " = " + signed_hex(in.immediate);
    default:
      return place(in, in.destination(), false) + " = " + reg(in.source(), true);
  }
}

std::string known(std::span<const Instruction> code, std::size_t at) {
  const Instruction& in = code[at];
  switch (class_of(in.opcode)) {
    case Class::Ld:
      break;
    case Class::Ldx:
    case Class::St:
    case Class::Stx:
      return load_or_store(in);
    case Class::Alu:
    case Class::Alu64:
      return arithmetic(in);
    case Class::Jmp:
    case Class::Jmp32:
      return jump(at, in);
  }
  if (slots_of(code, at) != 2) return "";
  const auto low = static_cast<std::uint32_t>(in.immediate);
  const auto high = static_cast<std::uint32_t>(code[at + 1].immediate);
  return reg(in.destination(), true) + " = " + hex(std::uint64_t{high} << 32 | low) + " ll";
}

}  // namespace

std::size_t slots_of(std::span<const Instruction> code, std::size_t at) {
  const Instruction& in = code[at];
  return in.opcode == kLoadImmediate64 && in.source() == 0 && at + 1 < code.size() ? 2 : 1;
}

std::string text_of(std::span<const Instruction> code, std::size_t at) {
  const std::string text = known(code, at);
  return text.empty() ? ".quad " + hex(std::bit_cast<std::uint64_t>(code[at])) : text;
}

}  // namespace xok::graft
