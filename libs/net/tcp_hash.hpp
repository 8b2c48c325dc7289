// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "libs/net/isn.hpp"

namespace xok::net {

/// Spreads connections over a table. Keyed, so that a stranger cannot aim at one bucket; the local
/// address is left out because a host has few.
///
/// Cost     about 10 instructions
/// Source   own; the mixing step of MurmurHash3's 64-bit finalizer
constexpr std::uint32_t tcp_hash(const SecretKey& key, Ipv4Address remote,
                                 std::uint16_t remote_port, std::uint16_t local_port) {
  std::uint64_t mixed = std::uint64_t{remote.value} << 32 | std::uint64_t{remote_port} << 16 |
                        std::uint64_t{local_port};
  mixed = (mixed ^ key.k0) * (key.k1 | 1);
  mixed ^= mixed >> 33;
  mixed *= 0xFF51'AFD7'ED55'8CCD;
  return static_cast<std::uint32_t>(mixed >> 32);
}

/// Whether a received segment belongs to the flow.
constexpr bool same_flow(const TcpFlow& flow, const TcpSegment& segment) {
  return flow.remote == segment.source && flow.remote_port == segment.source_port &&
         flow.local_port == segment.destination_port && flow.local == segment.destination;
}

}  // namespace xok::net
