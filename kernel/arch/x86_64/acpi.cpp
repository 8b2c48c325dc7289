// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/acpi.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/byte_order.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/io_apic.hpp"
#include "kernel/arch/x86_64/paging.hpp"
#include "kernel/arch/x86_64/registers.hpp"

namespace xok::kernel::x86 {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kHeader = 36;  // of every table
constexpr std::size_t kLongestTable = std::size_t{1} << 20;
constexpr std::uint64_t kDefaultIoApic = 0xfec00000;

constinit Acpi g_acpi;

template <class T>
T at(Bytes bytes, std::size_t offset) {
  return offset + sizeof(T) <= bytes.size() ? load<T>(bytes.data() + offset) : T{};
}

bool sums_to_zero(Bytes bytes) {
  unsigned sum = 0;
  for (const std::byte b : bytes) sum += std::to_integer<unsigned>(b);
  return (sum & 0xff) == 0;
}

bool has_text(Bytes bytes, std::size_t offset, std::string_view text) {
  return offset + text.size() <= bytes.size() &&
         std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

/// The offset of `text` at or after `from`, or the size.
std::size_t find(Bytes bytes, std::string_view text, std::size_t from = 0) {
  const auto first = static_cast<std::byte>(text[0]);
  for (; from < bytes.size(); from++)
    if (bytes[from] == first && has_text(bytes, from, text)) return from;
  return bytes.size();
}

Bytes physical_bytes(std::uint64_t physical, std::size_t length) {
  const std::byte* bytes = paging().in_direct_map(physical, length)
                               ? direct(physical)
                               : paging().map_physical(physical, length, Caching::Cached);
  return bytes == nullptr ? Bytes{} : Bytes{bytes, length};
}

/// A whole table with a right checksum, or nothing.
Bytes table_at(std::uint64_t physical) {
  if (physical == 0) return {};
  const auto length = at<std::uint32_t>(physical_bytes(physical, kHeader), 4);
  if (length < kHeader || length > kLongestTable) return {};
  const Bytes table = physical_bytes(physical, length);
  return sums_to_zero(table) ? table : Bytes{};
}

constexpr std::string_view kRootSignature = "RSD PTR ";
constexpr std::size_t kRootV1 = 20;

/// Machines whose loader says nothing: the root pointer is in the BIOS area.
Bytes scan_for_root() {
  for (std::uint64_t physical = 0xe0000; physical < 0x100000; physical += 16) {
    const Bytes root{direct(physical), 36};
    if (has_text(root, 0, kRootSignature) && sums_to_zero(root.first(kRootV1))) return root;
  }
  return {};
}

}  // namespace

Acpi& acpi() { return g_acpi; }

bool Acpi::initialize(const BootInfo& boot) {
  for (unsigned irq = 0; irq < isa_.size(); irq++) isa_[irq] = {irq, Trigger::EdgeHigh};
  Bytes root = boot.root_pointer();
  if (root.size() < kRootV1 || !has_text(root, 0, kRootSignature)) root = scan_for_root();
  const bool found = !root.empty();
  if (found) read_root(root);
  if (io_apics_ == 0) add_io_apic(kDefaultIoApic, 0);
  return found;
}

void Acpi::read_root(Bytes root) {
  const bool extended = at<std::uint8_t>(root, 15) >= 2 && root.size() >= 36;
  const std::uint64_t list =
      extended ? at<std::uint64_t>(root, 24) : std::uint64_t{at<std::uint32_t>(root, 16)};
  const Bytes table = table_at(list);
  const std::size_t width = has_text(table, 0, "XSDT") ? 8 : 4;
  for (std::size_t offset = kHeader; offset + width <= table.size(); offset += width)
    read_table(width == 8 ? at<std::uint64_t>(table, offset)
                          : std::uint64_t{at<std::uint32_t>(table, offset)});
}

void Acpi::read_table(std::uint64_t physical) {
  const Bytes table = table_at(physical);
  if (has_text(table, 0, "APIC")) read_madt(table);
  if (has_text(table, 0, "FACP")) read_fadt(table);
}

void Acpi::read_madt(Bytes table) {
  constexpr std::uint8_t kIoApic = 1, kOverride = 2;
  constexpr std::uint8_t kLocalApic = 0, kLocalX2Apic = 9;
  for (std::size_t offset = kHeader + 8; offset + 2 <= table.size();) {
    const auto type = at<std::uint8_t>(table, offset);
    const auto length = at<std::uint8_t>(table, offset + 1);
    if (length < 2 || length > table.size() - offset) break;
    const Bytes entry = table.subspan(offset, length);
    if (type == kIoApic) {
      add_io_apic(at<std::uint32_t>(entry, 4), at<std::uint32_t>(entry, 8));
      io_apics_++;
    }
    if (type == kOverride) read_override(entry);
    if (type == kLocalApic || type == kLocalX2Apic) read_processor(entry);
    offset += length;
  }
}

/// Processor entries, old form: ACPI number, APIC number, 32 flags; x2APIC form: 2 bytes, 32-bit
/// APIC number, 32 flags.
void Acpi::read_processor(Bytes entry) {
  constexpr std::uint32_t kEnabled = 1;
  constexpr std::uint32_t kLargestXApic = 254;
  const bool old = at<std::uint8_t>(entry, 0) == 0;
  const std::uint32_t apic = old ? at<std::uint8_t>(entry, 3) : at<std::uint32_t>(entry, 4);
  const auto flags = at<std::uint32_t>(entry, old ? 4 : 8);
  const bool known = std::ranges::count(processors(), apic) > 0;
  if ((flags & kEnabled) == 0 || known || processor_count_ == processors_.size()) return;
  if (apic > kLargestXApic && !features().x2apic) return;  // no message reaches it
  processors_[processor_count_++] = apic;
}

void Acpi::read_override(Bytes entry) {
  const auto irq = at<std::uint8_t>(entry, 3);
  const auto flags = at<std::uint16_t>(entry, 8);
  if (irq >= isa_.size()) return;
  const bool low = (flags & 3) == 3;
  const bool level = (flags >> 2 & 3) == 3;
  isa_[irq] = {at<std::uint32_t>(entry, 4), level ? (low ? Trigger::LevelLow : Trigger::LevelHigh)
                                                  : (low ? Trigger::EdgeLow : Trigger::EdgeHigh)};
}

void Acpi::read_fadt(Bytes table) {
  constexpr std::uint32_t kHardwareReduced = 1u << 20;
  constexpr std::size_t kSleepControl = 244;  // a generic address: space, 3 bytes, 64-bit address
  if ((at<std::uint32_t>(table, 112) & kHardwareReduced) != 0) {
    const auto address = at<std::uint64_t>(table, kSleepControl + 4);
    if (at<std::uint8_t>(table, kSleepControl) == 0 && address != 0)
      sleep_control_ = paging().map_physical(address, 1, Caching::Uncached);
  } else {
    pm1a_control_ = static_cast<std::uint16_t>(at<std::uint32_t>(table, 64));
    pm1b_control_ = static_cast<std::uint16_t>(at<std::uint32_t>(table, 68));
  }
  std::uint64_t code = at<std::uint64_t>(table, 140);
  if (code == 0) code = at<std::uint32_t>(table, 40);
  const Bytes byte_code = table_at(code);
  read_sleep_type(byte_code);
  read_mmio_devices(byte_code);
}

/// Name (_S5_, Package (n) {type, ...}): the type is a small constant.
void Acpi::read_sleep_type(Bytes code) {
  constexpr std::uint8_t kPackage = 0x12, kByte = 0x0a, kOne = 0x01;
  const std::size_t name = find(code, "_S5_");
  if (at<std::uint8_t>(code, name + 4) != kPackage) return;
  // The package's length takes 1 to 4 bytes (bits 6-7 of the first: how many more), then the count.
  const std::size_t value = name + 5 + (at<std::uint8_t>(code, name + 5) >> 6) + 2;
  const auto first = at<std::uint8_t>(code, value);
  sleep_type_ = first == kByte ? at<std::uint8_t>(code, value + 1) : (first == kOne ? 1 : 0);
  sleep_type_ &= 7;
  has_sleep_type_ = true;
}

/// Device bodies with _HID "LNRO0005" and a _CRS template: Memory32Fixed (86 09 00), then an
/// extended interrupt (89).
void Acpi::read_mmio_devices(Bytes code) {
  constexpr std::string_view kId{"LNRO0005"};
  constexpr std::string_view kMemory{"\x86\x09\x00", 3};
  constexpr std::string_view kInterrupt{"\x89\x06\x00", 3};
  for (std::size_t id = find(code, kId); id < code.size(); id = find(code, kId, id + 1)) {
    const std::size_t limit = std::min(find(code, kId, id + 1), code.size());
    const Bytes body = code.subspan(id, limit - id);
    const std::size_t memory = find(body, kMemory);
    const std::size_t interrupt = find(body, kInterrupt, memory);
    if (interrupt >= body.size() || device_count_ == devices_.size()) continue;
    devices_[device_count_++] = {at<std::uint32_t>(body, memory + 4),
                                 at<std::uint32_t>(body, memory + 8),
                                 at<std::uint32_t>(body, interrupt + 5)};
  }
}

bool Acpi::power_off() const {
  constexpr std::uint16_t kSleepEnable = 1u << 13;
  if (!has_sleep_type_) return false;
  if (sleep_control_ != nullptr) {
    constexpr unsigned kReducedEnable = 1u << 5;
    *sleep_control_ = static_cast<std::byte>(unsigned{sleep_type_} << 2 | kReducedEnable);
    return true;
  }
  const auto value = static_cast<std::uint16_t>(sleep_type_ << 10 | kSleepEnable);
  if (pm1a_control_ != 0) out16(pm1a_control_, value);
  if (pm1b_control_ != 0) out16(pm1b_control_, value);
  return pm1a_control_ != 0;
}

}  // namespace xok::kernel::x86
