// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
// Cheetah in an environment of its own. Its packets never pass the network service: two filters
// (port 80 of this machine's address, and of 127.0.0.1) bring them into its own ring; it sends
// straight to the interfaces. From the service it needs only this machine's address.
//
//   wait for the network -> filters -> { frames, timers, sleep }
//
// All state lies in pages of the arena: ExOS' own data is small, and copied by fork.

#include <cstring>
#include <new>

#include "apps/cheetah/exos_files.hpp"
#include "apps/cheetah/server.hpp"
#include "base/byte_order.hpp"
#include "exos/arena.hpp"
#include "exos/net/config.hpp"
#include "exos/net/packet_io.hpp"
#include "exos/rt/random.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/service.hpp"
#include "exos/shared.hpp"
#include "libs/dpf/builders.hpp"

namespace xok::exos {
namespace {

constexpr std::uint32_t kRingSlots = 128;
/// Frames handled before timers are looked at, and others get the processor.
constexpr unsigned kFramesPerRound = 64;
constexpr std::uint64_t kRetryNs = net::kSecond;

/// Sends to this machine over the loopback interface, to all others over the card.
class Interfaces final : public cheetah::FrameSink {
 public:
  void set_address(net::Ipv4Address address) { address_ = address; }
  void send(const net::OutPacket& packet) override {
    constexpr std::size_t kDestination = net::kEthernetHeaderSize + 16;
    const net::Ipv4Address to{load_be<std::uint32_t>(&packet.header[kDestination])};
    const bool here = is_localhost(to) || to == address_;
    send_frame(here ? kLoopbackInterface : kCardInterface, packet);
  }

 private:
  net::Ipv4Address address_{};
};

/// A filter that is in place or not.
class PortFilter {
 public:
  /// Makes it take port 80 of `address`; zero: nothing. False: the kernel refuses for now.
  bool set(const ReceiveRing& ring, net::Ipv4Address address) {
    if (address == address_) return true;
    if (!address_.is_zero()) (void)remove_filter(number_);
    address_ = {};
    if (address.is_zero()) return true;
    const auto made = ring.insert_filter(dpf::tcp_port(address.value, cheetah::kPort));
    if (!made.has_value()) return false;
    number_ = *made;
    address_ = address;
    return true;
  }

 private:
  net::Ipv4Address address_{};
  std::uint32_t number_ = 0;
};

/// The environment's state and its loop.
class WebServer {
 public:
  Result<> start(void* ring_memory);
  [[noreturn]] void run();

 private:
  void follow_network();
  bool take_frames();
  void wait();

  std::uint64_t network_event_ = 0;
  std::uint64_t retry_ns_ = 0;  ///< 0: filters are as they should be
  ReceiveRing ring_;
  PortFilter outside_;
  PortFilter inside_;
  Interfaces interfaces_;
  cheetah::ExosFiles files_;
  cheetah::ServerBlock<256> block_;
};

bool network_is_ready() {
  const NetworkPhase phase = network_config().phase;
  return phase == NetworkPhase::Up || phase == NetworkPhase::Loopback;
}

void wait_for_network() {
  for (;;) {
    rt::WaitSet wait;
    wait.watch(network_event());
    if (network_is_ready()) return;
    wait.sleep();
  }
}

Result<> WebServer::start(void* ring_memory) {
  XOK_TRY(ring_.open(ring_memory, kRingSlots));
  net::SecretKey key;
  rt::fill_random(std::as_writable_bytes(std::span{&key, 1}));
  const std::uint64_t now = rt::monotonic_ns();
  XOK_TRY(block_.start(files_, interfaces_, key, rt::wall_ns() - now));
  network_event_ = network_event() - 1;  // look at it at once
  return {};
}

/// Brings the filters to where the network is now.
void WebServer::follow_network() {
  const std::uint64_t event = network_event();
  const bool retries = retry_ns_ != 0 && rt::monotonic_ns() >= retry_ns_;
  if (event == network_event_ && !retries) return;
  network_event_ = event;
  net::Ipv4Address address{};
  const NetworkConfig now = network_config();
  if (now.phase == NetworkPhase::Up) address = now.interface.address;
  block_.server.set_address(address);
  interfaces_.set_address(address);
  const bool inside = inside_.set(ring_, kLocalhost);
  const bool outside = outside_.set(ring_, address);
  retry_ns_ = inside && outside ? 0 : rt::monotonic_ns() + kRetryNs;
}

/// Handles what the ring holds, up to a bound. True: there is more.
bool WebServer::take_frames() {
  for (unsigned i = 0; i < kFramesPerRound; ++i) {
    const ReceivedFrame frame = ring_.front();
    if (frame.bytes.empty()) return false;
    const auto origin =
        frame.interface == kLoopbackInterface ? cheetah::Origin::Loopback : cheetah::Origin::Card;
    block_.server.on_frame(rt::monotonic_ns(), frame.bytes, origin);
    ring_.pop();
  }
  return true;
}

void WebServer::wait() {
  rt::WaitSet wait;
  wait.watch32(ring_.next_word(), 0);
  wait.watch_value(network_event(), network_event_);
  wait.deadline(block_.server.next_deadline());
  if (retry_ns_ != 0) wait.deadline(retry_ns_);
  wait.sleep();
}

void WebServer::run() {
  for (;;) {
    follow_network();
    const bool more = take_frames();
    const std::uint64_t now = rt::monotonic_ns();
    if (now >= block_.server.next_deadline()) block_.server.on_timer(now);
    if (more) {
      rt::yield();
    } else {
      wait();
    }
  }
}

/// Nothing can be served: stay out of the way.
[[noreturn]] void rest() {
  for (;;) rt::sleep_until(rt::kNoDeadline);
}

}  // namespace

void run_web_server() {
  wait_for_network();
  void* const ring = arena().allocate_pages(kRingSlots * kRingSlotSize / kPageSize);
  void* const memory = arena().allocate_pages((sizeof(WebServer) + kPageSize - 1) / kPageSize);
  if (ring == nullptr || memory == nullptr) rest();
  static_assert(alignof(WebServer) <= kPageSize);
  auto* const server = new (memory) WebServer;
  if (!server->start(ring).has_value()) rest();
  server->run();
}

}  // namespace xok::exos
