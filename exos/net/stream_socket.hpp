// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/net/network.hpp"

/// TCP sockets: the cases of exos/net/socket.hpp.
namespace xok::exos {

Outcome<> connect_stream(Socket& socket, Endpoint peer, bool blocking);
Outcome<> listen_stream(Socket& socket, std::uint16_t backlog);
Outcome<Accepted> accept_stream(Socket& socket, std::uint32_t flags, bool blocking);
Outcome<std::size_t> send_stream(Socket& socket, std::span<const std::byte> bytes, bool blocking);
Outcome<Received> receive_stream(Socket& socket, std::span<std::byte> to, Peek peek, bool blocking);
Outcome<> shutdown_stream(Socket& socket, Shutdown how);
std::uint32_t poll_stream(const Socket& socket);
/// The socket goes away; its connections end by themselves. Hold the lock.
void close_stream(Network& network, Socket& socket);

}  // namespace xok::exos
