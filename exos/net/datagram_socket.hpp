// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/net/network.hpp"
#include "libs/net/icmp.hpp"
#include "libs/net/udp.hpp"

/// UDP and raw sockets: the cases of exos/net/socket.hpp, and the way in for what arrives.
namespace xok::exos {

Outcome<std::size_t> send_datagram(Socket& socket, std::span<const std::byte> bytes, Endpoint peer);
/// `blocking` is no: WouldBlock where nothing waits.
Outcome<Received> receive_datagram(Socket& socket, std::span<std::byte> to, Peek peek,
                                   bool blocking);

/// Gives a datagram to its socket: the one connected to the sender before the one that is not.
/// Returns  whether there is one (its queue may be full: then the datagram is lost)
bool deliver_datagram(Network& network, const net::Ipv4View& ip, const net::UdpView& datagram);
/// Gives a copy to every raw socket of that protocol.
void deliver_raw(Network& network, const net::Ipv4View& ip);
/// The other side has no such port: the connected socket's pending error.
void note_datagram_error(Network& network, const net::IcmpUnreachable& report);

}  // namespace xok::exos
