// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/exposed.hpp"
#include "abi/packet_ring.hpp"
#include "kernel/drivers/devices.hpp"
#include "kernel/drivers/transport.hpp"
#include "kernel/drivers/virt_queue.hpp"

namespace xok::kernel::drivers {

/// One virtio network device: two rings of kernel-owned 2 KiB buffers, no offloads.
///
/// Receive: every buffer is with the device, except those being handed out; each frame goes to the
/// callback, then its buffer back, the device told once per batch. Transmit: no interrupts; buffers
/// come back when new ones are wanted.
///
/// The record's `received`, `sent` and `send_dropped` are the core's (it counts them alike for the
/// loopback); `receive_dropped` also counts frames that are refused here because of their length.
/// Source: virtio 1.2, section 5.1.
class VirtioNet {
 public:
  /// Frames handed out per interrupt; the rest waits for the next poll, so a flood cannot keep the
  /// processor.
  static constexpr unsigned kFramesPerInterrupt = 512;

  VirtioNet(Platform& platform, Transport& transport, const Callbacks& callbacks,
            std::uint32_t number, InterfaceInfo& record)
      : platform_{platform},
        transport_{transport},
        callbacks_{callbacks},
        number_{number},
        record_{record} {}

  /// Starts the device and fills the record. On an error the device is reset and the record as it
  /// was.
  /// Errors  NotSupported, NotFound (features, queues), NoMemory
  Result<> start();

  /// Hands out what arrived.
  void serve();
  /// Room for one frame (kMaxFrame bytes); empty when all buffers are on their way.
  std::span<std::byte> transmit_buffer();
  /// Sends the first `n` bytes of the buffer last returned. n is at most kMaxFrame.
  void transmit(std::size_t n);

 private:
  static constexpr std::size_t kBufferSize = 2048;
  static constexpr std::uint16_t kBuffers = VirtQueue::kMaxSize;
  static constexpr std::uint16_t kNone = 0xffff;
  static constexpr std::uint16_t kRepostBatch = 32;

  static void on_interrupt(void* self);
  Result<> start_queues(std::uint64_t features);
  void read_mac(std::uint64_t features);
  void post(std::uint16_t buffer);
  void receive(const VirtQueue::Done& done);
  void reclaim();
  void give_up(const char* reason);

  Platform& platform_;
  Transport& transport_;
  const Callbacks& callbacks_;
  std::uint32_t number_;
  InterfaceInfo& record_;
  bool working_ = false;
  std::size_t header_size_ = 0;

  VirtQueue receive_queue_;
  VirtQueue transmit_queue_;
  DmaMemory receive_buffers_;
  DmaMemory transmit_buffers_;
  std::array<std::uint16_t, kBuffers> free_{};  ///< transmit buffers not on their way, a stack
  std::uint16_t free_count_ = 0;
  std::uint16_t current_ = kNone;  ///< handed out by transmit_buffer
};

}  // namespace xok::kernel::drivers
