// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Bytes through local sockets. A stream's queue holds the bytes alone; datagrams lie in it one
// after another, each as a head, the sender's name and its bytes, whole or not at all.
#include "exos/fd/pipe_files.hpp"
#include "exos/net/socket_waits.hpp"
#include "exos/net/unix_socket.hpp"
#include "exos/proc/file_system.hpp"

namespace xok::exos {
namespace {

struct Head {
  std::uint32_t length;
  std::uint32_t name_length;
};

bool blocks(const OpenFile& file, Wait wait) {
  return wait == Wait::Yes && (file.flags & kOpenNonBlocking) == 0;
}

Outcome<> take_error(UnixSocket& socket) {
  if (socket.pending_error == 0) return {};
  const auto error = static_cast<Errc>(socket.pending_error);
  socket.pending_error = 0;
  return std::unexpected{error};
}

/// Sends what there is room for. Errors  as send_unix
Outcome<std::size_t> put_bytes(UnixSocket& socket, std::span<const std::byte> from,
                               rt::WaitSet& wait) {
  const FileSystemLock lock;
  if (socket.peer == nullptr) return std::unexpected{Errc::NotConnected};
  if (socket.shut_write) return std::unexpected{Errc::Closed};
  Pipe& to = socket.peer->in;
  wait.watch(to.write_event);
  const bool full = to.room() == 0;
  const std::size_t n = fill_pipe(to, from);
  if (n == 0 && !full && !from.empty()) return std::unexpected{Errc::NoMemory};
  return n;
}

Outcome<std::size_t> send_stream(OpenFile& file, std::span<const std::byte> from, Wait mode) {
  UnixSocket& socket = *file.unix_socket;
  const std::uint64_t deadline_ns = deadline_after(socket.options.send_timeout_ns);
  std::size_t done = 0;
  for (;;) {
    rt::WaitSet wait;
    const auto n = put_bytes(socket, from.subspan(done), wait);
    if (!n.has_value() && done == 0) return n;
    if (!n.has_value()) return done;
    done += *n;
    if (done == from.size()) return done;
    auto slept = blocks(file, mode) ? sleep_for_socket(wait, deadline_ns)
                                    : Outcome<>{std::unexpected{Errc::WouldBlock}};
    if (!slept.has_value() && done != 0) return done;
    if (!slept.has_value()) return std::unexpected{slept.error()};
  }
}

/// Whom a datagram goes to.
Outcome<UnixSocket*> receiver_of(UnixSocket& socket, const UnixName* name) {
  UnixSocket* const to = name != nullptr ? XOK_TRY(find_unix(*name)) : socket.peer;
  if (to == nullptr) return std::unexpected{Errc::NotConnected};
  if (!to->open) return std::unexpected{Errc::Refused};
  if (to->type != socket.type) return std::unexpected{Errc::BadFormat};
  if (to->peer != nullptr && to->peer != &socket) return std::unexpected{FsError::NotPermitted};
  if (to->shut_read || socket.shut_write) return std::unexpected{Errc::Closed};
  return to;
}

bool put_whole(Pipe& queue, std::span<const std::byte> bytes, std::size_t& done) {
  const std::size_t n = fill_pipe(queue, bytes);
  done += n;
  return n == bytes.size();
}

/// Whether it was sent; false: there is no room, and `wait` watches for it.
Outcome<bool> put_datagram(UnixSocket& socket, std::span<const std::byte> bytes,
                           const UnixName* name, rt::WaitSet& wait) {
  const FileSystemLock lock;
  Pipe& queue = XOK_TRY(receiver_of(socket, name))->in;
  const Head head{.length = static_cast<std::uint32_t>(bytes.size()),
                  .name_length = socket.name.length};
  const std::size_t need = sizeof head + head.name_length + bytes.size();
  if (need > Pipe::kCapacity) return std::unexpected{Errc::TooBig};
  wait.watch(queue.write_event);
  if (queue.room() < need) return false;
  std::size_t done = 0;
  const auto sender = std::as_bytes(std::span{socket.name.bytes}.first(head.name_length));
  if (put_whole(queue, std::as_bytes(std::span{&head, 1}), done) &&
      put_whole(queue, sender, done) && put_whole(queue, bytes, done))
    return true;
  queue.head -= done;  // memory is short: as if nothing had been sent
  return std::unexpected{Errc::NoMemory};
}

Outcome<std::size_t> send_datagram(OpenFile& file, std::span<const std::byte> bytes,
                                   const UnixName* to, Wait mode) {
  UnixSocket& socket = *file.unix_socket;
  const std::uint64_t deadline_ns = deadline_after(socket.options.send_timeout_ns);
  for (;;) {
    rt::WaitSet wait;
    if (XOK_TRY(put_datagram(socket, bytes, to, wait))) return bytes.size();
    if (!blocks(file, mode)) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(sleep_for_socket(wait, deadline_ns));
  }
}

/// The bytes of a stream, or its end. Nothing: wait.
Outcome<std::optional<UnixReceived>> take_bytes(UnixSocket& socket, std::span<std::byte> to,
                                                Peek peek) {
  if (socket.peer == nullptr) return std::unexpected{Errc::BadArgument};
  UnixReceived got;
  got.bytes = got.length = socket.in.peek(0, to);
  got.peer = socket.peer->name;
  if (peek == Peek::No && got.bytes != 0) socket.in.take(got.bytes);
  if (got.bytes != 0 || to.empty()) return got;
  XOK_TRY(take_error(socket));
  if (socket.shut_read) return got;
  return std::nullopt;
}

std::optional<UnixReceived> take_datagram(UnixSocket& socket, std::span<std::byte> to, Peek peek) {
  UnixReceived got;
  if (socket.in.used() == 0) return socket.shut_read ? std::optional{got} : std::nullopt;
  Head head{};
  socket.in.peek(0, std::as_writable_bytes(std::span{&head, 1}));
  got.peer.length = static_cast<std::uint8_t>(head.name_length);
  socket.in.peek(sizeof head,
                 std::as_writable_bytes(std::span{got.peer.bytes}.first(head.name_length)));
  got.length = head.length;
  got.bytes = head.length < to.size() ? head.length : to.size();
  const std::size_t before = sizeof head + head.name_length;
  socket.in.peek(before, to.first(got.bytes));
  if (peek == Peek::No) socket.in.take(before + head.length);
  return got;
}

}  // namespace

Outcome<std::size_t> send_unix(OpenFile& file, std::span<const std::byte> bytes, const UnixName* to,
                               Wait wait) {
  return file.unix_socket->type == SocketType::Stream ? send_stream(file, bytes, wait)
                                                      : send_datagram(file, bytes, to, wait);
}

Outcome<UnixReceived> receive_unix(OpenFile& file, std::span<std::byte> to, Peek peek, Wait mode) {
  UnixSocket& socket = *file.unix_socket;
  const std::uint64_t deadline_ns = deadline_after(socket.options.receive_timeout_ns);
  for (;;) {
    rt::WaitSet wait;
    {
      const FileSystemLock lock;
      wait.watch(socket.in.read_event);
      std::optional<UnixReceived> got;
      if (socket.type == SocketType::Stream)
        got = XOK_TRY(take_bytes(socket, to, peek));
      else
        got = take_datagram(socket, to, peek);
      if (got.has_value()) return *got;
    }
    if (!blocks(file, mode)) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(sleep_for_socket(wait, deadline_ns));
  }
}

std::size_t readable_bytes_unix(const OpenFile& file) {
  const FileSystemLock lock;
  const UnixSocket& socket = *file.unix_socket;
  Head head{};
  if (socket.type == SocketType::Stream || socket.in.used() == 0) return socket.in.used();
  socket.in.peek(0, std::as_writable_bytes(std::span{&head, 1}));
  return head.length;
}

}  // namespace xok::exos
