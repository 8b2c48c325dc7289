// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// One pass over the checked program.
//
// Registers. r0 to r9 live in registers, of which the argument registers are those of the System V
// ABI, so that a helper is called as it is. r10 is a constant of each function and needs none. r12
// holds the Memory, r9 the steps that are left, rbp the real address of input 0; r10 and r11 are
// free between instructions.
//
// An access through r10 was checked at import: it is one instruction. Any other is tried in the
// region that its pointer probably points to:
//
//     lea r11, [register + offset - address of the region]
//     cmp r11, [number of offsets at which such an access fits]
//     jae elsewhere
//     mov register, [real address of the region + r11]
//   after:
//
// where `elsewhere`, behind the code, asks a routine for the region by the address, and comes back.
// The guess follows pointers through moves and additions from the likely arguments; it may be
// wrong.
//
// A stop in a local function or in such a routine leaves by taking back the stack pointer.
#include "libs/graft/compiler.hpp"

#include <array>
#include <bit>
#include <cstddef>

#include "libs/graft/arithmetic.hpp"

namespace xok::graft {

using vcode::at;
using vcode::Cond;
using vcode::Label;
using vcode::Mem;
using vcode::Op;
using vcode::Reg;
using vcode::Size;

/// Where compiled code finds things in a Memory, from r12.
struct MemoryLayout {
  static_assert(sizeof(Memory::Region) == 48);
  enum : std::size_t {
    kOutput = Memory::kOutput,
    kStack = Memory::kStack,
    kInput0 = Memory::kInput0,
    kRegionCount = Memory::kRegionCount
  };

  static constexpr std::int32_t kSteps = offsetof(Memory, steps_);
  static constexpr std::int32_t kStop = offsetof(Memory, stop_);
  static constexpr std::int32_t kSavedStack = offsetof(Memory, saved_stack_);
  static constexpr std::int32_t kStackBytes = offsetof(Memory, stack_);

  static constexpr std::int32_t region(std::size_t i) {
    return static_cast<std::int32_t>(offsetof(Memory, regions_) + i * sizeof(Memory::Region));
  }
  static constexpr std::int32_t base(std::size_t i) {
    return region(i) + static_cast<std::int32_t>(offsetof(Memory::Region, base));
  }
  static constexpr std::int32_t read_map(std::size_t i) {
    return region(i) + static_cast<std::int32_t>(offsetof(Memory::Region, read_map));
  }
  static constexpr std::int32_t fits(std::size_t i, Size size) {
    return region(i) + static_cast<std::int32_t>(offsetof(Memory::Region, fits) +
                                                 8 * static_cast<std::size_t>(size));
  }
  static constexpr std::uint64_t address(std::size_t i) { return Memory::region_address(i); }
  static constexpr std::size_t region_of(std::uint64_t address) {
    return Memory::region_of(address);
  }
};

namespace {

using Layout = MemoryLayout;

constexpr Reg kMemory = Reg::R12;
constexpr Reg kStepsLeft = Reg::R9;
constexpr Reg kInput0Base = Reg::Rbp;
constexpr Reg kAddress = Reg::R11;  // scratch, and the address in an access
constexpr Reg kOther = Reg::R10;    // scratch

constexpr Reg kHost[] = {Reg::Rax, Reg::Rdi, Reg::Rsi, Reg::Rdx, Reg::Rcx,
                         Reg::R8,  Reg::Rbx, Reg::R13, Reg::R14, Reg::R15};
constexpr std::size_t kUnknown = Layout::kRegionCount;

Mem field(std::int32_t offset) { return at(kMemory, offset); }

Size size_of(const Instruction& in) {
  const unsigned width = width_of(in.opcode);
  return width == 1 ? Size::B1 : width == 2 ? Size::B2 : width == 4 ? Size::B4 : Size::B8;
}

Cond condition(JumpOp op) {
  switch (op) {
    case JumpOp::Jeq:
      return Cond::Equal;
    case JumpOp::Jgt:
      return Cond::Above;
    case JumpOp::Jge:
      return Cond::AboveEqual;
    case JumpOp::Jsgt:
      return Cond::Greater;
    case JumpOp::Jsge:
      return Cond::GreaterEqual;
    case JumpOp::Jlt:
      return Cond::Below;
    case JumpOp::Jle:
      return Cond::BelowEqual;
    case JumpOp::Jslt:
      return Cond::Less;
    case JumpOp::Jsle:
      return Cond::LessEqual;
    default:
      return Cond::NotEqual;  // Jne; Jset, after a test
  }
}

class Compiler {
 public:
  Compiler(const Program& program, std::span<std::byte> buffer, std::span<CompileNote> notes,
           const CompileOptions& options)
      : program_{program}, slots_{program.slots()}, notes_{notes}, options_{options}, a_{buffer} {
    for (std::size_t i = 0; i < slots_.size(); ++i) notes_[i] = {};
  }

  Result<std::size_t> compile() {
    enter();
    for (at_ = 0; at_ < slots_.size(); ++at_) {
      const Program::Slot& slot = slots_[at_];
      if (slot.function_start) start_function();
      if (slot.block_steps != 0) start_block(slot.block_steps);
      instruction(slot.instruction);
    }
    leave();
    for (at_ = 0; at_ < slots_.size(); ++at_) access_elsewhere();
    routines();
    return a_.finish();
  }

 private:
  // The frame around the program.

  void zero(Reg reg) { a_.alu(Op::Xor, Size::B4, reg, reg); }

  /// The code is a function of a Memory (rdi) and the address of r1 (rsi). Only what the program
  /// names is saved and set.
  void enter() {
    for (const Reg reg : {kMemory, kInput0Base}) saved_[saved_count_++] = reg;
    for (unsigned r = 6; r <= 9; ++r)
      if (program_.uses_register(r)) saved_[saved_count_++] = kHost[r];
    a_.prologue(saved(), 0);
    a_.mov(Size::B8, kMemory, Reg::Rdi);
    a_.store(Size::B8, field(Layout::kSavedStack), Reg::Rsp);
    a_.load(Size::B8, kStepsLeft, field(Layout::kSteps));
    a_.load(Size::B8, kInput0Base, field(Layout::base(Layout::kInput0)));
    for (const unsigned r : {1u, 3u, 4u, 5u, 2u})  // r2 last: it is rsi
      if (program_.uses_register(r))
        a_.load(Size::B8, kHost[r], at(Reg::Rsi, static_cast<std::int32_t>(8 * (r - 1))));
    for (const unsigned r : {0u, 6u, 7u, 8u, 9u})
      if (program_.uses_register(r)) zero(kHost[r]);
  }

  std::span<const Reg> saved() const { return std::span{saved_}.first(saved_count_); }

  void leave() {
    stop_at(bad_read_, Stop::BadRead);
    stop_at(bad_write_, Stop::BadWrite);
    a_.bind(out_of_steps_);
    zero(kStepsLeft);
    a_.mov_immediate(Reg::Rax, static_cast<std::uint64_t>(Stop::OutOfSteps));
    a_.bind(stop_);
    a_.store(Size::B8, field(Layout::kStop), Reg::Rax);
    a_.bind(refused_);
    a_.load(Size::B8, Reg::Rsp, field(Layout::kSavedStack));
    a_.bind(done_);
    a_.store(Size::B8, field(Layout::kSteps), kStepsLeft);
    a_.epilogue(saved(), 0);
  }

  void stop_at(Label& label, Stop why) {
    a_.bind(label);
    a_.mov_immediate(Reg::Rax, static_cast<std::uint64_t>(why));
    a_.jump(stop_);
  }

  void start_function() {
    in_first_function_ = at_ == 0;
    for (std::size_t& guess : guesses_) guess = kUnknown;
    guesses_[kFrameRegister] = Layout::kStack;
    for (std::size_t i = 0; in_first_function_ && i < 5; ++i)
      guesses_[1 + i] = Layout::region_of(options_.likely_arguments[i]);
  }

  void start_block(std::uint32_t steps) {
    a_.bind(notes_[at_].start);
    a_.sub(Size::B8, kStepsLeft, static_cast<std::int32_t>(steps));
    a_.jump_if(Cond::Below, out_of_steps_);
  }

  void instruction(const Instruction& in) {
    switch (class_of(in.opcode)) {
      case Class::Ld:
        return load_immediate(in);
      case Class::Ldx:
        return load_memory(in);
      case Class::St:
      case Class::Stx:
        return store_memory(in);
      case Class::Alu:
        return arithmetic(in, Size::B4);
      case Class::Alu64:
        return arithmetic(in, Size::B8);
      case Class::Jmp:
        if (jump_op(in.opcode) == JumpOp::Call) return call(in);
        if (jump_op(in.opcode) == JumpOp::Exit) return exit();
        return jump(in, Size::B8);
      case Class::Jmp32:
        return jump(in, Size::B4);
    }
  }

  // Registers and constants.

  std::uint64_t frame_end() const {
    return Memory::kStackAddress + (slots_[at_].level + 1) * kFrameSize;
  }

  /// The register that holds eBPF's register `r`; r10 is put into `scratch`.
  Reg host(unsigned r, Reg scratch) {
    if (r != kFrameRegister) return kHost[r];
    a_.mov_immediate(scratch, frame_end());
    return scratch;
  }

  void load_immediate(const Instruction& in) {
    const auto low = static_cast<std::uint32_t>(in.immediate);
    const auto high = static_cast<std::uint32_t>(slots_[at_ + 1].instruction.immediate);
    const std::uint64_t value = std::uint64_t{high} << 32 | low;
    a_.mov_immediate(kHost[in.destination()], value);
    guesses_[in.destination()] = Layout::region_of(value);
    ++at_;  // past the second half
  }

  // Memory.

  static bool by_frame(const Instruction& in) {
    const bool loads = class_of(in.opcode) == Class::Ldx;
    return (loads ? in.source() : in.destination()) == kFrameRegister;
  }

  Mem in_frame(const Instruction& in) const {
    const auto end = static_cast<std::int32_t>((slots_[at_].level + 1) * kFrameSize);
    return field(Layout::kStackBytes + end + in.offset);
  }

  /// The region to try first for a load or store.
  std::size_t guess(const Instruction& in) const {
    if (class_of(in.opcode) == Class::Ldx) {
      const std::size_t region = guesses_[in.source()];
      return region == kUnknown || region == Layout::kOutput ? std::size_t{Layout::kInput0}
                                                             : region;
    }
    return guesses_[in.destination()] == Layout::kStack ? Layout::kStack : Layout::kOutput;
  }

  void move_from(const Instruction& in, Mem from) {
    const Reg to = kHost[in.destination()];
    if (mode_of(in.opcode) == Mode::MemSx) {
      a_.load_signed(size_of(in), to, from);
    } else {
      a_.load(size_of(in), to, from);
    }
  }

  void move_to(const Instruction& in, Mem to) {
    if (class_of(in.opcode) == Class::St) {
      a_.store_immediate(size_of(in), to, in.immediate);
    } else {
      a_.store(size_of(in), to, host(in.source(), kOther));
    }
  }

  /// Leaves the offset in the region in kAddress, or goes elsewhere.
  void try_region(const Instruction& in, unsigned pointer, std::size_t region) {
    const auto start = static_cast<std::int32_t>(Layout::address(region));
    a_.lea(kAddress, at(kHost[pointer], in.offset - start));
    a_.compare(Size::B8, kAddress, field(Layout::fits(region, size_of(in))));
    a_.jump_if(Cond::AboveEqual, notes_[at_].elsewhere);
  }

  /// Where the offset in kAddress is; may add to kAddress.
  Mem in_region(std::size_t region) {
    if (region == Layout::kInput0) return at(kInput0Base, kAddress);
    if (region == Layout::kStack) return at(kMemory, kAddress, 1, Layout::kStackBytes);
    a_.add(Size::B8, kAddress, field(Layout::base(region)));
    return at(kAddress);
  }

  void load_memory(const Instruction& in) {
    if (by_frame(in)) {
      move_from(in, in_frame(in));
    } else {
      const std::size_t region = guess(in);
      try_region(in, in.source(), region);
      if (options_.reads == Reads::Recorded && region != Layout::kStack) {
        Label skip;
        a_.load(Size::B8, kOther, field(Layout::read_map(region)));
        a_.test(Size::B8, kOther, kOther);
        a_.jump_if(Cond::Equal, skip);
        mark(kOther, size_of(in));
        a_.bind(skip);
      }
      move_from(in, in_region(region));
      a_.bind(notes_[at_].after);
    }
    guesses_[in.destination()] = kUnknown;
  }

  void store_memory(const Instruction& in) {
    if (by_frame(in)) return move_to(in, in_frame(in));
    const std::size_t region = guess(in);
    try_region(in, in.destination(), region);
    move_to(in, in_region(region));
    a_.bind(notes_[at_].after);
  }

  /// Ones into a read map for the bytes at offset kAddress.
  void mark(Reg map, Size size) {
    const Size half = size == Size::B8 ? Size::B4 : size;
    a_.store_immediate(half, at(map, kAddress), 0x01010101);
    if (size == Size::B8) a_.store_immediate(half, at(map, kAddress, 1, 4), 0x01010101);
  }

  /// Behind the code: the access of instruction `at_` in whatever region its address lies.
  void access_elsewhere() {
    const Instruction& in = slots_[at_].instruction;
    const Class kind = class_of(in.opcode);
    const bool loads = kind == Class::Ldx;
    if (slots_[at_].second_half || (!loads && kind != Class::St && kind != Class::Stx) ||
        by_frame(in))
      return;
    a_.bind(notes_[at_].elsewhere);
    a_.lea(kAddress, at(kHost[loads ? in.source() : in.destination()], in.offset));
    const auto size = static_cast<std::size_t>(size_of(in));
    a_.call(loads ? find_readable_[size] : find_writable_[size]);
    if (loads) {
      move_from(in, at(kAddress));
    } else {
      move_to(in, at(kAddress));
    }
    a_.jump(notes_[at_].after);
  }

  /// The routines that turn the address in kAddress into a real one. A stop leaves through them.
  void routines() {
    for (const Size size : {Size::B1, Size::B2, Size::B4, Size::B8}) {
      const auto i = static_cast<std::size_t>(size);
      if (find_readable_[i].awaited())
        find_region(find_readable_[i], size, Layout::kStack, Layout::kRegionCount - Layout::kStack,
                    bad_read_);
      if (find_writable_[i].awaited())
        find_region(find_writable_[i], size, Layout::kOutput, 2, bad_write_);
    }
  }

  void find_region(Label& routine, Size size, std::size_t first, std::size_t count, Label& bad) {
    constexpr std::uint8_t kRegionShift = std::countr_zero(Memory::kMaxRegion);
    a_.bind(routine);
    a_.mov(Size::B8, kOther, kAddress);
    a_.shift(vcode::Shift::Shr, Size::B8, kOther, kRegionShift);
    a_.sub(Size::B8, kOther, static_cast<std::int32_t>(first + 1));
    a_.compare(Size::B8, kOther, static_cast<std::int32_t>(count));
    a_.jump_if(Cond::AboveEqual, bad);
    a_.alu(Op::And, Size::B4, kAddress, static_cast<std::int32_t>(Memory::kMaxRegion - 1));
    a_.lea(kOther, at(kOther, kOther, 2));  // times 3, times 16: the size of a Region
    a_.shift(vcode::Shift::Shl, Size::B8, kOther, 4);
    a_.add(Size::B8, kOther, kMemory);
    a_.compare(Size::B8, kAddress, at(kOther, Layout::fits(first, size)));
    a_.jump_if(Cond::AboveEqual, bad);
    if (options_.reads == Reads::Recorded && first == Layout::kStack) {
      Label skip;
      a_.push(Reg::Rax);
      a_.load(Size::B8, Reg::Rax, at(kOther, Layout::read_map(first)));
      a_.test(Size::B8, Reg::Rax, Reg::Rax);
      a_.jump_if(Cond::Equal, skip);
      mark(Reg::Rax, size);
      a_.bind(skip);
      a_.pop(Reg::Rax);
    }
    a_.add(Size::B8, kAddress, at(kOther, Layout::base(first)));
    a_.ret();
  }

  // Arithmetic.

  void arithmetic(const Instruction& in, Size size) {
    const AluOp op = alu_op(in.opcode);
    const Reg to = kHost[in.destination()];
    follow_pointer(in);
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
    const Reg from = host(in.source(), kAddress);
    switch (op) {
      case AluOp::Mul:
        return a_.multiply(size, to, from);
      case AluOp::Lsh:
        return shift(vcode::Shift::Shl, size, to, from);
      case AluOp::Rsh:
        return shift(vcode::Shift::Shr, size, to, from);
      case AluOp::Arsh:
        return shift(vcode::Shift::Sar, size, to, from);
      default:
        return a_.alu(plain(op), size, to, from);
    }
  }

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
        return a_.shift(vcode::Shift::Shl, size, to, count);
      case AluOp::Rsh:
        return a_.shift(vcode::Shift::Shr, size, to, count);
      case AluOp::Arsh:
        return a_.shift(vcode::Shift::Sar, size, to, count);
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
      return a_.mov_immediate(to, frame_end());  // fits in 32 bits
    const Reg from = host(in.source(), kAddress);
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
  void shift(vcode::Shift op, Size size, Reg to, Reg count) {
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
      a_.mov(size, kAddress, host(in.source(), kAddress));
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
      zero(Reg::Rdx);
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
        zero(to);
      }
      a_.jump(done);
    }
    a_.bind(zero_divisor);
    if (quotient) {
      zero(to);
    } else if (size == Size::B4) {
      a_.mov(Size::B4, to, to);
    }
    a_.bind(done);
  }

  /// Keeps the guesses.
  void follow_pointer(const Instruction& in) {
    const AluOp op = alu_op(in.opcode);
    std::size_t& to = guesses_[in.destination()];
    const bool by_register = has_source_register(in.opcode);
    if (class_of(in.opcode) == Class::Alu64 && (op == AluOp::Add || op == AluOp::Sub)) {
      if (by_register && to == kUnknown) to = guesses_[in.source()];
    } else if (class_of(in.opcode) == Class::Alu64 && op == AluOp::Mov && by_register) {
      to = guesses_[in.source()];
    } else {
      to = kUnknown;
    }
  }

  // Control.

  void jump(const Instruction& in, Size size) {
    Label& target = notes_[jump_target(at_, in)].start;
    const JumpOp op = jump_op(in.opcode);
    if (op == JumpOp::Ja) return a_.jump(target);
    const Reg left = host(in.destination(), kAddress);
    if (has_source_register(in.opcode)) {
      const Reg right = host(in.source(), kOther);
      if (op == JumpOp::Jset) {
        a_.test(size, left, right);
      } else {
        a_.compare(size, left, right);
      }
    } else if (op == JumpOp::Jset) {
      a_.test(size, left, in.immediate);
    } else {
      a_.compare(size, left, in.immediate);
    }
    a_.jump_if(condition(op), target);
  }

  void exit() {
    if (in_first_function_) {
      a_.jump(done_);
    } else {
      a_.ret();
    }
  }

  void call(const Instruction& in) {
    if (in.source() == kCallLocal) {
      call_local(in);
    } else {
      call_helper();
    }
    for (std::size_t r = 0; r <= 5; ++r) guesses_[r] = kUnknown;
  }

  void call_local(const Instruction& in) {
    for (std::size_t r = 6; r <= 9; ++r) a_.push(kHost[r]);
    a_.sub(Size::B8, Reg::Rsp, 8);  // with the return address 48 bytes: rsp stays aligned
    a_.call(notes_[jump_target(at_, in)].start);
    a_.add(Size::B8, Reg::Rsp, 8);
    for (std::size_t r = 9; r >= 6; --r) a_.pop(kHost[r]);
  }

  void call_helper() {
    const Helper& helper = program_.helpers()[slots_[at_].helper];
    a_.store(Size::B8, field(Layout::kSteps), kStepsLeft);
    a_.mov(Size::B8, Reg::R9, kMemory);  // the sixth argument
    a_.mov_immediate(Reg::Rax, std::bit_cast<std::uint64_t>(helper.function));
    a_.call(Reg::Rax);
    a_.load(Size::B8, kStepsLeft, field(Layout::kSteps));
    a_.compare(Size::B8, field(Layout::kStop), 0);
    a_.jump_if(Cond::NotEqual, refused_);
    for (std::size_t r = 1; r <= 5; ++r) zero(kHost[r]);
  }

  const Program& program_;
  std::span<const Program::Slot> slots_;
  std::span<CompileNote> notes_;
  const CompileOptions& options_;
  vcode::Assembler a_;
  std::size_t at_ = 0;
  bool in_first_function_ = true;
  std::array<Reg, 6> saved_{};
  std::size_t saved_count_ = 0;
  std::size_t guesses_[kRegisters];  // the region that each register probably points into
  Label done_;
  Label stop_;
  Label refused_;
  Label out_of_steps_;
  Label bad_read_;
  Label bad_write_;
  Label find_readable_[4];
  Label find_writable_[4];
};

}  // namespace

Result<std::size_t> compile(const Program& program, std::span<std::byte> buffer,
                            std::span<CompileNote> notes, const CompileOptions& options) {
  if (notes.size() < program.slots().size()) return fail(Errc::BadArgument);
  return Compiler{program, buffer, notes, options}.compile();
}

Outcome CompiledProgram::run(Memory& memory, const Arguments& arguments,
                             std::uint64_t& steps) const {
  memory.begin(*program_, reads_);
  memory.steps_ = steps;
  const auto code = std::bit_cast<std::uint64_t (*)(Memory*, const std::uint64_t*)>(code_);
  const std::uint64_t result = code(&memory, arguments.data());
  steps = memory.steps_;
  if (memory.stop_ != 0) return std::unexpected{static_cast<Stop>(memory.stop_)};
  return result;
}

}  // namespace xok::graft
