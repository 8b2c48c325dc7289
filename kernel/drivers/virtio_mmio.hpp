// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/drivers/transport.hpp"

namespace xok::kernel::drivers {

/// A virtio device in a memory window: register layout version 2 (virtio 1.x), and version 1
/// (legacy), which is what QEMU shows unless told `-global virtio-mmio.force-legacy=false`.
/// Source: virtio 1.2, sections 4.2.2 and 4.2.4.
class MmioTransport final : public Transport {
 public:
  /// Errors  NotFound      nothing there, or an empty slot
  ///         NotSupported  an unknown version
  ///         NoMemory      cannot be mapped
  Result<> open(Platform& platform, const MmioSlot& slot);

  [[nodiscard]] DeviceType type() const override { return type_; }
  [[nodiscard]] bool legacy() const override { return legacy_; }
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
  std::uint32_t read(std::size_t offset) { return platform_->read32(registers_ + offset); }
  void write(std::size_t offset, std::uint32_t value) {
    platform_->write32(registers_ + offset, value);
  }
  void write_address(std::size_t offset, std::uint64_t value);

  Platform* platform_ = nullptr;
  MmioSlot slot_;
  volatile std::byte* registers_ = nullptr;
  DeviceType type_ = DeviceType::None;
  bool legacy_ = false;
};

/// The slots named on a kernel command line as Linux takes them, and as QEMU's microvm (with
/// `acpi=off`) adds them by itself: virtio_mmio.device=SIZE@BASE:IRQ, SIZE with an optional K or M.
/// Malformed ones are skipped. Returns how many of `slots` were filled.
std::size_t parse_mmio_slots(std::string_view command_line, std::span<MmioSlot> slots);

}  // namespace xok::kernel::drivers
