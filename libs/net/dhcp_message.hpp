// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "libs/net/address.hpp"

namespace xok::net {

inline constexpr std::uint16_t kDhcpClientPort = 68;
inline constexpr std::uint16_t kDhcpServerPort = 67;
/// Room for every message that we build; also the least that servers must accept.
inline constexpr std::size_t kDhcpMessageMax = 300;

enum class DhcpType : std::uint8_t {
  Discover = 1,
  Offer = 2,
  Request = 3,
  Decline = 4,
  Ack = 5,
  Nak = 6,
  Release = 7,
};

/// What we read from a server's message. Zero stands for "not given".
struct DhcpReply {
  DhcpType type = DhcpType::Offer;
  std::uint32_t transaction = 0;
  MacAddress client{};
  Ipv4Address offered{};
  Ipv4Address server{};
  Ipv4Address mask{};
  Ipv4Address router{};
  Ipv4Address dns{};
  std::uint32_t lease_s = 0;
  std::uint32_t renewal_s = 0;    ///< T1
  std::uint32_t rebinding_s = 0;  ///< T2
};

/// Takes a server's UDP payload apart. Of lists (routers, DNS servers) the first entry is kept;
/// options that were moved into the `file` and `sname` fields are not read.
///
/// Errors   BadFormat  too short, not a reply for Ethernet, no magic cookie, an option that runs
///                     past the end, or no (or an unknown) message type
/// Source   RFC 2131 section 2; RFC 2132
Result<DhcpReply> parse_dhcp(std::span<const std::uint8_t> payload);

/// What we send. Addresses that are zero are left out.
struct DhcpRequest {
  DhcpType type = DhcpType::Discover;
  std::uint32_t transaction = 0;
  std::uint16_t elapsed_s = 0;
  MacAddress client{};
  Ipv4Address current{};    ///< `ciaddr`: our address, while renewing
  Ipv4Address requested{};  ///< the address we ask for
  Ipv4Address server{};     ///< the server we have chosen
};

/// Writes a message; the rest of `out` is padding. Without a current address it asks for the
/// answer to be broadcast.
void write_dhcp(std::span<std::uint8_t, kDhcpMessageMax> out, const DhcpRequest& request);

}  // namespace xok::net
