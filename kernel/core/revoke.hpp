// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "kernel/core/core.hpp"

/// Revocation of pages: the request, and the abort protocol when it is not answered. The kernel
/// keeps no timer for it: who asked also enforces, with a second call, and pays for the work.
namespace xok::kernel {

/// Entries of page tables that one call looks at.
inline constexpr std::uint64_t kRepossessBudget = 16384;

/// Opens a request of n pages; none is open.
void request_pages(Core& core, EnvIndex index, std::uint64_t n, std::uint64_t deadline);

/// How many pages of the open request are still missing: what was asked for, less what its address
/// space has freed since, plus what it has allocated.
std::uint64_t pages_missing(Core& core, EnvIndex index);

/// So many of the open request are still wanted, counting from now.
void reduce_request(Core& core, EnvIndex index, std::uint64_t n);

/// Closes the request, if one is open.
void settle_request(Core& core, EnvIndex index);

/// Takes what is missing (calls_revoke.hpp has the rules), and closes the request when nothing is
/// or nothing more can be taken. How many pages were taken.
std::uint64_t repossess(Core& core, EnvIndex index);

/// The same for the environment this processor runs, if a request of it is still overdue.
void repossess_overdue(Core& core, EnvIndex index);

}  // namespace xok::kernel
