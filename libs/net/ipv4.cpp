// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/ipv4.hpp"

#include "base/byte_order.hpp"
#include "libs/net/checksum.hpp"

namespace xok::net {
namespace {

constexpr std::uint32_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragmentsOrOffset = 0x3FFF;
constexpr std::uint32_t kVersion4NoOptions = 0x4500;

}  // namespace

Result<Ipv4View> parse_ipv4(std::span<const std::uint8_t> packet) {
  if (packet.size() < kIpv4HeaderSize) return fail(Errc::BadFormat);
  const std::uint8_t* const at = packet.data();
  if (at[0] >> 4 != 4) return fail(Errc::BadFormat);
  const std::size_t header_length = std::size_t{at[0]} % 16 * 4;
  const std::size_t total_length = load_be<std::uint16_t>(at + 2);
  if (header_length < kIpv4HeaderSize || header_length > total_length ||
      total_length > packet.size())
    return fail(Errc::BadFormat);
  if (checksum_partial(packet.first(header_length)) != 0xFFFF) return fail(Errc::BadFormat);
  if ((load_be<std::uint16_t>(at + 6) & kMoreFragmentsOrOffset) != 0)
    return fail(Errc::NotSupported);
  return Ipv4View{.source = {load_be<std::uint32_t>(at + 12)},
                  .destination = {load_be<std::uint32_t>(at + 16)},
                  .protocol = at[9],
                  .ttl = at[8],
                  .header = packet.first(header_length),
                  .payload = packet.subspan(header_length, total_length - header_length)};
}

void write_ipv4(std::span<std::uint8_t, kIpv4HeaderSize> out, const Ipv4Fields& fields) {
  std::uint8_t* const at = out.data();
  const std::uint32_t version_total =
      kVersion4NoOptions << 16 |
      static_cast<std::uint32_t>(kIpv4HeaderSize + fields.payload_length);
  const std::uint32_t ttl_protocol = std::uint32_t{fields.ttl} << 8 | fields.protocol;
  const std::uint64_t sum = std::uint64_t{version_total} + kDontFragment + ttl_protocol +
                            fields.source.value + fields.destination.value;
  store_be(at, version_total);
  store_be(at + 4, kDontFragment);
  store_be(at + 8, ttl_protocol << 16 | checksum_finish(checksum_fold(sum)));
  store_be(at + 12, fields.source.value);
  store_be(at + 16, fields.destination.value);
}

std::uint16_t pseudo_header_sum(Ipv4Address source, Ipv4Address destination, std::uint8_t protocol,
                                std::size_t length) {
  return checksum_fold(std::uint64_t{source.value} + destination.value + protocol + length);
}

Result<Ipv4Address> next_hop(const Ipv4Interface& interface, Ipv4Address destination) {
  if (destination.is_broadcast() || interface.on_link(destination)) return destination;
  if (interface.gateway.is_zero()) return fail(Errc::Unreachable);
  return interface.gateway;
}

}  // namespace xok::net
