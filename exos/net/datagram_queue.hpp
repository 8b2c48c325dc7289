// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "libs/net/address.hpp"

namespace xok::exos {

/// The datagrams that wait at a socket, each with where it came from: a ring of records in the
/// owner's memory. A record lies in one piece; where it does not fit before the end, it starts at
/// the front. What does not fit at all is dropped by the caller, as UDP may.
///
/// Context  one thread at a time; all-zero bytes are a queue without memory. Pure
class DatagramQueue {
 public:
  struct Entry {
    net::Ipv4Address source;
    std::uint16_t port = 0;
    std::span<const std::byte> bytes;  ///< in the queue's memory until `pop`
  };

  /// Takes `memory` (8-aligned) and empties the queue.
  void attach(std::span<std::byte> memory);
  [[nodiscard]] bool attached() const { return data_ != nullptr; }

  /// Appends `first` and then `second` as one datagram. False: no room.
  bool push(net::Ipv4Address source, std::uint16_t port, std::span<const std::uint8_t> first,
            std::span<const std::uint8_t> second = {});
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// The oldest; nothing when empty.
  [[nodiscard]] std::optional<Entry> front() const;
  void pop();

 private:
  /// In front of each datagram's bytes. `length` kSkip: nothing more before the end of the memory.
  struct Record {
    std::uint32_t length;
    std::uint32_t source;
    std::uint32_t port;
    std::uint32_t reserved;
  };
  static constexpr std::uint32_t kSkip = ~std::uint32_t{0};
  static constexpr std::uint32_t size_of(std::size_t length) {
    return static_cast<std::uint32_t>(sizeof(Record) + (length + 7) / 8 * 8);
  }
  [[nodiscard]] std::uint32_t place_for(std::uint32_t size) const;
  [[nodiscard]] Record record_at(std::uint32_t at) const;

  std::byte* data_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;  ///< where the oldest record is
  std::uint32_t tail_ = 0;  ///< where the next one goes
  std::uint32_t count_ = 0;
};

}  // namespace xok::exos
