// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// The boot bundle: one file that the boot loader hands to the kernel (docs/formats/boot.md).
/// A header page, then the parts, each starting on a page boundary, zero-padded to the next.
/// The kernel reads only the part "init"; the rest is for the first environment.
namespace xok {

struct BundlePart {
  std::array<char, 16> name;  ///< NUL-padded: "init" (ELF), "root" and "extra" (cpio), "job"
  std::uint64_t offset;       ///< from the start of the bundle, page-aligned
  std::uint64_t length;       ///< bytes
};
static_assert(sizeof(BundlePart) == 32);

struct BundleHeader {
  static constexpr std::uint64_t kMagic = 0x314c444e424b4f58;  // "XOKBNDL1"
  std::uint64_t magic;
  std::uint64_t part_count;
  std::uint64_t total_length;
  std::uint64_t reserved;
  std::array<BundlePart, 100> parts;
};
static_assert(sizeof(BundleHeader) <= 4096);

}  // namespace xok
