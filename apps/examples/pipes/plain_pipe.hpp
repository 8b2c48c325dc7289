// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// What the ways of piping have in common: both ends say how many bytes they passed on, 0 when the
/// pipe is full or empty, kLiar when the other side broke the rules and must not be used any more.
namespace xok::example {

inline constexpr std::int64_t kLiar = -1;

/// Plain memory: a ring in a page that the writer may write and the reader only read, and a page
/// the other way round in which the reader says how far it is.
///
/// Each side keeps its own position in memory of its own and believes nothing it reads: the other's
/// position is loaded once, and checked. So a liar can make its victim see any bytes, which it may
/// send anyhow, or stop the pipe, but never read or write outside the ring. The bytes can change
/// under the reader's eyes: it copies them, and looks at the copy only.
inline constexpr std::uint64_t kRingBytes = 2048;

struct PlainRing {
  std::uint64_t head;  ///< bytes ever written
  std::byte bytes[kRingBytes];
};
struct PlainTail {
  std::uint64_t tail;  ///< bytes ever taken
};

/// Copies to or from the place of byte `at` of the ring; n at most kRingBytes.
template <class Copy>
void each_piece(std::uint64_t at, std::size_t n, Copy&& copy) {
  const std::size_t start = at % kRingBytes;
  const std::size_t first = std::min<std::size_t>(n, kRingBytes - start);
  copy(start, std::size_t{0}, first);
  copy(std::size_t{0}, first, n - first);
}

class PlainWriter {
 public:
  PlainWriter(PlainRing* ring, const PlainTail* theirs) : ring_{ring}, theirs_{theirs} {}

  std::int64_t write(const std::byte* from, std::size_t n) {
    // acquire; pairs with the reader's release: it is done with what it has taken
    const std::uint64_t used = head_ - __atomic_load_n(&theirs_->tail, __ATOMIC_ACQUIRE);
    if (used > kRingBytes) return kLiar;
    n = std::min<std::size_t>(n, kRingBytes - used);
    each_piece(head_, n, [&](std::size_t at, std::size_t done, std::size_t count) {
      std::memcpy(ring_->bytes + at, from + done, count);
    });
    head_ += n;
    // release; pairs with the reader's acquire: the bytes are there before the position
    __atomic_store_n(&ring_->head, head_, __ATOMIC_RELEASE);
    return static_cast<std::int64_t>(n);
  }

 private:
  PlainRing* ring_;
  const PlainTail* theirs_;
  std::uint64_t head_ = 0;
};

class PlainReader {
 public:
  PlainReader(const PlainRing* theirs, PlainTail* mine) : theirs_{theirs}, mine_{mine} {}

  std::int64_t read(std::byte* to, std::size_t n) {
    // acquire; pairs with the writer's release
    const std::uint64_t there = __atomic_load_n(&theirs_->head, __ATOMIC_ACQUIRE) - tail_;
    if (there > kRingBytes) return kLiar;
    n = std::min<std::size_t>(n, there);
    each_piece(tail_, n, [&](std::size_t at, std::size_t done, std::size_t count) {
      std::memcpy(to + done, theirs_->bytes + at, count);
    });
    tail_ += n;
    // release; pairs with the writer's acquire
    __atomic_store_n(&mine_->tail, tail_, __ATOMIC_RELEASE);
    return static_cast<std::int64_t>(n);
  }

 private:
  const PlainRing* theirs_;
  PlainTail* mine_;
  std::uint64_t tail_ = 0;
};

}  // namespace xok::example
