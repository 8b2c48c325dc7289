// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

// libs/net: the Internet protocols as pure state machines. Packets and times go in; packets and
// deadlines come out. Nothing here does I/O, reads a clock, allocates, or keeps a function pointer
// in its state, so every object may live in zero-filled memory or in memory that several processes
// map at one address. All-zero bytes are a valid, idle object of every stateful class.
//
// Times are nanoseconds on one monotonic clock of the caller's choice (`now_ns`). A deadline of
// `kNever` means that nothing is scheduled.

#include <array>
#include <compare>
#include <cstdint>

namespace xok::net {

/// The deadline of something that is not scheduled.
inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

inline constexpr std::uint64_t kMicrosecond = 1'000;
inline constexpr std::uint64_t kMillisecond = 1'000'000;
inline constexpr std::uint64_t kSecond = 1'000'000'000;

/// An IEEE 802 48-bit address, in transmission order.
struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  constexpr bool operator==(const MacAddress&) const = default;
  /// Whether the group bit is set: broadcast or multicast, never a sender.
  constexpr bool is_group() const { return (bytes[0] & 1) != 0; }
};

inline constexpr MacAddress kBroadcastMac{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};

/// An IPv4 address, kept as a number in host order (10.0.0.1 is 0x0A000001).
struct Ipv4Address {
  std::uint32_t value = 0;

  static constexpr Ipv4Address of(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {std::uint32_t{a} << 24 | std::uint32_t{b} << 16 | std::uint32_t{c} << 8 | d};
  }
  constexpr auto operator<=>(const Ipv4Address&) const = default;
  constexpr bool is_zero() const { return value == 0; }
  constexpr bool is_multicast() const { return value >> 28 == 0xE; }
  constexpr bool is_broadcast() const { return value == 0xFFFF'FFFF; }
};

inline constexpr Ipv4Address kBroadcastIpv4{0xFFFF'FFFF};

}  // namespace xok::net
