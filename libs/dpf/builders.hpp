// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "libs/dpf/program.hpp"

/// Ready-made programs for Ethernet frames. Addresses and ports are numbers in host order
/// (10.0.0.2 is 0x0a000002). All of one kind begin with the same atoms in the same order, so that
/// the table tests them once; write your own in that order too:
/// ethertype, destination address, protocol, not a later fragment, [source address], ports.
///
/// Ports are found behind IP options (a Shift by the header length). A later fragment has no ports:
/// it goes to whoever holds `ipv4_to`, never to a port filter.
///
/// Specificity: arp 16, arp_to 64, ipv4_to 48, icmp_echo 77, udp_port and tcp_port 85, icmp_reply
/// 93, tcp_flow and udp_flow 133. So each flow wins over its port, and each port over the address.
namespace xok::dpf {

constexpr Atom eq8(std::uint16_t offset, std::uint8_t value, std::uint8_t mask = 0xff) {
  return {Op::Eq, 1, 0, 0, offset, 0, mask, value};
}
constexpr Atom eq16(std::uint16_t offset, std::uint16_t value, std::uint16_t mask = 0xffff) {
  return {Op::Eq, 2, 0, 0, offset, 0, mask, value};
}
constexpr Atom eq32(std::uint16_t offset, std::uint32_t value, std::uint32_t mask = 0xffff'ffff) {
  return {Op::Eq, 4, 0, 0, offset, 0, mask, value};
}
/// base += (byte at base + offset, masked) << left_shift
constexpr Atom shift8(std::uint16_t offset, std::uint8_t mask, std::uint8_t left_shift) {
  return {Op::Shift, 1, left_shift, 0, offset, 0, mask, 0};
}
constexpr Atom skip(std::uint16_t bytes) { return {Op::Skip, 0, 0, 0, bytes, 0, 0, 0}; }

namespace ethernet {
inline constexpr std::uint16_t kType = 12;
inline constexpr std::uint16_t kPayload = 14;
inline constexpr std::uint16_t kTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kTypeArp = 0x0806;
}  // namespace ethernet

namespace ipv4 {
inline constexpr std::uint16_t kHeaderLength = ethernet::kPayload;  // low 4 bits, in words
inline constexpr std::uint16_t kFragment = ethernet::kPayload + 6;
inline constexpr std::uint16_t kProtocol = ethernet::kPayload + 9;
inline constexpr std::uint16_t kSource = ethernet::kPayload + 12;
inline constexpr std::uint16_t kDestination = ethernet::kPayload + 16;
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
}  // namespace ipv4

/// All ARP packets.
constexpr std::array<Atom, 1> arp() { return {eq16(ethernet::kType, ethernet::kTypeArp)}; }

/// ARP requests and replies whose operation is `operation` (1 request, 2 reply) and whose target is
/// `address`.
constexpr std::array<Atom, 3> arp_to(std::uint32_t address, std::uint16_t operation) {
  return {eq16(ethernet::kType, ethernet::kTypeArp), eq16(ethernet::kPayload + 6, operation),
          eq32(ethernet::kPayload + 24, address)};
}

/// Everything that IPv4 brings to `address`.
constexpr std::array<Atom, 2> ipv4_to(std::uint32_t address) {
  return {eq16(ethernet::kType, ethernet::kTypeIpv4), eq32(ipv4::kDestination, address)};
}

namespace detail {

/// A transport packet for `address`: `more` are atoms that still count from the packet's start.
template <class... More>
constexpr auto transport(std::uint32_t address, std::uint8_t protocol, More... more) {
  return std::array<Atom, 5 + sizeof...(More)>{eq16(ethernet::kType, ethernet::kTypeIpv4),
                                               eq32(ipv4::kDestination, address),
                                               eq8(ipv4::kProtocol, protocol),
                                               eq16(ipv4::kFragment, 0, 0x1fff),
                                               more...,
                                               shift8(ipv4::kHeaderLength, 0x0f, 2)};
}

template <std::size_t N, class... More>
constexpr std::array<Atom, N + sizeof...(More)> with(std::array<Atom, N> first, More... more) {
  std::array<Atom, N + sizeof...(More)> out{};
  std::size_t i = 0;
  for (const Atom& atom : first) out[i++] = atom;
  ((out[i++] = more), ...);
  return out;
}

constexpr auto port(std::uint32_t address, std::uint8_t protocol, std::uint16_t port) {
  return with(transport(address, protocol), eq16(ethernet::kPayload + 2, port));
}

constexpr auto flow(std::uint8_t protocol, std::uint32_t address, std::uint16_t port,
                    std::uint32_t peer, std::uint16_t peer_port) {
  const std::uint32_t ports = static_cast<std::uint32_t>(peer_port) << 16 | port;
  return with(transport(address, protocol, eq32(ipv4::kSource, peer)),
              eq32(ethernet::kPayload, ports));
}

}  // namespace detail

/// UDP to `address` (255.255.255.255 for a DHCP client) and destination port `port`.
constexpr auto udp_port(std::uint32_t address, std::uint16_t port) {
  return detail::port(address, ipv4::kUdp, port);
}

/// TCP to `address` and destination port `port`: what a server listens to.
constexpr auto tcp_port(std::uint32_t address, std::uint16_t port) {
  return detail::port(address, ipv4::kTcp, port);
}

/// One UDP conversation: from `peer` and `peer_port` to `address` and `port`.
constexpr auto udp_flow(std::uint32_t address, std::uint16_t port, std::uint32_t peer,
                        std::uint16_t peer_port) {
  return detail::flow(ipv4::kUdp, address, port, peer, peer_port);
}

/// One TCP connection: from `peer` and `peer_port` to `address` and `port`.
constexpr auto tcp_flow(std::uint32_t address, std::uint16_t port, std::uint32_t peer,
                        std::uint16_t peer_port) {
  return detail::flow(ipv4::kTcp, address, port, peer, peer_port);
}

/// ICMP echo requests to `address`: what a host answers.
constexpr auto icmp_echo(std::uint32_t address) {
  return detail::with(detail::transport(address, ipv4::kIcmp), eq8(ethernet::kPayload, 8));
}

/// ICMP echo replies to `address` with this identifier: what `ping` waits for.
constexpr auto icmp_reply(std::uint32_t address, std::uint16_t identifier) {
  return detail::with(detail::transport(address, ipv4::kIcmp), eq8(ethernet::kPayload, 0),
                      eq16(ethernet::kPayload + 4, identifier));
}

}  // namespace xok::dpf
