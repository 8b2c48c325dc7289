// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/core/core.hpp"

namespace xok::kernel {

/// See Kernel::start_first_environment. The ELF image is for x86-64, little-endian, ET_EXEC or
/// ET_DYN (then loaded at kInitLoadBias, and relocating itself); its segments lie below
/// kInitBundleAddress and hold at most kMaxInitPages pages.
Result<EnvIndex> start_first_environment(Core& core, std::span<const std::byte> elf_image,
                                         PageNumber bundle_first, std::uint64_t bundle_length);

inline constexpr std::uint64_t kInitLoadBias = 0x1000'0000;
inline constexpr std::uint64_t kMaxInitPages = 65536;

}  // namespace xok::kernel
