// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {

/// Whether what programs keep in their pages counts.
enum class Contents : std::uint8_t { OfAllPages, OfPageTables };

/// All of the state that later calls can depend on, in 64 bits: capabilities, offers, the records
/// and contents of pages (page tables among them), the free list. Two machines that were set up
/// alike and have the same fingerprint answer every call alike; times apart.
std::uint64_t fingerprint(TestBed& bed, Contents contents = Contents::OfAllPages);

}  // namespace xok::kernel::testing
