// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "libs/net/ethernet.hpp"
#include "libs/net/function_ref.hpp"

namespace xok::net {

inline constexpr std::size_t kArpPacketSize = 28;
inline constexpr std::size_t kArpFrameSize = kEthernetHeaderSize + kArpPacketSize;

enum class ArpOperation : std::uint16_t { Request = 1, Reply = 2 };

/// An ARP packet for IPv4 over Ethernet.
struct ArpPacket {
  ArpOperation operation = ArpOperation::Request;
  MacAddress sender_mac{};
  Ipv4Address sender{};
  MacAddress target_mac{};  ///< zero in requests
  Ipv4Address target{};
};

/// Takes the payload of an ARP frame apart.
///
/// Errors   BadFormat     shorter than 28 bytes, or the sender's link address is a group
///          NotSupported  not IPv4 over Ethernet, or neither request nor reply
/// Source   RFC 826
Result<ArpPacket> parse_arp(std::span<const std::uint8_t> payload);

/// Writes a whole frame: requests go to everybody, replies to `target_mac`.
void write_arp_frame(std::span<std::uint8_t, kArpFrameSize> out, const ArpPacket& packet);

/// The announcement of our own address, which makes neighbours update their caches.
///
/// Source   RFC 5227 section 3 (an ARP request for oneself)
constexpr ArpPacket gratuitous_arp(const MacAddress& mac, Ipv4Address address) {
  return {.sender_mac = mac, .sender = address, .target = address};
}

/// What the cache knows about an address, and what the asker must do.
struct ArpAnswer {
  enum class Status : std::uint8_t {
    Resolved,  ///< `mac` is the answer
    Pending,   ///< wait: look again when a reply has come, or at `retry_at_ns`
    Failed,    ///< nobody answers: Errc::Unreachable, until `retry_at_ns`
  };
  Status status = Status::Pending;
  bool send_request = false;  ///< send a request for the address now (also to refresh an entry)
  MacAddress mac{};
  std::uint64_t retry_at_ns = kNever;
};

/// Maps neighbours' IPv4 addresses to link addresses: a fixed number of entries, each pending,
/// resolved or failed, with a deadline.
///
/// Entries are made only by our own `resolve` and by requests that ask for us, so a flood of
/// strangers' packets cannot fill the cache; when it is full the entry due first gives way.
/// Context  one thread at a time; zero bytes are an empty cache. Cost O(kEntries)
/// Source   RFC 826 (packet reception); RFC 1122 section 2.3.2 (time-outs, one request a second)
class ArpCache {
 public:
  static constexpr std::size_t kEntries = 32;
  static constexpr std::uint64_t kRetryNs = 1 * kSecond;
  static constexpr std::uint8_t kMaxRequests = 3;
  static constexpr std::uint64_t kFailedNs = 5 * kSecond;
  static constexpr std::uint64_t kLifetimeNs = 120 * kSecond;
  static constexpr std::uint64_t kRefreshNs =
      20 * kSecond;  ///< before its end a used entry is renewed

  /// Looks `address` (a unicast address on the link) up; starts resolving it if it is not known.
  ArpAnswer resolve(std::uint64_t now_ns, Ipv4Address address);

  /// Learns from a received packet.
  ///
  /// self, mac  our own addresses; `self` may be zero while there is none
  /// Returns    the reply to be sent, if the packet asks for us
  std::optional<ArpPacket> on_packet(std::uint64_t now_ns, const ArpPacket& packet,
                                     Ipv4Address self, const MacAddress& mac);

  /// Sends pending requests again (`request(address)` for each) and drops what is too old.
  void on_timer(std::uint64_t now_ns, FunctionRef<void(Ipv4Address)> request);
  std::uint64_t next_deadline() const;

 private:
  enum class State : std::uint8_t { Free = 0, Pending, Resolved, Failed };
  struct Entry {
    std::uint64_t deadline_ns = 0;
    Ipv4Address address;
    MacAddress mac;
    State state = State::Free;
    std::uint8_t requests = 0;
    bool refreshing = false;
  };

  Entry* find(Ipv4Address address);
  Entry& claim();
  static void resolved(Entry& entry, const MacAddress& mac, std::uint64_t now_ns);

  std::array<Entry, kEntries> entries_{};
};

}  // namespace xok::net
