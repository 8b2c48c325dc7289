// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_method.hpp"

namespace xok::kernel::calls {

CallResult method_define(Call& call, CapSlot guard, CapSlot own, UserAddr entry, UserAddr stack,
                         UserAddr uenv) {
  const Capability held = XOK_TRY(call.capability(guard));
  if (!held.grants(Permission::Allocate | Permission::Write)) return fail(Errc::Denied);
  Method wanted;
  wanted.guard = as_guard(held);
  wanted.own = XOK_TRY(call.capability(own));
  wanted.entry = entry.value;
  wanted.stack = stack.value;
  wanted.uenv = uenv.value;
  return XOK_TRY(define_method(call.core, call.self, wanted));
}

CallResult method_call(Call& call, Target to, Word a, Word b, Word c, Word d, UserAddr share) {
  if (call.in_batch) return fail(Errc::BadArgument);
  Core& core = call.core;
  Method& method = *XOK_TRY(core.methods.find(to.value & 0xffff'ffff));
  const Capability held = XOK_TRY(call.capability(CapSlot{to.value >> 32}));
  XOK_TRY(access(held, std::span{&method.guard, 1}, Permission::Write));
  if (method.broken) return fail(Errc::Closed);
  const unsigned slot = XOK_TRY(shared_slot(core, call.self, share.value));
  if (method.user != kNoEnv) {
    core.machine.context(call.self).rax =
        static_cast<std::uint64_t>(-static_cast<std::int64_t>(Errc::WouldBlock));
    const bool over = core.scheduler.settle(call.cpu);
    if (over || !core.scheduler.switch_to(call.cpu, method.user))
      core.scheduler.switch_to_next(call.cpu);
    return fail(Errc::WouldBlock);
  }
  enter_method(core, call.cpu, method, call.self, held, {a.value, b.value, c.value, d.value},
               share.value, slot);
  return static_cast<std::int64_t>(held.bits());
}

CallResult method_exit(Call& call, Word result, Word second) {
  Core& core = call.core;
  if (core.state(call.self).method == 0) return fail(Errc::NotFound);
  leave_method(core, call.cpu, call.self, result.value, second.value);
  if (core.state(call.self).condemned) {
    core.end_env(call.cpu, call.self, DeathReason::Killed);
    core.free_slot(call.self);
    core.scheduler.switch_to_next(call.cpu);
  }
  return static_cast<std::int64_t>(result.value);
}

CallResult method_delete(Call& call, CapSlot cap, Count method) {
  Method* const found = XOK_TRY(call.core.methods.find(method.value));
  XOK_TRY(call.check(cap, found->guard, Permission::Modify));
  delete_method(call.core, call.cpu, *found);
  return 0;
}

}  // namespace xok::kernel::calls
