// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "libs/net/tcp_header.hpp"

namespace xok::net {

/// A 128-bit secret, filled with random bits by the owner once per start.
struct SecretKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

/// A keyed hash whose output does not tell the key.
///
/// Cost     about 30 instructions for each eight bytes, plus 120
/// Source   SipHash-2-4: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012)
std::uint64_t siphash(const SecretKey& key, std::span<const std::uint8_t> bytes);

/// The initial sequence number of a new connection: a clock that ticks every 4 microseconds, moved
/// for each 4-tuple by a secret amount. Successive ones of a tuple grow; others' cannot be guessed.
///
/// Source   RFC 6528 section 3 (with SipHash in place of MD5); RFC 9293 section 3.4.1
std::uint32_t initial_sequence(const SecretKey& key, const TcpFlow& flow, std::uint64_t now_ns);

}  // namespace xok::net
