// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "libs/net/udp.hpp"

namespace xok::net {

inline constexpr std::size_t kIcmpHeaderSize = 8;

enum class IcmpType : std::uint8_t {
  EchoReply = 0,
  Unreachable = 3,
  EchoRequest = 8,
  TimeExceeded = 11,
};

inline constexpr std::uint8_t kUnreachableProtocol = 2;
inline constexpr std::uint8_t kUnreachablePort = 3;
inline constexpr std::uint8_t kUnreachableNeedsFragmenting = 4;

/// A received ICMP message; `payload` borrows the packet's bytes.
struct IcmpView {
  IcmpType type{};  ///< may be a value that the enumeration does not name
  std::uint8_t code = 0;
  std::uint16_t identifier = 0;  ///< of echo messages
  std::uint16_t sequence = 0;    ///< of echo messages; the next hop's MTU in "needs fragmenting"
  std::span<const std::uint8_t> payload{};
};

/// Takes a message apart and verifies its checksum.
///
/// ip       a parsed packet whose protocol is ICMP
/// Errors   BadFormat  too short, or a wrong checksum
/// Source   RFC 792
Result<IcmpView> parse_icmp(const Ipv4View& ip);

/// Writes a whole frame with an echo message (`type` is EchoRequest or EchoReply).
///
/// Returns  the bytes of `out` used: 42 + payload
/// Errors   TooBig   `payload` is above 65507 bytes
///          NoSpace  `out` is too small
Result<std::size_t> write_echo_frame(std::span<std::uint8_t> out, const FrameAddresses& addresses,
                                     IcmpType type, std::uint16_t identifier,
                                     std::uint16_t sequence, std::span<const std::uint8_t> payload);

/// What a "destination unreachable" quotes of the packet that we had sent.
struct IcmpUnreachable {
  std::uint8_t code = 0;
  std::uint16_t next_hop_mtu = 0;  ///< with code kUnreachableNeedsFragmenting; 0: not told
  Ipv4Address source{};            ///< ours
  Ipv4Address destination{};
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0;  ///< of UDP and TCP
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;  ///< of TCP

  /// What TcpConnection::on_unreachable wants: Refused for port and protocol, else Unreachable.
  constexpr Errc reason() const {
    const bool refused = code == kUnreachablePort || code == kUnreachableProtocol;
    return refused ? Errc::Refused : Errc::Unreachable;
  }
};

/// Takes the quoted packet apart. Its checksums are not verified: only its first bytes are there.
///
/// Errors   BadArgument  `message` is not of type Unreachable
///          BadFormat    the quotation is shorter than an IPv4 header and eight bytes, or broken
/// Source   RFC 792; RFC 1191 section 4
Result<IcmpUnreachable> parse_unreachable(const IcmpView& message);

/// Room for every frame of write_unreachable_frame.
inline constexpr std::size_t kUnreachableFrameMax =
    kEthernetHeaderSize + kIpv4HeaderSize + kIcmpHeaderSize + 60 + 8;

/// Writes a whole frame that tells the sender of `packet` that it cannot be delivered, quoting its
/// header and first eight bytes.
///
/// code     kUnreachablePort or kUnreachableProtocol
/// Returns  the bytes of `out` used
/// Source   RFC 792; RFC 1122 section 3.2.2.1. The caller keeps to the latter's rules on when not
///          to send one
std::size_t write_unreachable_frame(std::span<std::uint8_t, kUnreachableFrameMax> out,
                                    const FrameAddresses& addresses, std::uint8_t code,
                                    const Ipv4View& packet);

}  // namespace xok::net
