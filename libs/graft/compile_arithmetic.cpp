// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/compile_arithmetic.hpp"

namespace xok::graft {
namespace {

using vcode::Cond;
using vcode::Label;
using vcode::Op;
using vcode::Reg;
using vcode::Shift;
using vcode::Size;

class Arithmetic {
 public:
  Arithmetic(vcode::Assembler& a, std::uint64_t frame_end) : a_{a}, frame_end_{frame_end} {}

  void compile(const Instruction& in) {
    const Size size = class_of(in.opcode) == Class::Alu64 ? Size::B8 : Size::B4;
    const AluOp op = alu_op(in.opcode);
    const Reg to = kHost[in.destination()];
    switch (op) {
      case AluOp::Neg:
        return a_.negate(size, to);
      case AluOp::End:
        return swap(in, to);
      case AluOp::Mov:
        return move(in, size, to);
      case AluOp::Div:
      case AluOp::Mod:
        return divide(in, size, to);
      default:
        break;
    }
    if (!has_source_register(in.opcode)) return by_immediate(op, size, to, in.immediate);
    const Reg from = host_register(a_, in.source(), frame_end_, kAddress);
    switch (op) {
      case AluOp::Mul:
        return a_.multiply(size, to, from);
      case AluOp::Lsh:
        return shift(Shift::Shl, size, to, from);
      case AluOp::Rsh:
        return shift(Shift::Shr, size, to, from);
      case AluOp::Arsh:
        return shift(Shift::Sar, size, to, from);
      default:
        return a_.alu(plain(op), size, to, from);
    }
  }

 private:
  static Op plain(AluOp op) {
    switch (op) {
      case AluOp::Sub:
        return Op::Sub;
      case AluOp::Or:
        return Op::Or;
      case AluOp::And:
        return Op::And;
      case AluOp::Xor:
        return Op::Xor;
      default:
        return Op::Add;
    }
  }

  void by_immediate(AluOp op, Size size, Reg to, std::int32_t value) {
    const auto count = static_cast<std::uint8_t>(value & (size == Size::B8 ? 63 : 31));
    switch (op) {
      case AluOp::Mul:
        return a_.multiply(size, to, to, value);
      case AluOp::Lsh:
        return a_.shift(Shift::Shl, size, to, count);
      case AluOp::Rsh:
        return a_.shift(Shift::Shr, size, to, count);
      case AluOp::Arsh:
        return a_.shift(Shift::Sar, size, to, count);
      default:
        return a_.alu(plain(op), size, to, value);
    }
  }

  void move(const Instruction& in, Size size, Reg to) {
    if (!has_source_register(in.opcode)) {
      const auto value = static_cast<std::uint64_t>(in.immediate);
      return a_.mov_immediate(to, size == Size::B8 ? value : value & 0xffffffff);
    }
    if (in.source() == kFrameRegister && in.offset == 0)
      return a_.mov_immediate(to, frame_end_);  // fits in 32 bits
    const Reg from = host_register(a_, in.source(), frame_end_, kAddress);
    switch (in.offset) {
      case 8:
        return a_.sign_extend(size, Size::B1, to, from);
      case 16:
        return a_.sign_extend(size, Size::B2, to, from);
      case 32:
        return a_.sign_extend(size, Size::B4, to, from);
      default:
        return a_.mov(size, to, from);
    }
  }

  void swap(const Instruction& in, Reg reg) {
    const bool swaps = class_of(in.opcode) == Class::Alu64 || has_source_register(in.opcode);
    switch (in.immediate) {
      case 16:
        if (swaps) a_.swap_bytes(Size::B2, reg);
        return a_.zero_extend(Size::B2, reg, reg);
      case 32:
        if (swaps) return a_.swap_bytes(Size::B4, reg);
        return a_.zero_extend(Size::B4, reg, reg);
      default:
        if (swaps) a_.swap_bytes(Size::B8, reg);
    }
  }

  /// By a register: the count must be in cl, which is eBPF's r4.
  void shift(Shift op, Size size, Reg to, Reg count) {
    if (count == Reg::Rcx && to != Reg::Rcx) return a_.shift_by_cl(op, size, to);
    if (to == Reg::Rcx) {
      a_.mov(Size::B8, kOther, Reg::Rcx);
      if (count != Reg::Rcx) a_.mov(Size::B4, Reg::Rcx, count);
      a_.shift_by_cl(op, size, kOther);
      return a_.mov(Size::B8, Reg::Rcx, kOther);
    }
    a_.mov(Size::B8, kOther, Reg::Rcx);
    a_.mov(Size::B4, Reg::Rcx, count);
    a_.shift_by_cl(op, size, to);
    a_.mov(Size::B8, Reg::Rcx, kOther);
  }

  /// The processor divides rdx:rax and faults where eBPF has results: by 0, and the lowest number
  /// by -1.
  void divide(const Instruction& in, Size size, Reg to) {
    const bool quotient = alu_op(in.opcode) == AluOp::Div;
    const bool is_signed = in.offset != 0;
    Label zero_divisor;
    Label done;
    Label minus_one;
    if (has_source_register(in.opcode)) {
      a_.mov(size, kAddress, host_register(a_, in.source(), frame_end_, kAddress));
    } else {
      a_.mov_immediate(kAddress, static_cast<std::uint64_t>(in.immediate));
    }
    a_.test(size, kAddress, kAddress);
    a_.jump_if(Cond::Equal, zero_divisor);
    if (is_signed) {
      a_.compare(size, kAddress, -1);
      a_.jump_if(Cond::Equal, minus_one);
    }
    a_.mov(Size::B8, kOther, Reg::Rax);
    a_.push(Reg::Rdx);
    if (to != Reg::Rax) a_.mov(Size::B8, Reg::Rax, to);
    if (is_signed) {
      a_.extend_rax_to_rdx(size);
      a_.divide_signed(size, kAddress);
    } else {
      zero(a_, Reg::Rdx);
      a_.divide_unsigned(size, kAddress);
    }
    a_.mov(size, kAddress, quotient ? Reg::Rax : Reg::Rdx);
    a_.pop(Reg::Rdx);
    a_.mov(Size::B8, Reg::Rax, kOther);
    a_.mov(Size::B8, to, kAddress);
    a_.jump(done);
    if (is_signed) {
      a_.bind(minus_one);
      if (quotient) {
        a_.negate(size, to);
      } else {
        zero(a_, to);
      }
      a_.jump(done);
    }
    a_.bind(zero_divisor);
    if (quotient) {
      zero(a_, to);
    } else if (size == Size::B4) {
      a_.mov(Size::B4, to, to);
    }
    a_.bind(done);
  }

  vcode::Assembler& a_;
  std::uint64_t frame_end_;
};

}  // namespace

void compile_arithmetic(vcode::Assembler& a, const Instruction& in, std::uint64_t frame_end) {
  Arithmetic{a, frame_end}.compile(in);
}

}  // namespace xok::graft
