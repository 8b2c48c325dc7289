// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Frames out, endpoints and their memory, timers. Frames in are in input.cpp.
#include "exos/net/network.hpp"

#include <cstring>

#include "base/byte_order.hpp"
#include "exos/arena.hpp"
#include "exos/net/input.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"
#include "libs/net/udp.hpp"

namespace xok::exos {
namespace {

constexpr std::size_t kDestinationAddress = net::kEthernetHeaderSize + 16;
constexpr std::size_t kSourceMac = 6;

bool is_set(const net::MacAddress& mac) { return !(mac == net::MacAddress{}); }

}  // namespace

std::size_t Network::Source::operator()(const net::TcpConnection& connection, std::uint64_t offset,
                                        std::uint32_t length,
                                        std::span<net::PayloadPiece> out) const {
  return endpoint_of(connection).send.gather(offset, length, out);
}

void Network::Sink::operator()(const net::OutPacket& packet) const {
  const net::Ipv4Address destination{
      load_be<std::uint32_t>(packet.header.data() + kDestinationAddress)};
  // What cannot leave is lost, as on a wire: the connection's timer deals with it.
  (void)network.transmit(packet, destination);
}

Network::Network()
    : locked_{shared().net_lock},
      state_{shared().net},
      config_{network_config()},
      context_{rt::monotonic_ns(), state_.tcp_config, source_, sink_} {}

Network::~Network() {
  const bool too_far = taken_ >= state_.service_watches;
  state_.service_watches -= too_far ? state_.service_watches : taken_;
  if (too_far || state_.demux.next_deadline() < state_.service_wake_ns) state_.timer_event++;
}

void Network::take_frames() {
  // Frames to ourselves come back while we work: bounded, the rest is the next one's.
  for (std::uint32_t n = 0; n < 2 * kServiceRingSlots; n++) {
    const ReceivedFrame frame = state_.ring.front();
    if (frame.bytes.empty()) return;
    receive_frame(*this, frame);
    state_.ring.pop();
    taken_++;
  }
}

// -- Timers

void Network::run_timers() {
  state_.demux.on_timer(context_, [this](net::TcpConnection& connection, net::TcpEvents events) {
    report(endpoint_of(connection), events);
  });
  state_.arp.on_timer(now_ns(), [this](net::Ipv4Address address) {
    send_arp({.sender_mac = config().mac, .sender = config().interface.address, .target = address});
  });
  for (const HeldFrame& held : state_.held) {
    if (held.length == 0) continue;
    const net::ArpAnswer answer = state_.arp.resolve(now_ns(), held.hop);
    if (answer.status == net::ArpAnswer::Status::Failed) fail_hop(held.hop);
  }
  const auto sink = [this](const net::DhcpOutput& output) { send_dhcp(output); };
  if (state_.dhcp.next_deadline() <= now_ns() &&
      state_.dhcp.on_timer(now_ns(), sink) == net::DhcpClient::Change::Changed)
    state_.lease_changed = 1;
}

std::uint64_t Network::next_deadline() const {
  std::uint64_t next = state_.demux.next_deadline();
  for (const std::uint64_t other : {state_.arp.next_deadline(), state_.dhcp.next_deadline()})
    if (other < next) next = other;
  return next;
}

// -- Output

bool Network::is_ours(net::Ipv4Address address) const {
  if (is_localhost(address)) return true;
  return config().phase == NetworkPhase::Up && address == config().interface.address;
}

Result<net::Ipv4Address> Network::source_for(net::Ipv4Address destination) const {
  if (is_localhost(destination)) return kLocalhost;
  if (config().phase != NetworkPhase::Up) return fail(Errc::Unreachable);
  if (!is_ours(destination)) XOK_TRY(net::next_hop(config().interface, destination));
  return config().interface.address;
}

Result<> Network::transmit(const net::OutPacket& packet, net::Ipv4Address destination) {
  if (is_ours(destination)) {
    send_frame(kLoopbackInterface, packet);
    return {};
  }
  if (config().phase != NetworkPhase::Up) return fail(Errc::Unreachable);
  std::uint8_t* const header = packet.header.data();
  net::store_mac(header + kSourceMac, config().mac);
  const net::Ipv4Interface& interface = config().interface;
  if (destination.is_broadcast() || destination == interface.broadcast()) {
    net::store_mac(header, net::kBroadcastMac);
  } else if (!is_set(net::load_mac(header))) {
    const net::Ipv4Address hop = XOK_TRY(net::next_hop(interface, destination));
    const net::ArpAnswer answer = state_.arp.resolve(now_ns(), hop);
    if (answer.send_request) {
      send_arp({.sender_mac = config().mac, .sender = interface.address, .target = hop});
      state_.timer_event++;
    }
    if (answer.status == net::ArpAnswer::Status::Failed) return fail(Errc::Unreachable);
    if (answer.status == net::ArpAnswer::Status::Pending) {
      hold_frame(packet, hop);
      return {};
    }
    net::store_mac(header, answer.mac);
  }
  send_frame(kCardInterface, packet);
  return {};
}

void Network::send_arp(const net::ArpPacket& packet) {
  std::array<std::uint8_t, net::kArpFrameSize> frame;
  net::write_arp_frame(frame, packet);
  send_frame(kCardInterface, {.header = frame, .payload = {}});
}

/// Keeps a frame until its next hop answers; without room it is lost.
void Network::hold_frame(const net::OutPacket& packet, net::Ipv4Address hop) {
  for (HeldFrame& held : state_.held) {
    if (held.length != 0) continue;
    std::size_t length = packet.header.size();
    std::memcpy(held.bytes.data(), packet.header.data(), length);
    for (const net::PayloadPiece& piece : packet.payload) {
      if (piece.length > held.bytes.size() - length) return;
      std::memcpy(held.bytes.data() + length, piece.data, piece.length);
      length += piece.length;
    }
    held.hop = hop;
    held.length = static_cast<std::uint32_t>(length);
    return;
  }
}

void Network::on_neighbour(net::Ipv4Address hop) {
  for (HeldFrame& held : state_.held) {
    if (held.length == 0 || held.hop != hop) continue;
    const net::ArpAnswer answer = state_.arp.resolve(now_ns(), hop);
    if (answer.status != net::ArpAnswer::Status::Resolved) return;
    net::store_mac(held.bytes.data(), answer.mac);
    send_frame(kCardInterface, {.header = std::span{held.bytes}.first(held.length), .payload = {}});
    held.length = 0;
  }
}

/// Nobody answers there: drops what waits, and ends connections that were being opened.
void Network::fail_hop(net::Ipv4Address hop) {
  for (HeldFrame& held : state_.held)
    if (held.hop == hop) held.length = 0;
  TcpEndpoint* next = nullptr;
  for (TcpEndpoint* endpoint = state_.endpoints; endpoint != nullptr; endpoint = next) {
    next = endpoint->next;
    net::TcpConnection& connection = endpoint->connection;
    if (connection.state() != net::TcpState::SynSent) continue;
    const auto via = net::next_hop(config().interface, connection.flow().remote);
    if (!via.has_value() || *via != hop) continue;
    if (endpoint->socket != nullptr)
      endpoint->socket->pending_error = static_cast<std::uint16_t>(Errc::Unreachable);
    connection.abort(context_);
    changed(*endpoint);
    report(*endpoint, net::kTcpClosed);
  }
}

void Network::start_dhcp(std::uint64_t seed) {
  state_.dhcp.start(now_ns(), config().mac, seed,
                    [this](const net::DhcpOutput& output) { send_dhcp(output); });
}

void Network::on_dhcp(std::span<const std::uint8_t> payload) {
  const auto sink = [this](const net::DhcpOutput& output) { send_dhcp(output); };
  if (state_.dhcp.on_message(now_ns(), payload, sink) != net::DhcpClient::Change::Changed) return;
  // Only the service can change the filters that go with an address.
  state_.lease_changed = 1;
  state_.timer_event++;
}

void Network::send_dhcp(const net::DhcpOutput& output) {
  std::array<std::uint8_t, kMaxFrame> frame;
  const net::FrameAddresses addresses{.local_mac = config().mac,
                                      .remote_mac = net::kBroadcastMac,
                                      .local = output.source,
                                      .remote = output.destination};
  const auto size = net::write_udp_frame(frame, addresses, net::kDhcpClientPort,
                                         net::kDhcpServerPort, output.payload);
  if (size.has_value())
    send_frame(kCardInterface, {.header = std::span{frame}.first(*size), .payload = {}});
}

// -- TCP endpoints

net::TcpContext Network::tcp_for(const Socket& socket) {
  own_config_ = state_.tcp_config;
  own_config_.nagle = !socket.options.no_delay;
  return {context_.now_ns, own_config_, source_, sink_};
}

std::byte* Network::take_block() {
  if (state_.free_blocks == nullptr)
    return static_cast<std::byte*>(arena().allocate_pages(kBlockPages));
  auto* block = static_cast<std::byte*>(state_.free_blocks);
  std::memcpy(&state_.free_blocks, block, sizeof state_.free_blocks);
  state_.free_block_count--;
  return block;
}

void Network::give_block(std::byte* block) {
  if (block == nullptr) return;
  if (state_.free_block_count >= kSpareBlocks) {
    arena().free_pages(block, kBlockPages);
    return;
  }
  std::memcpy(block, &state_.free_blocks, sizeof state_.free_blocks);
  state_.free_blocks = block;
  state_.free_block_count++;
}

TcpEndpoint* Network::new_endpoint() {
  if (state_.endpoint_count >= kMaxEndpoints) return nullptr;
  auto* endpoint = pool_new<TcpEndpoint>(state_.endpoint_pool);
  if (endpoint == nullptr) return nullptr;
  endpoint->receive_block = take_block();
  endpoint->send_block = take_block();
  if (endpoint->receive_block == nullptr || endpoint->send_block == nullptr) {
    give_block(endpoint->receive_block);
    give_block(endpoint->send_block);
    pool_give(state_.endpoint_pool, endpoint);
    return nullptr;
  }
  (void)endpoint->send.attach({reinterpret_cast<std::uint8_t*>(endpoint->send_block), kBlockBytes});
  endpoint->connection.set_cookie(reinterpret_cast<std::uint64_t>(endpoint));
  endpoint->next = state_.endpoints;
  state_.endpoints = endpoint;
  state_.endpoint_count++;
  return endpoint;
}

void Network::free_endpoint(TcpEndpoint& endpoint) {
  for (TcpEndpoint** link = &state_.endpoints; *link != nullptr; link = &(*link)->next) {
    if (*link != &endpoint) continue;
    *link = endpoint.next;
    break;
  }
  state_.endpoint_count--;
  give_block(endpoint.receive_block);
  give_block(endpoint.send_block);
  pool_give(state_.endpoint_pool, &endpoint);
}

void Network::changed(TcpEndpoint& endpoint) {
  state_.demux.changed(context_, endpoint.connection);
}

/// A handshake with a listener is complete: into its queue.
void Network::note_ready(TcpEndpoint& endpoint) {
  Socket& listener = *endpoint.listener;
  endpoint.ready = true;
  endpoint.next_ready = nullptr;
  (listener.last_ready == nullptr ? listener.first_ready : listener.last_ready->next_ready) =
      &endpoint;
  listener.last_ready = &endpoint;
  listener.event++;
}

void Network::report(TcpEndpoint& endpoint, net::TcpEvents events) {
  if ((events & net::kTcpAcknowledged) != 0)
    (void)endpoint.send.release(endpoint.connection.acknowledged());
  const bool closed = (events & net::kTcpClosed) != 0;
  Socket* const socket = endpoint.socket;
  if (socket == nullptr) {
    if ((events & net::kTcpConnected) != 0 && endpoint.listener != nullptr && !endpoint.ready)
      note_ready(endpoint);
    if (closed && !endpoint.ready) free_endpoint(endpoint);
    return;
  }
  socket->event++;
  const auto error = endpoint.connection.error();
  if (closed && error.has_value() && socket->pending_error == 0)
    socket->pending_error = static_cast<std::uint16_t>(*error);
  if (!socket->connecting || (events & (net::kTcpConnected | net::kTcpClosed)) == 0) return;
  socket->connecting = false;
  if (!closed) return;
  // It never was connected: the socket may try again.
  socket->endpoint = nullptr;
  endpoint.socket = nullptr;
  free_endpoint(endpoint);
}

}  // namespace xok::exos
