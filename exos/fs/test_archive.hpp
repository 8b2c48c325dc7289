// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace xok::exos {

/// Writes newc archives for tests.
class ArchiveWriter {
 public:
  struct Entry {
    std::string name;
    std::uint32_t mode = 0100644;
    std::string data = {};
    std::uint32_t number = 0;
    std::uint32_t links = 1;
    std::uint32_t uid = 0, gid = 0, modified = 0;
    std::uint32_t node_major = 0, node_minor = 0;
    bool aligned = false;  ///< the data begins, and is padded to, a page of the archive
    const char* magic = "070701";
    std::uint32_t check = 0;
  };

  ArchiveWriter& add(const Entry& entry) {
    constexpr std::size_t kHeader = 110;
    std::size_t name_size = entry.name.size() + 1;
    if (entry.aligned) {
      const std::size_t data_at = bytes_.size() + kHeader + name_size;
      name_size += page_ceil(data_at) - data_at;
    }
    bytes_ += entry.magic;
    for (const std::uint64_t field :
         {std::uint64_t{entry.number}, std::uint64_t{entry.mode}, std::uint64_t{entry.uid},
          std::uint64_t{entry.gid}, std::uint64_t{entry.links}, std::uint64_t{entry.modified},
          std::uint64_t{entry.data.size()}, std::uint64_t{8}, std::uint64_t{1},
          std::uint64_t{entry.node_major}, std::uint64_t{entry.node_minor},
          std::uint64_t{name_size}, std::uint64_t{entry.check}}) {
      char text[9];
      std::snprintf(text, sizeof text, "%08X", static_cast<unsigned>(field));
      bytes_ += text;
    }
    bytes_ += entry.name;
    bytes_.append(name_size - entry.name.size(), '\0');
    pad(4);
    bytes_ += entry.data;
    pad(entry.aligned ? kPageSize : 4);
    return *this;
  }

  /// The archive with its trailer.
  std::string finish() {
    add({.name = "TRAILER!!!", .mode = 0});
    return bytes_;
  }

 private:
  void pad(std::size_t unit) { bytes_.append((unit - bytes_.size() % unit) % unit, '\0'); }

  std::string bytes_;
};

/// A copy of an archive at a page boundary, ending exactly where it ends (so that the address
/// sanitizer sees a read beyond).
class PlacedArchive {
 public:
  explicit PlacedArchive(std::string_view bytes)
      : size_{bytes.size()}, memory_{allocate(bytes.size()), &std::free} {
    std::memcpy(memory_.get(), bytes.data(), bytes.size());
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {memory_.get(), size_}; }

 private:
  static std::byte* allocate(std::size_t size) {
    void* memory = nullptr;
    if (posix_memalign(&memory, kPageSize, size == 0 ? 1 : size) != 0) std::abort();
    return static_cast<std::byte*>(memory);
  }

  std::size_t size_;
  std::unique_ptr<std::byte, void (*)(void*)> memory_;
};

}  // namespace xok::exos
