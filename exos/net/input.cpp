// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/input.hpp"

#include <array>

#include "exos/net/datagram_socket.hpp"
#include "libs/net/dhcp_message.hpp"
#include "libs/net/icmp.hpp"
#include "libs/net/udp.hpp"

namespace xok::exos {
namespace {

/// A packet on its way up.
struct Arrived {
  Network& network;
  net::EthernetView ethernet;
  net::Ipv4View ip;
  bool from_card;

  [[nodiscard]] bool to_one_host() const { return network.is_ours(ip.destination); }
};

void on_arp(Network& network, const net::EthernetView& ethernet) {
  const auto packet = net::parse_arp(ethernet.payload);
  if (!packet.has_value()) return;
  const NetworkConfig& config = network.config();
  const net::Ipv4Address self =
      config.phase == NetworkPhase::Up ? config.interface.address : net::Ipv4Address{};
  const auto reply = network.state().arp.on_packet(network.now_ns(), *packet, self, config.mac);
  if (reply.has_value()) network.send_arp(*reply);
  network.on_neighbour(packet->sender);
}

void answer_echo(const Arrived& arrived, const net::IcmpView& message) {
  std::array<std::uint8_t, kMaxFrame> frame;
  const net::FrameAddresses addresses{.local_mac = arrived.network.config().mac,
                                      .remote_mac = arrived.ethernet.source,
                                      .local = arrived.ip.destination,
                                      .remote = arrived.ip.source};
  const auto size = net::write_echo_frame(frame, addresses, net::IcmpType::EchoReply,
                                          message.identifier, message.sequence, message.payload);
  if (size.has_value())
    (void)arrived.network.transmit({.header = std::span{frame}.first(*size), .payload = {}},
                                   arrived.ip.source);
}

void on_tcp_unreachable(Network& network, const net::IcmpUnreachable& report) {
  const net::TcpSegment answer{.source = report.destination,
                               .destination = report.source,
                               .source_port = report.destination_port,
                               .destination_port = report.source_port};
  net::TcpConnection* const connection = network.state().demux.find(answer);
  if (connection == nullptr) return;
  TcpEndpoint& endpoint = endpoint_of(*connection);
  if (report.code == net::kUnreachableNeedsFragmenting) {
    connection->on_path_mtu(network.tcp(), report.sequence, report.next_hop_mtu);
    network.changed(endpoint);
    return;
  }
  const net::TcpEvents events = connection->on_unreachable(report.sequence, report.reason());
  network.changed(endpoint);
  if (events != 0) network.report(endpoint, events);
}

void on_icmp(const Arrived& arrived) {
  const auto message = net::parse_icmp(arrived.ip);
  if (!message.has_value()) return;
  if (message->type == net::IcmpType::EchoRequest && arrived.to_one_host())
    answer_echo(arrived, *message);
  if (message->type != net::IcmpType::Unreachable) return;
  const auto report = net::parse_unreachable(*message);
  if (!report.has_value()) return;
  if (report->protocol == net::kProtocolTcp) on_tcp_unreachable(arrived.network, *report);
  if (report->protocol == net::kProtocolUdp) note_datagram_error(arrived.network, *report);
}

void on_udp(const Arrived& arrived) {
  const auto datagram = net::parse_udp(arrived.ip);
  if (!datagram.has_value()) return;
  const bool for_dhcp = datagram->destination_port == net::kDhcpClientPort &&
                        datagram->source_port == net::kDhcpServerPort && arrived.from_card;
  if (for_dhcp) return arrived.network.on_dhcp(datagram->payload);
  const bool taken = deliver_datagram(arrived.network, arrived.ip, *datagram);
  if (taken || !arrived.to_one_host()) return;
  std::array<std::uint8_t, net::kUnreachableFrameMax> frame;
  const net::FrameAddresses addresses{.local_mac = arrived.network.config().mac,
                                      .remote_mac = arrived.ethernet.source,
                                      .local = arrived.ip.destination,
                                      .remote = arrived.ip.source};
  const std::size_t size =
      net::write_unreachable_frame(frame, addresses, net::kUnreachablePort, arrived.ip);
  (void)arrived.network.transmit({.header = std::span{frame}.first(size), .payload = {}},
                                 arrived.ip.source);
}

/// Memory for a connection that a listener may take.
net::TcpResources accept_memory(Network& network, const net::TcpListener& listener) {
  TcpEndpoint* const endpoint = network.new_endpoint();
  if (endpoint == nullptr) return {};
  endpoint->listener =
      reinterpret_cast<Socket*>(listener.cookie);  // NOLINT(performance-no-int-to-ptr)
  return {&endpoint->connection,
          {reinterpret_cast<std::uint8_t*>(endpoint->receive_block), kBlockBytes}};
}

void on_tcp(const Arrived& arrived) {
  Network& network = arrived.network;
  // Between ourselves the bytes were never on a wire.
  const auto checksum =
      arrived.from_card ? net::ReceiveChecksum::Verify : net::ReceiveChecksum::Trusted;
  const auto segment = net::parse_tcp(arrived.ip, checksum);
  if (!segment.has_value()) return;
  const net::MacAddress peer_mac = arrived.from_card ? arrived.ethernet.source : net::MacAddress{};
  TcpEndpoint* offered = nullptr;
  const auto acceptor = [&](const net::TcpListener& listener, const net::TcpFlow& /*flow*/) {
    const net::TcpResources resources = accept_memory(network, listener);
    if (resources.connection != nullptr) offered = &endpoint_of(*resources.connection);
    return resources;
  };
  const net::TcpDelivery delivery = network.state().demux.on_segment(
      network.tcp(), *segment, network.config().mac, peer_mac, acceptor);
  if (offered != nullptr && !delivery.opened) network.free_endpoint(*offered);
  if (delivery.connection != nullptr && delivery.events != 0)
    network.report(endpoint_of(*delivery.connection), delivery.events);
}

/// Whether the addresses can be true: ours only between ourselves, and the packet is for us.
bool plausible(const Network& network, const net::Ipv4View& ip, bool from_card) {
  if (ip.source.is_multicast() || ip.source.is_broadcast()) return false;
  if (!from_card) return network.is_ours(ip.destination);
  if (is_localhost(ip.source) || is_localhost(ip.destination)) return false;
  if (network.is_ours(ip.source)) return false;
  return network.config().phase == NetworkPhase::Up
             ? network.config().interface.accepts(ip.destination)
             : true;
}

}  // namespace

void receive_frame(Network& network, const ReceivedFrame& frame) {
  const auto ethernet = net::parse_ethernet(frame.bytes);
  if (!ethernet.has_value()) return;
  const bool from_card = frame.interface != kLoopbackInterface;
  if (ethernet->type == net::kEtherTypeArp && from_card) return on_arp(network, *ethernet);
  if (ethernet->type != net::kEtherTypeIpv4) return;
  const auto ip = net::parse_ipv4(ethernet->payload);
  if (!ip.has_value() || !plausible(network, *ip, from_card)) return;
  const Arrived arrived{network, *ethernet, *ip, from_card};
  deliver_raw(network, *ip);
  switch (ip->protocol) {
    case net::kProtocolIcmp:
      return on_icmp(arrived);
    case net::kProtocolUdp:
      return on_udp(arrived);
    case net::kProtocolTcp:
      return on_tcp(arrived);
    default:
      return;
  }
}

}  // namespace xok::exos
