// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "exos/rt/record.hpp"
#include "libs/net/address.hpp"
#include "libs/net/ipv4.hpp"

namespace xok::exos {

enum class NetworkPhase : std::uint64_t {
  Down = 0,  ///< nobody has asked for the network yet
  Starting,  ///< the service runs and looks for an address
  Up,        ///< `interface` is valid
  Loopback,  ///< there is no card, or it is not to be used: this machine reaches only itself
};

/// How this machine is on the network: written by the network service, read by all, each on its own
/// copy (exos/rt/record.hpp): nobody sees half a change, and nobody needs the network's lock.
struct NetworkConfig {
  NetworkPhase phase = NetworkPhase::Down;
  net::Ipv4Interface interface;
  net::Ipv4Address dns;
  net::MacAddress mac;
};

struct IsNetworkConfig {
  bool operator()(const NetworkConfig& config) const {
    return config.phase <= NetworkPhase::Loopback;
  }
};
/// Zero at the start: Down.
using NetworkRecord = rt::Record<NetworkConfig, 1, 64>;

inline constexpr net::Ipv4Address kLocalhost = net::Ipv4Address::of(127, 0, 0, 1);
constexpr bool is_localhost(net::Ipv4Address address) { return address.value >> 24 == 127; }

/// How the network was asked for at boot (`NET` in docs/formats/boot.md).
struct NetworkChoice {
  enum class Kind : std::uint8_t { Dhcp, None, Static } kind = Kind::Dhcp;
  net::Ipv4Interface interface{};  ///< Static
  net::Ipv4Address dns{};
};

/// Reads "10.0.2.15". Nothing for anything else. Pure.
std::optional<net::Ipv4Address> parse_ipv4_address(std::string_view text);

/// Reads "dhcp", "none" or "ADDRESS/BITS[,GATEWAY[,DNS]]". Nothing for anything else. Pure.
std::optional<NetworkChoice> parse_network(std::string_view text);

/// What is used when no DHCP server answers: the addresses of QEMU's user network.
inline constexpr net::Ipv4Interface kFallbackInterface = {
    .address = net::Ipv4Address::of(10, 0, 2, 15),
    .mask = net::Ipv4Address::of(255, 255, 255, 0),
    .gateway = net::Ipv4Address::of(10, 0, 2, 2)};
inline constexpr net::Ipv4Address kFallbackDns = net::Ipv4Address::of(10, 0, 2, 3);

}  // namespace xok::exos
