// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/dhcp_client.hpp"

#include <algorithm>
#include <array>

namespace xok::net {
namespace {

constexpr std::uint64_t kFirstWaitNs = 4 * kSecond;  // RFC 2131 section 4.1: 4, 8, .. 64 seconds
constexpr std::uint8_t kMaxDoublings = 4;
constexpr std::uint64_t kJitterNs = 1 * kSecond;  // each plus or minus up to one second
constexpr std::uint8_t kMaxRequests = 4;
constexpr std::uint64_t kLeastRenewWaitNs = 60 * kSecond;  // section 4.4.5
constexpr std::uint32_t kInfiniteLease = 0xFFFF'FFFF;

}  // namespace

void DhcpClient::start(std::uint64_t now_ns, const MacAddress& mac, std::uint64_t seed,
                       DhcpSink sink) {
  *this = {};
  mac_ = mac;
  random_ = seed | 1;
  discover(now_ns, sink);
}

DhcpClient::Change DhcpClient::on_message(std::uint64_t now_ns,
                                          std::span<const std::uint8_t> payload, DhcpSink sink) {
  const Result<DhcpReply> reply = parse_dhcp(payload);
  if (!reply || reply->transaction != transaction_ || reply->client != mac_) return Change::None;
  const bool asked =
      state_ == State::Requesting || state_ == State::Renewing || state_ == State::Rebinding;
  if (state_ == State::Selecting && reply->type == DhcpType::Offer) {
    if (reply->offered.is_zero() || reply->server.is_zero()) return Change::None;
    offered_ = reply->offered;
    server_ = reply->server;
    state_ = State::Requesting;
    attempts_ = 0;
    send_request(now_ns, sink);
    return Change::None;
  }
  if (asked && reply->type == DhcpType::Ack) return bind(now_ns, *reply);
  if (asked && reply->type == DhcpType::Nak) return on_nak(now_ns, sink);
  return Change::None;
}

DhcpClient::Change DhcpClient::on_timer(std::uint64_t now_ns, DhcpSink sink) {
  if (now_ns < next_deadline()) return Change::None;
  switch (state_) {
    case State::Idle:
      break;
    case State::Selecting:
      discover(now_ns, sink);
      break;
    case State::Requesting:
      if (attempts_ >= kMaxRequests) {
        attempts_ = 0;
        discover(now_ns, sink);
      } else {
        send_request(now_ns, sink);
      }
      break;
    case State::Bound:
    case State::Renewing:
    case State::Rebinding:
      if (now_ns >= lease_.expires_ns) {
        discover(now_ns, sink);
        return Change::Changed;
      }
      if (state_ == State::Bound) {  // a new exchange
        transaction_ = static_cast<std::uint32_t>(random());
        started_ns_ = now_ns;
      }
      state_ = now_ns >= rebind_ns_ ? State::Rebinding : State::Renewing;
      send_request(now_ns, sink);
      break;
  }
  return Change::None;
}

std::optional<DhcpLease> DhcpClient::lease() const {
  if (!has_lease()) return std::nullopt;
  return lease_;
}

void DhcpClient::discover(std::uint64_t now_ns, DhcpSink sink) {
  if (state_ != State::Selecting) {
    transaction_ = static_cast<std::uint32_t>(random());
    started_ns_ = now_ns;
    attempts_ = 0;
  }
  state_ = State::Selecting;
  transmit(now_ns, {.type = DhcpType::Discover}, kBroadcastIpv4, sink);
  wait_with_backoff(now_ns);
}

/// The REQUEST of the current state: what each carries is RFC 2131's table in section 4.3.6.
void DhcpClient::send_request(std::uint64_t now_ns, DhcpSink sink) {
  DhcpRequest request{.type = DhcpType::Request};
  switch (state_) {
    case State::Renewing:
      request.current = lease_.interface.address;
      transmit(now_ns, request, lease_.server, sink);
      return wait_in_lease(now_ns, rebind_ns_);
    case State::Rebinding:
      request.current = lease_.interface.address;
      transmit(now_ns, request, kBroadcastIpv4, sink);
      return wait_in_lease(now_ns, lease_.expires_ns);
    default:
      request.requested = offered_;
      request.server = server_;
      transmit(now_ns, request, kBroadcastIpv4, sink);
      return wait_with_backoff(now_ns);
  }
}

void DhcpClient::transmit(std::uint64_t now_ns, const DhcpRequest& request, Ipv4Address destination,
                          DhcpSink sink) {
  DhcpRequest complete = request;
  complete.transaction = transaction_;
  complete.client = mac_;
  complete.elapsed_s =
      static_cast<std::uint16_t>(std::min<std::uint64_t>((now_ns - started_ns_) / kSecond, 0xFFFF));
  std::array<std::uint8_t, kDhcpMessageMax> message;
  write_dhcp(message, complete);
  sink({.source = request.current, .destination = destination, .payload = message});
}

void DhcpClient::wait_with_backoff(std::uint64_t now_ns) {
  const std::uint64_t wait = kFirstWaitNs << std::min(attempts_, kMaxDoublings);
  deadline_ns_ = now_ns + wait - kJitterNs + random() % (2 * kJitterNs);
  if (attempts_ < 0xFF) ++attempts_;
}

/// Half of what is left until `until_ns`, but at least a minute, and never past it.
void DhcpClient::wait_in_lease(std::uint64_t now_ns, std::uint64_t until_ns) {
  const std::uint64_t left = until_ns > now_ns ? until_ns - now_ns : 0;
  deadline_ns_ = std::min(now_ns + std::max(left / 2, kLeastRenewWaitNs), now_ns + left);
}

DhcpClient::Change DhcpClient::bind(std::uint64_t now_ns, const DhcpReply& reply) {
  if (reply.offered.is_zero() || reply.lease_s == 0) return Change::None;
  lease_ = {.interface = {.address = reply.offered, .mask = reply.mask, .gateway = reply.router},
            .dns = reply.dns,
            .server = reply.server.is_zero() ? server_ : reply.server,
            .expires_ns = kNever};
  state_ = State::Bound;
  attempts_ = 0;
  renew_ns_ = rebind_ns_ = kNever;
  if (reply.lease_s != kInfiniteLease) {
    const std::uint64_t lease = reply.lease_s * kSecond;
    // Section 4.4.5: T1 is half, T2 seven eighths, unless the server says otherwise, in order.
    std::uint64_t rebind = reply.rebinding_s * kSecond;
    if (rebind == 0 || rebind >= lease) rebind = lease / 8 * 7;
    std::uint64_t renew = reply.renewal_s * kSecond;
    if (renew == 0 || renew >= rebind) renew = std::min(lease / 2, rebind);
    lease_.expires_ns = now_ns + lease;
    rebind_ns_ = now_ns + rebind;
    renew_ns_ = now_ns + renew;
  }
  deadline_ns_ = renew_ns_;
  return Change::Changed;
}

DhcpClient::Change DhcpClient::on_nak(std::uint64_t now_ns, DhcpSink sink) {
  const bool lost = has_lease();
  discover(now_ns, sink);
  return lost ? Change::Changed : Change::None;
}

/// xorshift64: enough to spread retransmissions.
std::uint64_t DhcpClient::random() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

}  // namespace xok::net
