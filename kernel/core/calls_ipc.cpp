// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_ipc.hpp"

#include "kernel/core/ipc.hpp"

namespace xok::kernel::calls {
namespace {

/// Whether an environment could be sent to another place now without losing anything.
bool is_ready(Core& core, EnvIndex callee, const volatile Uenv& uenv) {
  const EnvState& state = core.state(callee);
  if (core.env(callee).status == EnvStatus::Calling || !state.context_set) return false;
  if (state.processor != kNowhere) return false;  // another one runs it: this one runs its caller
  return (uenv.ipc.busy | uenv.critical_depth | uenv.fault_depth | uenv.double_fault_depth) == 0;
}

/// The callee's entry, if it lets this caller in.
Result<std::uint64_t> may_enter(const volatile IpcArea& area, EnvId caller, IpcKind kind,
                                const Capability& held) {
  const std::uint64_t entry = area.entry;  // each word once: its owner may be changing them
  const std::uint64_t only = area.only;
  const Capability gate = Capability::from_bits(area.gate);
  if (!is_entry(entry) || (area.allow >> static_cast<unsigned>(kind) & 1) == 0)
    return fail(Errc::Denied);
  if (only != 0 && only != caller) return fail(Errc::Denied);
  XOK_TRY(access(held, std::span{&gate, 1}, Permission::Write));
  return entry;
}

CallResult transfer(Call& call, Target to, IpcKind kind, const IpcWords& words) {
  if (call.in_batch) return fail(Errc::BadArgument);
  Core& core = call.core;
  const EnvIndex callee = XOK_TRY(call.env_named(EnvIdWord{to.value & 0xffff'ffff}));
  if (callee == call.self) return fail(Errc::BadArgument);
  const Capability held = XOK_TRY(call.capability(CapSlot{to.value >> 32}));
  if (core.state(callee).method != 0) return fail(Errc::WouldBlock);
  volatile Uenv& uenv = core.machine.uenv(callee);
  const std::uint64_t entry = XOK_TRY(may_enter(uenv.ipc, call.env().id, kind, held));
  if (!is_ready(core, callee, uenv)) return fail(Errc::WouldBlock);
  const volatile IpcArea& area = core.machine.uenv(call.self).ipc;
  const std::uint64_t block = XOK_TRY(block_words(area));

  // Nothing fails from here on.
  pass_block(area, uenv.ipc, block);
  enter_callee(core, callee, uenv.ipc, call.self, kind, held, entry, words);
  Context& mine = core.machine.context(call.self);
  mine.rax = 0;
  if (kind == IpcKind::Call) {
    call.env().status = EnvStatus::Calling;
    core.state(call.self).ipc_callee = callee;
    core.state(callee).ipc_callers++;
  }
  const bool over = core.scheduler.settle(call.cpu);
  if (over || !core.scheduler.switch_to(call.cpu, callee)) core.scheduler.switch_to_next(call.cpu);
  return static_cast<std::int64_t>(mine.rax);
}

}  // namespace

CallResult ipc_call(Call& call, Target callee, Word a, Word b, Word c, Word d, Word e) {
  return transfer(call, callee, IpcKind::Call, {a.value, b.value, c.value, d.value, e.value});
}

CallResult ipc_send(Call& call, Target callee, Word a, Word b, Word c, Word d, Word e) {
  return transfer(call, callee, IpcKind::Send, {a.value, b.value, c.value, d.value, e.value});
}

CallResult ipc_reply(Call& call, ReplyTo to, Word a, Word b, Word c, Word d, Word e) {
  const std::uint64_t flags = to.value >> 32;
  const auto id = static_cast<EnvId>(to.value);
  if (call.in_batch || (flags & ~kIpcDone) != 0) return fail(Errc::BadArgument);
  if (id == 0 && flags == 0) return fail(Errc::BadArgument);
  Core& core = call.core;
  volatile IpcArea& area = core.machine.uenv(call.self).ipc;
  EnvIndex caller = kNoEnv;
  std::uint64_t block = 0;
  if (id != 0) {
    caller = XOK_TRY(core.find_env(id));
    if (core.state(caller).ipc_callee != call.self) return fail(Errc::NotFound);
    block = XOK_TRY(block_words(area));
  }
  Context& mine = core.machine.context(call.self);
  if (flags == kIpcDone) {
    XOK_TRY(restore_callee(core, call.self, area, mine));
  } else {
    mine.rax = 0;
  }

  // Nothing fails from here on.
  Scheduler& scheduler = core.scheduler;
  if (caller == kNoEnv) {
    if (call.env().status == EnvStatus::Runnable) return static_cast<std::int64_t>(mine.rax);
    (void)scheduler.settle(call.cpu);
    scheduler.switch_to_next(call.cpu);
    return static_cast<std::int64_t>(mine.rax);
  }
  pass_block(area, core.machine.uenv(caller).ipc, block);
  answer_caller(core, caller, call.self, {a.value, b.value, c.value, d.value, e.value});
  const bool over = scheduler.settle(call.cpu);
  if (over || !scheduler.switch_to(call.cpu, caller)) scheduler.switch_to_next(call.cpu);
  return static_cast<std::int64_t>(mine.rax);
}

}  // namespace xok::kernel::calls
