// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "libs/net/ethernet.hpp"
#include "libs/net/ipv4.hpp"

namespace xok::net {

inline constexpr std::size_t kUdpHeaderSize = 8;

/// The addresses that a frame of ours carries.
struct FrameAddresses {
  MacAddress local_mac{};
  MacAddress remote_mac{};  ///< of the next hop
  Ipv4Address local{};
  Ipv4Address remote{};
};

/// A received UDP datagram; `payload` borrows the packet's bytes.
struct UdpView {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::span<const std::uint8_t> payload{};
};

/// Takes a datagram apart and verifies its checksum, if it has one.
///
/// ip       a parsed packet whose protocol is UDP
/// Errors   BadFormat  too short, a length that contradicts the packet's, or a wrong checksum
/// Source   RFC 768
Result<UdpView> parse_udp(const Ipv4View& ip);

/// Writes a whole frame: Ethernet, IPv4 and UDP headers, and a copy of `payload`.
///
/// Returns  the bytes of `out` used: 42 + payload
/// Errors   TooBig   `payload` is above 65507 bytes
///          NoSpace  `out` is too small
Result<std::size_t> write_udp_frame(std::span<std::uint8_t> out, const FrameAddresses& addresses,
                                    std::uint16_t source_port, std::uint16_t destination_port,
                                    std::span<const std::uint8_t> payload);

}  // namespace xok::net
