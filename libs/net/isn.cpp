// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/isn.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "base/byte_order.hpp"

namespace xok::net {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

std::uint64_t siphash(const SecretKey& key, std::span<const std::uint8_t> bytes) {
  SipState state{.v0 = key.k0 ^ 0x736F6D6570736575,
                 .v1 = key.k1 ^ 0x646F72616E646F6D,
                 .v2 = key.k0 ^ 0x6C7967656E657261,
                 .v3 = key.k1 ^ 0x7465646279746573};
  static_assert(std::endian::native == std::endian::little);
  const std::size_t whole = bytes.size() & ~std::size_t{7};
  for (std::size_t at = 0; at < whole; at += 8) state.absorb(load<std::uint64_t>(&bytes[at]));
  std::uint64_t last = std::uint64_t{bytes.size()} << 56;
  for (std::size_t at = whole; at < bytes.size(); ++at)
    last |= std::uint64_t{bytes[at]} << 8 * (at - whole);
  state.absorb(last);
  state.v2 ^= 0xFF;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::uint32_t initial_sequence(const SecretKey& key, const TcpFlow& flow, std::uint64_t now_ns) {
  std::array<std::uint8_t, 12> tuple;
  store_be(tuple.data(), flow.local.value);
  store_be(&tuple[4], flow.remote.value);
  store_be(&tuple[8], flow.local_port);
  store_be(&tuple[10], flow.remote_port);
  return static_cast<std::uint32_t>(siphash(key, tuple) + now_ns / (4 * kMicrosecond));
}

}  // namespace xok::net
