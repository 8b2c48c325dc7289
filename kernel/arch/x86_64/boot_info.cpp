// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/boot_info.hpp"

#include <algorithm>
#include <cstring>

#include "base/byte_order.hpp"
#include "kernel/arch/x86_64/layout.h"

// Sources: xen/include/public/arch-x86/hvm/start_info.h; Multiboot2 specification 2.0, section 3.6.
namespace xok::kernel::x86 {
namespace {

constexpr std::uint32_t kMultiboot2Magic = 0x36d76289;
constexpr std::uint64_t kBootMapEnd = std::uint64_t{4} << 30;
constexpr std::uint32_t kMaxModules = 16;
constexpr std::uint32_t kMaxMapEntries = 1024;

struct PvhStartInfo {
  static constexpr std::uint32_t kMagic = 0x336ec578;
  std::uint32_t magic, version, flags, module_count;
  std::uint64_t modules, command_line, root_pointer, memory_map;
  std::uint32_t memory_map_entries, reserved;
};
static_assert(sizeof(PvhStartInfo) == 56);

struct PvhModule {
  std::uint64_t address, size, command_line, reserved;
};

struct PvhMemory {
  std::uint64_t address, size;
  std::uint32_t type, reserved;
};

/// Whether the first page tables map [address, address + n).
bool reachable(std::uint64_t address, std::uint64_t n) {
  return address != 0 && address < kBootMapEnd && n <= kBootMapEnd - address;
}

const void* at(std::uint64_t physical) {
  return reinterpret_cast<const void*>(DIRECT_MAP_BASE + physical);
}

}  // namespace

bool BootInfo::read(std::uint32_t protocol, std::uint64_t information) {
  return protocol == kMultiboot2Magic ? read_multiboot2(information) : read_pvh(information);
}

bool BootInfo::has_word(std::string_view word) const {
  const std::string_view line = command_line();
  for (std::size_t from = 0; from < line.size();) {
    const std::size_t end = std::min(line.find(' ', from), line.size());
    if (line.substr(from, end - from) == word) return true;
    from = end + 1;
  }
  return false;
}

bool BootInfo::read_pvh(std::uint64_t information) {
  if (!reachable(information, sizeof(PvhStartInfo))) return false;
  const auto start = load<PvhStartInfo>(at(information));
  if (start.magic != PvhStartInfo::kMagic) return false;
  set_command_line(start.command_line);
  set_root_pointer(start.root_pointer, rsdp_.size());
  if (start.module_count != 0 && start.module_count <= kMaxModules &&
      reachable(start.modules, sizeof(PvhModule))) {
    const auto module = load<PvhModule>(at(start.modules));
    bundle_ = module.address;
    bundle_length_ = module.size;
  }
  if (start.version < 1 || start.memory_map_entries > kMaxMapEntries) return true;
  for (std::uint32_t i = 0; i < start.memory_map_entries; i++) {
    const std::uint64_t address = start.memory_map + std::uint64_t{i} * sizeof(PvhMemory);
    if (!reachable(address, sizeof(PvhMemory))) break;
    const auto entry = load<PvhMemory>(at(address));
    add_range(entry.address, entry.size, entry.type == 1);
  }
  return true;
}

bool BootInfo::read_multiboot2(std::uint64_t information) {
  if (!reachable(information, 8)) return false;
  const std::uint64_t total = load<std::uint32_t>(at(information));
  if (!reachable(information, total)) return false;
  for (std::uint64_t offset = 8; offset + 8 <= total;) {
    const std::uint64_t tag = information + offset;
    const auto type = load<std::uint32_t>(at(tag));
    const auto size = load<std::uint32_t>(at(tag + 4));
    if (type == 0) break;
    if (size < 8 || size > total - offset) return false;
    read_multiboot2_tag(tag, type, size);
    offset += (std::uint64_t{size} + 7) & ~std::uint64_t{7};
  }
  return true;
}

void BootInfo::read_multiboot2_tag(std::uint64_t tag, std::uint32_t type, std::uint32_t size) {
  constexpr std::uint32_t kCommandLine = 1, kModule = 3, kMemory = 6, kAcpiOld = 14, kAcpiNew = 15;
  if (type == kCommandLine) set_command_line(tag + 8);
  if (type == kModule && size >= 16 && bundle_length_ == 0) {
    const auto begin = load<std::uint32_t>(at(tag + 8));
    const auto end = load<std::uint32_t>(at(tag + 12));
    bundle_ = begin;
    bundle_length_ = end > begin ? end - begin : 0;
  }
  if (type == kAcpiOld || type == kAcpiNew) set_root_pointer(tag + 8, size - 8);
  if (type != kMemory || size < 16) return;
  const auto entry_size = load<std::uint32_t>(at(tag + 8));
  if (entry_size < 24) return;
  for (std::uint32_t offset = 16; offset + 24 <= size; offset += entry_size) {
    const std::uint64_t entry = tag + offset;
    add_range(load<std::uint64_t>(at(entry)), load<std::uint64_t>(at(entry + 8)),
              load<std::uint32_t>(at(entry + 16)) == 1);
  }
}

void BootInfo::add_range(std::uint64_t begin, std::uint64_t length, bool ram) {
  constexpr std::uint64_t kPhysicalEnd = std::uint64_t{1} << 46;
  if (length == 0 || begin >= kPhysicalEnd || count_ == ranges_.size()) return;
  ranges_[count_++] = {begin, begin + std::min(length, kPhysicalEnd - begin), ram};
}

void BootInfo::set_command_line(std::uint64_t text) {
  command_length_ = 0;
  for (; reachable(text, 1) && command_length_ < command_.size(); text++) {
    const auto c = load<char>(at(text));
    if (c == '\0') break;
    command_[command_length_++] = c >= ' ' && c < 127 ? c : ' ';
  }
}

void BootInfo::set_root_pointer(std::uint64_t address, std::size_t length) {
  length = std::min(length, rsdp_.size());
  if (!reachable(address, length)) return;
  std::memcpy(rsdp_.data(), at(address), length);
  rsdp_length_ = length;
}

}  // namespace xok::kernel::x86
