// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <span>

namespace xok::rt {

/// Fills with random bytes: ChaCha20 keyed by the kernel's entropy, and keyed anew in each
/// environment and every 1 MiB.
void fill_random(std::span<std::byte> bytes);

}  // namespace xok::rt
