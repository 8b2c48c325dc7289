// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/ethernet.hpp"

#include <cstring>

#include "base/byte_order.hpp"

namespace xok::net {

MacAddress load_mac(const std::uint8_t* bytes) {
  MacAddress mac;
  std::memcpy(mac.bytes.data(), bytes, mac.bytes.size());
  return mac;
}

void store_mac(std::uint8_t* bytes, const MacAddress& mac) {
  std::memcpy(bytes, mac.bytes.data(), mac.bytes.size());
}

Result<EthernetView> parse_ethernet(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetHeaderSize) return fail(Errc::BadFormat);
  return EthernetView{.destination = load_mac(frame.data()),
                      .source = load_mac(frame.data() + 6),
                      .type = load_be<std::uint16_t>(frame.data() + 12),
                      .payload = frame.subspan(kEthernetHeaderSize)};
}

void write_ethernet(std::span<std::uint8_t, kEthernetHeaderSize> out, const MacAddress& destination,
                    const MacAddress& source, std::uint16_t type) {
  store_mac(out.data(), destination);
  store_mac(out.data() + 6, source);
  store_be(out.data() + 12, type);
}

}  // namespace xok::net
