// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/stream_socket.hpp"

#include <cstring>

#include "exos/fd/descriptors.hpp"
#include "exos/fd/operations.hpp"
#include "exos/net/socket_list.hpp"
#include "exos/net/socket_waits.hpp"
#include "exos/proc/file_system.hpp"

namespace xok::exos {
namespace {

bool closed(const TcpEndpoint& endpoint) {
  return endpoint.connection.state() == net::TcpState::Closed;
}

/// Whether no more bytes will come after those that are there.
bool at_end(const Socket& socket) {
  const TcpEndpoint& endpoint = *socket.endpoint;
  return socket.read_shut || endpoint.connection.peer_finished() || closed(endpoint);
}

Outcome<> begin_connect(Socket& socket, Endpoint peer) {
  Network network;
  network.take_frames();
  if (peer.address.is_zero()) peer.address = kLocalhost;
  const net::Ipv4Address source = XOK_TRY(network.source_for(peer.address));
  if (!socket.local.address.is_zero() && socket.local.address != source &&
      !network.is_ours(socket.local.address))
    return std::unexpected{Errc::NotFound};
  if (socket.local.address.is_zero()) socket.local.address = source;
  XOK_TRY(bind_if_needed(network, socket));
  TcpEndpoint* const endpoint = network.new_endpoint();
  if (endpoint == nullptr) return std::unexpected{Errc::NoMemory};
  endpoint->socket = &socket;
  const net::TcpFlow flow{.local_mac = network.config().mac,
                          .remote_mac = {},
                          .local = socket.local.address,
                          .remote = peer.address,
                          .local_port = socket.local.port,
                          .remote_port = peer.port};
  socket.endpoint = endpoint;
  socket.connecting = true;
  socket.peer = peer;
  const auto opened = network.state().demux.connect(
      network.tcp_for(socket), endpoint->connection, flow,
      {reinterpret_cast<std::uint8_t*>(endpoint->receive_block), kBlockBytes});
  if (!opened.has_value()) {
    socket.endpoint = nullptr;
    socket.connecting = false;
    network.free_endpoint(*endpoint);
    return std::unexpected{opened.error() == Errc::Exists ? Errc::Overlap : opened.error()};
  }
  network.take_frames();
  return {};
}

/// Waits for the end of a connection's opening.
Outcome<> finish_connect(Socket& socket, bool blocking) {
  const std::uint64_t deadline = deadline_after(socket.options.send_timeout_ns);
  for (;;) {
    rt::WaitSet wait;
    wait.watch(socket.event);
    {
      Network network;
      network.take_frames();
      if (!socket.connecting) return take_pending_error(socket);
    }
    if (!blocking) return std::unexpected{Errc::InProgress};
    const auto slept = sleep_for_socket(wait, deadline);
    if (!slept.has_value() && slept.error() == Error{Errc::WouldBlock})
      return std::unexpected{Errc::InProgress};
    XOK_TRY(slept);
  }
}

/// The first connection of the listener's queue, taken out.
TcpEndpoint* take_ready(Network& network, Socket& listener) {
  TcpEndpoint* const endpoint = listener.first_ready;
  if (endpoint == nullptr) return nullptr;
  listener.first_ready = endpoint->next_ready;
  if (listener.first_ready == nullptr) listener.last_ready = nullptr;
  endpoint->ready = false;
  endpoint->listener = nullptr;
  network.state().demux.taken(endpoint->connection);
  return endpoint;
}

/// Ends a connection that nobody has taken from its listener.
void drop_endpoint(Network& network, TcpEndpoint& endpoint) {
  endpoint.listener = nullptr;
  endpoint.connection.abort(network.tcp());
  network.changed(endpoint);
  network.free_endpoint(endpoint);
}

void stop_listening(Network& network, Socket& listener) {
  (void)network.state().demux.unlisten(listener.local.address, listener.local.port);
  TcpEndpoint* next = nullptr;
  for (TcpEndpoint* endpoint = network.state().endpoints; endpoint != nullptr; endpoint = next) {
    next = endpoint->next;
    if (endpoint->listener == &listener) drop_endpoint(network, *endpoint);
  }
  listener.first_ready = listener.last_ready = nullptr;
  listener.listening = false;
}

std::size_t copy_readable(const net::TcpConnection& connection, std::span<std::byte> to) {
  const auto readable = connection.readable();
  std::size_t done = 0;
  for (const auto part : {readable.first, readable.second}) {
    const std::size_t left = to.size() - done;
    const std::size_t n = part.size() < left ? part.size() : left;
    if (n != 0) std::memcpy(to.data() + done, part.data(), n);
    done += n;
  }
  return done;
}

}  // namespace

Outcome<> connect_stream(Socket& socket, Endpoint peer, bool blocking) {
  if (socket.listening) return std::unexpected{Errc::NotSupported};
  if (socket.endpoint == nullptr) {
    XOK_TRY(wait_for_address(peer.address));
    XOK_TRY(begin_connect(socket, peer));
  } else if (!socket.connecting) {
    return std::unexpected{Errc::Exists};
  } else if (!blocking) {
    return std::unexpected{Errc::Busy};
  }
  return finish_connect(socket, blocking);
}

Outcome<> listen_stream(Socket& socket, std::uint16_t backlog) {
  Network network;
  if (socket.endpoint != nullptr) return std::unexpected{Errc::BadArgument};
  if (socket.listening) return {};
  XOK_TRY(bind_if_needed(network, socket));
  XOK_TRY(network.state().demux.listen({.local = socket.local.address,
                                        .port = socket.local.port,
                                        .backlog = backlog,
                                        .pending = 0,
                                        .cookie = reinterpret_cast<std::uint64_t>(&socket)}));
  socket.listening = true;
  return {};
}

Outcome<Accepted> accept_stream(Socket& socket, std::uint32_t flags, bool blocking) {
  const std::uint64_t deadline = deadline_after(socket.options.receive_timeout_ns);
  for (;;) {
    rt::WaitSet wait;
    wait.watch(socket.event);
    bool ready = false;
    {
      Network network;
      network.take_frames();
      if (!socket.listening) return std::unexpected{Errc::BadArgument};
      ready = socket.first_ready != nullptr;
    }
    if (ready) {
      OpenFile* const file = XOK_TRY(new_socket_file({.type = SocketType::Stream, .flags = flags}));
      Network network;
      if (TcpEndpoint* const endpoint = take_ready(network, socket)) {
        Socket& made = *file->socket;
        const net::TcpFlow& flow = endpoint->connection.flow();
        endpoint->socket = &made;
        made.endpoint = endpoint;
        made.local = {.address = flow.local, .port = flow.local_port};
        made.peer = {.address = flow.remote, .port = flow.remote_port};
        made.options = socket.options;
        return Accepted{.file = file, .peer = made.peer};
      }
      discard_socket_file(network, *file);
      continue;  // another process was faster
    }
    if (!blocking) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(sleep_for_socket(wait, deadline));
  }
}

Outcome<std::size_t> send_stream(Socket& socket, std::span<const std::byte> bytes, bool blocking) {
  const std::uint64_t deadline = deadline_after(socket.options.send_timeout_ns);
  std::size_t done = 0;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(socket.event);
    {
      Network network;
      network.take_frames();
      if (done == 0) XOK_TRY(take_pending_error(socket));
      TcpEndpoint* const endpoint = socket.endpoint;
      if (endpoint == nullptr) return std::unexpected{Errc::NotConnected};
      if (socket.write_shut || closed(*endpoint)) {
        if (done != 0) return done;
        return std::unexpected{Errc::Closed};
      }
      if (!socket.connecting) {
        const auto left = bytes.subspan(done);
        done +=
            endpoint->send.write({reinterpret_cast<const std::uint8_t*>(left.data()), left.size()});
        (void)endpoint->connection.send_available(network.tcp_for(socket),
                                                  endpoint->send.written());
        network.changed(*endpoint);
        network.take_frames();
        if (done == bytes.size()) return done;
      }
    }
    const auto waited =
        blocking ? sleep_for_socket(wait, deadline) : Outcome<>{std::unexpected{Errc::WouldBlock}};
    if (waited.has_value()) continue;
    if (done != 0) return done;
    return std::unexpected{waited.error()};
  }
}

Outcome<Received> receive_stream(Socket& socket, std::span<std::byte> to, Peek peek,
                                 bool blocking) {
  const std::uint64_t deadline = deadline_after(socket.options.receive_timeout_ns);
  for (;;) {
    rt::WaitSet wait;
    wait.watch(socket.event);
    {
      Network network;
      network.take_frames();
      TcpEndpoint* const endpoint = socket.endpoint;
      if (endpoint == nullptr) {
        XOK_TRY(take_pending_error(socket));
        return std::unexpected{Errc::NotConnected};
      }
      const std::size_t n = copy_readable(endpoint->connection, to);
      if (n != 0 && peek == Peek::No) {
        (void)endpoint->connection.consume(network.tcp_for(socket), static_cast<std::uint32_t>(n));
        network.changed(*endpoint);
        network.take_frames();
      }
      if (n != 0 || to.empty()) return Received{.bytes = n, .length = n, .peer = socket.peer};
      XOK_TRY(take_pending_error(socket));
      if (!socket.connecting && at_end(socket)) return Received{.peer = socket.peer};
    }
    if (!blocking) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(sleep_for_socket(wait, deadline));
  }
}

Outcome<> shutdown_stream(Socket& socket, Shutdown how) {
  Network network;
  network.take_frames();
  if (socket.listening) {
    // As Linux: it stops listening, and whoever waits in accept hears of it.
    if (how != Shutdown::Write) stop_listening(network, socket);
    socket.event++;
    return {};
  }
  if (socket.endpoint == nullptr) return std::unexpected{Errc::NotConnected};
  if (how != Shutdown::Write) socket.read_shut = true;
  if (how != Shutdown::Read && !socket.write_shut) {
    socket.write_shut = true;
    (void)socket.endpoint->connection.close(network.tcp_for(socket));
    network.changed(*socket.endpoint);
  }
  socket.event++;
  network.take_frames();
  return {};
}

std::uint32_t poll_stream(const Socket& socket) {
  if (socket.listening) return socket.first_ready != nullptr ? std::uint32_t{kPollIn} : 0;
  std::uint32_t bits = 0;
  if (socket.pending_error != 0) bits = kPollError | kPollIn | kPollOut;
  const TcpEndpoint* const endpoint = socket.endpoint;
  if (endpoint == nullptr) return bits | kPollOut | kPollHangUp;
  if (socket.connecting) return bits;
  if (endpoint->connection.readable_bytes() != 0 || at_end(socket)) bits |= kPollIn;
  if (at_end(socket)) bits |= kPollReadHangUp;
  if (closed(*endpoint) || (socket.write_shut && at_end(socket))) bits |= kPollHangUp;
  if (socket.write_shut || closed(*endpoint) || endpoint->send.free_bytes() >= kBlockBytes / 3)
    bits |= kPollOut;
  return bits;
}

void close_stream(Network& network, Socket& socket) {
  if (socket.listening) stop_listening(network, socket);
  TcpEndpoint* const endpoint = socket.endpoint;
  if (endpoint == nullptr) return;
  socket.endpoint = nullptr;
  endpoint->socket = nullptr;
  if (socket.options.linger && socket.options.linger_s == 0) {
    endpoint->connection.abort(network.tcp());
  } else {
    endpoint->connection.detach(network.tcp());
  }
  network.changed(*endpoint);
  if (closed(*endpoint)) network.free_endpoint(*endpoint);
  network.take_frames();
}

}  // namespace xok::exos
