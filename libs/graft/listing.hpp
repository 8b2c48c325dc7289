// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "libs/graft/instruction.hpp"

namespace xok::graft {

/// One instruction as text, in the style of LLVM's disassembler: "r0 += r1",
/// "*(u32 *)(r10 - 0x8) = 0x5", "if r1 == 0x0 goto +0x9 <12>" where 12 is the target's index. What
/// is no instruction is shown as ".quad 0x...". For people: tools and tests on the host.
///
/// code  the whole program, checked or not
/// at    the index of the instruction, below code.size(); both halves of an lddw are one line
std::string text_of(std::span<const Instruction> code, std::size_t at);

/// How many slots the line of `at` takes: 2 for an lddw that is whole, else 1.
std::size_t slots_of(std::span<const Instruction> code, std::size_t at);

}  // namespace xok::graft
