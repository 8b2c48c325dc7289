// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/pci.hpp"

#include <array>

#include "base/checked.hpp"

namespace xok::kernel::drivers {
namespace {

constexpr std::uint16_t kConfigAddress = 0xcf8;
constexpr std::uint16_t kConfigData = 0xcfc;
constexpr std::uint8_t kStatus = 0x06;
constexpr std::uint16_t kStatusCapabilities = 1u << 4;
constexpr std::uint8_t kHeaderType = 0x0e;
constexpr std::uint8_t kHeaderMultifunction = 0x80;
constexpr std::uint8_t kHeaderBridge = 1;
constexpr std::uint8_t kFirstBar = 0x10;
constexpr std::uint8_t kSecondaryBus = 0x19;
constexpr std::uint8_t kCapabilities = 0x34;
constexpr std::uint8_t kHeaderLength = 0x40;
constexpr std::uint32_t kBarIo = 1;
constexpr std::uint32_t kBar64 = 4;
constexpr std::uint32_t kBarFlags = 0xf;
constexpr std::uint16_t kNoVendor = 0xffff;
/// 192 bytes of capabilities, each at least 4.
constexpr unsigned kMaxCapabilities = 48;

}  // namespace

std::uint32_t PciFunction::read32(std::uint8_t offset) const {
  platform_->out32(kConfigAddress, 0x8000'0000u | std::uint32_t{address_.bus} << 16 |
                                       std::uint32_t{address_.device} << 11 |
                                       std::uint32_t{address_.function} << 8 | (offset & 0xfcu));
  return platform_->in32(kConfigData);
}

void PciFunction::write32(std::uint8_t offset, std::uint32_t value) const {
  platform_->out32(kConfigAddress, 0x8000'0000u | std::uint32_t{address_.bus} << 16 |
                                       std::uint32_t{address_.device} << 11 |
                                       std::uint32_t{address_.function} << 8 | (offset & 0xfcu));
  platform_->out32(kConfigData, value);
}

std::uint16_t PciFunction::read16(std::uint8_t offset) const {
  return static_cast<std::uint16_t>(read32(offset) >> (8 * (offset & 2u)));
}

std::uint8_t PciFunction::read8(std::uint8_t offset) const {
  return static_cast<std::uint8_t>(read32(offset) >> (8 * (offset & 3u)));
}

void PciFunction::set_command(std::uint16_t set, std::uint16_t clear) const {
  const std::uint16_t old = read16(kPciCommand);
  write32(kPciCommand, (old & ~std::uint32_t{clear}) | set);
}

std::uint8_t PciFunction::next_capability(std::uint8_t previous, unsigned& steps) const {
  if (previous == 0 && (read16(kStatus) & kStatusCapabilities) == 0) return 0;
  if (steps++ >= kMaxCapabilities) return 0;
  const std::uint8_t next =
      read8(previous == 0 ? kCapabilities : static_cast<std::uint8_t>(previous + 1)) & 0xfcu;
  return next < kHeaderLength ? 0 : next;
}

bool PciFunction::is_upper_half(unsigned bar) const {
  bool upper = false;
  for (unsigned i = 0; i < bar; i++) {
    const std::uint32_t low = read32(static_cast<std::uint8_t>(kFirstBar + 4 * i));
    upper = !upper && (low & (kBarIo | kBar64)) == kBar64;
  }
  return upper;
}

Result<AddressRange> PciFunction::bar(unsigned number, AddressRange& window) const {
  if (number > 5 || is_upper_half(number)) return fail(Errc::BadArgument);
  const auto offset = static_cast<std::uint8_t>(kFirstBar + 4 * number);
  const auto upper = static_cast<std::uint8_t>(offset + 4);
  const std::uint32_t low = read32(offset);
  if ((low & kBarIo) != 0) return fail(Errc::NotSupported);
  const bool wide = (low & kBar64) != 0;
  if (wide && number == 5) return fail(Errc::BadFormat);
  const std::uint32_t high = wide ? read32(upper) : 0;

  // While all ones are in it, the BAR must not claim addresses.
  const std::uint16_t command = read16(kPciCommand);
  set_command(0, kPciMemorySpace);
  write32(offset, ~0u);
  std::uint64_t mask = read32(offset) & ~kBarFlags;
  write32(offset, low);
  if (wide) {
    write32(upper, ~0u);
    mask |= std::uint64_t{read32(upper)} << 32;
    write32(upper, high);
  } else if (mask != 0) {
    mask |= std::uint64_t{~0u} << 32;
  }
  AddressRange range{.base = (std::uint64_t{high} << 32 | low) & ~std::uint64_t{kBarFlags},
                     .length = ~mask + 1};
  const bool possible = mask != 0 && (range.length & (range.length - 1)) == 0 &&
                        (range.base & (range.length - 1)) == 0 &&
                        checked_add(range.base, range.length).has_value();
  if (possible && range.base == 0) {
    const std::uint64_t start = (window.base + range.length - 1) & ~(range.length - 1);
    const std::uint64_t skipped = start - window.base;
    if (start < window.base || !range_fits(skipped, range.length, window.length)) {
      set_command(command, 0);
      return fail(Errc::NoSpace);
    }
    range.base = start;
    window.base = start + range.length;
    window.length -= skipped + range.length;
    write32(offset, static_cast<std::uint32_t>(start) | (low & kBarFlags));
    if (wide) write32(upper, static_cast<std::uint32_t>(start >> 32));
  }
  set_command(command, 0);
  if (mask == 0) return fail(Errc::NotSupported);
  if (!possible) return fail(Errc::BadFormat);
  return range;
}

namespace {

class BusWalk {
 public:
  BusWalk(Platform& platform, void (*visit)(void*, PciFunction), void* argument)
      : platform_{platform}, visit_{visit}, argument_{argument} {}

  void run() {
    to_visit_[0] = true;
    // A bridge may lead only to a higher bus, so one pass in order sees all, and ends.
    for (unsigned bus = 0; bus < to_visit_.size(); bus++) {
      if (!to_visit_[bus]) continue;
      for (unsigned device = 0; device < 32; device++)
        walk_device(static_cast<std::uint8_t>(bus), static_cast<std::uint8_t>(device));
    }
  }

 private:
  void walk_device(std::uint8_t bus, std::uint8_t device) {
    for (std::uint8_t number = 0; number < 8; number++) {
      const PciFunction function{platform_, {.bus = bus, .device = device, .function = number}};
      const bool present = function.vendor() != kNoVendor;
      if (number == 0 && !present) return;
      if (!present) continue;
      const std::uint8_t header = function.read8(kHeaderType);
      if ((header & 0x7f) == kHeaderBridge) {
        const std::uint8_t secondary = function.read8(kSecondaryBus);
        if (secondary > bus) to_visit_[secondary] = true;
      } else {
        visit_(argument_, function);
      }
      if (number == 0 && (header & kHeaderMultifunction) == 0) return;
    }
  }

  Platform& platform_;
  void (*visit_)(void*, PciFunction);
  void* argument_;
  std::array<bool, 256> to_visit_{};
};

}  // namespace

void for_each_pci_function(Platform& platform, void (*visit)(void*, PciFunction), void* argument) {
  BusWalk{platform, visit, argument}.run();
}

}  // namespace xok::kernel::drivers
