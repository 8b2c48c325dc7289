// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "exos/fd/open_file.hpp"
#include "exos/layout.hpp"

namespace xok::exos {

inline constexpr std::size_t kMaxDescriptors = 1024;

enum class CloseOnExec : std::uint8_t { No, Yes };

/// The descriptor table: private memory at kFdTable, one word each: the open file's address, bit 0
/// close-on-exec. 0 is a free descriptor.
std::uint64_t& descriptor_word(std::size_t fd);

/// The open file behind a descriptor, or nullptr.
OpenFile* open_file(std::uint64_t fd);

/// A new open file with one reference; nullptr when memory is short. Hold the file lock.
OpenFile* new_open_file(FileKind kind, std::uint32_t flags);
/// Drops one reference; the last one closes the file. Hold the file lock.
void release_open_file(OpenFile& file);

/// Puts the file (whose reference it takes over) at the lowest free descriptor at or after `from`.
/// Errors  NoSpace  RLIMIT_NOFILE reached: the reference is still the caller's
Result<int> install_descriptor(OpenFile& file, CloseOnExec close_on_exec, std::size_t from = 0);

/// Errors  NotFound  it is not open
Result<> close_descriptor(std::uint64_t fd);

/// dup2: makes `to` refer to what `from` does. Errors  NotFound; BadArgument (to out of range)
Result<> duplicate_to(std::uint64_t from, std::uint64_t to, CloseOnExec close_on_exec);

/// One more reference for every open descriptor: fork.
void hold_descriptors();
void close_all_descriptors();
/// exec: closes those marked.
void close_marked_descriptors();

}  // namespace xok::exos
