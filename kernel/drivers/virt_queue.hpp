// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "kernel/drivers/platform.hpp"
#include "kernel/drivers/transport.hpp"

namespace xok::kernel::drivers {

/// A piece of physical memory handed to a device.
struct Segment {
  std::uint64_t physical;
  std::uint32_t length;
};

/// A split virtqueue that trusts nothing the device writes.
///
///   descriptors  written by us, read by the device, never read back
///   available    written by us, but for the device's avail_event at the end of `used`
///   used         written by the device: every index, id and length is checked here
///   shadow       ours alone: which chain is in flight, its token, what it may be filled with
///
/// Whatever the device writes, the queue touches only its own memory, gives back each token once,
/// and never a length above what the chain had. A breach makes the queue `broken()` for good; its
/// owner then resets the device.
///
/// Source: virtio 1.2, section 2.7 (split virtqueues), 2.7.7, 2.7.10 (notifications).
class VirtQueue {
 public:
  static constexpr std::uint16_t kMaxSize = 256;
  /// Segments of one chain when indirect tables are in use.
  static constexpr std::size_t kIndirectSegments = 128;

  enum class Indirect : bool { No, Yes };

  /// A chain that the device is done with.
  struct Done {
    std::uint64_t token;
    std::uint32_t length;  ///< bytes the device says it wrote, at most what the chain had
  };

  VirtQueue() = default;
  VirtQueue(const VirtQueue&) = delete;
  VirtQueue& operator=(const VirtQueue&) = delete;

  /// Allocates the rings and puts the queue into use, with interrupts on.
  ///
  /// index      of the queue on its device
  /// size_wish  entries, a power of two up to kMaxSize; less when the device allows less
  /// features   as agreed: event index, indirect tables
  /// indirect   Yes: use a table per chain where agreed (costs 2 KiB per entry)
  /// Errors     NotFound  the device has no such queue, or refuses it;  NoMemory
  Result<> start(Platform& platform, Transport& transport, std::uint16_t index,
                 std::uint16_t size_wish, std::uint64_t features, Indirect indirect = Indirect::No);

  [[nodiscard]] std::uint16_t size() const { return size_; }
  /// Largest number of segments add() takes when nothing is in flight.
  [[nodiscard]] std::size_t max_segments() const;
  [[nodiscard]] std::uint16_t in_flight() const { return in_flight_; }
  [[nodiscard]] bool broken() const { return broken_; }

  /// Whether a chain of that many segments fits now.
  [[nodiscard]] bool has_room(std::size_t segments) const;
  /// Hands a chain to the device: it reads the first `readable` segments and may write the others.
  /// The device need not look before kick().
  ///
  /// token   comes back from take(), once
  /// Errors  WouldBlock  no room now;  BadArgument  no segments, or more than max_segments()
  Result<> add(std::span<const Segment> segments, std::size_t readable, std::uint64_t token);
  /// Tells the device about the chains added since the last kick, unless it asked not to be told.
  void kick();
  /// One finished chain. False: none now, or the queue is broken.
  bool take(Done& done);

  /// Interrupt when `count` more chains (1: the next) are done; 0: no interrupts.
  void interrupt_after(std::uint16_t count);
  /// Whether take() would find something. After interrupt_after, a true means that the interrupt
  /// may already have been missed.
  [[nodiscard]] bool pending() const;

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };
  struct UsedElement {
    std::uint32_t id;
    std::uint32_t length;
  };
  /// What we know about a descriptor, independent of what is in the shared memory.
  struct Shadow {
    std::uint64_t token;
    std::uint32_t writable;  ///< bytes the device may write, for the head of a chain in flight
    std::uint16_t next;      ///< next free one, or next of the chain
    std::uint16_t count;     ///< descriptors of the chain; 0: not the head of one in flight
  };
  static_assert(sizeof(Descriptor) == 16 && sizeof(UsedElement) == 8 && sizeof(Shadow) == 16);

  void fill(Descriptor& descriptor, const Segment& segment, bool writable) const;
  std::uint16_t add_direct(std::span<const Segment> segments, std::size_t readable);
  std::uint16_t add_indirect(std::span<const Segment> segments, std::size_t readable);
  [[nodiscard]] std::uint16_t device_index() const;

  Transport* transport_ = nullptr;
  std::uint16_t index_ = 0;
  std::uint16_t size_ = 0;
  std::uint16_t free_head_ = 0;
  std::uint16_t free_count_ = 0;
  std::uint16_t in_flight_ = 0;     ///< chains
  std::uint16_t next_avail_ = 0;    ///< our index of the available ring
  std::uint16_t kicked_avail_ = 0;  ///< as it was at the last kick
  std::uint16_t next_used_ = 0;     ///< next element to take
  bool event_index_ = false;
  bool broken_ = false;

  Descriptor* descriptors_ = nullptr;
  std::uint16_t* available_ = nullptr;  ///< flags, index, ring[size], used_event
  std::byte* used_ = nullptr;           ///< flags, index, elements[size], avail_event
  Shadow* shadow_ = nullptr;
  Descriptor* tables_ = nullptr;  ///< kIndirectSegments per entry, or nullptr
  std::uint64_t tables_physical_ = 0;
};

}  // namespace xok::kernel::drivers
