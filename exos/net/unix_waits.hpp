// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "exos/error.hpp"
#include "exos/proc/process.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"

/// How local sockets wait. Private to exos/net.
namespace xok::exos {

/// The time when a timeout is over; 0: never.
inline std::uint64_t deadline_in(std::uint64_t timeout_ns) {
  return timeout_ns == 0 ? rt::kNoDeadline : rt::monotonic_ns() + timeout_ns;
}

/// Sleeps until what `wait` watches changes. Errors  Interrupted; WouldBlock  the deadline
inline Outcome<> sleep_with(rt::WaitSet& wait, std::uint64_t deadline_ns) {
  wait.watch(process().proc->signal_event);
  if (signal_pending()) return std::unexpected{Errc::Interrupted};
  if (deadline_ns != rt::kNoDeadline && rt::monotonic_ns() >= deadline_ns)
    return std::unexpected{Errc::WouldBlock};
  wait.deadline(deadline_ns);
  wait.sleep();
  return {};
}

}  // namespace xok::exos
