// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.hpp"
#include "kernel/drivers/platform.hpp"

/// How a driver reaches its virtio device, whatever bus it is on.
namespace xok::kernel::drivers {

/// Virtio device types. Source: virtio 1.2, section 5.
enum class DeviceType : std::uint32_t {
  None = 0,
  Network = 1,
  Block = 2,
  Console = 3,
  Entropy = 4,
};

/// Device status bits. Source: virtio 1.2, section 2.1.
inline constexpr std::uint8_t kStatusAcknowledge = 1;
inline constexpr std::uint8_t kStatusDriver = 2;
inline constexpr std::uint8_t kStatusDriverOk = 4;
inline constexpr std::uint8_t kStatusFeaturesOk = 8;
inline constexpr std::uint8_t kStatusFailed = 128;

/// Features of every device type. Source: virtio 1.2, section 6.
inline constexpr std::uint64_t kFeatureIndirect = std::uint64_t{1} << 28;
inline constexpr std::uint64_t kFeatureEventIndex = std::uint64_t{1} << 29;
inline constexpr std::uint64_t kFeatureVersion1 = std::uint64_t{1} << 32;

/// Where the device finds a queue's three parts.
struct QueueAddresses {
  std::uint64_t descriptors;
  std::uint64_t available;  ///< the driver's area
  std::uint64_t used;       ///< the device's area
};

/// One device on its bus. Everything read from it is untrusted.
/// Source: virtio 1.2, sections 4.1 (PCI) and 4.2 (MMIO).
class Transport {
 public:
  [[nodiscard]] virtual DeviceType type() const = 0;
  /// The device follows the interface before virtio 1.0: 32 feature bits, other header sizes.
  [[nodiscard]] virtual bool legacy() const = 0;

  virtual std::uint8_t status() = 0;
  virtual void set_status(std::uint8_t status) = 0;
  /// Stops all activity of the device, DMA included. False: it does not say that it did.
  virtual bool reset() = 0;
  /// For a device that broke the rules: resets it and takes away what the bus gave it.
  virtual void shut_off() = 0;

  virtual std::uint64_t device_features() = 0;
  virtual void set_driver_features(std::uint64_t features) = 0;

  /// Entries the device allows for the queue; 0: no such queue.
  virtual std::uint16_t queue_limit(std::uint16_t queue) = 0;
  /// Puts a queue into use. False: the device refuses.
  virtual bool start_queue(std::uint16_t queue, std::uint16_t size, const QueueAddresses& at) = 0;
  /// Tells the device that there is something in the queue.
  virtual void notify(std::uint16_t queue) = 0;

  /// Byte of the device's own configuration; 0 behind its end.
  virtual std::uint8_t config8(std::size_t offset) = 0;
  /// Changes whenever the configuration does.
  virtual std::uint32_t config_generation() = 0;

  /// Registers the handler that `acknowledge` belongs to. Before the first start_queue.
  virtual void connect_interrupt(InterruptHandler handler, void* argument) = 0;
  /// At the start of each interrupt: lets the device withdraw it.
  virtual void acknowledge() = 0;

 protected:
  Transport() = default;
  // Copied once, from where it was opened to where it stays.
  Transport(const Transport&) = default;
  Transport& operator=(const Transport&) = delete;
  ~Transport() = default;
};

/// Reset, acknowledge, and agree on features: those of `wanted` that the device offers, and version
/// 1 unless it is legacy. The device is then ready for its queues.
/// Errors  NotSupported  the device refuses, or offers neither version 1 nor the legacy interface
Result<std::uint64_t> negotiate(Transport& transport, std::uint64_t wanted);

/// The device may work from now on.
void set_ready(Transport& transport);

/// Little-endian numbers from the device's configuration, all bytes of the same generation. A
/// device that changes it all the time gives 0.
std::uint16_t config16(Transport& transport, std::size_t offset);
std::uint32_t config32(Transport& transport, std::size_t offset);
std::uint64_t config64(Transport& transport, std::size_t offset);

}  // namespace xok::kernel::drivers
