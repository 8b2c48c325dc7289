// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "exos/net/config.hpp"
#include "exos/net/network_state.hpp"
#include "exos/rt/lock.hpp"
#include "libs/net/ipv4.hpp"
#include "libs/net/tcp_connection.hpp"

namespace xok::exos {

/// A stay inside the network's shared state: holds the lock, knows the time, runs the protocols.
/// Whoever makes one first takes the frames that have come (`take_frames`), so that no process
/// waits for the service. Not to be held while blocking; the file lock is never taken inside.
///
/// Cost  about 90 instructions when nothing has come
class Network {
 public:
  Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  /// Wakes the service if its plans are out of date.
  ~Network();

  [[nodiscard]] NetworkState& state() const { return state_; }
  [[nodiscard]] const NetworkConfig& config() const { return config_; }
  /// Frames popped during this stay.
  [[nodiscard]] std::uint32_t taken() const { return taken_; }
  [[nodiscard]] std::uint64_t now_ns() const { return context_.now_ns; }

  /// Handles every frame that has come, those that this causes included, up to a bound.
  void take_frames();
  /// Does what has fallen due: TCP, ARP, DHCP.
  void run_timers();
  [[nodiscard]] std::uint64_t next_deadline() const;

  // --- Output ---------------------------------------------------------------------------------

  /// Sends a frame whose Ethernet header is still to be written. Frames to ourselves go to the
  /// loopback; others wait a little if the next hop must be asked for.
  /// Returns  Errc::Unreachable  no way there
  Result<> transmit(const net::OutPacket& packet, net::Ipv4Address destination);
  /// The address that packets to `destination` leave with. Errors  Unreachable
  [[nodiscard]] Result<net::Ipv4Address> source_for(net::Ipv4Address destination) const;
  [[nodiscard]] bool is_ours(net::Ipv4Address address) const;
  void send_arp(const net::ArpPacket& packet);
  /// ARP has heard of an address: what waits for it is sent.
  void on_neighbour(net::Ipv4Address hop);
  /// Asks for an address again, or for the first time (the service does).
  void start_dhcp(std::uint64_t seed);
  /// A message from a DHCP server.
  void on_dhcp(std::span<const std::uint8_t> payload);

  // --- TCP ------------------------------------------------------------------------------------

  /// What calls on a connection need; `options` as the socket has them.
  [[nodiscard]] const net::TcpContext& tcp() const { return context_; }
  [[nodiscard]] net::TcpContext tcp_for(const Socket& socket);

  /// A new endpoint with its memory, in the list. nullptr: no memory, or too many.
  TcpEndpoint* new_endpoint();
  /// Takes one out whose connection is Closed.
  void free_endpoint(TcpEndpoint& endpoint);
  /// To be called after every direct call on a connection.
  void changed(TcpEndpoint& endpoint);
  /// Brings endpoint and socket up to date with what the connection reports.
  void report(TcpEndpoint& endpoint, net::TcpEvents events);

  std::byte* take_block();
  void give_block(std::byte* block);

 private:
  void hold_frame(const net::OutPacket& packet, net::Ipv4Address hop);
  void fail_hop(net::Ipv4Address hop);
  void send_dhcp(const net::DhcpOutput& output);
  void note_ready(TcpEndpoint& endpoint);

  struct Source {
    std::size_t operator()(const net::TcpConnection& connection, std::uint64_t offset,
                           std::uint32_t length, std::span<net::PayloadPiece> out) const;
  };
  struct Sink {
    Network& network;
    void operator()(const net::OutPacket& packet) const;
  };

  rt::Locked locked_;
  NetworkState& state_;
  const NetworkConfig config_;
  Source source_;
  Sink sink_{*this};
  net::TcpConfig own_config_;  ///< of tcp_for
  net::TcpContext context_;
  std::uint32_t taken_ = 0;
};

/// The endpoint that a connection belongs to.
inline TcpEndpoint& endpoint_of(const net::TcpConnection& connection) {
  return *reinterpret_cast<TcpEndpoint*>(connection.cookie());  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace xok::exos
