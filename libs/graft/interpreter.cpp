// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/interpreter.hpp"

#include "base/byte_order.hpp"
#include "libs/graft/arithmetic.hpp"

namespace xok::graft {

/// One run. Whether reads are recorded is a template argument, so that it costs nothing when not.
class Interpreter {
 public:
  Interpreter(const Program& program, Memory& memory, std::uint64_t& steps)
      : program_{program}, memory_{memory}, steps_{steps} {}

  template <Reads kReads>
  Outcome run(const Arguments& arguments) {
    memory_.begin(program_, kReads);
    for (std::size_t i = 0; i < arguments.size(); ++i) r_[i + 1] = arguments[i];
    set_frame(0);
    for (;;) {
      const Program::Slot& slot = slots_[at_];
      if (slot.block_steps > steps_) return stop(Stop::OutOfSteps);
      steps_ -= slot.block_steps;
      const Instruction& in = slot.instruction;
      switch (class_of(in.opcode)) {
        case Class::Ld:
          load_immediate(in);
          break;
        case Class::Ldx:
          if (!load_memory<kReads>(in)) return stop(Stop::BadRead);
          break;
        case Class::St:
        case Class::Stx:
          if (!store_memory(in)) return stop(Stop::BadWrite);
          break;
        case Class::Alu:
          compute32(in);
          break;
        case Class::Alu64:
          compute64(in);
          break;
        case Class::Jmp:
          if (jump_op(in.opcode) == JumpOp::Exit) {
            if (depth_ == 0) return r_[0];
            leave();
            continue;
          }
          if (jump_op(in.opcode) == JumpOp::Call) {
            if (in.source() == kCallLocal) {
              enter(in);
              continue;
            }
            call_helper(slot);
            if (memory_.stop_ != 0) return stop(Stop::HelperFailed);
            break;
          }
          [[fallthrough]];
        case Class::Jmp32:
          if (taken(in)) {
            at_ = jump_target(at_, in);
            continue;
          }
          break;
      }
      ++at_;
    }
  }

 private:
  struct Caller {
    std::size_t at;
    std::array<std::uint64_t, 4> kept;  // r6 to r9
  };

  Outcome stop(Stop why) {
    if (why == Stop::OutOfSteps) steps_ = 0;
    return std::unexpected{why};
  }

  void set_frame(std::size_t level) {
    r_[kFrameRegister] = Memory::kStackAddress + (level + 1) * kFrameSize;
  }

  void load_immediate(const Instruction& in) {
    const auto low = static_cast<std::uint32_t>(in.immediate);
    const auto high = static_cast<std::uint32_t>(slots_[at_ + 1].instruction.immediate);
    r_[in.destination()] = std::uint64_t{high} << 32 | low;
    ++at_;
  }

  /// The place of an access, or nullptr. `number` becomes the region's.
  std::byte* place(std::uint64_t address, unsigned width, std::size_t& number) {
    number = Memory::region_of(address);
    if (number == Memory::kRegionCount) return nullptr;
    const Memory::Region& region = memory_.regions_[number];
    const std::uint64_t offset = address % Memory::kMaxRegion;
    const unsigned log = width == 8 ? 3 : width / 2;
    return offset < region.fits[log] ? region.base + offset : nullptr;
  }

  /// Accesses by r10 were checked at import, also where the stack is not reachable otherwise.
  std::byte* in_frame(std::uint64_t address) {
    return memory_.stack_.data() + (address - Memory::kStackAddress);
  }

  template <Reads kReads>
  bool load_memory(const Instruction& in) {
    const std::uint64_t address = r_[in.source()] + static_cast<std::uint64_t>(in.offset);
    const unsigned width = width_of(in.opcode);
    std::size_t number = Memory::kStack;
    const std::byte* from = nullptr;
    if (in.source() == kFrameRegister) {
      from = in_frame(address);
    } else {
      from = place(address, width, number);
      if (from == nullptr || number == Memory::kOutput) return false;
    }
    if constexpr (kReads == Reads::Recorded) {
      std::byte* map = memory_.regions_[number].read_map;
      if (map != nullptr) __builtin_memset(map + address % Memory::kMaxRegion, 1, width);
    }
    const bool extend = mode_of(in.opcode) == Mode::MemSx;
    r_[in.destination()] = load_value(from, width, extend);
    return true;
  }

  static std::uint64_t load_value(const std::byte* from, unsigned width, bool extend) {
    std::uint64_t value = 0;
    switch (width) {
      case 1:
        value = load<std::uint8_t>(from);
        break;
      case 2:
        value = load<std::uint16_t>(from);
        break;
      case 4:
        value = load<std::uint32_t>(from);
        break;
      default:
        return load<std::uint64_t>(from);
    }
    return extend ? sign_extend(value, static_cast<int>(8 * width)) : value;
  }

  bool store_memory(const Instruction& in) {
    const std::uint64_t address = r_[in.destination()] + static_cast<std::uint64_t>(in.offset);
    const unsigned width = width_of(in.opcode);
    std::byte* to = nullptr;
    if (in.destination() == kFrameRegister) {
      to = in_frame(address);
    } else {
      std::size_t number = 0;
      to = place(address, width, number);
      if (to == nullptr || number > Memory::kStack) return false;
    }
    const std::uint64_t value = class_of(in.opcode) == Class::Stx
                                    ? r_[in.source()]
                                    : static_cast<std::uint64_t>(in.immediate);
    __builtin_memcpy(to, &value, width);  // little-endian: the low bytes come first
    return true;
  }

  std::uint64_t operand(const Instruction& in) const {
    return has_source_register(in.opcode) ? r_[in.source()]
                                          : static_cast<std::uint64_t>(in.immediate);
  }

  void compute64(const Instruction& in) {
    std::uint64_t& to = r_[in.destination()];
    const AluOp op = alu_op(in.opcode);
    to = op == AluOp::End ? swap_bytes(in, to) : compute(op, to, operand(in), in.offset);
  }

  void compute32(const Instruction& in) {
    std::uint64_t& to = r_[in.destination()];
    const AluOp op = alu_op(in.opcode);
    to = op == AluOp::End ? swap_bytes(in, to)
                          : compute(op, static_cast<std::uint32_t>(to),
                                    static_cast<std::uint32_t>(operand(in)), in.offset);
  }

  bool taken(const Instruction& in) const {
    const JumpOp op = jump_op(in.opcode);
    const std::uint64_t a = r_[in.destination()];
    const std::uint64_t b = operand(in);
    if (class_of(in.opcode) == Class::Jmp) return holds(op, a, b);
    return holds(op, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
  }

  void enter(const Instruction& in) {
    callers_[depth_++] = {at_ + 1, {r_[6], r_[7], r_[8], r_[9]}};
    at_ = jump_target(at_, in);
    set_frame(slots_[at_].level);
  }

  void leave() {
    const Caller& caller = callers_[--depth_];
    at_ = caller.at;
    for (std::size_t i = 0; i < caller.kept.size(); ++i) r_[6 + i] = caller.kept[i];
    set_frame(slots_[at_].level);
  }

  void call_helper(const Program::Slot& slot) {
    r_[0] = program_.helpers()[slot.helper].function(r_[1], r_[2], r_[3], r_[4], r_[5], memory_);
    for (std::size_t i = 1; i <= 5; ++i) r_[i] = 0;
  }

  const Program& program_;
  std::span<const Program::Slot> slots_ = program_.slots();
  Memory& memory_;
  std::uint64_t& steps_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::array<std::uint64_t, kRegisters> r_{};
  std::array<Caller, kMaxDepth> callers_;
};

Outcome run(const Program& program, Memory& memory, const Arguments& arguments,
            std::uint64_t& steps, Reads reads) {
  Interpreter interpreter{program, memory, steps};
  return reads == Reads::Recorded ? interpreter.run<Reads::Recorded>(arguments)
                                  : interpreter.run<Reads::Ignored>(arguments);
}

}  // namespace xok::graft
