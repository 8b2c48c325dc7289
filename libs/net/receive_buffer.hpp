// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace xok::net {

/// The receiving end of a byte stream, in the owner's memory. Bytes that arrive out of order are
/// stored right where they belong in the ring; a short list of intervals remembers which those are.
/// Offsets count the bytes of the stream from 0.
///
///      read_offset      next_offset                       read_offset + capacity
///   ------|--- readable ---|--- gap --[ interval ]-- gap ---|
///
/// Invariants: read <= next <= read + capacity; the intervals are sorted, disjoint, not touching,
/// inside (next, read + capacity).
/// Context  one thread at a time; all-zero bytes are an unattached buffer of capacity 0
/// Source   RFC 9293 section 3.10.7.4 (queueing of segments past the left window edge)
class ReceiveBuffer {
 public:
  /// Out-of-order runs kept at a time. A further one is dropped and must be sent again.
  static constexpr std::size_t kMaxIntervals = 6;

  /// Takes `memory` as the ring and starts at offset 0.
  ///
  /// Errors   BadArgument  the size is not a power of two from 1 to 2^30
  Result<> attach(std::span<std::uint8_t> memory);

  std::uint64_t read_offset() const { return read_; }
  std::uint64_t next_offset() const { return next_; }
  std::uint32_t capacity() const { return capacity_; }
  std::uint32_t readable_bytes() const { return static_cast<std::uint32_t>(next_ - read_); }
  /// Bytes past `next_offset` that there is room for: what may be offered as the window.
  std::uint32_t free_bytes() const { return capacity_ - readable_bytes(); }
  bool has_gaps() const { return interval_count_ != 0; }

  /// Adds bytes at `next_offset`. Only without gaps and with at most `free_bytes()` bytes.
  void append(std::span<const std::uint8_t> bytes);

  /// Stores bytes that belong at `offset`; what is already here in order, or does not fit, is cut.
  ///
  /// Returns  by how much `next_offset` moved: 0 if the bytes were early, late or dropped
  /// Cost     a copy, plus O(kMaxIntervals)
  std::uint32_t store(std::uint64_t offset, std::span<const std::uint8_t> bytes);

  /// The readable bytes, in order: `second` is not empty only where the ring wraps.
  struct Readable {
    std::span<const std::uint8_t> first;
    std::span<const std::uint8_t> second;
  };
  Readable readable() const;

  /// Gives the first `count` readable bytes' room back.
  ///
  /// Errors   BadArgument  more than is readable
  Result<> consume(std::uint32_t count);

 private:
  /// A stored run; both ends are the low 32 bits of stream offsets.
  struct Interval {
    std::uint32_t start = 0;
    std::uint32_t end = 0;
  };

  std::uint32_t past_next(std::uint32_t low) const {
    return low - static_cast<std::uint32_t>(next_);
  }
  void copy_in(std::uint64_t offset, std::span<const std::uint8_t> bytes);
  bool insert_interval(std::uint32_t start, std::uint32_t end);
  void absorb_intervals();

  std::uint8_t* data_ = nullptr;
  std::uint64_t read_ = 0;
  std::uint64_t next_ = 0;
  std::uint32_t capacity_ = 0;
  std::uint32_t interval_count_ = 0;
  std::array<Interval, kMaxIntervals> intervals_{};
};

}  // namespace xok::net
