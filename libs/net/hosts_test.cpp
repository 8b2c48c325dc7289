// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// What a host needs beside TCP: the ARP cache, DHCP and DNS.

#include <gtest/gtest.h>

#include "base/byte_order.hpp"
#include "libs/net/arp.hpp"
#include "libs/net/dhcp_client.hpp"
#include "libs/net/dns.hpp"
#include "libs/net/net_test_support.hpp"

namespace xok::net {
namespace {

using Status = ArpAnswer::Status;
using testing::kIpA;
using testing::kIpB;
using testing::kMacA;
using testing::kMacB;

constexpr std::uint64_t kNow = 50 * kSecond;

ArpPacket from_b(ArpOperation operation, Ipv4Address target) {
  return {.operation = operation,
          .sender_mac = kMacB,
          .sender = kIpB,
          .target_mac = {},
          .target = target};
}

TEST(ArpCache, ResolvesWithOneRequestAndOneReply) {
  ArpCache cache;
  const ArpAnswer first = cache.resolve(kNow, kIpB);
  EXPECT_EQ(first.status, Status::Pending);
  EXPECT_TRUE(first.send_request);
  EXPECT_EQ(first.retry_at_ns, kNow + kSecond);
  EXPECT_FALSE(cache.resolve(kNow + 1, kIpB).send_request) << "once is enough";
  EXPECT_FALSE(cache.on_packet(kNow + 2, from_b(ArpOperation::Reply, kIpA), kIpA, kMacA));
  const ArpAnswer answer = cache.resolve(kNow + 3, kIpB);
  EXPECT_EQ(answer.status, Status::Resolved);
  EXPECT_EQ(answer.mac, kMacB);
}

TEST(ArpCache, AsksThreeTimesThenFailsForAWhile) {
  ArpCache cache;
  cache.resolve(kNow, kIpB);
  int requests = 1;
  const auto count = [&](Ipv4Address address) { requests += address == kIpB ? 1 : 0; };
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(cache.next_deadline(), kNow + static_cast<unsigned>(i) * kSecond);
    cache.on_timer(cache.next_deadline(), count);
  }
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(cache.resolve(kNow + 4 * kSecond, kIpB).status, Status::Failed);
  cache.on_timer(cache.next_deadline(), count);
  EXPECT_EQ(cache.next_deadline(), kNever);
  EXPECT_TRUE(cache.resolve(kNow + 20 * kSecond, kIpB).send_request);
}

TEST(ArpCache, AnswersRequestsForUsAndLearnsTheAsker) {
  ArpCache cache;
  const auto reply = cache.on_packet(kNow, from_b(ArpOperation::Request, kIpA), kIpA, kMacA);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->operation, ArpOperation::Reply);
  EXPECT_EQ(reply->sender_mac, kMacA);
  EXPECT_EQ(reply->target_mac, kMacB);
  EXPECT_EQ(cache.resolve(kNow, kIpB).status, Status::Resolved);
}

TEST(ArpCache, IgnoresStrangersButFollowsAnnouncementsOfKnownOnes) {
  ArpCache cache;
  EXPECT_FALSE(cache.on_packet(kNow, from_b(ArpOperation::Request, kIpB), kIpA, kMacA));
  EXPECT_EQ(cache.next_deadline(), kNever) << "not learned";
  cache.on_packet(kNow, from_b(ArpOperation::Request, kIpA), kIpA, kMacA);
  cache.on_packet(kNow, gratuitous_arp(kMacA, kIpB), kIpA, kMacA);
  EXPECT_EQ(cache.resolve(kNow, kIpB).mac, kMacA) << "moved to another card";
  EXPECT_FALSE(cache.on_packet(kNow, from_b(ArpOperation::Request, kIpA), {}, kMacA))
      << "we have no address yet";
}

TEST(ArpCache, RefreshesAUsedEntryBeforeItEndsAndForgetsAnUnusedOne) {
  ArpCache cache;
  cache.on_packet(kNow, from_b(ArpOperation::Request, kIpA), kIpA, kMacA);
  const std::uint64_t late = kNow + ArpCache::kLifetimeNs - 5 * kSecond;
  const ArpAnswer answer = cache.resolve(late, kIpB);
  EXPECT_EQ(answer.status, Status::Resolved);
  EXPECT_TRUE(answer.send_request);
  EXPECT_FALSE(cache.resolve(late + 1, kIpB).send_request);
  const auto no_request = [](Ipv4Address) { FAIL(); };
  cache.on_timer(kNow + ArpCache::kLifetimeNs, no_request);
  EXPECT_EQ(cache.resolve(kNow + ArpCache::kLifetimeNs, kIpB).status, Status::Pending);
}

TEST(ArpCache, WhenFullTheEntryDueFirstGivesWay) {
  ArpCache cache;
  for (std::uint32_t i = 0; i <= ArpCache::kEntries; ++i) cache.resolve(kNow + i, {kIpB.value + i});
  EXPECT_TRUE(cache.resolve(kNow + 100, kIpB).send_request) << "forgotten";
  EXPECT_FALSE(cache.resolve(kNow + 100, {kIpB.value + 5}).send_request);
}

/// A DHCP server that the test plays by hand.
class Dhcp : public ::testing::Test {
 protected:
  static constexpr Ipv4Address kOffered = Ipv4Address::of(192, 168, 7, 20);
  static constexpr Ipv4Address kServer = Ipv4Address::of(192, 168, 7, 1);

  void start() { client.start(now, kMacA, 42, sink); }
  std::vector<std::uint8_t> reply(DhcpType type, std::uint32_t lease_s) const {
    std::vector<std::uint8_t> bytes(sent.begin(), sent.begin() + 240);
    bytes[0] = 2;
    store_be(&bytes[16], kOffered.value);
    const auto option = [&](std::uint8_t code, std::uint32_t value) {
      bytes.insert(bytes.end(), {code, 4, 0, 0, 0, 0});
      store_be(&bytes[bytes.size() - 4], value);
    };
    bytes.insert(bytes.end(), {0, 53, 1, static_cast<std::uint8_t>(type)});
    option(1, 0xFFFFFF00);
    option(3, kServer.value);
    option(6, kServer.value + 1);
    option(51, lease_s);
    option(54, kServer.value);
    bytes.push_back(255);
    return bytes;
  }
  DhcpClient::Change deliver(DhcpType type, std::uint32_t lease_s = 3600) {
    return client.on_message(now, reply(type, lease_s), sink);
  }
  DhcpClient::Change next_timer() {
    now = client.next_deadline();
    return client.on_timer(now, sink);
  }
  void bind(std::uint32_t lease_s = 3600) {
    start();
    deliver(DhcpType::Offer);
    ASSERT_EQ(deliver(DhcpType::Ack, lease_s), DhcpClient::Change::Changed);
  }
  std::uint8_t sent_type() const { return sent.at(242); }

  struct Recorder {
    Dhcp* test;
    void operator()(const DhcpOutput& out) const {
      test->sent.assign(out.payload.begin(), out.payload.end());
      test->destination = out.destination;
      test->source = out.source;
      ++test->count;
    }
  };

  DhcpClient client;
  Recorder sink{this};
  std::uint64_t now = kNow;
  std::vector<std::uint8_t> sent;
  Ipv4Address destination{};
  Ipv4Address source{};
  int count = 0;
};

TEST_F(Dhcp, ObtainsALease) {
  EXPECT_EQ(client.next_deadline(), kNever);
  start();
  EXPECT_EQ(sent_type(), 1);
  EXPECT_EQ(destination, kBroadcastIpv4);
  EXPECT_EQ(deliver(DhcpType::Offer), DhcpClient::Change::None);
  EXPECT_EQ(sent_type(), 3);
  EXPECT_FALSE(client.lease().has_value());
  EXPECT_EQ(deliver(DhcpType::Ack), DhcpClient::Change::Changed);
  const DhcpLease lease = *client.lease();
  EXPECT_EQ(lease.interface.address, kOffered);
  EXPECT_EQ(lease.interface.mask.value, 0xFFFFFF00);
  EXPECT_EQ(lease.interface.gateway, kServer);
  EXPECT_EQ(lease.dns.value, kServer.value + 1);
  EXPECT_EQ(lease.expires_ns, now + 3600 * kSecond);
  EXPECT_EQ(client.next_deadline(), now + 1800 * kSecond);
}

TEST_F(Dhcp, DiscoversAgainAfterFourEightAndMoreSeconds) {
  start();
  for (const std::uint64_t expected : {4u, 8u, 16u, 32u, 64u, 64u}) {
    const std::uint64_t wait = client.next_deadline() - now;
    EXPECT_GE(wait, (expected - 1) * kSecond);
    EXPECT_LE(wait, (expected + 1) * kSecond);
    next_timer();
    EXPECT_EQ(sent_type(), 1);
  }
}

TEST_F(Dhcp, AnUnansweredRequestStartsOver) {
  start();
  deliver(DhcpType::Offer);
  for (int i = 0; i < 3; ++i) {
    next_timer();
    EXPECT_EQ(sent_type(), 3);
  }
  next_timer();
  EXPECT_EQ(sent_type(), 1);
  EXPECT_EQ(client.state(), DhcpClient::State::Selecting);
}

TEST_F(Dhcp, ANakStartsOver) {
  start();
  deliver(DhcpType::Offer);
  EXPECT_EQ(deliver(DhcpType::Nak), DhcpClient::Change::None);
  EXPECT_EQ(client.state(), DhcpClient::State::Selecting);
}

TEST_F(Dhcp, RenewsWithTheServerThenAsksEverybodyThenGivesUp) {
  bind();
  const std::uint64_t bound = now;
  next_timer();
  EXPECT_EQ(client.state(), DhcpClient::State::Renewing);
  EXPECT_EQ(destination, kServer);
  EXPECT_EQ(source, kOffered);
  while (client.state() == DhcpClient::State::Renewing) next_timer();
  EXPECT_EQ(client.state(), DhcpClient::State::Rebinding);
  EXPECT_EQ(now, bound + 3150 * kSecond);
  EXPECT_EQ(destination, kBroadcastIpv4);
  DhcpClient::Change change = DhcpClient::Change::None;
  while (client.state() == DhcpClient::State::Rebinding) change = next_timer();
  EXPECT_EQ(change, DhcpClient::Change::Changed);
  EXPECT_EQ(now, bound + 3600 * kSecond);
  EXPECT_FALSE(client.lease().has_value());
  EXPECT_EQ(sent_type(), 1);
}

TEST_F(Dhcp, ARenewalExtendsTheLease) {
  bind();
  next_timer();
  EXPECT_EQ(deliver(DhcpType::Ack, 7200), DhcpClient::Change::Changed);
  EXPECT_EQ(client.lease()->expires_ns, now + 7200 * kSecond);
  next_timer();
  EXPECT_EQ(deliver(DhcpType::Nak), DhcpClient::Change::Changed) << "the lease is lost";
  EXPECT_FALSE(client.lease().has_value());
}

TEST_F(Dhcp, AnInfiniteLeaseNeedsNothing) {
  bind(0xFFFFFFFF);
  EXPECT_EQ(client.next_deadline(), kNever);
  EXPECT_EQ(client.lease()->expires_ns, kNever);
}

TEST_F(Dhcp, IgnoresOtherClientsAndBrokenMessages) {
  start();
  auto other = reply(DhcpType::Offer, 1);
  other[5] ^= 1;
  client.on_message(now, other, sink);
  other = reply(DhcpType::Offer, 1);
  other[33] ^= 1;
  client.on_message(now, other, sink);
  EXPECT_EQ(deliver(DhcpType::Ack), DhcpClient::Change::None) << "not asked for";
  EXPECT_EQ(count, 1);
  const auto good = reply(DhcpType::Offer, 1);
  EXPECT_TRUE(parse_dhcp(good).has_value());
  EXPECT_EQ(parse_dhcp(std::span{good}.first(239)).error(), Errc::BadFormat);
  EXPECT_EQ(parse_dhcp(std::span{good}.first(249)).error(), Errc::BadFormat) << "cut option";
  EXPECT_EQ(parse_dhcp(std::span{good}.first(240)).error(), Errc::BadFormat) << "no type";
  EXPECT_EQ(parse_dhcp(sent).error(), Errc::BadFormat) << "a request";
}

class Dns : public ::testing::Test {
 protected:
  Dns() {
    query.resize(*write_dns_query(std::span{query}.first<kDnsMessageMax>(), 77, "Www.xok.io"));
  }

  std::vector<std::uint8_t> answer(std::uint16_t flags = 0x8180) const {
    std::vector<std::uint8_t> bytes = query;
    store_be(&bytes[2], flags);
    bytes[7] = 3;
    const std::uint8_t records[] = {
        0xC0, 12,  0, 5, 0, 1, 0, 0, 0, 9, 0,  2, 0xC0, 16,           // CNAME
        0xC0, 16,  0, 1, 0, 1, 0, 0, 1, 0, 0,  4, 10,   1,  2, 3,     // A, 256 s
        1,    'a', 0, 0, 1, 0, 1, 0, 0, 0, 99, 0, 4,    10, 1, 2, 4,  // A, 99 s
    };
    bytes.insert(bytes.end(), std::begin(records), std::end(records));
    return bytes;
  }
  Result<DnsAnswer> parse(std::span<const std::uint8_t> message) {
    return parse_dns_answer(message, query, addresses);
  }

  std::vector<std::uint8_t> query = std::vector<std::uint8_t>(kDnsMessageMax);
  std::array<Ipv4Address, 2> addresses{};
};

TEST_F(Dns, FindsTheAddressesBehindAnAlias) {
  EXPECT_EQ(query.size(), 12u + 12 + 4);
  const DnsAnswer found = *parse(answer());
  EXPECT_EQ(found.count, 2u);
  EXPECT_EQ(found.lifetime_s, 99u);
  EXPECT_EQ(addresses[0], Ipv4Address::of(10, 1, 2, 3));
  EXPECT_EQ(addresses[1], Ipv4Address::of(10, 1, 2, 4));
}

TEST_F(Dns, ReportsWhatTheServerSays) {
  EXPECT_EQ(parse(answer(0x8183)).error(), Errc::NotFound);
  EXPECT_EQ(parse(answer(0x8182)).error(), Errc::Unreachable);
  EXPECT_EQ(parse(answer(0x8380)).error(), Errc::TooBig);
  auto empty = answer();
  empty[7] = 1;  // only the alias
  EXPECT_EQ(parse(empty).error(), Errc::NotFound);
}

TEST_F(Dns, RefusesForgedAndCutAnswers) {
  EXPECT_EQ(parse(query).error(), Errc::BadFormat) << "not a response";
  auto forged = answer();
  forged[1] ^= 1;
  EXPECT_EQ(parse(forged).error(), Errc::BadFormat);
  forged = answer();
  forged[14] ^= 1;
  EXPECT_EQ(parse(forged).error(), Errc::BadFormat);
  const auto whole = answer();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(parse(std::span{whole}.first(size)).error(), Errc::BadFormat) << size;
}

TEST_F(Dns, RefusesBrokenNames) {
  std::array<std::uint8_t, kDnsMessageMax> out{};
  const std::string long_label(64, 'a');
  std::string long_name = "a";
  while (long_name.size() < 254) long_name += ".b";
  for (const std::string_view name :
       {std::string_view{""}, std::string_view{"."}, std::string_view{"a..b"},
        std::string_view{".a"}, std::string_view{long_label}, std::string_view{long_name}})
    EXPECT_EQ(write_dns_query(out, 1, name).error(), Errc::BadArgument) << name;
  EXPECT_TRUE(write_dns_query(out, 1, "a.b.").has_value());
}

}  // namespace
}  // namespace xok::net
