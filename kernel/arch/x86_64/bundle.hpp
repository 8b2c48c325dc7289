// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace xok::kernel::x86 {

/// The boot bundle, checked (docs/formats/boot.md).
struct Bundle {
  std::span<const std::byte> init;  ///< the first environment's ELF file
  std::uint64_t parts = 0;
};

/// Checks the bundle's header and every part's bounds, and finds the part "init".
///
/// bytes   the bundle as the boot loader gave it
/// Errors  BadFormat  magic, lengths or a part contradict the format
///         NotFound   no part is called "init"
Result<Bundle> read_bundle(std::span<const std::byte> bytes);

}  // namespace xok::kernel::x86
