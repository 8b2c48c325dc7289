// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <span>

namespace xok::rt {

/// Fills with random bytes: ChaCha20 keyed by the kernel's entropy, and keyed anew in each
/// environment and after every 1 MiB. Cost: 1,500 instructions for each 32 bytes, or each 64 of
/// many.
void fill_random(std::span<std::byte> bytes);

}  // namespace xok::rt
