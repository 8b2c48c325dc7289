// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// Where the slow entries of entry.S arrive.
#include "kernel/arch/x86_64/traps.hpp"

#include "kernel/arch/x86_64/context.hpp"
#include "kernel/arch/x86_64/image.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/panic.hpp"
#include "kernel/arch/x86_64/registers.hpp"

namespace xok::kernel::x86 {
namespace {

constexpr std::uint64_t kTrapFlag = 1u << 8;
constexpr std::uint64_t kUserMode = 3;

/// Where to go on after a fault of that instruction, or 0.
std::uint64_t fixup_of(std::uint64_t rip) {
  for (const std::uint64_t* entry = fixups_begin; entry < fixups_end; entry += 2)
    if (entry[0] == rip) return entry[1];
  return 0;
}

}  // namespace

/// An exception of user code that its own handler could not be given directly.
extern "C" [[noreturn]] void user_exception(KernelEnv* env, std::uint64_t vector,
                                            std::uint64_t error, std::uint64_t address) {
  const auto number = static_cast<FaultVector>(vector);
  env->kernel->exception(*env->cpu, number, error, number == FaultVector::PageFault ? address : 0);
  resume();
}

extern "C" [[noreturn]] void user_interrupt(KernelEnv* env, std::uint64_t vector) {
  handle_interrupt(static_cast<std::uint8_t>(vector), *env->cpu);
  resume();
}

/// An interrupt of the idle loop, which looks for work when this returns.
extern "C" void idle_interrupt(std::uint64_t vector) {
  handle_interrupt(static_cast<std::uint8_t>(vector), processor().core);
}

/// An exception in kernel code: expected only in copies from and to user memory.
extern "C" void kernel_trap(TrapFrame* frame) {
  const auto vector = static_cast<FaultVector>(frame->vector);
  const bool in_kernel = (frame->cs & kUserMode) == 0;
  if (in_kernel && vector == FaultVector::PageFault) {
    if (const std::uint64_t target = fixup_of(frame->rip); target != 0) {
      frame->rip = target;
      return;
    }
  }
  if (in_kernel && vector == FaultVector::Debug) {
    frame->rflags &= ~kTrapFlag;
    return;
  }
  panic_with_frame(*frame);
}

}  // namespace xok::kernel::x86
