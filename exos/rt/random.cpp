// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/rt/random.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"

namespace xok::rt {
namespace {

constexpr std::uint64_t kBytesPerKey = 1u << 20;

/// Generator state. `owner` tells a copy made by fork from the original: the two must not give the
/// same bytes.
struct Generator {
  std::array<std::uint32_t, 8> key;
  std::uint64_t counter;
  std::uint64_t produced;
  EnvId owner;
};
Generator g_generator;

void seed(Generator& generator) {
  std::array<std::uint8_t, 32> entropy{};
  std::size_t got = 0;
  for (int tries = 0; got < entropy.size() && tries < 16; tries++) {
    const std::int64_t n = sys::entropy_read(reinterpret_cast<std::uint64_t>(entropy.data() + got),
                                             entropy.size() - got);
    if (n > 0) got += static_cast<std::size_t>(n);
  }
  // Whatever the device gave is mixed with what differs between any two environments and moments.
  std::array<std::uint32_t, 8> words;
  std::memcpy(words.data(), entropy.data(), sizeof words);
  const std::uint64_t now = cycles();
  words[0] ^= static_cast<std::uint32_t>(now);
  words[1] ^= static_cast<std::uint32_t>(now >> 32);
  words[2] ^= env_id();
  for (std::size_t i = 0; i < words.size(); i++) generator.key[i] ^= words[i];
  generator.counter = 0;
  generator.produced = 0;
  generator.owner = env_id();
}

void quarter_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d) {
  a += b;
  d = std::rotl(d ^ a, 16);
  c += d;
  b = std::rotl(b ^ c, 12);
  a += b;
  d = std::rotl(d ^ a, 8);
  c += d;
  b = std::rotl(b ^ c, 7);
}

/// One block of ChaCha20 (RFC 8439, section 2.3, with a 64-bit counter and no nonce).
std::array<std::uint32_t, 16> next_block(Generator& generator) {
  std::array<std::uint32_t, 16> state = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (std::size_t i = 0; i < 8; i++) state[4 + i] = generator.key[i];
  state[12] = static_cast<std::uint32_t>(generator.counter);
  state[13] = static_cast<std::uint32_t>(generator.counter >> 32);
  generator.counter++;
  std::array<std::uint32_t, 16> x = state;
  for (int round = 0; round < 10; round++) {
    for (std::size_t i = 0; i < 4; i++) quarter_round(x[i], x[4 + i], x[8 + i], x[12 + i]);
    for (std::size_t i = 0; i < 4; i++)
      quarter_round(x[i], x[4 + (i + 1) % 4], x[8 + (i + 2) % 4], x[12 + (i + 3) % 4]);
  }
  for (std::size_t i = 0; i < 16; i++) x[i] += state[i];
  return x;
}

}  // namespace

void fill_random(std::span<std::byte> bytes) {
  Generator& generator = g_generator;
  while (!bytes.empty()) {
    if (generator.owner != env_id() || generator.produced >= kBytesPerKey) seed(generator);
    const auto block = next_block(generator);
    const std::size_t n = bytes.size() < sizeof block ? bytes.size() : sizeof block;
    std::memcpy(bytes.data(), block.data(), n);
    generator.produced += n;
    bytes = bytes.subspan(n);
  }
  // What was given out cannot be computed back from the state.
  const auto fresh = next_block(generator);
  std::memcpy(generator.key.data(), fresh.data(), sizeof generator.key);
}

}  // namespace xok::rt
