// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_processor.hpp"

#include <array>

namespace xok::kernel::calls {
namespace {

Result<> check_position(const Call& call, Count processor, Count position) {
  if (processor.value >= call.core.tables.info->processors || processor.value >= kMaxProcessors ||
      position.value >= kSlicesPerProcessor)
    return fail(Errc::BadArgument);
  return {};
}

/// The slice at a position that the caller's slot may change.
Result<> check_slice(const Call& call, CapSlot cap, Count processor, Count position) {
  XOK_TRY(check_position(call, processor, position));
  const Slice& slice = call.core.scheduler.slice(processor.value, position.value);
  if (slice.owner == 0) return fail(Errc::NotFound);
  return call.check(cap, slice.guard, Permission::Write);
}

}  // namespace

CallResult slice_alloc(Call& call, CapSlot cap, Count processor, Count position, EnvIdWord env) {
  const Capability held = XOK_TRY(call.capability(cap));
  if (!held.grants(Permission::Allocate)) return fail(Errc::Denied);
  const EnvIndex owner = XOK_TRY(call.env_named(env));
  const bool any = position.value == kAnyPosition;
  XOK_TRY(check_position(call, processor, any ? Count{0} : position));
  Scheduler& scheduler = call.core.scheduler;
  const std::uint64_t at = any ? scheduler.first_free(processor.value) : position.value;
  if (at == kSlicesPerProcessor) return fail(Errc::NoSpace);
  if (scheduler.slice(processor.value, at).owner != 0) return fail(Errc::Exists);
  if (call.core.env(owner).slices >= kSlicesPerEnv) return fail(Errc::NoSpace);
  scheduler.set_owner(processor.value, at, owner, as_guard(held));
  return static_cast<std::int64_t>(at);
}

CallResult slice_free(Call& call, CapSlot cap, Count processor, Count position) {
  XOK_TRY(check_slice(call, cap, processor, position));
  call.core.scheduler.clear_owner(processor.value, position.value);
  return 0;
}

CallResult slice_transfer(Call& call, CapSlot cap, Count processor, Count position, EnvIdWord env) {
  XOK_TRY(check_slice(call, cap, processor, position));
  const EnvIndex owner = XOK_TRY(call.env_named(env));
  Scheduler& scheduler = call.core.scheduler;
  const Slice old = scheduler.slice(processor.value, position.value);
  if (env_index(old.owner) == owner) return 0;
  if (call.core.env(owner).slices >= kSlicesPerEnv) return fail(Errc::NoSpace);
  scheduler.set_owner(processor.value, position.value, owner, old.guard);
  scheduler.slice(processor.value, position.value).forfeited_us = old.forfeited_us;
  return 0;
}

CallResult yield(Call& call, EnvIdWord to, YieldFlags flags) {
  if (call.in_batch || (flags.value & ~kYieldSleep) != 0) return fail(Errc::BadArgument);
  const EnvIndex target = XOK_TRY(call.env_named(to));
  Scheduler& scheduler = call.core.scheduler;
  std::uint64_t& result = call.core.machine.result(call.self);
  result = 0;
  if (flags.value == kYieldSleep) {
    if (call.core.state(call.self).predicate == nullptr) return fail(Errc::BadArgument);
    if (!scheduler.sleep(call.cpu)) return static_cast<std::int64_t>(result);
  }
  const bool over = scheduler.settle(call.cpu);
  if (target == call.self || over || !scheduler.switch_to(call.cpu, target))
    scheduler.switch_to_next(call.cpu);
  return static_cast<std::int64_t>(result);
}

CallResult wakeup_set(Call& call, UserAddr terms, Count n) {
  Core& core = call.core;
  EnvState& state = core.state(call.self);
  if (n.value > kMaxWakeTerms) return fail(Errc::TooBig);
  if (n.value == 0) {
    if (state.predicate != nullptr) core.wakeups.release(*state.predicate);
    state.predicate = nullptr;
    call.env().predicate_terms = 0;
    return 0;
  }
  std::array<WakeTerm, kMaxWakeTerms> wanted;
  if (!call.from_user(wanted.data(), terms, n.value * sizeof(WakeTerm))) return fail(Errc::Fault);
  if (state.predicate_page == 0) XOK_TRY(core.can_take(call.account(), 1));
  Predicate built;
  XOK_TRY(core.wakeups.translate(call.env().table_page, std::span{wanted}.first(n.value), built));
  if (state.predicate_page == 0)
    state.predicate_page = core.pages.take_kernel(call.account());  // all zero
  state.predicate = reinterpret_cast<Predicate*>(core.pages.bytes(state.predicate_page));
  core.wakeups.replace(*state.predicate, built);
  call.env().predicate_terms = n.value;
  return 0;
}

}  // namespace xok::kernel::calls
