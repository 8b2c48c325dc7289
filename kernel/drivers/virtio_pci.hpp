// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernel/drivers/pci.hpp"
#include "kernel/drivers/transport.hpp"

namespace xok::kernel::drivers {

/// A virtio 1.x device on PCI, modern or transitional (its modern half is used; a legacy-only
/// device is not supported). Interrupts: one MSI-X vector for everything where possible, else the
/// line. Source: virtio 1.2, section 4.1.
class PciTransport final : public Transport {
 public:
  /// Queues that a driver of ours may use: two per console port and for control.
  static constexpr std::size_t kMaxQueues = 20;

  /// Finds the device's register windows and turns the function on.
  ///
  /// window  addresses for BARs without one
  /// Errors  NotFound   not a virtio device
  ///         BadFormat  a needed capability is missing, or names a range outside its BAR
  ///         others     of PciFunction::bar
  Result<> open(Platform& platform, PciFunction function, AddressRange& window);

  [[nodiscard]] DeviceType type() const override { return type_; }
  [[nodiscard]] bool legacy() const override { return false; }
  std::uint8_t status() override;
  void set_status(std::uint8_t status) override;
  bool reset() override;
  void shut_off() override;
  std::uint64_t device_features() override;
  void set_driver_features(std::uint64_t features) override;
  std::uint16_t queue_limit(std::uint16_t queue) override;
  bool start_queue(std::uint16_t queue, std::uint16_t size, const QueueAddresses& at) override;
  void notify(std::uint16_t queue) override;
  std::uint8_t config8(std::size_t offset) override;
  std::uint32_t config_generation() override;
  void connect_interrupt(InterruptHandler handler, void* argument) override;
  void acknowledge() override;

 private:
  struct Registers {
    volatile std::byte* at = nullptr;
    std::uint64_t length = 0;
  };

  Result<> find_registers(AddressRange& window);
  Result<> open_capability(std::uint8_t capability, AddressRange& window);
  Result<Registers> map(unsigned bar, std::uint64_t offset, std::uint64_t length,
                        AddressRange& window);
  bool connect_msix(InterruptHandler handler, void* argument);
  void write64(std::size_t offset, std::uint64_t value);

  Platform* platform_ = nullptr;
  PciFunction function_;
  DeviceType type_ = DeviceType::None;
  Registers common_, isr_, config_, notify_, msix_table_;
  std::uint32_t notify_multiplier_ = 0;
  std::uint8_t msix_capability_ = 0;
  bool uses_msix_ = false;
  std::array<volatile std::byte*, kMaxQueues> doorbells_{};
};

}  // namespace xok::kernel::drivers
