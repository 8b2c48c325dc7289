// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "libs/net/dhcp_message.hpp"
#include "libs/net/function_ref.hpp"
#include "libs/net/ipv4.hpp"

namespace xok::net {

/// What a server has lent us.
struct DhcpLease {
  Ipv4Interface interface;
  Ipv4Address dns{};  ///< zero: none told
  Ipv4Address server{};
  std::uint64_t expires_ns = 0;  ///< kNever for an infinite lease
};

/// A message to be sent: UDP from kDhcpClientPort to kDhcpServerPort.
struct DhcpOutput {
  Ipv4Address source{};       ///< zero until we have an address
  Ipv4Address destination{};  ///< the broadcast address, or the server while renewing
  std::span<const std::uint8_t> payload;
};
using DhcpSink = FunctionRef<void(const DhcpOutput&)>;

/// Obtains and keeps an IPv4 address. Pure: messages and times in, messages and a deadline out.
///
/// Use: `start`; each UDP payload for port 68 to `on_message`; `on_timer` at `next_deadline()`;
/// configure the interface from `lease()` whenever a call returns Changed.
/// Context  one thread at a time; zero bytes are a client that was not started
/// Source   RFC 2131 sections 3.1, 4.1 (retransmission) and 4.4 (the client's states). differs: no
///          INIT-REBOOT, the first offer is taken, no DECLINE (the caller may ARP for the address)
class DhcpClient {
 public:
  enum class State : std::uint8_t { Idle = 0, Selecting, Requesting, Bound, Renewing, Rebinding };
  enum class Change : std::uint8_t { None, Changed };

  /// Begins, or begins anew, with a DISCOVER.
  ///
  /// seed  random; chooses transaction numbers and the jitter of retransmissions
  void start(std::uint64_t now_ns, const MacAddress& mac, std::uint64_t seed, DhcpSink sink);

  /// Handles a message; what is not for us, or not expected now, is ignored.
  Change on_message(std::uint64_t now_ns, std::span<const std::uint8_t> payload, DhcpSink sink);

  /// Retransmits, renews, or gives an expired lease up.
  Change on_timer(std::uint64_t now_ns, DhcpSink sink);
  std::uint64_t next_deadline() const { return state_ == State::Idle ? kNever : deadline_ns_; }

  State state() const { return state_; }
  /// The lease in force, or nothing.
  std::optional<DhcpLease> lease() const;

 private:
  void discover(std::uint64_t now_ns, DhcpSink sink);
  void send_request(std::uint64_t now_ns, DhcpSink sink);
  void transmit(std::uint64_t now_ns, const DhcpRequest& request, Ipv4Address destination,
                DhcpSink sink);
  void wait_with_backoff(std::uint64_t now_ns);
  void wait_in_lease(std::uint64_t now_ns, std::uint64_t until_ns);
  Change bind(std::uint64_t now_ns, const DhcpReply& reply);
  Change on_nak(std::uint64_t now_ns, DhcpSink sink);
  bool has_lease() const { return state_ >= State::Bound; }
  std::uint64_t random();

  DhcpLease lease_;
  std::uint64_t random_ = 0;
  std::uint64_t started_ns_ = 0;
  std::uint64_t deadline_ns_ = 0;
  std::uint64_t renew_ns_ = 0;   ///< T1
  std::uint64_t rebind_ns_ = 0;  ///< T2
  Ipv4Address offered_;
  Ipv4Address server_;
  std::uint32_t transaction_ = 0;
  MacAddress mac_;
  State state_ = State::Idle;
  std::uint8_t attempts_ = 0;
};

}  // namespace xok::net
