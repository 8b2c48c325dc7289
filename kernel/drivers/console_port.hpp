// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/exposed.hpp"
#include "kernel/drivers/transport.hpp"
#include "kernel/drivers/virt_queue.hpp"

namespace xok::kernel::drivers {

/// One port of a virtio console: a byte stream each way, and its exposed record.
///
/// In: up to 16 buffers of 4 KiB are with the device; a full one stays with us until it is taken
/// to the last byte, so a reader that stops stops the host. Out: a ring of 64 KiB; each put is one
/// chain of the queue, and its bytes are free again when the device has taken it and all before.
class ConsolePort {
 public:
  ConsolePort() = default;
  ConsolePort(const ConsolePort&) = delete;
  ConsolePort& operator=(const ConsolePort&) = delete;

  /// Allocates buffers and starts the port's two queues. The record is not touched.
  /// Errors  NotFound (the device has no such queues), NoMemory
  Result<> start(Platform& platform, Transport& transport, std::uint16_t receive_queue,
                 std::uint64_t features, ConsolePortInfo& record);

  /// The queues run (start succeeded).
  [[nodiscard]] bool started() const { return record_ != nullptr; }
  [[nodiscard]] bool broken() const { return receive_.broken() || transmit_.broken(); }

  /// The port exists: gives the device its receive buffers, sets `present`. The device must be
  /// ready.
  void attach();
  /// The port is gone, perhaps until the next attach.
  void detach();
  /// The device is out of service: nothing more comes, and what was not taken is lost.
  void abandon();
  /// The host opened or closed its end. `input_ended` follows a close once all input before it is
  /// taken.
  void set_host_open(bool open);

  /// Picks up input and finished output. True: the record changed.
  bool serve();

  // -- As in kernel/core/machine.hpp.
  std::span<std::byte> room();
  void put(std::size_t n);
  [[nodiscard]] std::span<const std::byte> data() const;
  void take(std::size_t n);

 private:
  static constexpr std::uint16_t kReceiveBuffers = 16;
  static constexpr std::size_t kReceiveSize = 4096;
  static constexpr std::uint16_t kChunks = 64;
  static constexpr std::size_t kTransmitSize = std::size_t{64} << 10;

  /// A filled receive buffer.
  struct Filled {
    std::uint16_t buffer;
    std::uint32_t next;  ///< first byte not taken
    std::uint32_t length;
  };
  /// Output handed to the device.
  struct Chunk {
    std::uint32_t length;
    bool done;
  };

  void post(std::uint16_t buffer);
  bool collect_input();
  bool collect_output();
  void end_input_if_drained();

  ConsolePortInfo* record_ = nullptr;
  bool posted_ = false;
  bool close_pending_ = false;

  VirtQueue receive_;
  DmaMemory receive_memory_;
  std::array<Filled, kReceiveBuffers> filled_{};  ///< a ring, oldest at first_filled_
  std::uint16_t first_filled_ = 0;
  std::uint16_t filled_count_ = 0;
  std::uint16_t reposted_ = 0;  ///< since the device was last told

  VirtQueue transmit_;
  DmaMemory transmit_memory_;
  std::array<Chunk, kChunks> chunks_{};  ///< a ring, oldest at first_chunk_
  std::uint16_t first_chunk_ = 0;
  std::uint16_t chunk_count_ = 0;
  std::size_t write_at_ = 0;  ///< where the next put goes
  std::size_t occupied_ = 0;  ///< bytes of the ring not free
};

}  // namespace xok::kernel::drivers
