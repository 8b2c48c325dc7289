// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/rt/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"

namespace xok::rt {
namespace {

constexpr std::uint64_t kBytesPerSeed = 1u << 20;

/// Generator state. Each block that is computed replaces the key by its first half, and what has
/// been given out of the second is wiped: what was given out cannot be computed back from the
/// state. `owner` tells a copy made by fork from the original: the two must not give the same
/// bytes.
struct Generator {
  std::array<std::uint32_t, 8> key;
  std::array<std::byte, 32> ready;  ///< the last `left` bytes are still to be given out
  std::size_t left;
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
  generator.left = 0;
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
/// Cost: 1,400 instructions.
std::array<std::uint32_t, 16> block(const std::array<std::uint32_t, 8>& key,
                                    std::uint64_t counter) {
  std::array<std::uint32_t, 16> state = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  std::memcpy(&state[4], key.data(), sizeof key);
  std::memcpy(&state[12], &counter, sizeof counter);
  std::array<std::uint32_t, 16> x = state;
  for (int round = 0; round < 10; round++) {
    quarter_round(x[0], x[4], x[8], x[12]);
    quarter_round(x[1], x[5], x[9], x[13]);
    quarter_round(x[2], x[6], x[10], x[14]);
    quarter_round(x[3], x[7], x[11], x[15]);
    quarter_round(x[0], x[5], x[10], x[15]);
    quarter_round(x[1], x[6], x[11], x[12]);
    quarter_round(x[2], x[7], x[8], x[13]);
    quarter_round(x[3], x[4], x[9], x[14]);
  }
  for (std::size_t i = 0; i < 16; i++) x[i] += state[i];
  return x;
}

/// Another key and another 32 bytes.
void renew(Generator& generator) {
  const auto words = block(generator.key, 0);
  std::memcpy(generator.key.data(), &words[0], sizeof generator.key);
  std::memcpy(generator.ready.data(), &words[8], sizeof generator.ready);
  generator.left = generator.ready.size();
}

}  // namespace

void fill_random(std::span<std::byte> bytes) {
  Generator& generator = g_generator;
  if (generator.owner != env_id() || generator.produced >= kBytesPerSeed) seed(generator);
  generator.produced += bytes.size();
  constexpr std::size_t kBlockBytes = 64;
  if (bytes.size() >= kBlockBytes) {  // straight from the key, which then goes
    std::uint64_t counter = 1;
    for (; bytes.size() >= kBlockBytes; bytes = bytes.subspan(kBlockBytes), counter++) {
      const auto words = block(generator.key, counter);
      std::memcpy(bytes.data(), words.data(), kBlockBytes);
    }
    renew(generator);
  }
  while (!bytes.empty()) {
    if (generator.left == 0) renew(generator);
    const std::size_t n = std::min(bytes.size(), generator.left);
    std::byte* const from = generator.ready.data() + generator.ready.size() - generator.left;
    std::memcpy(bytes.data(), from, n);
    std::memset(from, 0, n);
    generator.left -= n;
    bytes = bytes.subspan(n);
  }
}

}  // namespace xok::rt
