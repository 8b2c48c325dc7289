// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "libs/graft/memory.hpp"
#include "libs/graft/test_code.hpp"

/// Programs that the import check accepts and that mostly do something, from any source of choices.
/// Tests only.
namespace xok::graft {

/// A number below its argument, which is at least 1.
using Pick = std::function<std::uint32_t(std::uint32_t)>;

class RandomProgram {
 public:
  explicit RandomProgram(Pick pick) : pick_{std::move(pick)} {}

  code::Code make() {
    const std::uint32_t functions = one_in(3) ? 2 + pick_(4) : 1;
    for (std::uint32_t f = 0; f < functions; ++f) function(f, functions);
    for (const auto& [at, function] : calls_)
      code_[at].immediate =
          static_cast<std::int32_t>(starts_[function]) - static_cast<std::int32_t>(at) - 1;
    return code_;
  }

 private:
  bool one_in(std::uint32_t n) { return pick_(n) == 0; }
  unsigned any_register() { return pick_(10); }
  /// A source; now and then r10.
  unsigned any_source() { return one_in(24) ? 10 : pick_(10); }
  unsigned any_width() { return 1u << pick_(4); }
  bool coin() { return one_in(2); }

  std::int64_t any_number() {
    static constexpr std::int64_t kNumbers[] = {
        0,   1,      2,      3,      7,          8,  16, 31, 32,   63,   64,      255,
        256, 0x7fff, 0x8000, 0xffff, 0x7fffffff, -1, -2, -8, -128, -129, -0x8000, -0x7fffffff - 1};
    if (one_in(4)) return static_cast<std::int32_t>(pick_(0xffffffff));
    return kNumbers[pick_(std::size(kNumbers))];
  }

  std::uint64_t any_address() {
    const std::uint64_t starts[] = {Memory::kOutputAddress, Memory::input_address(0),
                                    Memory::input_address(1), Memory::kStackAddress};
    return starts[pick_(one_in(8) ? 4 : 3)] + pick_(32) - (one_in(16) ? pick_(12) : 0);
  }

  void add(const Instruction& in) { code_.push_back(in); }

  void function(std::uint32_t number, std::uint32_t functions) {
    starts_.push_back(code_.size());
    items_.clear();
    jumps_.clear();
    const std::uint32_t items = 1 + pick_(number == 0 ? 40 : 10);
    for (std::uint32_t i = 0; i < items; ++i) {
      items_.push_back(code_.size());
      item(number, functions);
    }
    items_.push_back(code_.size());
    add(code::exit());
    for (const auto& [at, item] : jumps_) {
      const auto target = static_cast<std::int32_t>(items_[item % items_.size()]);
      const std::int32_t distance = target - static_cast<std::int32_t>(at) - 1;
      if (code_[at].opcode == 0x06) {
        code_[at].immediate = distance;
      } else {
        code_[at].offset = static_cast<std::int16_t>(distance);
      }
    }
  }

  void item(std::uint32_t number, std::uint32_t functions) {
    switch (pick_(16)) {
      case 0:
        return wide_load();
      case 1:
        return frame_access();
      case 2:
      case 3:
        return pointer_access();
      case 4:
        return stack_pointer();
      case 5:
        return one_in(4) ? access(any_register(), static_cast<int>(pick_(24)) - 4) : arithmetic();
      case 6:
      case 7:
      case 8:
        return jump();
      case 9:
        return add(code::call(1 + pick_(3)));
      case 10:
        if (number + 1 == functions) return arithmetic();
        calls_.emplace_back(code_.size(), number + 1 + pick_(functions - number - 1));
        return add(code::call_local(0));
      default:
        return arithmetic();
    }
  }

  void wide_load() {
    const std::uint64_t high = static_cast<std::uint64_t>(any_number()) << 32;
    code::lddw(code_, any_register(), coin() ? any_address() : high ^ pick_(0xffffffff));
  }

  void access(unsigned pointer, int offset) {
    const unsigned width = any_width();
    switch (pick_(5)) {
      case 0:
        return add(code::st(width, pointer, offset, any_number()));
      case 1:
        return add(code::stx(width, pointer, offset, any_source()));
      case 2:
        if (width != 8) return add(code::ldsx(width, any_register(), pointer, offset));
        [[fallthrough]];
      default:
        return add(code::ldx(width, any_register(), pointer, offset));
    }
  }

  void frame_access() {
    const int depth = 8 + static_cast<int>(one_in(4) ? pick_(505) : pick_(16));
    access(10, -depth);
  }

  void pointer_access() {
    const unsigned pointer = any_register();
    code::lddw(code_, pointer, any_address());
    access(pointer, static_cast<int>(pick_(12)));
  }

  void stack_pointer() {
    if (!one_in(3)) return arithmetic();  // such programs have the whole stack
    const unsigned pointer = any_register();
    add(code::movr(pointer, 10));
    add(code::alu64(AluOp::Add, pointer, -static_cast<std::int64_t>(pick_(40))));
    access(pointer, static_cast<int>(pick_(12)) - 8);
  }

  void jump() {
    jumps_.emplace_back(code_.size(), pick_(64));
    if (one_in(8)) return add(coin() ? code::ja(0) : code::ja32(0));
    static constexpr JumpOp kOps[] = {JumpOp::Jeq, JumpOp::Jgt,  JumpOp::Jge,  JumpOp::Jset,
                                      JumpOp::Jne, JumpOp::Jsgt, JumpOp::Jsge, JumpOp::Jlt,
                                      JumpOp::Jle, JumpOp::Jslt, JumpOp::Jsle};
    const JumpOp op = kOps[pick_(std::size(kOps))];
    const unsigned a = one_in(24) ? 10 : any_register();
    switch (pick_(4)) {
      case 0:
        return add(code::jump(op, a, any_number(), 0));
      case 1:
        return add(code::jumpr(op, a, any_source(), 0));
      case 2:
        return add(code::jump32(op, a, any_number(), 0));
      default:
        return add(code::jump32r(op, a, any_source(), 0));
    }
  }

  void arithmetic() {
    const unsigned to = any_register();
    if (one_in(8)) {
      const int bits = 16 << pick_(3);
      const std::uint32_t kind = pick_(3);
      return add(kind == 0   ? code::swap(to, bits)
                 : kind == 1 ? code::to_be(to, bits)
                             : code::to_le(to, bits));
    }
    const auto op = static_cast<AluOp>(16 * pick_(13));
    if (op == AluOp::Neg) return add(coin() ? code::alu64(op, to, 0) : code::alu32(op, to, 0));
    const bool by_register = coin();
    const bool wide = coin();
    int variant = 0;
    if (op == AluOp::Div || op == AluOp::Mod) variant = static_cast<int>(pick_(2));
    if (op == AluOp::Mov && by_register && coin()) variant = 8 << pick_(wide ? 3 : 2);
    const unsigned from = any_source();
    const std::int64_t number = any_number();
    if (by_register)
      return add(wide ? code::alu64r(op, to, from, variant) : code::alu32r(op, to, from, variant));
    add(wide ? code::alu64(op, to, number, variant) : code::alu32(op, to, number, variant));
  }

  Pick pick_;
  code::Code code_;
  std::vector<std::size_t> starts_;                           // of functions
  std::vector<std::size_t> items_;                            // of this function: where to jump
  std::vector<std::pair<std::size_t, std::uint32_t>> jumps_;  // instruction, item
  std::vector<std::pair<std::size_t, std::uint32_t>> calls_;  // instruction, function
};

}  // namespace xok::graft
