// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

// For tests only: files in a map, and a server with clients on a simulated network.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "apps/cheetah/server.hpp"
#include "libs/net/net_test_support.hpp"

namespace xok::cheetah::testing {

using net::kMillisecond;
using net::kSecond;
using net::testing::Frame;

inline constexpr net::Ipv4Address kServer = net::testing::kIpB;
inline constexpr net::Ipv4Address kClient = net::testing::kIpA;
inline constexpr std::int64_t kModified = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT

class TestFiles final : public FileStore {
 public:
  struct File {
    FoundFile::Kind kind = FoundFile::Kind::Regular;
    std::string data;
    std::uint64_t version = 0;
  };

  void put(const std::string& path, std::string data) {
    files[path] = {.data = std::move(data), .version = ++last_version};
  }
  void put(const std::string& path, FoundFile::Kind kind) {
    files[path] = {.kind = kind, .data = {}};
  }

  FoundFile find(std::string_view path) override {
    const auto at = files.find(std::string{path});
    if (at == files.end()) return {};
    const File& file = at->second;
    if (file.kind != FoundFile::Kind::Regular) return {.kind = file.kind};
    ++open;
    handles.push_back(&file);
    return {.kind = file.kind,
            .handle = static_cast<std::uint32_t>(handles.size() - 1),
            .size = file.data.size(),
            .version = file.version,
            .modified = kModified};
  }

  /// Runs end at pages, as in the guest.
  std::size_t pieces(std::uint32_t handle, std::uint64_t offset, std::uint32_t length,
                     std::span<net::PayloadPiece> out) override {
    EXPECT_NE(handles[handle], nullptr);
    const std::string& data = handles[handle]->data;
    std::size_t count = 0;
    named = true;
    while (length != 0 && count < out.size() && offset < data.size()) {
      const std::uint64_t run =
          std::min({std::uint64_t{length}, 4096 - offset % 4096, data.size() - offset});
      out[count++] = {.data = reinterpret_cast<const std::uint8_t*>(data.data()) + offset,
                      .length = static_cast<std::uint32_t>(run)};
      offset += run;
      length -= static_cast<std::uint32_t>(run);
    }
    return count;
  }
  void sent() override { named = false; }
  void release(std::uint32_t handle) override {
    EXPECT_NE(handles[handle], nullptr) << "released twice";
    handles[handle] = nullptr;
    --open;
  }

  std::map<std::string, File> files;
  std::vector<const File*> handles;
  std::uint64_t last_version = 0;
  int open = 0;
  bool named = false;  ///< `pieces` without `sent`
};

/// A client: a TCP connection that sends what it is told to and keeps what comes.
struct Client {
  net::testing::TestHost host{64 * 1024};
  std::string received;
  bool reads = true;
  bool gone = false;  ///< falls silent, as after a power failure
  std::uint32_t frames_received = 0;
  std::uint32_t frames_sent = 0;

  bool ended() const { return host.connection.peer_finished(); }
  bool is_open() const { return host.connection.state() == net::TcpState::Established; }
};

/// A server for few connections, its clients, and what happens between them, in simulated time.
class Web : public ::testing::Test, public FrameSink {
 protected:
  static constexpr std::size_t kConnections = 8;

  Web() { restart({}); }
  ~Web() override {
    EXPECT_FALSE(files.named) << "pages are still locked";
    EXPECT_TRUE(server().connection_count() != 0 || files.open == 0) << "files leak";
  }

  void restart(const Patience& patience) {
    block = std::make_unique<ServerBlock<kConnections, 64, 16, 64>>();
    ASSERT_TRUE(block->start(files, *this, {.k0 = 1, .k1 = 2}, 1'000'000'000 * kSecond, patience)
                    .has_value());
    server().set_address(kServer);
  }
  Server& server() { return block->server; }

  /// Opens a connection; it is established after two delays.
  Client& connect() {
    Client& client = clients.emplace_back();
    const auto port = static_cast<std::uint16_t>(kFirstPort + clients.size() - 1);
    net::TcpFlow flow = net::testing::kFlowA;
    flow.local_port = port;
    const Result<> opened = client.host.with(now, [&](const net::TcpContext& ctx) {
      return client.host.connection.open_active(ctx, flow, 7000 * port, client.host.ring);
    });
    EXPECT_TRUE(opened.has_value());
    transmit(client);
    return client;
  }
  Client& connect_and_wait() {
    Client& client = connect();
    run_for(10 * kMillisecond);
    return client;
  }

  void say(Client& client, const std::string& text, net::Finish finish = net::Finish::No) {
    auto& stream = client.host.stream;
    stream.insert(stream.end(), text.begin(), text.end());
    EXPECT_TRUE(client.host.send(now, stream.size(), finish).has_value());
    transmit(client);
  }
  void reset(Client& client) {
    client.host.with(now, [&](const net::TcpContext& ctx) { client.host.connection.abort(ctx); });
    transmit(client);
  }

  /// Says it on a new connection and returns all that comes until the server closes or for 5 s.
  std::string ask(const std::string& request) {
    Client& client = connect_and_wait();
    say(client, request);
    for (int i = 0; i < 500 && !client.ended(); ++i) run_for(10 * kMillisecond);
    if (!client.ended()) return client.received;
    EXPECT_TRUE(client.host.close(now).has_value());
    transmit(client);
    run_for(10 * kMillisecond);
    return client.received;
  }
  static std::string get(const std::string& path, const std::string& more = {}) {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
  }
  static int status_of(const std::string& answer) {
    return answer.rfind("HTTP/1.1 ", 0) == 0 ? std::stoi(answer.substr(9, 3)) : 0;
  }
  static std::string body_of(const std::string& answer) {
    const std::size_t at = answer.find("\r\n\r\n");
    return at == std::string::npos ? "" : answer.substr(at + 4);
  }
  static std::string bytes(std::size_t count, std::uint32_t salt = 0) {
    const auto data = net::testing::stream_bytes(count, salt);
    return {data.begin(), data.end()};
  }

  void run_for(std::uint64_t duration_ns) { run_until(now + duration_ns); }
  void run_until(std::uint64_t end_ns) {
    for (;;) {
      std::uint64_t next = std::min(end_ns, server().next_deadline());
      if (!wire.empty()) next = std::min(next, wire.begin()->first);
      for (Client& client : clients)
        if (!client.gone) next = std::min(next, client.host.connection.next_deadline());
      now = std::max(now, next);
      if (!step() && now >= end_ns) return;
    }
  }

  // FrameSink: what the server sends.
  void send(const net::OutPacket& packet) override {
    Frame frame = net::testing::flatten(packet);
    ASSERT_LE(frame.size(), 1514u);
    ++server_frames;
    put_on_wire(std::move(frame), true);
  }
  void transmit(Client& client) {
    for (Frame& frame : client.host.take()) {
      ++client.frames_sent;
      put_on_wire(std::move(frame), false);
    }
  }

  static constexpr std::size_t kFirstPort = 10000;

  TestFiles files;
  std::unique_ptr<ServerBlock<kConnections, 64, 16, 64>> block;
  std::deque<Client> clients;
  std::uint64_t now = 100 * kSecond;
  std::uint64_t server_frames = 0;
  std::uint64_t delay_ns = kMillisecond;
  unsigned loss_per_mille = 0;
  std::mt19937_64 random{1};

 private:
  struct Delivery {
    bool to_client;
    Frame frame;
  };

  void put_on_wire(Frame frame, bool to_client) {
    if (random() % 1000 < loss_per_mille) return;
    wire.emplace(now + delay_ns, Delivery{to_client, std::move(frame)});
  }

  /// Does what is due now. False: there was nothing.
  bool step() {
    bool did = false;
    while (!wire.empty() && wire.begin()->first <= now) {
      const Delivery delivery = std::move(wire.begin()->second);
      wire.erase(wire.begin());
      did = true;
      if (delivery.to_client) {
        receive(delivery.frame);
      } else {
        server().on_frame(now, delivery.frame, Origin::Card);
      }
    }
    if (server().next_deadline() <= now) {
      server().on_timer(now);
      did = true;
    }
    for (Client& client : clients) {
      if (client.gone || client.host.connection.next_deadline() > now) continue;
      client.host.timer(now);
      transmit(client);
      did = true;
    }
    return did;
  }

  void receive(const Frame& frame) {
    const auto segment = net::testing::segment_in(frame);
    if (!segment) return;  // a wrong checksum
    const std::size_t index = segment->destination_port - kFirstPort;
    if (index >= clients.size() || clients[index].gone) return;
    Client& client = clients[index];
    ++client.frames_received;
    client.host.deliver(now, *segment);
    if (client.reads) {
      const auto data = client.host.read(now);
      client.received.append(data.begin(), data.end());
    }
    transmit(client);
  }

  std::multimap<std::uint64_t, Delivery> wire;
};

}  // namespace xok::cheetah::testing
