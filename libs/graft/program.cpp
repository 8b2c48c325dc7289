// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The import check. After it the engines need not look again: registers and opcodes are valid,
// every jump lands on an instruction of its own function, no path runs off the end, r10 is a
// constant.
//
// Steps are charged by basic block, when it is entered: the interpreter and compiled code then stop
// at the same place with the same result, whatever else would have happened in the block. Every
// cycle of jumps goes through the beginning of a block, and every block costs a step, so every run
// ends.
#include "libs/graft/program.hpp"

#include "base/byte_order.hpp"

namespace xok::graft {

/// One import. Each check returns the error after it has noted why.
class Importer {
 public:
  Importer(std::span<const Helper> helpers, std::span<Program::Slot> slots, Refusal* refusal)
      : helpers_{helpers}, slots_{slots}, refusal_{refusal} {}

  Result<Program> import(std::span<const std::byte> code) {
    for (std::size_t i = 0; i < slots_.size(); ++i)
      slots_[i] = {.instruction = load<Instruction>(code.data() + i * sizeof(Instruction))};
    slots_[0].function_start = true;
    slots_[0].block_steps = 1;
    for (at_ = 0; at_ < slots_.size(); ++at_)
      if (!slots_[at_].second_half) XOK_TRY(check_instruction());
    XOK_TRY(check_functions());
    XOK_TRY(find_levels());
    XOK_TRY(check_frames());
    sum_blocks();
    return program_;
  }

 private:
  Result<> refuse(Errc error, const char* reason) {
    if (refusal_ != nullptr) *refusal_ = {at_, reason};
    return fail(error);
  }
  Result<> bad(const char* reason) { return refuse(Errc::BadFormat, reason); }

  const Instruction& current() const { return slots_[at_].instruction; }

  Result<> check_instruction() {
    const Instruction& in = current();
    if (in.destination() >= kRegisters || in.source() >= kRegisters)
      return bad("there is no such register");
    use_register(in.destination());
    use_register(in.source());
    switch (class_of(in.opcode)) {
      case Class::Ld:
        return check_load_immediate();
      case Class::Ldx:
        return check_load();
      case Class::St:
      case Class::Stx:
        return check_store();
      case Class::Alu:
      case Class::Alu64:
        return check_alu();
      case Class::Jmp:
      case Class::Jmp32:
        return check_jump();
    }
    return bad("unknown opcode");
  }

  void use_register(unsigned r) {
    program_.registers_ = static_cast<std::uint16_t>(program_.registers_ | 1u << r);
  }

  Result<> check_written() {
    if (current().destination() == kFrameRegister) return bad("r10 is read-only");
    return {};
  }

  Result<> check_load_immediate() {
    const Instruction& in = current();
    const Mode mode = mode_of(in.opcode);
    if (mode == Mode::Abs || mode == Mode::Ind)
      return refuse(Errc::NotSupported, "the packet instructions are not supported");
    if (in.opcode != kLoadImmediate64) return bad("unknown opcode");
    if (in.source() != 0)
      return refuse(Errc::NotSupported, "lddw with a source field: maps and variables");
    XOK_TRY(check_written());
    if (in.offset != 0) return bad("a field that is not used is not 0");
    if (at_ + 1 == slots_.size()) return bad("lddw without its second half");
    const Instruction& second = slots_[at_ + 1].instruction;
    if (second.opcode != 0 || second.registers != 0 || second.offset != 0)
      return bad("the second half of lddw holds more than an immediate");
    slots_[at_ + 1].second_half = true;
    return {};
  }

  Result<> check_load() {
    const Instruction& in = current();
    const Mode mode = mode_of(in.opcode);
    const bool known = mode == Mode::Mem || (mode == Mode::MemSx && width_of(in.opcode) != 8);
    if (!known) return bad("unknown opcode");
    if (in.immediate != 0) return bad("a field that is not used is not 0");
    return check_written();
  }

  Result<> check_store() {
    const Instruction& in = current();
    const bool from_register = class_of(in.opcode) == Class::Stx;
    if (from_register && mode_of(in.opcode) == Mode::Atomic)
      return refuse(Errc::NotSupported, "atomic instructions are not supported");
    if (mode_of(in.opcode) != Mode::Mem) return bad("unknown opcode");
    if (from_register ? in.immediate != 0 : in.source() != 0)
      return bad("a field that is not used is not 0");
    if (from_register && in.source() == kFrameRegister) program_.stack_escapes_ = true;
    return {};
  }

  Result<> check_alu() {
    const Instruction& in = current();
    const bool wide = class_of(in.opcode) == Class::Alu64;
    const AluOp op = alu_op(in.opcode);
    const bool by_register = has_source_register(in.opcode);
    if (static_cast<unsigned>(op) > static_cast<unsigned>(AluOp::End)) return bad("unknown opcode");
    XOK_TRY(check_written());
    if (op == AluOp::End) {  // the source bit is the byte order
      if (wide && by_register) return bad("unknown opcode");
      if (in.source() != 0 || in.offset != 0) return bad("a field that is not used is not 0");
      if (in.immediate != 16 && in.immediate != 32 && in.immediate != 64)
        return bad("byte swaps are of 16, 32 or 64 bits");
      return {};
    }
    if (op == AluOp::Neg && by_register) return bad("unknown opcode");
    if (by_register || op == AluOp::Neg ? in.immediate != 0 : false)
      return bad("a field that is not used is not 0");
    if (!by_register && in.source() != 0) return bad("a field that is not used is not 0");
    if (by_register && in.source() == kFrameRegister) program_.stack_escapes_ = true;
    if (in.offset == 0) return {};
    if ((op == AluOp::Div || op == AluOp::Mod) && in.offset == 1) return {};
    if (op == AluOp::Mov && by_register &&
        (in.offset == 8 || in.offset == 16 || (wide && in.offset == 32)))
      return {};
    return bad("unknown variant of the operation");
  }

  Result<> check_jump() {
    const Instruction& in = current();
    const bool wide = class_of(in.opcode) == Class::Jmp;
    const JumpOp op = jump_op(in.opcode);
    const bool by_register = has_source_register(in.opcode);
    if (static_cast<unsigned>(op) > static_cast<unsigned>(JumpOp::Jsle))
      return bad("unknown opcode");
    if (op == JumpOp::Call) return check_call();
    begin_block(at_ + 1);
    const bool plain = op == JumpOp::Ja || op == JumpOp::Exit;
    if (plain && (by_register || in.registers != 0)) return bad("unknown opcode");
    if (op == JumpOp::Exit) {
      if (!wide) return bad("unknown opcode");
      if (in.offset != 0 || in.immediate != 0) return bad("a field that is not used is not 0");
      return {};
    }
    if (op == JumpOp::Ja ? (wide ? in.immediate : in.offset) != 0
                         : (by_register ? in.immediate != 0 : in.source() != 0))
      return bad("a field that is not used is not 0");
    return {};  // check_functions looks at the target, when all second halves are known
  }

  Result<> check_call() {
    const Instruction& in = current();
    if (class_of(in.opcode) != Class::Jmp || has_source_register(in.opcode))
      return bad("unknown opcode");
    if (in.destination() != 0 || in.offset != 0) return bad("a field that is not used is not 0");
    if (in.source() == kCallLocal) {
      const auto target = static_cast<std::int64_t>(at_) + 1 + in.immediate;
      if (target < 0 || target >= static_cast<std::int64_t>(slots_.size()))
        return bad("a call out of the program");
      slots_[static_cast<std::size_t>(target)].function_start = true;
      begin_block(static_cast<std::size_t>(target));
      return {};
    }
    if (in.source() != kCallHelper)
      return refuse(Errc::NotSupported, "calls of the kernel's functions by BTF id");
    for (std::size_t i = 0; i < helpers_.size(); ++i) {
      if (helpers_[i].id != static_cast<std::uint32_t>(in.immediate)) continue;
      slots_[at_].helper = static_cast<std::uint8_t>(i);
      for (unsigned r = 0; r <= 5; ++r) use_register(r);
      return {};
    }
    return refuse(Errc::NotFound, "a call of a helper that is not declared");
  }

  void begin_block(std::size_t at) {
    if (at < slots_.size()) slots_[at].block_steps = 1;
  }

  std::size_t function_end(std::size_t start) const {
    std::size_t end = start + 1;
    while (end < slots_.size() && !slots_[end].function_start) ++end;
    return end;
  }

  Result<> check_functions() {
    for (std::size_t start = 0; start < slots_.size();) {
      at_ = start;
      if (slots_[start].second_half) return bad("a call into an lddw");
      const std::size_t end = function_end(start);
      for (; at_ < end; ++at_)
        if (!slots_[at_].second_half) XOK_TRY(check_target(start, end));
      at_ = end - 1;
      const Instruction& last = current();
      const Class kind = class_of(last.opcode);
      const JumpOp op = jump_op(last.opcode);
      if (slots_[at_].second_half || (kind != Class::Jmp && kind != Class::Jmp32) ||
          (op != JumpOp::Exit && op != JumpOp::Ja))
        return bad("a function runs off its end");
      start = end;
    }
    return {};
  }

  Result<> check_target(std::size_t start, std::size_t end) {
    const Instruction& in = current();
    const Class kind = class_of(in.opcode);
    const JumpOp op = jump_op(in.opcode);
    if ((kind != Class::Jmp && kind != Class::Jmp32) || op == JumpOp::Call || op == JumpOp::Exit)
      return {};
    const std::size_t target = jump_target(at_, in);
    if (target < start || target >= end) return bad("a jump out of the function");
    if (slots_[target].second_half) return bad("a jump into an lddw");
    begin_block(target);
    return {};
  }

  /// The longest chain of calls that leads to each function, found by going over all calls until
  /// nothing changes. A cycle would grow for ever, and is found by exceeding kMaxDepth.
  Result<> find_levels() {
    for (bool changed = true; changed;) {
      changed = false;
      std::uint8_t level = 0;
      for (at_ = 0; at_ < slots_.size(); ++at_) {
        if (slots_[at_].function_start) level = slots_[at_].level;
        const Instruction& in = current();
        if (slots_[at_].second_half || !is_local_call(in)) continue;
        Program::Slot& callee = slots_[jump_target(at_, in)];
        if (callee.level > level) continue;
        if (level + 1u == kMaxDepth)
          return refuse(Errc::TooBig, "functions call each other too deep, or themselves");
        callee.level = static_cast<std::uint8_t>(level + 1);
        changed = true;
      }
    }
    return {};
  }

  Result<> check_frames() {
    std::uint8_t level = 0;
    program_.first_stack_byte_ = kMaxStack;
    for (at_ = 0; at_ < slots_.size(); ++at_) {
      Program::Slot& slot = slots_[at_];
      if (slot.function_start) level = slot.level;
      slot.level = level;
      if (level >= program_.levels_) program_.levels_ = level + 1u;
      if (!slot.second_half) XOK_TRY(check_frame_access());
    }
    if (program_.stack_escapes_) program_.first_stack_byte_ = 0;
    if (program_.first_stack_byte_ > program_.stack_size())
      program_.first_stack_byte_ = program_.stack_size();
    return {};
  }

  Result<> check_frame_access() {
    const Instruction& in = current();
    const Class kind = class_of(in.opcode);
    const bool loads = kind == Class::Ldx;
    if (!loads && kind != Class::St && kind != Class::Stx) return {};
    if ((loads ? in.source() : in.destination()) != kFrameRegister) return {};
    const int frame = static_cast<int>(kFrameSize);
    if (in.offset < -frame || in.offset + static_cast<int>(width_of(in.opcode)) > 0)
      return refuse(Errc::Denied, "an access by r10 outside its frame");
    const std::size_t first =
        slots_[at_].level * kFrameSize + static_cast<std::size_t>(frame + in.offset);
    if (first < program_.first_stack_byte_) program_.first_stack_byte_ = first;
    return {};
  }

  void sum_blocks() {
    std::uint32_t steps = 0;
    for (std::size_t i = slots_.size(); i-- > 0;) {
      Program::Slot& slot = slots_[i];
      if (slot.second_half) continue;
      steps += 1 + (is_helper_call(slot.instruction) ? helpers_[slot.helper].steps : 0);
      if (slot.block_steps == 0) continue;
      slot.block_steps = steps;
      steps = 0;
    }
    program_.slots_ = slots_;
    program_.helpers_ = helpers_;
  }

  std::span<const Helper> helpers_;
  std::span<Program::Slot> slots_;
  Refusal* refusal_;
  std::size_t at_ = 0;
  Program program_;
};

Result<Program> Program::from(std::span<const std::byte> code, std::span<const Helper> helpers,
                              std::span<Slot> storage, Refusal* refusal) {
  constexpr std::uint32_t kMaxHelperSteps = 65535;
  const auto refuse = [&](Errc error, const char* reason) {
    if (refusal != nullptr) *refusal = {0, reason};
    return fail(error);
  };
  if (helpers.size() > kMaxHelpers) return refuse(Errc::BadArgument, "too many helpers");
  for (std::size_t i = 0; i < helpers.size(); ++i) {
    if (helpers[i].steps > kMaxHelperSteps || helpers[i].function == nullptr)
      return refuse(Errc::BadArgument, "a helper without function, or one that costs too much");
    for (const Helper& other : helpers.first(i))
      if (other.id == helpers[i].id) return refuse(Errc::BadArgument, "two helpers with one id");
  }
  if (code.empty() || code.size() % sizeof(Instruction) != 0)
    return refuse(Errc::BadFormat, "not a whole number of instructions, or none");
  const std::size_t count = code.size() / sizeof(Instruction);
  if (count > kMaxInstructions) return refuse(Errc::TooBig, "too many instructions");
  if (storage.size() < count) return refuse(Errc::BadArgument, "too little storage");
  return Importer{helpers, storage.first(count), refusal}.import(code);
}

}  // namespace xok::graft
