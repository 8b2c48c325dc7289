// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/socket_waits.hpp"

#include "exos/proc/process.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"

namespace xok::exos {
namespace {

constexpr std::uint64_t kAddressWaitNs = 6 * kNanosecondsPerSecond;
constexpr std::uint16_t kFirstFreePort = 32768;
constexpr std::uint16_t kLastFreePort = 60999;

/// Waits while the network is in `phase`.
Outcome<> wait_in_phase(NetworkPhase phase, std::uint64_t limit_ns) {
  const std::uint64_t deadline = rt::monotonic_ns() + limit_ns;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(network_event());
    if (network_config().phase != phase || rt::monotonic_ns() >= deadline) return {};
    wait.watch(process().proc->signal_event);
    if (signal_pending()) return std::unexpected{Errc::Interrupted};
    wait.deadline(deadline);
    wait.sleep();
  }
}

}  // namespace

Outcome<> start_network() {
  if (network_config().phase != NetworkPhase::Down) return {};
  shared().network_wanted = 1;
  XOK_TRY(wait_in_phase(NetworkPhase::Down, kAddressWaitNs));
  if (network_config().phase == NetworkPhase::Down) return std::unexpected{Errc::Unreachable};
  return {};
}

Outcome<> wait_for_address(net::Ipv4Address destination) {
  if (is_localhost(destination) || destination.is_zero()) return {};
  return wait_in_phase(NetworkPhase::Starting, kAddressWaitNs);
}

std::uint64_t deadline_after(std::uint64_t timeout_ns) {
  return timeout_ns == 0 ? rt::kNoDeadline : rt::monotonic_ns() + timeout_ns;
}

Outcome<> sleep_for_socket(rt::WaitSet& wait, std::uint64_t deadline_ns) {
  wait.watch(process().proc->signal_event);
  if (signal_pending()) return std::unexpected{Errc::Interrupted};
  if (deadline_ns != rt::kNoDeadline && rt::monotonic_ns() >= deadline_ns)
    return std::unexpected{Errc::WouldBlock};
  wait.deadline(deadline_ns);
  wait.sleep();
  return {};
}

Outcome<> take_pending_error(Socket& socket) {
  if (socket.pending_error == 0) return {};
  const auto error = static_cast<Errc>(socket.pending_error);
  socket.pending_error = 0;
  return std::unexpected{error};
}

bool port_taken(const Network& network, const Socket& socket, Endpoint local) {
  for (const Socket* other = network.state().sockets; other != nullptr; other = other->next) {
    if (other == &socket || other->type != socket.type || !other->bound) continue;
    if (other->local.port != local.port) continue;
    const bool both_reuse = other->options.reuse_address && socket.options.reuse_address;
    if (both_reuse && !other->listening) continue;
    if (other->local.address.is_zero() || local.address.is_zero() ||
        other->local.address == local.address)
      return true;
  }
  return false;
}

Outcome<> bind_if_needed(Network& network, Socket& socket) {
  if (socket.local.port != 0) return {};
  NetworkState& state = network.state();
  constexpr std::uint32_t kPorts = kLastFreePort - kFirstFreePort + 1;
  for (std::uint32_t tries = 0; tries < kPorts; tries++) {
    const auto port = static_cast<std::uint16_t>(kFirstFreePort + state.next_port++ % kPorts);
    if (port_taken(network, socket, {.address = socket.local.address, .port = port})) continue;
    socket.local.port = port;
    socket.bound = true;
    return {};
  }
  return std::unexpected{Errc::Overlap};
}

}  // namespace xok::exos
