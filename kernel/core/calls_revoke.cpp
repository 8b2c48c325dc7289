// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_revoke.hpp"

#include "kernel/core/revoke.hpp"

namespace xok::kernel::calls {

CallResult pages_request(Call& call, Target target, Count n, Count deadline) {
  const EnvIndex index = XOK_TRY(call.target(target));
  if (index == call.self) return fail(Errc::BadArgument);
  if (n.value > kMaxRequest) return fail(Errc::TooBig);
  if (n.value == 0) {
    settle_request(call.core, index);
    return 0;
  }
  if (call.core.env(index).pages_wanted != 0) return fail(Errc::Busy);
  request_pages(call.core, index, n.value, deadline.value);
  return 0;
}

CallResult pages_repossess(Call& call, Target target) {
  const EnvIndex index = XOK_TRY(call.target(target));
  const Env& record = call.core.env(index);
  if (record.pages_wanted == 0) return fail(Errc::NotFound);
  if (pages_missing(call.core, index) > 0 && call.core.machine.cycles() < record.wanted_deadline)
    return fail(Errc::WouldBlock);
  const EnvState& state = call.core.state(index);
  const bool elsewhere = state.processor != kNowhere && index != call.self;
  if (elsewhere && state.method == 0) {
    call.core.scheduler.repossess_there(index);
    return fail(Errc::WouldBlock);
  }
  return static_cast<std::int64_t>(repossess(call.core, index));
}

}  // namespace xok::kernel::calls
