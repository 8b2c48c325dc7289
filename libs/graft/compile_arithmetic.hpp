// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "libs/graft/instruction.hpp"
#include "libs/vcode/assembler.hpp"

/// The compiler's assignment of registers (compiler.cpp says why), and its arithmetic.
namespace xok::graft {

inline constexpr vcode::Reg kMemory = vcode::Reg::R12;
inline constexpr vcode::Reg kStepsLeft = vcode::Reg::R9;
inline constexpr vcode::Reg kInput0Base = vcode::Reg::Rbp;
inline constexpr vcode::Reg kAddress = vcode::Reg::R11;  ///< scratch; the address in an access
inline constexpr vcode::Reg kOther = vcode::Reg::R10;    ///< scratch

/// Where r0 to r9 live.
inline constexpr vcode::Reg kHost[] = {
    vcode::Reg::Rax, vcode::Reg::Rdi, vcode::Reg::Rsi, vcode::Reg::Rdx, vcode::Reg::Rcx,
    vcode::Reg::R8,  vcode::Reg::Rbx, vcode::Reg::R13, vcode::Reg::R14, vcode::Reg::R15};

/// The register that holds r`r`. r10, which is `frame_end`, is put into `scratch`.
inline vcode::Reg host_register(vcode::Assembler& a, unsigned r, std::uint64_t frame_end,
                                vcode::Reg scratch) {
  if (r != kFrameRegister) return kHost[r];
  a.mov_immediate(scratch, frame_end);
  return scratch;
}

inline void zero(vcode::Assembler& a, vcode::Reg reg) {
  a.alu(vcode::Op::Xor, vcode::Size::B4, reg, reg);
}

/// Appends the code of an instruction of the classes Alu and Alu64. Changes kAddress and kOther.
void compile_arithmetic(vcode::Assembler& a, const Instruction& in, std::uint64_t frame_end);

}  // namespace xok::graft
