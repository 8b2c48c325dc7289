// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What ExOS does when the kernel calls up: exceptions and slice starts. Foreign calls are in
// exos/linux/dispatch.cpp.
//
// Each upcall runs on a stack of its own and ends by putting registers back. What may block or
// fault (delivering a signal) must not run there: the handler copies the program's registers to the
// top of the main stack, which is empty while the program runs, and continues with a function
// there.
#include <cstring>

#include "exos/layout.hpp"
#include "exos/linux/abi_signal.hpp"
#include "exos/proc/process.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/registers.hpp"
#include "exos/rt/self.hpp"
#include "exos/vm/memory.hpp"

namespace xok::exos {
namespace {

FaultReport g_fault;

bool in_program(std::uint64_t rip) { return rip < kProgramTop; }

extern "C" [[noreturn]] void deliver_fault_on_main_stack(rt::Registers* registers) {
  const FaultReport fault = g_fault;  // which the next one overwrites
  deliver_fault(*registers, fault);
  rt::rt_resume(registers);
}

extern "C" [[noreturn]] void end_on_main_stack(rt::Registers* /*registers*/) { end_by_bad_frame(); }

extern "C" [[noreturn]] void deliver_signals_on_main_stack(rt::Registers* registers) {
  deliver_signals(*registers, kNoCall, 0);
  rt::rt_resume(registers);
}

/// Makes `registers` continue with function(copy of registers) on the main stack.
void continue_on_main_stack(rt::Registers& registers, void (*function)(rt::Registers*)) {
  const std::uint64_t at = kMainStackTop - sizeof(rt::Registers);
  std::memcpy(reinterpret_cast<void*>(at), &registers, sizeof registers);
  registers.rdi = at;
  registers.rsp = (at & ~std::uint64_t{15}) - 8;
  registers.rip = reinterpret_cast<std::uint64_t>(function);
  registers.rflags = 0x202;
}

/// Linux' signal and si_code for an exception.
FaultReport report_of(const FaultSave& save) {
  namespace abi = linux_abi;
  constexpr std::int32_t kIntegerDivide = 1;
  constexpr std::int32_t kIllegalOperand = 2;
  constexpr std::int32_t kTrapTrace = 2;
  constexpr std::int32_t kAlignment = 1;
  FaultReport out{.signal = kSigSegv,
                  .code = kSiKernel,
                  .address = 0,
                  .error = save.error,
                  .vector = save.vector};
  switch (static_cast<FaultVector>(save.vector)) {
    case FaultVector::DivideError:
      out.signal = kSigFpe;
      out.code = kIntegerDivide;
      out.address = save.rip;
      break;
    case FaultVector::X87:
    case FaultVector::Simd:
      out.signal = kSigFpe;
      out.code = 0;
      out.address = save.rip;
      break;
    case FaultVector::Debug:
    case FaultVector::Breakpoint:
      out.signal = kSigTrap;
      out.code = save.vector == 1 ? kTrapTrace : kSiKernel;
      out.address = save.vector == 1 ? save.rip : 0;
      break;
    case FaultVector::InvalidOpcode:
      out.signal = kSigIll;
      out.code = kIllegalOperand;
      out.address = save.rip;
      break;
    case FaultVector::AlignmentCheck:
      out.signal = kSigBus;
      out.code = kAlignment;
      break;
    default:
      break;
  }
  return out;
}

FaultReport report_of(FaultOutcome outcome, const FaultSave& save) {
  constexpr std::int32_t kNotMappedCode = 1;
  constexpr std::int32_t kNotAllowedCode = 2;
  constexpr std::int32_t kPastEndCode = 2;
  const bool bus = outcome == FaultOutcome::PastEnd || outcome == FaultOutcome::NoMemory;
  std::int32_t code = kNotMappedCode;
  if (outcome == FaultOutcome::NotAllowed) code = kNotAllowedCode;
  if (bus) code = kPastEndCode;
  return {.signal = bus ? kSigBus : kSigSegv,
          .code = code,
          .address = save.address,
          .error = save.error,
          .vector = save.vector};
}

/// True when the fault has been dealt with.
bool resolve(const FaultSave& save, FaultOutcome& outcome) {
  constexpr std::uint64_t kErrorWrite = 2;
  constexpr std::uint64_t kErrorFetch = 16;
  Access access = Access::Read;
  if ((save.error & kErrorWrite) != 0) access = Access::Write;
  if ((save.error & kErrorFetch) != 0) access = Access::Execute;
  if (save.address >= kProgramTop) {
    outcome = FaultOutcome::NotMapped;
    return !in_program(save.rip) && resolve_private_fault(save.address);
  }
  outcome = resolve_fault(save.address, access);
  return outcome == FaultOutcome::Resolved;
}

}  // namespace
}  // namespace xok::exos

namespace xok::rt {

using namespace xok::exos;

extern "C" void rt_fault(Registers* registers) {
  const FaultSave& save = self().fault;  // until the next fault, which is not before the end
  FaultReport report;
  if (save.vector == static_cast<std::uint64_t>(FaultVector::PageFault)) {
    FaultOutcome outcome{};
    if (resolve(save, outcome)) return;
    const bool copying = save.rip >= reinterpret_cast<std::uint64_t>(rt_user_copy_begin) &&
                         save.rip < reinterpret_cast<std::uint64_t>(rt_user_copy_end);
    if (copying && save.address < kProgramTop) {
      registers->r10 = save.rip;
      registers->rip = reinterpret_cast<std::uint64_t>(rt_user_copy_fault);
      return;
    }
    report = report_of(outcome, save);
  } else {
    report = report_of(save);
  }
  if (!in_program(save.rip)) [[unlikely]] {
    const bool frame = accesses_frame() && report.vector == 14 && save.address < kProgramTop;
    if (frame) return continue_on_main_stack(*registers, &end_on_main_stack);
    die("fault inside ExOS", save.rip, save.address);
  }
  g_fault = report;
  continue_on_main_stack(*registers, &deliver_fault_on_main_stack);
}

extern "C" void rt_slice_start(Registers* registers) {
  if (!in_program(registers->rip) || !signal_pending()) return;
  continue_on_main_stack(*registers, &deliver_signals_on_main_stack);
}

}  // namespace xok::rt
