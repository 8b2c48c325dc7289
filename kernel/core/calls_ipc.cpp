// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_ipc.hpp"

#include "kernel/core/ipc.hpp"

namespace xok::kernel::calls {
namespace {

/// Whether an environment could be sent to another place now without losing anything.
bool is_ready(Core& core, EnvIndex callee, const volatile Uenv& uenv) {
  const EnvState& state = core.state(callee);
  if (core.env(callee).status == EnvStatus::Resting) return true;
  if (core.env(callee).status == EnvStatus::Calling || !state.context_set) return false;
  if (state.processor != kNowhere) return false;  // another one runs it: this one runs its caller
  return (uenv.ipc.busy | uenv.critical_depth | uenv.fault_depth | uenv.double_fault_depth) == 0;
}

/// What the callee agrees to now: each word is read once, for its owner may be changing them.
Rest agreement(Core& core, EnvIndex callee, const volatile IpcArea& area) {
  if (core.env(callee).status == EnvStatus::Resting) return core.rests[callee];
  return {.entry = area.entry,
          .stack = area.stack,
          .allow = area.allow,
          .only = area.only,
          .gate = Capability::from_bits(area.gate),
          .fs_base = 0,
          .gs_base = 0};
}

/// Whether that lets this caller in.
Result<> may_enter(const Rest& agreed, EnvId caller, IpcKind kind, const Capability& held) {
  if (!is_entry(agreed.entry) || (agreed.allow >> static_cast<unsigned>(kind) & 1) == 0)
    return fail(Errc::Denied);
  if (agreed.only != 0 && agreed.only != caller) return fail(Errc::Denied);
  return access(held, std::span{&agreed.gate, 1}, Permission::Write);
}

CallResult transfer(Call& call, Target to, IpcKind kind, const IpcWords& words) {
  if (call.in_batch) return fail(Errc::BadArgument);
  Core& core = call.core;
  const EnvIndex callee = XOK_TRY(call.env_named(EnvIdWord{to.value & 0xffff'ffff}));
  if (callee == call.self) return fail(Errc::BadArgument);
  const Capability held = XOK_TRY(call.capability(CapSlot{to.value >> 32}));
  if (core.state(callee).method != 0) return fail(Errc::WouldBlock);
  volatile Uenv& uenv = core.machine.uenv(callee);
  const Rest agreed = agreement(core, callee, uenv.ipc);
  XOK_TRY(may_enter(agreed, call.env().id, kind, held));
  if (!is_ready(core, callee, uenv)) return fail(Errc::WouldBlock);
  const volatile IpcArea& area = core.machine.uenv(call.self).ipc;
  const std::uint64_t block = XOK_TRY(block_words(area));

  // Nothing fails from here on.
  pass_block(area, uenv.ipc, block);
  if (core.env(callee).status == EnvStatus::Resting) {
    enter_resting(core, callee, uenv.ipc, call.self, kind, held, words);
  } else {
    enter_callee(core, callee, uenv.ipc, call.self, kind, held, agreed, words);
  }
  Context& mine = core.machine.context(call.self);
  mine.rax = 0;
  if (kind == IpcKind::Call) {
    call.env().status = EnvStatus::Calling;
    call.env().waits_for = core.env(callee).id;
    core.env(callee).callers++;
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
  if (call.in_batch || flags > kIpcRest) return fail(Errc::BadArgument);
  if (id == 0 && flags == 0) return fail(Errc::BadArgument);
  Core& core = call.core;
  volatile IpcArea& area = core.machine.uenv(call.self).ipc;
  EnvIndex caller = kNoEnv;
  std::uint64_t block = 0;
  if (id != 0) {
    caller = XOK_TRY(core.find_env(id));
    if (core.env(caller).waits_for != call.env().id) return fail(Errc::NotFound);
    block = XOK_TRY(block_words(area));
  }
  std::uint64_t& result = core.machine.result(call.self);
  if (flags == kIpcDone) {
    XOK_TRY(restore_callee(core, call.self, area, core.machine.context(call.self)));
  } else if (flags == kIpcRest) {
    if (id == 0) XOK_TRY(begin_rest(core, call.self));
    if (core.rests[call.self].entry == 0) return fail(Errc::BadArgument);
    go_to_rest(core, call.self);
  } else {
    result = 0;
  }

  // Nothing fails from here on.
  Scheduler& scheduler = core.scheduler;
  if (caller == kNoEnv) {
    if (call.env().status == EnvStatus::Runnable) return static_cast<std::int64_t>(result);
    (void)scheduler.settle(call.cpu);
    scheduler.switch_to_next(call.cpu);
    return static_cast<std::int64_t>(result);
  }
  pass_block(area, core.machine.uenv(caller).ipc, block);
  answer_caller(core, caller, call.self, {a.value, b.value, c.value, d.value, e.value});
  const bool over = scheduler.settle(call.cpu);
  if (over || !scheduler.switch_to(call.cpu, caller)) scheduler.switch_to_next(call.cpu);
  return static_cast<std::int64_t>(result);
}

}  // namespace xok::kernel::calls
