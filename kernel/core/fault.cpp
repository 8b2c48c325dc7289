// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/core.hpp"

/// Exceptions go to the application: what the kernel must destroy is saved in the Uenv, and the
/// handler returns to the program by itself. Depth words keep a fault in the handler from
/// overwriting the first one's registers: it goes to the double-fault entry.
namespace xok::kernel {
namespace {

void save(volatile FaultSave& to, const Context& context, FaultVector vector, std::uint64_t error,
          std::uint64_t address) {
  to.rip = context.rip;
  to.rsp = context.rsp;
  to.rflags = context.rflags;
  to.rax = context.rax;
  to.rcx = context.rcx;
  to.rdx = context.rdx;
  to.vector = static_cast<std::uint64_t>(vector);
  to.error = error;
  to.address = address;
}

void enter(Context& context, std::uint64_t entry, std::uint64_t stack) {
  context.rip = entry;
  context.rsp = stack;
  context.rflags = upcall_flags(context.rflags);
}

}  // namespace

DeathReason Core::enter_fault_entry(EnvIndex index, FaultVector vector, std::uint64_t error,
                                    std::uint64_t address) {
  env(index).faults++;
  volatile Uenv& uenv = machine.uenv(index);
  Context& context = machine.context(index);
  if (uenv.fault_depth == 0) {
    const std::uint64_t entry = uenv.fault_entry;
    if (!is_entry(entry)) return DeathReason::NoFaultEntry;
    save(uenv.fault, context, vector, error, address);
    uenv.fault_depth = 1;
    enter(context, entry, uenv.fault_stack);
    return DeathReason::None;
  }
  const std::uint64_t entry = uenv.double_fault_entry;
  if (uenv.double_fault_depth != 0 || !is_entry(entry)) return DeathReason::FaultInFaultEntry;
  save(uenv.double_fault, context, vector, error, address);
  uenv.double_fault_depth = 1;
  enter(context, entry, uenv.double_fault_stack);
  return DeathReason::None;
}

}  // namespace xok::kernel
