// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace xok::net {

/// The most pieces one segment's payload may consist of.
inline constexpr std::size_t kMaxPieces = 6;

/// A run of bytes that a segment carries, where it lies. The bytes must stay as they are until the
/// driver has sent the segment; for a retransmission they are asked for again.
struct PayloadPiece {
  const std::uint8_t* data = nullptr;
  std::uint32_t length = 0;
  std::uint16_t checksum = 0;  ///< their partial sum (checksum.hpp), if `has_checksum`
  bool has_checksum = false;   ///< false: the sum is computed when the segment is built
};

/// A frame to be sent: the header's bytes, then each piece, gathered by the driver.
struct OutPacket {
  std::span<std::uint8_t> header;  ///< Ethernet, IPv4, TCP; on the caller's stack: copy or send now
  std::span<const PayloadPiece> payload;
};

}  // namespace xok::net
