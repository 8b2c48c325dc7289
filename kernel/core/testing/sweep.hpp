// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <string>

#include "kernel/core/core.hpp"
#include "kernel/core/testing/fake_machine.hpp"

namespace xok::kernel::testing {

/// Re-derives from scratch, out of the page tables and the private lists, what the exposed records
/// claim: ownership, reference counts, writers, pins, the free lists, counts per environment,
/// slices, filters, rings, who runs where, and that no translation in any processor's TLB is stale.
/// Returns "" or the first thing that is wrong.
std::string sweep(Core& core, FakeMachine& machine);

}  // namespace xok::kernel::testing
