// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "kernel/drivers/platform.hpp"

/// PCI configuration space by ports 0xcf8 and 0xcfc. What a function says about itself is checked:
/// capability lists that loop, BARs that overflow, windows outside their BAR.
/// Source: PCI Local Bus Specification 3.0, chapters 3.2.2.3 and 6.
namespace xok::kernel::drivers {

struct PciAddress {
  std::uint8_t bus = 0;
  std::uint8_t device = 0;    ///< below 32
  std::uint8_t function = 0;  ///< below 8
};

inline constexpr std::uint8_t kPciCommand = 0x04;
inline constexpr std::uint16_t kPciMemorySpace = 1u << 1;
inline constexpr std::uint16_t kPciBusMaster = 1u << 2;
inline constexpr std::uint16_t kPciLineDisable = 1u << 10;
inline constexpr std::uint8_t kPciSubsystemId = 0x2e;
inline constexpr std::uint8_t kPciInterruptLine = 0x3c;

inline constexpr std::uint8_t kPciCapabilityVendor = 0x09;
inline constexpr std::uint8_t kPciCapabilityMsix = 0x11;

/// One function's configuration space.
class PciFunction {
 public:
  PciFunction() = default;
  PciFunction(Platform& platform, PciAddress address) : platform_{&platform}, address_{address} {}

  [[nodiscard]] PciAddress address() const { return address_; }

  /// `offset` is a multiple of the width; the upper 4 bits select nothing and are ignored.
  [[nodiscard]] std::uint32_t read32(std::uint8_t offset) const;
  [[nodiscard]] std::uint16_t read16(std::uint8_t offset) const;
  [[nodiscard]] std::uint8_t read8(std::uint8_t offset) const;
  void write32(std::uint8_t offset, std::uint32_t value) const;
  /// Changes the command register only; writes zeros, which change nothing, to the status.
  void set_command(std::uint16_t set, std::uint16_t clear) const;

  [[nodiscard]] std::uint16_t vendor() const { return read16(0); }
  [[nodiscard]] std::uint16_t device() const { return read16(2); }

  /// The first capability in the list, or the one that follows `previous`; 0 at the end. Stops
  /// after as many as the space can hold, counted in `steps`, so a list that loops ends too.
  [[nodiscard]] std::uint8_t next_capability(std::uint8_t previous, unsigned& steps) const;

  /// The memory range of BAR 0 to 5, measured, and assigned from `window` (which shrinks) when the
  /// firmware did not. Leaves memory decoding as it was.
  /// Errors  BadArgument   no such BAR, or the upper half of a pair
  ///         NotSupported  an I/O BAR, or one that does not exist
  ///         NoSpace       unassigned and the window is too small
  ///         BadFormat     size or place is impossible
  Result<AddressRange> bar(unsigned number, AddressRange& window) const;

 private:
  /// Whether the BAR is the second word of a 64-bit one.
  [[nodiscard]] bool is_upper_half(unsigned bar) const;

  Platform* platform_ = nullptr;
  PciAddress address_;
};

/// Calls `visit(argument, function)` for each function present on every bus that the firmware
/// numbered.
void for_each_pci_function(Platform& platform, void (*visit)(void*, PciFunction), void* argument);

}  // namespace xok::kernel::drivers
