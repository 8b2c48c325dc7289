// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Making, connecting and closing local sockets, and waiting for them. Bytes: unix_transfer.cpp;
// names: unix_names.cpp.
//
// A connected pair of streams refers to each other; connect makes the second one and leaves it with
// the listener until accept gives it an open file. What a socket may no longer do is noted in
// itself (shut_read, shut_write) by whoever ends it, so that nobody need look at a peer that is
// gone. The events of its queue tell: read_event that there is something to read, to accept or an
// end; write_event that there is room, or an end.
#include "exos/net/unix_socket.hpp"

#include "exos/arena.hpp"
#include "exos/fd/descriptors.hpp"
#include "exos/fd/operations.hpp"
#include "exos/fd/pipe_files.hpp"
#include "exos/net/socket_waits.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/process.hpp"
#include "exos/shared.hpp"

namespace xok::exos {
namespace {

constexpr std::uint32_t kMaxBacklog = 128;

UnixOwner this_process() {
  const Proc& proc = *process().proc;
  return {.pid = proc.pid, .uid = proc.euid, .gid = proc.egid};
}

UnixSocket* new_socket(SocketType type) {
  auto* socket = pool_new<UnixSocket>(shared().unix_socket_pool);
  if (socket == nullptr) return nullptr;
  socket->type = type;
  socket->references = 1;
  socket->open = true;
  socket->owner = this_process();
  socket->peer_owner = {};
  socket->options = SocketOptions{};
  socket->next = shared().unix_sockets;
  shared().unix_sockets = socket;
  return socket;
}

void release(UnixSocket& socket) {
  if (--socket.references != 0) return;
  for (UnixSocket** link = &shared().unix_sockets; *link != nullptr; link = &(*link)->next) {
    if (*link != &socket) continue;
    *link = socket.next;
    break;
  }
  pool_give(shared().unix_socket_pool, &socket);
}

void set_peer(UnixSocket& socket, UnixSocket* peer) {
  UnixSocket* const old = socket.peer;
  if (peer != nullptr) peer->references++;
  socket.peer = peer;
  if (old != nullptr) release(*old);
}

void wake(UnixSocket& socket) {
  socket.in.read_event++;
  socket.in.write_event++;
}

/// The socket is no more, but for those who still refer to it.
void end(UnixSocket& socket) {
  socket.open = false;
  while (socket.first_waiting != nullptr) {
    UnixSocket& unheard = *socket.first_waiting;
    socket.first_waiting = unheard.next_waiting;
    if (unheard.peer != nullptr)
      unheard.peer->pending_error = static_cast<std::uint8_t>(Errc::Reset);
    end(unheard);
  }
  forget_unix_name(socket);
  UnixSocket* const peer = socket.peer;
  if (peer != nullptr && socket.type == SocketType::Stream) {
    peer->shut_read = peer->shut_write = true;
    if (socket.in.used() != 0) peer->pending_error = static_cast<std::uint8_t>(Errc::Reset);
    wake(*peer);
  }
  empty_pipe(socket.in);
  wake(socket);
  set_peer(socket, nullptr);
  release(socket);
}

/// An open file for the socket, whose reference it takes over.
OpenFile* open_as(UnixSocket& socket, std::uint32_t flags) {
  OpenFile* const file = new_open_file(FileKind::UnixSocket, flags | kOpenReadWrite);
  if (file != nullptr) file->unix_socket = &socket;
  return file;
}

OpenFile* new_file(SocketType type, std::uint32_t flags) {
  UnixSocket* const socket = new_socket(type);
  if (socket == nullptr) return nullptr;
  OpenFile* const file = open_as(*socket, flags);
  if (file == nullptr) release(*socket);
  return file;
}

void join(UnixSocket& a, UnixSocket& b) {
  set_peer(a, &b);
  set_peer(b, &a);
}

/// Leaves the other end of a new connection to be accepted.
void leave_with(UnixSocket& listener, UnixSocket& server) {
  UnixSocket** link = &listener.first_waiting;
  while (*link != nullptr) link = &(*link)->next_waiting;
  *link = &server;
  listener.waiting++;
  listener.in.read_event++;
}

/// Whether the connection is made; false: too many wait, and `wait` watches for that to change.
Outcome<bool> try_connect(UnixSocket& socket, const UnixName& name, rt::WaitSet& wait) {
  const FileSystemLock lock;
  if (socket.listening) return std::unexpected{Errc::BadArgument};
  if (socket.peer != nullptr) return std::unexpected{Errc::Exists};
  UnixSocket& listener = *XOK_TRY(find_unix(name));
  if (listener.type != socket.type) return std::unexpected{Errc::BadFormat};
  if (!listener.listening) return std::unexpected{Errc::Refused};
  wait.watch(listener.in.write_event);
  if (listener.waiting > listener.backlog) return false;
  UnixSocket* const server = new_socket(socket.type);
  if (server == nullptr) return std::unexpected{Errc::NoMemory};
  server->name = listener.name;
  server->made_by_listener = true;
  server->owner = listener.owner;
  server->peer_owner = socket.owner = this_process();
  socket.peer_owner = listener.owner;
  join(socket, *server);
  leave_with(listener, *server);
  return true;
}

Outcome<> connect_stream(OpenFile& file, const UnixName& name) {
  UnixSocket& socket = *file.unix_socket;
  const std::uint64_t deadline_ns = deadline_after(socket.options.send_timeout_ns);
  for (;;) {
    rt::WaitSet wait;
    if (XOK_TRY(try_connect(socket, name, wait))) return {};
    if ((file.flags & kOpenNonBlocking) != 0) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(sleep_for_socket(wait, deadline_ns));
  }
}

Outcome<> connect_datagram(UnixSocket& socket, const UnixName* name) {
  const FileSystemLock lock;
  UnixSocket* peer = nullptr;
  if (name != nullptr) {
    peer = XOK_TRY(find_unix(*name));
    if (peer->type != socket.type) return std::unexpected{Errc::BadFormat};
    if (peer->peer != nullptr && peer->peer != &socket)
      return std::unexpected{FsError::NotPermitted};
  }
  set_peer(socket, peer);
  wake(socket);
  return {};
}

/// The oldest connection with an open file, or nullptr: none.
Outcome<OpenFile*> try_accept(UnixSocket& listener, std::uint32_t flags) {
  UnixSocket* const server = listener.first_waiting;
  if (server == nullptr) return nullptr;
  OpenFile* const file = open_as(*server, flags);
  if (file == nullptr) return std::unexpected{Errc::NoMemory};
  listener.first_waiting = server->next_waiting;
  server->next_waiting = nullptr;
  listener.waiting--;
  listener.in.write_event++;
  return file;
}

bool has_room(const UnixSocket* to) {
  return to == nullptr || !to->open || to->in.room() >= Pipe::kAtomic;
}

std::uint32_t poll_stream(const UnixSocket& socket) {
  std::uint32_t bits = 0;
  if (socket.listening) {
    if (socket.first_waiting != nullptr) bits |= kPollIn;
    return bits;
  }
  if (socket.peer == nullptr) return kPollOut | kPollHangUp;
  if (socket.in.used() != 0 || socket.shut_read) bits |= kPollIn;
  if (socket.shut_read) bits |= kPollReadHangUp;
  if (socket.shut_read && socket.shut_write) bits |= kPollHangUp;
  if (socket.shut_write || has_room(socket.peer)) bits |= kPollOut;
  return bits;
}

}  // namespace

Outcome<OpenFile*> make_unix_socket(SocketType type, std::uint32_t flags) {
  const FileSystemLock lock;
  OpenFile* const file = new_file(type, flags);
  if (file == nullptr) return std::unexpected{Errc::NoMemory};
  return file;
}

Outcome<UnixPair> make_unix_pair(SocketType type, std::uint32_t flags) {
  const FileSystemLock lock;
  OpenFile* const first = new_file(type, flags);
  if (first == nullptr) return std::unexpected{Errc::NoMemory};
  OpenFile* const second = new_file(type, flags);
  if (second == nullptr) {
    release_open_file(*first);
    return std::unexpected{Errc::NoMemory};
  }
  join(*first->unix_socket, *second->unix_socket);
  first->unix_socket->peer_owner = second->unix_socket->peer_owner = this_process();
  return UnixPair{first, second};
}

Outcome<> connect_unix(OpenFile& file, const UnixName* name) {
  if (file.unix_socket->type == SocketType::Datagram)
    return connect_datagram(*file.unix_socket, name);
  if (name == nullptr) return std::unexpected{Errc::BadArgument};
  return connect_stream(file, *name);
}

Outcome<> listen_unix(OpenFile& file, int backlog) {
  const FileSystemLock lock;
  UnixSocket& socket = *file.unix_socket;
  if (socket.type != SocketType::Stream) return std::unexpected{Errc::NotSupported};
  if (socket.name.length == 0 || socket.peer != nullptr) return std::unexpected{Errc::BadArgument};
  const auto wanted = static_cast<std::uint32_t>(backlog);
  socket.backlog = wanted > kMaxBacklog ? kMaxBacklog : wanted;
  socket.listening = true;
  socket.owner = this_process();
  socket.in.write_event++;
  return {};
}

Outcome<OpenFile*> accept_unix(OpenFile& file, std::uint32_t flags) {
  UnixSocket& socket = *file.unix_socket;
  if (socket.type != SocketType::Stream) return std::unexpected{Errc::NotSupported};
  const std::uint64_t deadline_ns = deadline_after(socket.options.receive_timeout_ns);
  for (;;) {
    rt::WaitSet wait;
    {
      const FileSystemLock lock;
      if (!socket.listening || socket.shut_read) return std::unexpected{Errc::BadArgument};
      wait.watch(socket.in.read_event);
      OpenFile* const accepted = XOK_TRY(try_accept(socket, flags));
      if (accepted != nullptr) return accepted;
    }
    if ((file.flags & kOpenNonBlocking) != 0) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(sleep_for_socket(wait, deadline_ns));
  }
}

void shutdown_unix(OpenFile& file, Shutdown how) {
  const FileSystemLock lock;
  UnixSocket& socket = *file.unix_socket;
  const bool read = how != Shutdown::Write;
  const bool write = how != Shutdown::Read;
  socket.shut_read |= read;
  socket.shut_write |= write;
  wake(socket);
  if (socket.peer == nullptr) return;
  if (socket.type == SocketType::Stream) {
    socket.peer->shut_read |= write;
    socket.peer->shut_write |= read;
  }
  wake(*socket.peer);
}

std::uint32_t poll_unix(const OpenFile& file) {
  const FileSystemLock lock;
  const UnixSocket& socket = *file.unix_socket;
  std::uint32_t bits = 0;
  if (socket.pending_error != 0) bits |= kPollError;
  if (socket.type == SocketType::Stream) return bits | poll_stream(socket);
  if (socket.in.used() != 0 || socket.shut_read) bits |= kPollIn;
  if (has_room(socket.peer)) bits |= kPollOut;
  return bits;
}

void watch_unix(const OpenFile& file, rt::WaitSet& wait) {
  const FileSystemLock lock;
  wait.watch(file.unix_socket->in.read_event);
  if (file.unix_socket->peer != nullptr) wait.watch(file.unix_socket->peer->in.write_event);
}

void close_unix(OpenFile& file) {
  end(*file.unix_socket);
  file.unix_socket = nullptr;
}

}  // namespace xok::exos
