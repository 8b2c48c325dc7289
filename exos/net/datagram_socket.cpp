// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/datagram_socket.hpp"

#include <array>
#include <cstring>

#include "exos/net/socket_waits.hpp"

namespace xok::exos {
namespace {

/// Each socket's queue is one block, taken when the first datagram comes.
bool has_queue(Network& network, Socket& socket) {
  if (socket.queue.attached()) return true;
  socket.queue_block = network.take_block();
  if (socket.queue_block == nullptr) return false;
  socket.queue.attach({socket.queue_block, kBlockBytes});
  return true;
}

void queue_packet(Network& network, Socket& socket, const Endpoint& source,
                  std::span<const std::uint8_t> first, std::span<const std::uint8_t> second) {
  if (socket.read_shut || !has_queue(network, socket)) return;
  if (socket.queue.push(source.address, source.port, first, second)) socket.event++;
}

bool at_address(const Socket& socket, net::Ipv4Address destination) {
  return socket.local.address.is_zero() || socket.local.address == destination;
}
bool from_peer(const Socket& socket, const Endpoint& source) {
  return socket.peer.address.is_zero() || socket.peer == source;
}

/// The bytes of `frame` used. Errors  TooBig
Result<std::size_t> write_raw_frame(std::span<std::uint8_t, kMaxFrame> frame, const Socket& socket,
                                    const net::Ipv4Fields& fields,
                                    std::span<const std::byte> bytes) {
  const std::size_t headers =
      net::kEthernetHeaderSize + (socket.options.include_header ? 0 : net::kIpv4HeaderSize);
  if (bytes.size() > frame.size() - headers) return fail(Errc::TooBig);
  net::write_ethernet(frame.first<net::kEthernetHeaderSize>(), {}, {}, net::kEtherTypeIpv4);
  if (!socket.options.include_header)
    net::write_ipv4(frame.subspan<net::kEthernetHeaderSize, net::kIpv4HeaderSize>(), fields);
  if (!bytes.empty()) std::memcpy(frame.data() + headers, bytes.data(), bytes.size());
  return headers + bytes.size();
}

Result<std::size_t> write_frame(std::span<std::uint8_t, kMaxFrame> frame, const Socket& socket,
                                net::Ipv4Address source, const Endpoint& peer,
                                std::span<const std::byte> bytes) {
  if (socket.type == SocketType::Raw) {
    return write_raw_frame(frame, socket,
                           {.source = source,
                            .destination = peer.address,
                            .protocol = socket.protocol,
                            .payload_length = static_cast<std::uint16_t>(bytes.size()),
                            .ttl = socket.options.ttl},
                           bytes);
  }
  const net::FrameAddresses addresses{
      .local_mac = {}, .remote_mac = {}, .local = source, .remote = peer.address};
  const auto size =
      net::write_udp_frame(frame, addresses, socket.local.port, peer.port,
                           {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!size.has_value()) return fail(Errc::TooBig);  // no fragments are made
  return *size;
}

Received take_datagram(Socket& socket, const DatagramQueue::Entry& entry, std::span<std::byte> to,
                       Peek peek) {
  const std::size_t n = entry.bytes.size() < to.size() ? entry.bytes.size() : to.size();
  if (n != 0) std::memcpy(to.data(), entry.bytes.data(), n);
  const Received received{.bytes = n,
                          .length = entry.bytes.size(),
                          .peer = {.address = entry.source, .port = entry.port}};
  if (peek == Peek::No) socket.queue.pop();
  return received;
}

}  // namespace

Outcome<std::size_t> send_datagram(Socket& socket, std::span<const std::byte> bytes,
                                   Endpoint peer) {
  XOK_TRY(wait_for_address(peer.address));
  Network network;
  network.take_frames();
  XOK_TRY(take_pending_error(socket));
  if (socket.write_shut) return std::unexpected{Errc::Closed};
  if (peer.address.is_zero()) peer.address = kLocalhost;
  const bool broadcast =
      peer.address.is_broadcast() || (network.config().phase == NetworkPhase::Up &&
                                      peer.address == network.config().interface.broadcast());
  if (broadcast && !socket.options.broadcast) return std::unexpected{Errc::Denied};
  net::Ipv4Address source = socket.local.address;
  if (source.is_zero()) {
    const auto chosen = broadcast ? Result<net::Ipv4Address>{network.config().interface.address}
                                  : network.source_for(peer.address);
    source = XOK_TRY(chosen);
  }
  if (socket.type == SocketType::Datagram) XOK_TRY(bind_if_needed(network, socket));
  std::array<std::uint8_t, kMaxFrame> frame;
  const std::size_t size = XOK_TRY(write_frame(frame, socket, source, peer, bytes));
  XOK_TRY(network.transmit({.header = std::span{frame}.first(size), .payload = {}}, peer.address));
  network.take_frames();
  return bytes.size();
}

Outcome<Received> receive_datagram(Socket& socket, std::span<std::byte> to, Peek peek,
                                   bool blocking) {
  const std::uint64_t deadline = deadline_after(socket.options.receive_timeout_ns);
  for (;;) {
    rt::WaitSet wait;
    wait.watch(socket.event);
    {
      Network network;
      network.take_frames();
      if (const auto entry = socket.queue.front()) return take_datagram(socket, *entry, to, peek);
      XOK_TRY(take_pending_error(socket));
      if (socket.read_shut) return Received{};
    }
    if (!blocking) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(sleep_for_socket(wait, deadline));
  }
}

bool deliver_datagram(Network& network, const net::Ipv4View& ip, const net::UdpView& datagram) {
  const Endpoint source{.address = ip.source, .port = datagram.source_port};
  Socket* best = nullptr;
  for (Socket* socket = network.state().sockets; socket != nullptr; socket = socket->next) {
    if (socket->type != SocketType::Datagram || !socket->bound) continue;
    if (socket->local.port != datagram.destination_port) continue;
    if (!at_address(*socket, ip.destination) || !from_peer(*socket, source)) continue;
    if (best == nullptr || !socket->peer.address.is_zero()) best = socket;
  }
  if (best == nullptr) return false;
  queue_packet(network, *best, source, datagram.payload, {});
  return true;
}

void deliver_raw(Network& network, const net::Ipv4View& ip) {
  if (network.state().raw_sockets == 0) return;
  const Endpoint source{.address = ip.source};
  for (Socket* socket = network.state().sockets; socket != nullptr; socket = socket->next) {
    if (socket->type != SocketType::Raw || socket->protocol != ip.protocol) continue;
    if (!at_address(*socket, ip.destination) || !from_peer(*socket, source)) continue;
    queue_packet(network, *socket, source, ip.header, ip.payload);
  }
}

void note_datagram_error(Network& network, const net::IcmpUnreachable& report) {
  const Endpoint peer{.address = report.destination, .port = report.destination_port};
  for (Socket* socket = network.state().sockets; socket != nullptr; socket = socket->next) {
    if (socket->type != SocketType::Datagram || socket->peer != peer) continue;
    if (socket->local.port != report.source_port) continue;
    socket->pending_error = static_cast<std::uint16_t>(report.reason());
    socket->event++;
  }
}

}  // namespace xok::exos
