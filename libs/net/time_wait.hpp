// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "libs/net/isn.hpp"
#include "libs/net/tcp_connection.hpp"

namespace xok::net {

/// Remembers closed connections for 2 MSL in 40 bytes each, so that their control blocks and rings
/// can be reused at once. Needs no timer: what is too old is found to be so when it is looked at.
///
/// Context  one thread at a time; zero bytes are an empty table of capacity 0
/// Source   RFC 9293 section 3.10.7.4 (TIME-WAIT), RFC 1337; the compact form is own, after Cheetah
class TimeWaitTable {
 public:
  struct Entry {
    std::uint64_t expires_ns = 0;  ///< 0 or passed: free
    TcpFlow flow;
    std::uint32_t send_next = 0;  ///< wire numbers
    std::uint32_t receive_next = 0;
  };
  /// An entry lies at most this far after its hash's place.
  static constexpr std::uint32_t kProbes = 8;

  /// Takes `memory` as the table and empties it.
  ///
  /// Errors   BadArgument  the number of entries is not 0 or a power of two from kProbes up
  Result<> attach(std::span<Entry> memory, const SecretKey& key);

  std::uint32_t capacity() const { return entries_ == nullptr ? 0 : mask_ + 1; }

  /// Adds a connection that is in TimeWait. If its places are all taken, the oldest is forgotten.
  void add(std::uint64_t now_ns, std::uint64_t time_wait_ns, const TcpConnection& connection);

  enum class Verdict : std::uint8_t {
    Unknown,   ///< not a remembered connection: look for a listener
    Consumed,  ///< handled; an acknowledgement was sent if one was called for
    Reopen,    ///< a new SYN past everything old: forgotten; open with a number after `send_next`
  };
  struct Lookup {
    Verdict verdict = Verdict::Unknown;
    std::uint32_t send_next = 0;
  };
  /// Handles a segment that belongs to no control block.
  Lookup on_segment(const TcpContext& ctx, const TcpSegment& segment);

 private:
  std::uint32_t home(Ipv4Address remote, std::uint16_t remote_port, std::uint16_t local_port) const;
  Entry* find(std::uint64_t now_ns, const TcpSegment& segment);

  Entry* entries_ = nullptr;
  std::uint32_t mask_ = 0;
  SecretKey key_;
};

}  // namespace xok::net
