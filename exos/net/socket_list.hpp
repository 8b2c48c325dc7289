// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/net/network.hpp"

/// Sockets as objects: made with their open file, listed, given back. Private to exos/net.
namespace xok::exos {

struct NewSocket {
  SocketType type;
  std::uint8_t protocol = 0;
  std::uint32_t flags = 0;  ///< of the open file
};

/// A socket and its open file, with one reference. Takes the file lock: hold no Network.
/// Errors  NoMemory; NoSpace  kMaxSockets exist
Outcome<OpenFile*> new_socket_file(const NewSocket& what);
/// Undoes it for a socket that was never used.
void discard_socket_file(Network& network, OpenFile& file);

}  // namespace xok::exos
