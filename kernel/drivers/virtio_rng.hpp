// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/drivers/transport.hpp"
#include "kernel/drivers/virt_queue.hpp"

namespace xok::kernel::drivers {

/// A virtio entropy source with a pool of one page, asked for more whenever it runs dry. No
/// interrupts: who wants bytes looks. Source: virtio 1.2, section 5.4.
class VirtioRng {
 public:
  VirtioRng(Platform& platform, Transport& transport)
      : platform_{platform}, transport_{transport} {}

  /// Starts the device and asks for the first bytes.
  /// Errors  NotSupported, NotFound (features, queue), NoMemory
  Result<> start();

  /// As many random bytes as are there, at most bytes.size(). No byte is given twice, or kept.
  std::size_t take(std::span<std::byte> bytes);

 private:
  static constexpr std::uint32_t kPoolSize = 512;

  Result<> start_queue(std::uint64_t features);
  void ask();
  void give_up();

  Platform& platform_;
  Transport& transport_;
  bool working_ = false;
  VirtQueue queue_;
  DmaMemory pool_;
  std::uint32_t next_ = 0;   ///< first byte not given out
  std::uint32_t ready_ = 0;  ///< bytes in the pool, given out ones included
};

}  // namespace xok::kernel::drivers
