// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/core.hpp"
#include "kernel/core/kernel.hpp"
#include "kernel/core/lock.hpp"

namespace xok::kernel {

/// What a Kernel object holds: everything, behind the one lock.
class Kernel::Impl : public Guarded<Core, LockRank::Kernel> {
 public:
  explicit Impl(Machine& machine) : Guarded{machine}, machine_{machine} {}

  /// One entry of the kernel. Whoever waits for the lock meanwhile does what its holder asks.
  template <class Action>
  decltype(auto) enter(Action&& action) {
    return with(std::forward<Action>(action), [this] { machine_.answer(); });
  }

 private:
  Machine& machine_;
};

}  // namespace xok::kernel
