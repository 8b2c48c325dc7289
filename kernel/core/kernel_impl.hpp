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
  using Guarded::Guarded;
};

}  // namespace xok::kernel
