// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/exposed.hpp"
#include "kernel/drivers/devices.hpp"
#include "kernel/drivers/transport.hpp"
#include "kernel/drivers/virt_queue.hpp"

namespace xok::kernel::drivers {

/// One virtio block device, in blocks of kPageSize.
///
/// A transfer is cut into requests of at most kSegments pieces (neighbouring pages are one piece);
/// it ends when the last of them has. The write cache is never agreed on, so the device must have a
/// write on stable storage before it reports it (virtio 1.2, 5.2.6.2).
///
/// The record's counts of transfers and errors are the core's. Source: virtio 1.2, section 5.2.
class VirtioBlk {
 public:
  VirtioBlk(Platform& platform, Transport& transport, const Callbacks& callbacks,
            std::uint32_t number, DiskInfo& record)
      : platform_{platform},
        transport_{transport},
        callbacks_{callbacks},
        number_{number},
        record_{record} {}

  /// Starts the device and fills the record. On an error the device is reset and the record as it
  /// was.
  /// Errors  NotSupported, NotFound (features, queue), NoMemory
  Result<> start();

  /// As Devices::disk_start.
  Result<> transfer(bool write, std::uint64_t block, std::span<const PageNumber> pages,
                    std::uint64_t tag);
  /// Reports what has ended.
  void serve();

 private:
  static constexpr std::uint16_t kRequests = 64;   ///< with the device at a time
  static constexpr std::uint16_t kTransfers = 64;  ///< at a time
  static constexpr std::size_t kSegments = VirtQueue::kIndirectSegments - 2;
  static constexpr std::uint16_t kNone = 0xffff;

  /// struct virtio_blk_req around the data: what the device reads first and writes last.
  struct Request {
    std::uint32_t type;
    std::uint32_t reserved;
    std::uint64_t sector;
    std::uint8_t status;
    std::array<std::uint8_t, 15> padding;
  };
  static_assert(sizeof(Request) == 32);

  struct Transfer {
    std::uint64_t tag;
    std::uint16_t open;  ///< requests not ended; 0: the entry is free
    bool write;
    bool failed;
  };

  static void on_interrupt(void* self);
  Result<> start_queue(std::uint64_t features);
  [[nodiscard]] std::size_t segments_per_request() const;
  /// The pieces of the first pages of `pages`, as many as one request takes; drops those pages.
  std::size_t gather(std::span<const PageNumber>& pages, std::span<Segment> segments) const;
  /// Whether the queue has room for all of a transfer's requests.
  [[nodiscard]] bool fits(std::span<const PageNumber> pages) const;
  void submit(std::uint16_t transfer, std::uint64_t sector, std::span<Segment> segments,
              std::size_t data_segments);
  void finish(const VirtQueue::Done& done);
  void end(Transfer& transfer);
  void give_up();

  Platform& platform_;
  Transport& transport_;
  const Callbacks& callbacks_;
  std::uint32_t number_;
  DiskInfo& record_;
  bool working_ = false;

  VirtQueue queue_;
  std::size_t max_segments_ = 0;
  DmaMemory request_memory_;
  Request* requests_ = nullptr;  ///< kRequests of them
  std::array<std::uint16_t, kRequests>
      request_owner_{};  ///< transfer of each request with the device
  std::array<std::uint16_t, kRequests> free_requests_{};
  std::uint16_t free_count_ = 0;
  std::array<Transfer, kTransfers> transfers_{};
};

}  // namespace xok::kernel::drivers
