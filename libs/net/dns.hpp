// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "libs/net/address.hpp"

namespace xok::net {

inline constexpr std::uint16_t kDnsPort = 53;
/// The largest message over plain UDP (RFC 1035 section 4.2.1).
inline constexpr std::size_t kDnsMessageMax = 512;

/// Writes a recursive query for the A records of `name`.
///
/// identifier  random; the answer repeats it
/// name        labels of 1 to 63 bytes separated by dots, at most 253 bytes; a dot at the end is
///             allowed
/// Returns     the bytes of `out` used
/// Errors      BadArgument  `name` is empty or breaks these rules
/// Source      RFC 1035 sections 2.3.4, 4.1
Result<std::size_t> write_dns_query(std::span<std::uint8_t, kDnsMessageMax> out,
                                    std::uint16_t identifier, std::string_view name);

/// The addresses in an answer.
struct DnsAnswer {
  std::size_t count = 0;         ///< entries written to the caller's span
  std::uint32_t lifetime_s = 0;  ///< the least time to live among them
};

/// Takes the answer to a query apart. A records are taken whatever their owner name: a resolver
/// that follows aliases puts only the chain and its end there.
///
/// query      the query that was sent: identifier and question must match
/// addresses  room for the results; more than fit are left out
/// Errors     BadFormat     malformed, or not an answer to `query`
///            NotFound      the name does not exist, or has no A record
///            TooBig        cut short (TC): to be asked over TCP, which we do not do
///            Unreachable   the server failed or refused
/// Source     RFC 1035 sections 4.1 and 7.3
Result<DnsAnswer> parse_dns_answer(std::span<const std::uint8_t> message,
                                   std::span<const std::uint8_t> query,
                                   std::span<Ipv4Address> addresses);

}  // namespace xok::net
