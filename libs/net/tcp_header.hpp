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

inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;

inline constexpr std::size_t kTcpHeaderSize = 20;  ///< without options
inline constexpr std::size_t kTcpOptionsMax = 8;   ///< what we send on a SYN: MSS and scale
/// Room for every frame header that we build: Ethernet, IPv4, TCP with our options.
inline constexpr std::size_t kTcpFrameHeaderMax =
    kEthernetHeaderSize + kIpv4HeaderSize + kTcpHeaderSize + kTcpOptionsMax;
/// The segment size a peer must take that names none (RFC 9293 section 3.7.1).
inline constexpr std::uint16_t kDefaultMss = 536;
inline constexpr std::uint8_t kNoWindowScale = 0xFF;
inline constexpr std::uint8_t kMaxWindowScale = 14;  ///< RFC 7323 section 2.3

/// Whether a received checksum is to be computed, or was already found good by the device.
enum class ReceiveChecksum : std::uint8_t { Verify, Trusted };

/// Whether we write a whole checksum, or the pseudo-header's sum for the device to complete.
enum class TransmitChecksum : std::uint8_t { Full, PseudoHeaderOnly };

/// A received TCP segment, taken apart; `payload` borrows the packet's bytes.
struct TcpSegment {
  Ipv4Address source{};
  Ipv4Address destination{};
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t window = 0;  ///< as on the wire, not yet scaled
  std::uint8_t flags = 0;
  std::uint8_t window_scale = kNoWindowScale;  ///< from a SYN's option, at most 14
  std::uint16_t mss = 0;                       ///< from a SYN's option; 0: none given
  std::span<const std::uint8_t> payload{};

  constexpr bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

/// Takes a segment apart. Options are read on SYN segments only; unknown ones are skipped. The
/// urgent pointer is ignored.
///
/// ip       a parsed packet whose protocol is TCP
/// Errors   BadFormat  too short, a data offset outside the segment, an option that runs past the
///                     header, or a wrong checksum
/// Context  any. Cost O(1), plus the payload's checksum with `Verify`
/// Source   RFC 9293 section 3.1 and 3.2; RFC 7323 section 2.2
Result<TcpSegment> parse_tcp(const Ipv4View& ip, ReceiveChecksum checksum);

/// The addresses of a connection, seen from our side: all that its frame headers have in common.
struct TcpFlow {
  MacAddress local_mac{};
  MacAddress remote_mac{};  ///< of the next hop
  Ipv4Address local{};
  Ipv4Address remote{};
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
};

/// The addresses for an answer to a segment that came in a frame.
TcpFlow flow_to_answer(const TcpSegment& segment, const MacAddress& local_mac,
                       const MacAddress& remote_mac);

/// What differs between the segments of a connection.
struct TcpFields {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t window = 0;
  std::uint8_t flags = 0;
  std::uint8_t window_scale = kNoWindowScale;  ///< kNoWindowScale: leave the option out
  std::uint16_t mss = 0;                       ///< 0: leave the option out
};

/// Writes the Ethernet, IPv4 and TCP headers of one segment.
///
/// payload_length  bytes that follow, at most 65475
/// payload_sum     their partial checksum; not used with PseudoHeaderOnly
/// Returns         the bytes of `out` used: 54, or up to 62 with options
/// Cost            about 150 instructions; checksums are summed from fields, not from memory
/// Source          RFC 9293 section 3.1
std::size_t write_tcp_frame(std::span<std::uint8_t, kTcpFrameHeaderMax> out, const TcpFlow& flow,
                            const TcpFields& fields, std::size_t payload_length,
                            std::uint16_t payload_sum, TransmitChecksum checksum);

}  // namespace xok::net
