// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/net/network.hpp"
#include "exos/rt/wait.hpp"

/// What the kinds of sockets share: waiting, errors, ports. Private to exos/net.
namespace xok::exos {

/// Makes the network service run, and waits until it does.
/// Errors  Interrupted; Unreachable  it could not be started
Outcome<> start_network();

/// Waits, for a few seconds at most, until this machine has an address, if one is needed to reach
/// `destination`. Errors  Interrupted
Outcome<> wait_for_address(net::Ipv4Address destination);

/// The time `timeout_ns` from now; 0: never.
std::uint64_t deadline_after(std::uint64_t timeout_ns);

/// Sleeps until what `wait` watches changes. Errors  Interrupted; WouldBlock  the deadline
Outcome<> sleep_for_socket(rt::WaitSet& wait, std::uint64_t deadline_ns);

/// The socket's pending error, which is then forgotten, as the error of this call.
Outcome<> take_pending_error(Socket& socket);

/// Whether a socket of the same type has the port at that address, or at any.
bool port_taken(const Network& network, const Socket& socket, Endpoint local);
/// Gives the socket a free port of the range for such, if it has none. Errors  Overlap
Outcome<> bind_if_needed(Network& network, Socket& socket);

}  // namespace xok::exos
