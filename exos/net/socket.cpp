// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/socket.hpp"

#include "exos/arena.hpp"
#include "exos/fd/descriptors.hpp"
#include "exos/fd/operations.hpp"
#include "exos/net/datagram_socket.hpp"
#include "exos/net/socket_list.hpp"
#include "exos/net/socket_waits.hpp"
#include "exos/net/stream_socket.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/process.hpp"
#include "exos/shared.hpp"

namespace xok::exos {
namespace {

constexpr int kMaxBacklog = 128;
constexpr std::uint16_t kFirstUserPort = 1024;

Socket& socket_of(const OpenFile& file) { return *file.socket; }

bool blocks(const OpenFile& file, Wait wait) {
  return wait == Wait::Yes && (file.flags & kOpenNonBlocking) == 0;
}

/// A socket in the list. Hold the lock.
Socket* new_socket(NetworkState& state, const NewSocket& what) {
  if (state.socket_count >= kMaxSockets) return nullptr;
  auto* socket = pool_new<Socket>(state.socket_pool);
  if (socket == nullptr) return nullptr;
  socket->type = what.type;
  socket->protocol = what.protocol;
  socket->options = SocketOptions{};
  socket->number = ++state.next_number;
  socket->next = state.sockets;
  state.sockets = socket;
  state.socket_count++;
  if (what.type == SocketType::Raw) state.raw_sockets++;
  return socket;
}

void free_socket(Network& network, Socket& socket) {
  NetworkState& state = network.state();
  for (Socket** link = &state.sockets; *link != nullptr; link = &(*link)->next) {
    if (*link != &socket) continue;
    *link = socket.next;
    break;
  }
  state.socket_count--;
  if (socket.type == SocketType::Raw) state.raw_sockets--;
  network.give_block(socket.queue_block);
  pool_give(state.socket_pool, &socket);
}

}  // namespace

Outcome<OpenFile*> new_socket_file(const NewSocket& what) {
  const FileSystemLock lock;
  OpenFile* const file = new_open_file(FileKind::Socket, what.flags | kOpenReadWrite);
  if (file == nullptr) return std::unexpected{Errc::NoMemory};
  const Network network;
  file->socket = new_socket(network.state(), what);
  if (file->socket != nullptr) return file;
  pool_give(shared().open_files, file);
  return std::unexpected{Errc::NoMemory};
}

void discard_socket_file(Network& network, OpenFile& file) {
  free_socket(network, socket_of(file));
  pool_give(shared().open_files, &file);
}

Outcome<OpenFile*> make_socket(SocketType type, std::uint8_t protocol, std::uint32_t flags) {
  XOK_TRY(start_network());
  return new_socket_file({.type = type, .protocol = protocol, .flags = flags});
}

Outcome<> bind_socket(OpenFile& file, Endpoint local) {
  Network network;
  Socket& socket = socket_of(file);
  if (socket.type == SocketType::Raw) local.port = 0;
  if (socket.bound || socket.endpoint != nullptr) return std::unexpected{Errc::BadArgument};
  const bool any = local.address.is_zero() || local.address.is_broadcast();
  if (!any && !network.is_ours(local.address)) return std::unexpected{Errc::NotFound};
  if (local.port != 0 && local.port < kFirstUserPort && credentials().uid != kRootUid)
    return std::unexpected{Errc::Denied};
  if (local.port != 0 && port_taken(network, socket, local)) return std::unexpected{Errc::Overlap};
  socket.local = local;
  if (socket.type != SocketType::Raw) XOK_TRY(bind_if_needed(network, socket));
  socket.bound = true;
  return {};
}

Outcome<> connect_socket(OpenFile& file, std::optional<Endpoint> peer) {
  Socket& socket = socket_of(file);
  if (socket.type == SocketType::Stream) {
    if (!peer.has_value()) return std::unexpected{Errc::NotSupported};
    return connect_stream(socket, *peer, blocks(file, Wait::Yes));
  }
  if (!peer.has_value()) {
    const Network network;
    socket.peer = {};
    return {};
  }
  XOK_TRY(wait_for_address(peer->address));
  Network network;
  if (peer->address.is_zero()) peer->address = kLocalhost;
  if (!peer->address.is_broadcast() && socket.local.address.is_zero())
    socket.local.address = XOK_TRY(network.source_for(peer->address));
  if (socket.type == SocketType::Datagram) XOK_TRY(bind_if_needed(network, socket));
  socket.peer = *peer;
  return {};
}

Outcome<> listen_socket(OpenFile& file, int backlog) {
  Socket& socket = socket_of(file);
  if (socket.type != SocketType::Stream) return std::unexpected{Errc::NotSupported};
  const int bounded = backlog < 1 ? 1 : backlog > kMaxBacklog ? kMaxBacklog : backlog;
  return listen_stream(socket, static_cast<std::uint16_t>(bounded));
}

Outcome<Accepted> accept_socket(OpenFile& file, std::uint32_t flags) {
  Socket& socket = socket_of(file);
  if (socket.type != SocketType::Stream) return std::unexpected{Errc::NotSupported};
  return accept_stream(socket, flags, blocks(file, Wait::Yes));
}

Outcome<std::size_t> send_socket(OpenFile& file, std::span<const std::byte> bytes,
                                 std::optional<Endpoint> peer, Wait wait) {
  Socket& socket = socket_of(file);
  if (socket.type == SocketType::Stream) return send_stream(socket, bytes, blocks(file, wait));
  if (!peer.has_value()) {
    if (socket.peer.address.is_zero()) return std::unexpected{Errc::NotConnected};
    peer = socket.peer;
  }
  return send_datagram(socket, bytes, *peer);
}

Outcome<Received> receive_socket(OpenFile& file, std::span<std::byte> to, Peek peek, Wait wait) {
  Socket& socket = socket_of(file);
  if (socket.type == SocketType::Stream)
    return receive_stream(socket, to, peek, blocks(file, wait));
  return receive_datagram(socket, to, peek, blocks(file, wait));
}

Outcome<> shutdown_socket(OpenFile& file, Shutdown how) {
  Socket& socket = socket_of(file);
  if (socket.type == SocketType::Stream) return shutdown_stream(socket, how);
  if (socket.peer.address.is_zero()) return std::unexpected{Errc::NotConnected};
  const Network network;
  if (how != Shutdown::Write) socket.read_shut = true;
  if (how != Shutdown::Read) socket.write_shut = true;
  socket.event++;
  return {};
}

Endpoint local_of(const OpenFile& file) { return socket_of(file).local; }

std::optional<Endpoint> peer_of(const OpenFile& file) {
  const Socket& socket = socket_of(file);
  const bool stream = socket.type == SocketType::Stream;
  if (socket.peer.address.is_zero()) return std::nullopt;
  if (stream && (socket.endpoint == nullptr || socket.connecting)) return std::nullopt;
  return socket.peer;
}

SocketType type_of(const OpenFile& file) { return socket_of(file).type; }
std::uint8_t protocol_of(const OpenFile& file) { return socket_of(file).protocol; }
bool is_listening(const OpenFile& file) { return socket_of(file).listening; }
std::uint64_t number_of(const OpenFile& file) { return socket_of(file).number; }
SocketOptions& options_of(OpenFile& file) { return socket_of(file).options; }

std::size_t readable_bytes(const OpenFile& file) {
  Network network;
  network.take_frames();
  const Socket& socket = socket_of(file);
  if (socket.type == SocketType::Stream)
    return socket.endpoint == nullptr ? 0 : socket.endpoint->connection.readable_bytes();
  const auto entry = socket.queue.front();
  return entry.has_value() ? entry->bytes.size() : 0;
}

std::optional<Error> take_error(OpenFile& file) {
  const Network network;
  const auto taken = take_pending_error(socket_of(file));
  if (taken.has_value()) return std::nullopt;
  return taken.error();
}

std::uint32_t poll_socket(const OpenFile& file) {
  Network network;
  network.take_frames();
  const Socket& socket = socket_of(file);
  if (socket.type == SocketType::Stream) return poll_stream(socket);
  std::uint32_t bits = kPollOut;
  if (!socket.queue.empty() || socket.read_shut) bits |= kPollIn;
  if (socket.pending_error != 0) bits |= kPollError;
  return bits;
}

void watch_socket(const OpenFile& file, rt::WaitSet& wait) { wait.watch(socket_of(file).event); }

void close_socket(OpenFile& file) {
  Network network;
  network.take_frames();
  Socket& socket = socket_of(file);
  if (socket.type == SocketType::Stream) close_stream(network, socket);
  free_socket(network, socket);
  file.socket = nullptr;
}

}  // namespace xok::exos
