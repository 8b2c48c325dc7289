// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// Clients that stall, dribble, vanish, send rubbish, or are too many: what becomes of them, and
// that it costs the good ones nothing.
#include <gtest/gtest.h>

#include "apps/cheetah/server_test_support.hpp"

namespace xok::cheetah {
namespace {

using net::kMillisecond;
using net::kSecond;
using testing::Client;

class Clients : public testing::Web {
 protected:
  Clients() {
    files.put("/f", small);
    files.put("/big", bytes(10 << 20));
  }
  void expect_good_client_is_served(std::uint64_t within_ns) {
    Client& client = connect();
    say(client, get("/f", "Connection: close\r\n"));
    const std::uint64_t end = now + within_ns;
    while (now < end && !client.ended()) run_for(10 * kMillisecond);
    EXPECT_TRUE(body_of(client.received) == small);
    if (!client.ended()) return;
    EXPECT_TRUE(client.host.close(now).has_value());
    transmit(client);
  }

  const std::string small = bytes(1024);
};

TEST_F(Clients, AStalledRequestGets408) {
  Client& client = connect_and_wait();
  say(client, "GET / HT");
  run_for(19 * kSecond);
  EXPECT_EQ(client.received, "");
  run_for(3 * kSecond);
  EXPECT_EQ(status_of(client.received), 408);
  EXPECT_TRUE(client.ended());
}

TEST_F(Clients, ADribbledRequestGets408AlthoughItGrows) {
  Client& client = connect_and_wait();
  say(client, "GET / HTTP/1.1\r\n");
  for (int i = 0; i < 30 && !client.ended(); ++i) {
    say(client, "X: y\r\n");
    run_for(kSecond);
  }
  EXPECT_EQ(status_of(client.received), 408);
}

TEST_F(Clients, AConnectionWithoutARequestIsClosedWithoutAnAnswer) {
  Client& fresh = connect_and_wait();
  Client& kept = connect_and_wait();
  say(kept, get("/f"));
  run_for(22 * kSecond);
  EXPECT_TRUE(fresh.ended());
  EXPECT_EQ(fresh.received, "");
  EXPECT_FALSE(kept.ended());
  run_for(10 * kSecond);
  EXPECT_TRUE(kept.ended());
  EXPECT_TRUE(body_of(kept.received) == small);
}

TEST_F(Clients, OneThatNeverReadsIsResetAfterAWhile) {
  Client& client = connect_and_wait();
  client.reads = false;
  say(client, get("/big"));
  run_for(20 * kSecond);
  EXPECT_EQ(files.open, 1);
  run_for(20 * kSecond);
  EXPECT_EQ(server().connection_count(), 0u);
  EXPECT_EQ(files.open, 0);
}

TEST_F(Clients, ASlowReaderIsServedToTheEnd) {
  Client& client = connect_and_wait();
  client.reads = false;
  say(client, get("/big", "Connection: close\r\n"));
  while (!client.ended() && now < 2000 * kSecond) {
    run_for(5 * kSecond);
    const auto data = client.host.read(now);
    client.received.append(data.begin(), data.end());
    transmit(client);
    if (client.received.size() > 1'000'000) client.reads = true;
  }
  EXPECT_TRUE(body_of(client.received) == files.files["/big"].data);
}

TEST_F(Clients, OneThatVanishesIsForgotten) {
  Client& client = connect_and_wait();
  say(client, get("/big"));
  run_for(5 * kMillisecond);
  client.gone = true;
  run_for(60 * kSecond);
  EXPECT_EQ(server().connection_count(), 0u);
  EXPECT_EQ(files.open, 0);
}

TEST_F(Clients, AResetEndsTheConnectionAtOnce) {
  Client& client = connect_and_wait();
  say(client, get("/big"));
  run_for(5 * kMillisecond);
  reset(client);
  run_for(10 * kMillisecond);
  EXPECT_EQ(server().connection_count(), 0u);
  EXPECT_EQ(files.open, 0);
}

TEST_F(Clients, AfterAnErrorInputIsReadOnSoThatTheAnswerArrives) {
  Client& client = connect_and_wait();
  say(client, "NONSENSE\r\n\r\n" + std::string(500'000, 'x'));
  run_for(5 * kSecond);
  EXPECT_EQ(status_of(client.received), 400);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(client.host.connection.acknowledged(), 500'012u);
  EXPECT_FALSE(client.host.connection.error().has_value());
  run_for(10 * kSecond);  // it does not close: it is left alone
  EXPECT_EQ(server().connection_count(), 0u);
}

TEST_F(Clients, WhatIsReadAfterAnErrorIsBounded) {
  restart({.linger_bytes = 100'000});
  Client& client = connect_and_wait();
  say(client, "NONSENSE\r\n\r\n" + std::string(500'000, 'x'));
  run_for(5 * kSecond);
  EXPECT_EQ(client.host.connection.error(), Errc::Reset);
  EXPECT_EQ(server().connection_count(), 0u);
}

TEST_F(Clients, AFileThatShrinksResetsOnlyItsConnection) {
  Client& client = connect_and_wait();
  Client& other = connect_and_wait();
  say(client, get("/big"));
  run_for(10 * kMillisecond);
  files.files["/big"].data.resize(100'000);
  say(other, get("/f"));
  run_for(10 * kSecond);
  EXPECT_EQ(client.host.connection.error(), Errc::Reset);
  EXPECT_EQ(server().counters().broken, 1u);
  EXPECT_TRUE(body_of(other.received) == small);
  EXPECT_EQ(files.open, 0);
}

TEST_F(Clients, WhenAllPlacesAreTakenTheLongestStalledGoes) {
  Client& idle = connect_and_wait();
  run_for(100 * kMillisecond);
  for (std::size_t i = 1; i < kConnections; ++i) say(connect_and_wait(), "GET /f");
  EXPECT_EQ(server().connection_count(), kConnections);
  run_for(2 * kSecond);
  expect_good_client_is_served(kSecond);
  EXPECT_EQ(idle.host.connection.error(), Errc::Reset);
  EXPECT_EQ(server().counters().evicted, 1u);
}

TEST_F(Clients, OnesThatMakeProgressAreNeverEvicted) {
  delay_ns = 20 * kMillisecond;  // so that the transfers last
  std::vector<Client*> good;
  for (std::size_t i = 0; i < kConnections; ++i) {
    good.push_back(&connect_and_wait());
    say(*good.back(), get("/big", "Connection: close\r\n"));
  }
  run_for(500 * kMillisecond);
  connect();
  run_for(3 * kSecond);
  EXPECT_EQ(server().counters().evicted, 0u);
  run_for(60 * kSecond);
  for (Client* const client : good)
    EXPECT_TRUE(body_of(client->received) == files.files["/big"].data);
}

TEST_F(Clients, HundredsOfBadOnesDoNotKeepAGoodOneWaiting) {
  std::mt19937_64 source{2};
  for (int i = 0; i < 200; ++i) {
    Client& client = connect();
    run_for(50 * kMillisecond);
    if (i % 5 == 0) say(client, "GET /t/f0");
    if (i % 5 == 1) say(client, bytes(3000, static_cast<std::uint32_t>(source())));
    if (i % 5 == 2) client.reads = false;
    if (i % 5 == 2 || i % 5 == 3) say(client, get("/big"));
    if (i % 5 == 3) reset(client);
    if (i % 50 == 49) expect_good_client_is_served(4 * kSecond);
  }
  expect_good_client_is_served(4 * kSecond);
}

TEST_F(Clients, AFloodOfSynsDoesNotShutTheDoor) {
  for (int i = 0; i < 100; ++i) connect().gone = true;
  run_for(1500 * kMillisecond);
  expect_good_client_is_served(4 * kSecond);
  run_for(60 * kSecond);
  EXPECT_EQ(server().connection_count(), 0u);
}

TEST_F(Clients, FramesThatCannotBeRightAreDropped) {
  const auto send_from = [&](net::Ipv4Address from, net::Ipv4Address to, Origin origin) {
    net::TcpFlow flow = net::testing::kFlowA;
    flow.local = from;
    flow.remote = to;
    net::testing::TestHost host;
    (void)host.with(now, [&](const net::TcpContext& ctx) {
      return host.connection.open_active(ctx, flow, 1, host.ring);
    });
    for (const auto& frame : host.take()) server().on_frame(now, frame, origin);
  };
  constexpr auto kLocalhost = net::Ipv4Address::of(127, 0, 0, 1);
  send_from(testing::kServer, testing::kServer, Origin::Card);
  send_from(kLocalhost, testing::kServer, Origin::Card);
  send_from(testing::kClient, kLocalhost, Origin::Card);
  send_from(testing::kClient, net::Ipv4Address::of(10, 0, 0, 9), Origin::Card);
  EXPECT_EQ(server().counters().dropped, 4u);
  EXPECT_EQ(server().connection_count(), 0u);
  send_from(kLocalhost, kLocalhost, Origin::Loopback);
  send_from(testing::kServer, testing::kServer, Origin::Loopback);
  EXPECT_EQ(server().connection_count(), 2u);
}

TEST_F(Clients, RandomFramesDoNoHarm) {
  constexpr std::uint64_t kSeed = 12345;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  std::mt19937_64 source{kSeed};
  Client& client = connect_and_wait();
  say(client, get("/big", "Connection: close\r\n"));
  const auto sample = [&] {
    net::testing::TestHost host;
    (void)host.with(now, [&](const net::TcpContext& ctx) {
      return host.connection.open_active(ctx, net::testing::kFlowA, 1, host.ring);
    });
    return host.take().front();
  };
  for (int i = 0; i < 20'000; ++i) {
    net::testing::Frame frame = sample();
    frame.resize(source() % 200, static_cast<std::uint8_t>(source()));
    for (int flips = static_cast<int>(source() % 8); flips > 0 && !frame.empty(); --flips)
      frame[source() % frame.size()] = static_cast<std::uint8_t>(source());
    server().on_frame(now, frame, source() % 2 == 0 ? Origin::Card : Origin::Loopback);
    if (i % 100 == 0) run_for(kMillisecond);
  }
  run_for(10 * kSecond);
  EXPECT_TRUE(body_of(client.received) == files.files["/big"].data);
}

}  // namespace
}  // namespace xok::cheetah
