// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/udp.hpp"

#include <algorithm>

#include "base/byte_order.hpp"
#include "libs/net/checksum.hpp"

namespace xok::net {

Result<UdpView> parse_udp(const Ipv4View& ip) {
  if (ip.payload.size() < kUdpHeaderSize) return fail(Errc::BadFormat);
  const std::uint8_t* const at = ip.payload.data();
  const std::size_t length = load_be<std::uint16_t>(at + 4);
  if (length < kUdpHeaderSize || length > ip.payload.size()) return fail(Errc::BadFormat);
  const std::span<const std::uint8_t> datagram = ip.payload.first(length);
  if (load_be<std::uint16_t>(at + 6) != 0) {  // 0: the sender computed none
    const std::uint16_t pseudo = pseudo_header_sum(ip.source, ip.destination, kProtocolUdp, length);
    if (checksum_add(pseudo, checksum_partial(datagram)) != 0xFFFF) return fail(Errc::BadFormat);
  }
  return UdpView{.source_port = load_be<std::uint16_t>(at),
                 .destination_port = load_be<std::uint16_t>(at + 2),
                 .payload = datagram.subspan(kUdpHeaderSize)};
}

Result<std::size_t> write_udp_frame(std::span<std::uint8_t> out, const FrameAddresses& addresses,
                                    std::uint16_t source_port, std::uint16_t destination_port,
                                    std::span<const std::uint8_t> payload) {
  constexpr std::size_t kHeaders = kEthernetHeaderSize + kIpv4HeaderSize + kUdpHeaderSize;
  constexpr std::size_t kMaxPayload = 65535 - kIpv4HeaderSize - kUdpHeaderSize;
  if (payload.size() > kMaxPayload) return fail(Errc::TooBig);
  if (out.size() < kHeaders + payload.size()) return fail(Errc::NoSpace);
  const auto length = static_cast<std::uint16_t>(kUdpHeaderSize + payload.size());
  write_ethernet(out.first<kEthernetHeaderSize>(), addresses.remote_mac, addresses.local_mac,
                 kEtherTypeIpv4);
  write_ipv4(out.subspan<kEthernetHeaderSize, kIpv4HeaderSize>(), {.source = addresses.local,
                                                                   .destination = addresses.remote,
                                                                   .protocol = kProtocolUdp,
                                                                   .payload_length = length});
  std::uint8_t* const at = out.data() + kEthernetHeaderSize + kIpv4HeaderSize;
  store_be(at, source_port);
  store_be(at + 2, destination_port);
  store_be(at + 4, length);
  store_be(at + 6, std::uint16_t{0});
  std::copy(payload.begin(), payload.end(), out.begin() + kHeaders);
  const std::uint16_t sum = checksum_finish(
      checksum_add(pseudo_header_sum(addresses.local, addresses.remote, kProtocolUdp, length),
                   checksum_partial({at, length})));
  store_be(at + 6, sum == 0 ? std::uint16_t{0xFFFF} : sum);  // 0 would mean "none"
  return kHeaders + payload.size();
}

}  // namespace xok::net
