// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "kernel/core/machine.hpp"

namespace xok::kernel::testing {

/// One step as the oracle sees it.
struct Step {
  EnvIndex caller = kNoEnv;  ///< kNoEnv: no call (timer, packet, fault, ...)
  std::uint64_t number = 0;
  std::array<std::uint64_t, 6> arguments{};
  std::int64_t result = 0;
};

/// Which slots of the caller a call names: for the page or capability, for the environment.
struct Slots {
  std::uint64_t right = ~0ull, target = ~0ull, other_target = ~0ull;
};

Slots slots_of(const Step& step);

}  // namespace xok::kernel::testing
