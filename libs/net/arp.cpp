// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/net/arp.hpp"

#include <algorithm>

#include "base/byte_order.hpp"

namespace xok::net {
namespace {

constexpr std::uint16_t kHardwareEthernet = 1;
constexpr std::uint16_t kAddressLengths = 6 << 8 | 4;

}  // namespace

Result<ArpPacket> parse_arp(std::span<const std::uint8_t> payload) {
  if (payload.size() < kArpPacketSize) return fail(Errc::BadFormat);
  const std::uint8_t* const at = payload.data();
  const auto operation = load_be<std::uint16_t>(at + 6);
  if (load_be<std::uint16_t>(at) != kHardwareEthernet ||
      load_be<std::uint16_t>(at + 2) != kEtherTypeIpv4 ||
      load_be<std::uint16_t>(at + 4) != kAddressLengths || operation < 1 || operation > 2)
    return fail(Errc::NotSupported);
  const ArpPacket packet{.operation = static_cast<ArpOperation>(operation),
                         .sender_mac = load_mac(at + 8),
                         .sender = {load_be<std::uint32_t>(at + 14)},
                         .target_mac = load_mac(at + 18),
                         .target = {load_be<std::uint32_t>(at + 24)}};
  if (packet.sender_mac.is_group()) return fail(Errc::BadFormat);
  return packet;
}

void write_arp_frame(std::span<std::uint8_t, kArpFrameSize> out, const ArpPacket& packet) {
  const bool request = packet.operation == ArpOperation::Request;
  write_ethernet(out.first<kEthernetHeaderSize>(), request ? kBroadcastMac : packet.target_mac,
                 packet.sender_mac, kEtherTypeArp);
  std::uint8_t* const at = out.data() + kEthernetHeaderSize;
  store_be(at, kHardwareEthernet);
  store_be(at + 2, kEtherTypeIpv4);
  store_be(at + 4, kAddressLengths);
  store_be(at + 6, static_cast<std::uint16_t>(packet.operation));
  store_mac(at + 8, packet.sender_mac);
  store_be(at + 14, packet.sender.value);
  store_mac(at + 18, packet.target_mac);
  store_be(at + 24, packet.target.value);
}

ArpAnswer ArpCache::resolve(std::uint64_t now_ns, Ipv4Address address) {
  Entry* entry = find(address);
  if (entry == nullptr || now_ns >= entry->deadline_ns) {
    const bool retry = entry != nullptr && entry->state == State::Pending;
    if (retry) return {.retry_at_ns = entry->deadline_ns};  // `on_timer` is about to send it
    Entry& fresh = entry != nullptr ? *entry : claim();
    fresh = {.deadline_ns = now_ns + kRetryNs,
             .address = address,
             .mac = {},
             .state = State::Pending,
             .requests = 1};
    return {.send_request = true, .retry_at_ns = fresh.deadline_ns};
  }
  if (entry->state == State::Pending) return {.retry_at_ns = entry->deadline_ns};
  if (entry->state == State::Failed)
    return {.status = ArpAnswer::Status::Failed, .retry_at_ns = entry->deadline_ns};
  const bool refresh = !entry->refreshing && entry->deadline_ns - now_ns <= kRefreshNs;
  entry->refreshing = entry->refreshing || refresh;
  return {.status = ArpAnswer::Status::Resolved,
          .send_request = refresh,
          .mac = entry->mac,
          .retry_at_ns = kNever};
}

std::optional<ArpPacket> ArpCache::on_packet(std::uint64_t now_ns, const ArpPacket& packet,
                                             Ipv4Address self, const MacAddress& mac) {
  const bool for_us = !self.is_zero() && packet.target == self;
  const bool sender_valid = !packet.sender.is_zero() && packet.sender != self &&
                            !packet.sender.is_broadcast() && !packet.sender.is_multicast();
  if (sender_valid) {
    Entry* const known = find(packet.sender);
    if (known != nullptr) {
      resolved(*known, packet.sender_mac, now_ns);
    } else if (for_us && packet.operation == ArpOperation::Request) {
      Entry& entry = claim();
      entry = {};
      entry.address = packet.sender;
      resolved(entry, packet.sender_mac, now_ns);
    }
  }
  if (!for_us || packet.operation != ArpOperation::Request || packet.sender == self)
    return std::nullopt;
  return ArpPacket{.operation = ArpOperation::Reply,
                   .sender_mac = mac,
                   .sender = self,
                   .target_mac = packet.sender_mac,
                   .target = packet.sender};
}

void ArpCache::on_timer(std::uint64_t now_ns, FunctionRef<void(Ipv4Address)> request) {
  for (Entry& entry : entries_) {
    if (entry.state == State::Free || now_ns < entry.deadline_ns) continue;
    if (entry.state != State::Pending) {
      entry = {};
    } else if (entry.requests >= kMaxRequests) {
      entry.state = State::Failed;
      entry.deadline_ns = now_ns + kFailedNs;
    } else {
      ++entry.requests;
      entry.deadline_ns = now_ns + kRetryNs;
      request(entry.address);
    }
  }
}

std::uint64_t ArpCache::next_deadline() const {
  std::uint64_t deadline = kNever;
  for (const Entry& entry : entries_)
    if (entry.state != State::Free) deadline = std::min(deadline, entry.deadline_ns);
  return deadline;
}

ArpCache::Entry* ArpCache::find(Ipv4Address address) {
  for (Entry& entry : entries_)
    if (entry.state != State::Free && entry.address == address) return &entry;
  return nullptr;
}

/// A free entry, or the one that is due first.
ArpCache::Entry& ArpCache::claim() {
  Entry* best = entries_.data();
  for (Entry& entry : entries_) {
    if (entry.state == State::Free) return entry;
    if (entry.deadline_ns < best->deadline_ns) best = &entry;
  }
  return *best;
}

void ArpCache::resolved(Entry& entry, const MacAddress& mac, std::uint64_t now_ns) {
  entry.state = State::Resolved;
  entry.mac = mac;
  entry.deadline_ns = now_ns + kLifetimeNs;
  entry.requests = 0;
  entry.refreshing = false;
}

}  // namespace xok::net
