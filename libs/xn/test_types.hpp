// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "abi/xn.hpp"
#include "libs/graft/test_code.hpp"

/// Functions of a tiny test file system, assembled.
namespace xok::xn::test {

using graft::AluOp;
using graft::JumpOp;
using graft::code::Code;
namespace asm_ = graft::code;  // NOLINT: `asm` is a keyword

inline std::span<const std::byte> bytes(const Code& code) { return std::as_bytes(std::span{code}); }

/// `count` pointers of 8 bytes from byte `offset` on, 0 is none, each to one block of `type`.
struct Pointers {
  int offset;
  int count;
  XnTypeId type;
};

/// An `owns` with one partition for each element.
inline Code owns(const std::vector<std::vector<Pointers>>& partitions) {
  using namespace asm_;
  Code code;
  code.push_back(mov(0, 0));
  for (std::size_t p = 0; p < partitions.size(); ++p) {
    Code part;
    for (const Pointers& run : partitions[p]) {
      part.push_back(movr(6, 1));
      part.push_back(alu64(AluOp::Add, 6, run.offset));
      part.push_back(mov(8, 0));
      part.push_back(ldx(8, 9, 6, 0));
      part.push_back(jump(JumpOp::Jeq, 9, 0, 5));
      part.push_back(stx(8, 3, 0, 9));
      part.push_back(st(4, 3, 8, 1));
      part.push_back(st(4, 3, 12, run.type));
      part.push_back(alu64(AluOp::Add, 3, 16));
      part.push_back(alu64(AluOp::Add, 0, 1));
      part.push_back(alu64(AluOp::Add, 6, 8));
      part.push_back(alu64(AluOp::Add, 8, 1));
      part.push_back(jump(JumpOp::Jlt, 8, run.count, -10));
    }
    part.push_back(exit());
    code.push_back(jump(JumpOp::Jne, 4, static_cast<int>(p), static_cast<int>(part.size())));
    code.insert(code.end(), part.begin(), part.end());
  }
  code.push_back(exit());
  return code;
}

inline Code returns(std::int64_t value) { return {asm_::mov(0, value), asm_::exit()}; }

/// A field of `width` bytes at `offset`, plus `added`.
inline Code field(unsigned width, int offset, int added) {
  using namespace asm_;
  return {ldx(width, 0, 1, offset), alu64(AluOp::Add, 0, added), exit()};
}

/// An `acl`: the word at `offset` is 0, or one of the credentials.
inline Code owner_word(int offset) {
  using namespace asm_;
  return {
      ldx(8, 6, 1, offset),
      jump(JumpOp::Jeq, 6, 0, 6),
      jump(JumpOp::Jeq, 5, 0, 7),
      ldx(8, 7, 4, 0),
      jumpr(JumpOp::Jeq, 7, 6, 3),
      alu64(AluOp::Add, 4, 8),
      alu64(AluOp::Sub, 5, 1),
      ja(-6),
      mov(0, 1),
      exit(),
      mov(0, 0),
      exit(),
  };
}

}  // namespace xok::xn::test
