// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "libs/net/address.hpp"

namespace xok::net {

inline constexpr std::size_t kIpv4HeaderSize = 20;  ///< without options, the only form we send
inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kDefaultTtl = 64;

/// A received IPv4 packet, taken apart; the spans borrow the packet's bytes.
struct Ipv4View {
  Ipv4Address source{};
  Ipv4Address destination{};
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 0;
  std::span<const std::uint8_t> header{};   ///< options included
  std::span<const std::uint8_t> payload{};  ///< cut to the header's total length: no link padding
};

/// Takes a packet apart and verifies the header checksum. Options are skipped, not obeyed.
///
/// packet   what follows the Ethernet header; link padding at the end is allowed
/// Errors   BadFormat     too short, version not 4, a length that contradicts another, bad checksum
///          NotSupported  a fragment (offset not 0, or more to come): we do not reassemble. The
///                        caller counts these
/// Context  any. Cost O(header length)
/// Source   RFC 791 section 3.1; RFC 1122 section 3.2.1
Result<Ipv4View> parse_ipv4(std::span<const std::uint8_t> packet);

/// What differs between the headers that we send.
struct Ipv4Fields {
  Ipv4Address source{};
  Ipv4Address destination{};
  std::uint8_t protocol = 0;
  std::uint16_t payload_length = 0;  ///< bytes after the header, at most 65515
  std::uint8_t ttl = kDefaultTtl;
};

/// Writes a 20-byte header: "don't fragment", identification 0 (an atomic datagram).
///
/// Cost     no loads: the checksum is summed from the fields
/// Source   RFC 791 section 3.1; RFC 6864 section 4.1 for the identification
void write_ipv4(std::span<std::uint8_t, kIpv4HeaderSize> out, const Ipv4Fields& fields);

/// The partial sum of the pseudo-header that UDP and TCP checksums start with.
///
/// Source   RFC 9293 section 3.1; RFC 768
std::uint16_t pseudo_header_sum(Ipv4Address source, Ipv4Address destination, std::uint8_t protocol,
                                std::size_t length);

/// One interface's addressing: what DHCP hands out.
struct Ipv4Interface {
  Ipv4Address address{};
  Ipv4Address mask{};
  Ipv4Address gateway{};  ///< zero: there is none

  /// The broadcast address of the attached network.
  constexpr Ipv4Address broadcast() const { return {address.value | ~mask.value}; }
  constexpr bool on_link(Ipv4Address other) const {
    return ((address.value ^ other.value) & mask.value) == 0;
  }
  /// Whether a packet to `destination` is for us (unicast or a broadcast; no multicast groups).
  constexpr bool accepts(Ipv4Address destination) const {
    return destination == address || destination.is_broadcast() || destination == broadcast();
  }
};

/// Whose link address a packet to `destination` needs.
///
/// Returns  `destination` if it is on the attached network or is the limited broadcast address,
///          else the gateway
/// Errors   Unreachable  it is elsewhere and there is no gateway
/// Source   RFC 1122 section 3.3.1.1
Result<Ipv4Address> next_hop(const Ipv4Interface& interface, Ipv4Address destination);

}  // namespace xok::net
