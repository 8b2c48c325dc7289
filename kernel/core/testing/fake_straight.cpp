// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// What kernel/arch/x86_64/straight.S does, on the fake machine.
#include "abi/syscalls.hpp"
#include "kernel/core/testing/fake_machine.hpp"

namespace xok::kernel::testing {
namespace {

constexpr std::uint64_t kForAnswer = kIpcRest << 32;

}  // namespace

void FakeMachine::context_release(EnvIndex env, bool plain) {
  if (plain) parked_[env] = tables_.envs[env].id;
  releases++;
}

void FakeMachine::rest(EnvIndex env, bool plain) {
  resting_[env].id = plain && resting_[env].key != 0 ? tables_.envs[env].id : 0;
}

void FakeMachine::let_in(EnvIndex env, const Rest& rest, std::uint64_t key) {
  resting_[env].rest = rest;
  resting_[env].key = key;
}

bool FakeMachine::straight(Kernel& kernel, Cpu& cpu, std::uint64_t number,
                           const std::array<std::uint64_t, 6>& arguments) {
  if (cpu.straight == 0) return false;
  switch (static_cast<SyscallNumber>(number)) {
    case SyscallNumber::yield:
      return arguments[1] == 0 && yield_straight(kernel, cpu, arguments[0]);
    case SyscallNumber::ipc_call:
      return call_straight(cpu, arguments);
    case SyscallNumber::ipc_reply:
      return reply_straight(cpu, arguments);
    default:
      return false;
  }
}

bool FakeMachine::yield_straight(Kernel& kernel, Cpu& cpu, std::uint64_t to) {
  EnvIndex next = to & kEnvIndexMask;
  if (to == 0) {
    next = kernel.next_straight(cpu, parked_.data(), cycles());
    if (next == kNoEnv) return false;
  } else if (parked_[next] != to) {
    return false;
  }
  result(cpu.current) = 0;
  parked_[cpu.current] = tables_.envs[cpu.current].id;
  hand_over(cpu, next);
  return true;
}

bool FakeMachine::call_straight(Cpu& cpu, const std::array<std::uint64_t, 6>& arguments) {
  const auto id = static_cast<EnvId>(arguments[0]);
  const std::uint64_t slot = arguments[0] >> 32;
  const EnvIndex callee = env_index(id);
  Resting& resting = resting_[callee];
  Env& from = tables_.envs[cpu.current];
  if (id == 0 || resting.id != id || slot >= kCapabilitySlots ||
      from.capabilities[slot].bits() != resting.key || uenv(cpu.current).ipc.out_words != 0)
    return false;
  from.status = EnvStatus::Calling;
  from.waits_for = id;
  parked_[cpu.current] = kForAnswer | from.id;
  resting.id = 0;
  tables_.envs[callee].status = EnvStatus::Runnable;
  tables_.envs[callee].callers++;
  uenv(callee).ipc.capability = resting.key;
  uenv(callee).ipc.in_words = 0;
  Context& context = contexts_.at(callee).first;
  context = Context{};
  context.rip = resting.rest.entry;
  context.rsp = resting.rest.stack;
  context.rflags = 0x202;
  context.rax = static_cast<std::uint64_t>(IpcKind::Call);
  context.rdi = from.id;
  context.rsi = arguments[1];
  context.rdx = arguments[2];
  context.r10 = arguments[3];
  context.r8 = arguments[4];
  context.r9 = arguments[5];
  context.fs_base = resting.rest.fs_base;
  context.gs_base = resting.rest.gs_base;
  hand_over(cpu, callee);
  return true;
}

bool FakeMachine::reply_straight(Cpu& cpu, const std::array<std::uint64_t, 6>& arguments) {
  const EnvIndex caller = arguments[0] & kEnvIndexMask;
  Env& from = tables_.envs[cpu.current];
  Env& to = tables_.envs[caller];
  Resting& resting = resting_[cpu.current];
  if (arguments[0] == 0 || parked_[caller] != arguments[0] || resting.key == 0 ||
      uenv(cpu.current).ipc.out_words != 0 || to.waits_for != from.id)
    return false;
  from.status = EnvStatus::Resting;
  from.callers--;
  resting.id = from.id;
  to.status = EnvStatus::Runnable;
  to.waits_for = 0;
  uenv(caller).ipc.in_words = 0;
  Context& context = contexts_.at(caller).first;
  context.rax = 0;
  context.rdi = from.id;
  context.rsi = arguments[1];
  context.rdx = arguments[2];
  context.r10 = arguments[3];
  context.r8 = arguments[4];
  context.r9 = arguments[5];
  hand_over(cpu, caller);
  return true;
}

/// `to`, which is dormant, gets the processor.
void FakeMachine::hand_over(Cpu& cpu, EnvIndex to) {
  Env& from = tables_.envs[cpu.current];
  parked_[to] = 0;
  const std::uint64_t now = cycles();
  from.calls++;
  from.run_cycles += now - cpu.entered;
  cpu.entered = now;
  tables_.envs[to].switches++;
  load_address_space(PageNumber{tables_.envs[to].table_page});
  cpu.current = to;
  straight_switches++;
}

}  // namespace xok::kernel::testing
