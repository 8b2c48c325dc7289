// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/icmp.hpp"

#include <algorithm>

#include "base/byte_order.hpp"
#include "libs/net/checksum.hpp"

namespace xok::net {

Result<IcmpView> parse_icmp(const Ipv4View& ip) {
  if (ip.payload.size() < kIcmpHeaderSize) return fail(Errc::BadFormat);
  if (checksum_partial(ip.payload) != 0xFFFF) return fail(Errc::BadFormat);
  const std::uint8_t* const at = ip.payload.data();
  return IcmpView{.type = static_cast<IcmpType>(at[0]),
                  .code = at[1],
                  .identifier = load_be<std::uint16_t>(at + 4),
                  .sequence = load_be<std::uint16_t>(at + 6),
                  .payload = ip.payload.subspan(kIcmpHeaderSize)};
}

namespace {

constexpr std::size_t kHeaders = kEthernetHeaderSize + kIpv4HeaderSize + kIcmpHeaderSize;

/// The headers of a message whose payload stands at `out` + kHeaders; `rest` is the header's second
/// word.
void write_message(std::span<std::uint8_t> out, const FrameAddresses& addresses, IcmpType type,
                   std::uint8_t code, std::uint32_t rest, std::size_t payload_size) {
  const auto length = static_cast<std::uint16_t>(kIcmpHeaderSize + payload_size);
  write_ethernet(out.first<kEthernetHeaderSize>(), addresses.remote_mac, addresses.local_mac,
                 kEtherTypeIpv4);
  write_ipv4(out.subspan<kEthernetHeaderSize, kIpv4HeaderSize>(), {.source = addresses.local,
                                                                   .destination = addresses.remote,
                                                                   .protocol = kProtocolIcmp,
                                                                   .payload_length = length});
  std::uint8_t* const at = out.data() + kEthernetHeaderSize + kIpv4HeaderSize;
  at[0] = static_cast<std::uint8_t>(type);
  at[1] = code;
  store_be(at + 2, std::uint16_t{0});
  store_be(at + 4, rest);
  store_be(at + 2, checksum_finish(checksum_partial({at, length})));
}

}  // namespace

Result<std::size_t> write_echo_frame(std::span<std::uint8_t> out, const FrameAddresses& addresses,
                                     IcmpType type, std::uint16_t identifier,
                                     std::uint16_t sequence,
                                     std::span<const std::uint8_t> payload) {
  constexpr std::size_t kMaxPayload = 65535 - kIpv4HeaderSize - kIcmpHeaderSize;
  if (payload.size() > kMaxPayload) return fail(Errc::TooBig);
  if (out.size() < kHeaders + payload.size()) return fail(Errc::NoSpace);
  std::copy(payload.begin(), payload.end(), out.begin() + kHeaders);
  write_message(out, addresses, type, 0, std::uint32_t{identifier} << 16 | sequence,
                payload.size());
  return kHeaders + payload.size();
}

std::size_t write_unreachable_frame(std::span<std::uint8_t, kUnreachableFrameMax> out,
                                    const FrameAddresses& addresses, std::uint8_t code,
                                    const Ipv4View& packet) {
  const auto quoted = packet.payload.first(std::min<std::size_t>(packet.payload.size(), 8));
  const auto end = std::copy(packet.header.begin(), packet.header.end(), out.begin() + kHeaders);
  std::copy(quoted.begin(), quoted.end(), end);
  const std::size_t payload_size = packet.header.size() + quoted.size();
  write_message(out, addresses, IcmpType::Unreachable, code, 0, payload_size);
  return kHeaders + payload_size;
}

Result<IcmpUnreachable> parse_unreachable(const IcmpView& message) {
  if (message.type != IcmpType::Unreachable) return fail(Errc::BadArgument);
  const std::span<const std::uint8_t> quoted = message.payload;
  if (quoted.size() < kIpv4HeaderSize || quoted[0] >> 4 != 4) return fail(Errc::BadFormat);
  const std::size_t header_length = std::size_t{quoted[0]} % 16 * 4;
  if (header_length < kIpv4HeaderSize || quoted.size() < header_length + 8)
    return fail(Errc::BadFormat);
  const std::uint8_t* const at = quoted.data();
  const std::uint8_t* const transport = at + header_length;
  return IcmpUnreachable{.code = message.code,
                         .next_hop_mtu = message.code == kUnreachableNeedsFragmenting
                                             ? message.sequence
                                             : std::uint16_t{0},
                         .source = {load_be<std::uint32_t>(at + 12)},
                         .destination = {load_be<std::uint32_t>(at + 16)},
                         .protocol = at[9],
                         .source_port = load_be<std::uint16_t>(transport),
                         .destination_port = load_be<std::uint16_t>(transport + 2),
                         .sequence = load_be<std::uint32_t>(transport + 4)};
}

}  // namespace xok::net
