// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

namespace xok::kernel {

/// The order in which locks are taken: a processor may only take a lock of higher rank than all it
/// holds. Written once, here.
enum class LockRank : std::uint8_t {
  Kernel = 1,  ///< all of `Core`: taken at every entry, released before user code runs
  Log = 7,     ///< the kernel's log; may be taken with anything held
};

}  // namespace xok::kernel
