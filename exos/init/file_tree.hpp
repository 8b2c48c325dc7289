// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

/// The first file system: unpacked archives, device nodes, /proc.
namespace xok::exos {

/// The boot bundle's parts that ExOS uses, checked. Empty spans for missing ones.
struct Bundle {
  std::span<const std::byte> root;
  std::span<const std::byte> extra;
  std::span<const char> job;
};

/// Maps the bundle into the shared region for everybody, read-only, and finds its parts.
/// Errors  BadFormat, NoMemory
Result<Bundle> share_bundle(std::uint64_t length);

/// Makes the root file system and this process' root and working directory.
/// Errors  NoMemory; BadFormat (an archive)
Result<> make_file_tree(const Bundle& bundle);

}  // namespace xok::exos
