// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_order.hpp"
#include "exos/fs/fs_error.hpp"
#include "exos/fs/inode.hpp"

namespace xok::exos {

/// A name's hash, `seed` mixed in (the directory's number). About 12 instructions, and 4 more per 8
/// bytes. Reads the name only, whatever its length. Source: own, after wyhash's way with short
/// keys.
inline std::uint32_t hash_name(std::string_view name, std::uint64_t seed) {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  const char* bytes = name.data();
  std::size_t left = name.size();
  std::uint64_t hash = (seed + left) * kMultiplier;
  for (; left > 8; left -= 8, bytes += 8) {
    hash = (hash ^ load<std::uint64_t>(bytes)) * kMultiplier;
    hash ^= hash >> 32;
  }
  std::uint64_t tail = 0;
  if (left >= 4) {
    tail = load<std::uint32_t>(bytes) | std::uint64_t{load<std::uint32_t>(bytes + left - 4)} << 32;
  } else if (left > 0) {
    tail = static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[0])) |
           static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[left / 2])) << 8 |
           static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[left - 1])) << 16;
  }
  hash = (hash ^ tail) * kMultiplier;
  return static_cast<std::uint32_t>(hash >> 32);
}

/// Whether the bytes are the same. Words at a time, the last one overlapping: names are shorter
/// than what a call to memcmp is worth.
inline bool same_bytes(const char* a, const char* b, std::size_t length) {
  if (length >= 8) {
    for (std::size_t at = 0; at < length - 8; at += 8) {
      if (load<std::uint64_t>(a + at) != load<std::uint64_t>(b + at)) return false;
    }
    return load<std::uint64_t>(a + length - 8) == load<std::uint64_t>(b + length - 8);
  }
  if (length >= 4) {
    return load<std::uint32_t>(a) == load<std::uint32_t>(b) &&
           load<std::uint32_t>(a + length - 4) == load<std::uint32_t>(b + length - 4);
  }
  for (std::size_t at = 0; at < length; ++at) {
    if (a[at] != b[at]) return false;
  }
  return true;
}

/// Bytes before the first `/`, or all of them. Eight bytes a step.
inline std::size_t component_length(std::string_view path) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + 8 <= path.size(); at += 8) {
    // A byte is zero exactly where the path has a '/'; the lowest found one is exact.
    const std::uint64_t word = load<std::uint64_t>(path.data() + at) ^ kOnes * '/';
    const std::uint64_t zeros = (word - kOnes) & ~word & kHighs;
    if (zeros != 0) return at + static_cast<std::size_t>(std::countr_zero(zeros)) / 8;
  }
  while (at < path.size() && path[at] != '/') ++at;
  return at;
}

/// The entry `name` of `directory`, nullptr if there is none. `hash` comes from `hash_name` with
/// the directory's number; `buckets` has `mask + 1` chains. Inline: it is the heart of path
/// resolution.
inline DirEntry* find_entry(DirEntry* const* buckets, std::uint64_t mask, const Inode& directory,
                            std::string_view name, std::uint32_t hash) {
  for (DirEntry* entry = buckets[hash & mask]; entry != nullptr; entry = entry->next) {
    if (entry->hash == hash && entry->directory == &directory && entry->length == name.size() &&
        same_bytes(entry->bytes(), name.data(), name.size())) {
      return entry;
    }
  }
  return nullptr;
}

/// Whether a directory may have an entry of this name.
/// Errors  NameTooLong  more than kMaxName bytes
///         BadArgument  empty, `.`, `..`, or with a `/` or NUL in it
inline FsResult<void> check_name(std::string_view name) {
  if (name.size() > kMaxName) return fs_fail(FsError::NameTooLong);
  if (name.empty() || name == "." || name == "..") return fs_fail(FsError::BadArgument);
  for (const char byte : name) {
    if (byte == '/' || byte == '\0') return fs_fail(FsError::BadArgument);
  }
  return {};
}

}  // namespace xok::exos
