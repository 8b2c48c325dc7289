// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_env.hpp"

#include "kernel/core/ipc.hpp"

namespace xok::kernel::calls {
namespace {

constexpr std::uint64_t kBaseLimit = std::uint64_t{1} << 47;

/// Ends an environment inside a protected method as soon as it leaves that, and gives it this slice
/// to do so.
CallResult condemn(Call& call, EnvIndex index) {
  Core& core = call.core;
  core.state(index).condemned = true;
  if (call.in_batch) return kEndsLater;
  core.machine.context(call.self).rax = kEndsLater;
  const bool over = core.scheduler.settle(call.cpu);
  if (over || !core.scheduler.switch_to(call.cpu, index)) core.scheduler.switch_to_next(call.cpu);
  return kEndsLater;
}

}  // namespace

CallResult null_call(Call&) { return 0; }

CallResult env_alloc(Call& call, CapSlot cap, EnvFlags flags, UserAddr uenv) {
  const Capability held = XOK_TRY(call.capability(cap));
  if (!held.grants(Permission::All)) return fail(Errc::Denied);
  if ((flags.value & ~kShareAddressSpace) != 0) return fail(Errc::BadArgument);
  const EnvIndex share = flags.value == kShareAddressSpace ? call.self : kNoEnv;
  const EnvIndex index = XOK_TRY(call.core.create_env(call.self, held, uenv.value, share));
  return call.core.env(index).id;
}

CallResult env_free(Call& call, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target, true));
  if (index == call.self && call.in_batch) return fail(Errc::BadArgument);
  if (call.core.state(index).method != 0) return condemn(call, index);
  if (call.core.env(index).status != EnvStatus::Dead)
    call.core.end_env(call.cpu, index, DeathReason::Killed);
  call.core.free_slot(index);
  if (call.cpu.current == kNoEnv) call.core.scheduler.switch_to_next(call.cpu);
  return 0;
}

CallResult env_set_context(Call& call, Target target, UserAddr context) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (index == call.self) return fail(Errc::BadArgument);
  if (call.core.state(index).processor != kNowhere) return fail(Errc::Busy);
  if (call.core.state(index).method != 0) return fail(Errc::Busy);
  Context wanted;
  if (!call.from_user(&wanted, context, sizeof wanted)) return fail(Errc::Fault);
  if (wanted.rip >= kUserTop || wanted.fs_base >= kBaseLimit || wanted.gs_base >= kBaseLimit)
    return fail(Errc::BadArgument);
  wanted.rflags = user_flags(wanted.rflags);
  call.core.machine.context(index) = wanted;
  EnvState& state = call.core.state(index);
  state.context_set = true;
  state.forced_out = false;
  abandon_wait(call.core, index);
  call.core.env(index).status = EnvStatus::Runnable;
  call.core.scheduler.look_soon();
  return 0;
}

CallResult env_get_context(Call& call, Target target, UserAddr context) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (index != call.self && call.core.state(index).processor != kNowhere) return fail(Errc::Busy);
  if (call.core.state(index).method != 0) return fail(Errc::Busy);
  const Context registers = call.core.machine.context(index);
  if (!call.to_user(context, &registers, sizeof registers)) return fail(Errc::Fault);
  return 0;
}

}  // namespace xok::kernel::calls
