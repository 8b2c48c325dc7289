// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "libs/net/payload.hpp"

namespace xok::net {

/// A ring that keeps what an ordinary socket has written until the peer has acknowledged it: the
/// source of a TcpConnection for owners that have no better place for their bytes.
///
/// Use: `write`, then `connection.send_available(ctx, buffer.written())`; the context's source
/// calls `gather`; when `connection.acknowledged()` has moved, `release`.
/// Context  one thread at a time; all-zero bytes are an unattached buffer of capacity 0
/// Source   own
class SendBuffer {
 public:
  /// Takes `memory` as the ring and starts at stream offset 0.
  ///
  /// Errors   BadArgument  the size is not a power of two from 1 to 2^30
  Result<> attach(std::span<std::uint8_t> memory);

  /// Appends as much of `bytes` as fits. Returns how much that was.
  std::size_t write(std::span<const std::uint8_t> bytes);

  /// Names the bytes [offset, offset + length) as at most two pieces.
  ///
  /// Returns  the pieces written to `out`; 0 if the range is not wholly here, or `out` is too small
  std::size_t gather(std::uint64_t offset, std::uint32_t length, std::span<PayloadPiece> out) const;

  /// Forgets everything before `offset`.
  ///
  /// Errors   BadArgument  more than was ever written
  Result<> release(std::uint64_t offset);

  /// Bytes written since the start: the stream offset that follows the last one.
  std::uint64_t written() const { return tail_; }
  std::uint32_t free_bytes() const { return capacity_ - static_cast<std::uint32_t>(tail_ - head_); }

 private:
  std::uint8_t* data_ = nullptr;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace xok::net
