// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace xok::kernel::x86 {

/// One entry of the firmware's memory map.
struct MemoryRange {
  std::uint64_t begin;
  std::uint64_t end;
  bool ram;  ///< usable; otherwise reserved for some reason
};

/// What the boot loader said, in one form for all protocols, copied out of its memory.
class BootInfo {
 public:
  BootInfo() = default;
  BootInfo(const BootInfo&) = delete;
  BootInfo& operator=(const BootInfo&) = delete;

  /// Reads the loader's structures, which the first page tables map.
  ///
  /// protocol     0 (PVH) or the Multiboot2 magic
  /// information  physical address of the structure, below 4 GiB
  /// Returns      false when it is neither; nothing is known then
  bool read(std::uint32_t protocol, std::uint64_t information);

  [[nodiscard]] std::span<const MemoryRange> memory() const { return {ranges_.data(), count_}; }
  [[nodiscard]] std::string_view command_line() const { return {command_.data(), command_length_}; }
  /// Whether the command line has that word, between blanks.
  [[nodiscard]] bool has_word(std::string_view word) const;
  /// The bundle's physical address and length; length 0 when there was none.
  [[nodiscard]] std::uint64_t bundle() const { return bundle_; }
  [[nodiscard]] std::uint64_t bundle_length() const { return bundle_length_; }
  /// A copy of ACPI's root pointer; empty when the loader gave none.
  [[nodiscard]] std::span<const std::byte> root_pointer() const {
    return {rsdp_.data(), rsdp_length_};
  }

 private:
  bool read_pvh(std::uint64_t information);
  bool read_multiboot2(std::uint64_t information);
  void read_multiboot2_tag(std::uint64_t tag, std::uint32_t type, std::uint32_t size);
  void add_range(std::uint64_t begin, std::uint64_t length, bool ram);
  void set_command_line(std::uint64_t text);
  void set_root_pointer(std::uint64_t address, std::size_t length);

  std::array<MemoryRange, 128> ranges_{};
  std::size_t count_ = 0;
  std::array<char, 1023> command_{};
  std::size_t command_length_ = 0;
  std::uint64_t bundle_ = 0;
  std::uint64_t bundle_length_ = 0;
  std::array<std::byte, 36> rsdp_{};
  std::size_t rsdp_length_ = 0;
};

}  // namespace xok::kernel::x86
