// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "libs/net/address.hpp"

namespace xok::net {

inline constexpr std::size_t kEthernetHeaderSize = 14;
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;

/// A received Ethernet II frame, taken apart; `payload` borrows the frame's bytes.
struct EthernetView {
  MacAddress destination{};
  MacAddress source{};
  std::uint16_t type = 0;
  std::span<const std::uint8_t> payload{};  ///< may carry padding to the 60-byte minimum
};

/// Takes a frame (without its check sequence) apart.
///
/// Errors   BadFormat  shorter than the 14-byte header
/// Context  any. Cost O(1)
/// Source   IEEE 802.3 clause 3.1; Ethernet II type field (RFC 894)
Result<EthernetView> parse_ethernet(std::span<const std::uint8_t> frame);

/// Writes the 14-byte header.
void write_ethernet(std::span<std::uint8_t, kEthernetHeaderSize> out, const MacAddress& destination,
                    const MacAddress& source, std::uint16_t type);

/// Reads or writes the six bytes of an address anywhere in a packet.
MacAddress load_mac(const std::uint8_t* bytes);
void store_mac(std::uint8_t* bytes, const MacAddress& mac);

}  // namespace xok::net
