// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Order: ring and filters for ARP, this machine and broadcasts; then an address; then its filters,
// and only then is it told to the others, so that no answer to a first packet is lost.
#include "exos/net/service.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <optional>

#include "exos/arena.hpp"
#include "exos/net/network.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/process.hpp"
#include "exos/rt/random.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/shared.hpp"
#include "libs/dpf/builders.hpp"

namespace xok::exos {
namespace {

/// Without an answer of a DHCP server by then, the addresses of QEMU's user network are taken; the
/// search goes on.
constexpr std::uint64_t kFallbackAfterNs = 3 * kNanosecondsPerSecond;

constexpr auto to_network(net::Ipv4Address address, net::Ipv4Address mask) {
  return std::array<dpf::Atom, 2>{
      dpf::eq16(dpf::ethernet::kType, dpf::ethernet::kTypeIpv4),
      dpf::eq32(dpf::ipv4::kDestination, address.value & mask.value, mask.value)};
}

template <class T>
T random_value() {
  T value;
  rt::fill_random(std::as_writable_bytes(std::span{&value, 1}));
  return value;
}

/// The filters that go with the address of the moment.
struct AddressFilters {
  std::optional<std::uint32_t> own;
  std::optional<std::uint32_t> broadcast;

  void replace(const ReceiveRing& ring, const net::Ipv4Interface& interface) {
    for (std::optional<std::uint32_t>* filter : {&own, &broadcast}) {
      if (filter->has_value()) (void)remove_filter(**filter);
      filter->reset();
    }
    if (const auto made = ring.insert_filter(dpf::ipv4_to(interface.address.value)); made)
      own = *made;
    if (const auto made = ring.insert_filter(dpf::ipv4_to(interface.broadcast().value)); made)
      broadcast = *made;
  }
};

bool set_up() {
  NetworkState& state = shared().net;
  constexpr std::size_t kPages = kServiceRingSlots * kRingSlotSize / kPageSize;
  void* const memory = arena().allocate_pages(kPages);
  if (memory == nullptr || !state.ring.open(memory, kServiceRingSlots).has_value()) return false;
  state.tcp_config = {};
  state.next_port = random_value<std::uint32_t>();
  const auto attached = state.demux.attach({.table = state.table,
                                            .listeners = state.listeners,
                                            .timers = state.timers,
                                            .time_waits = state.time_waits},
                                           random_value<net::SecretKey>());
  constexpr net::Ipv4Address kLoopbackMask{0xff00'0000};
  return attached.has_value() && state.ring.insert_filter(dpf::arp()).has_value() &&
         state.ring.insert_filter(to_network(kLocalhost, kLoopbackMask)).has_value() &&
         state.ring.insert_filter(dpf::ipv4_to(net::kBroadcastIpv4.value)).has_value();
}

void publish(NetworkPhase phase, const net::Ipv4Interface& interface, net::Ipv4Address dns) {
  rt::RecordWriter<NetworkRecord, IsNetworkConfig> record{shared().network, 0};
  // Nobody else writes it: it cannot be overtaken.
  (void)record.replace({.phase = phase,
                        .interface = interface,
                        .dns = dns,
                        .mac = {system_info().interfaces[kCardInterface].mac}});
}

/// Programs read the name server's address from a file.
void write_resolver_file(net::Ipv4Address dns) {
  if (dns.is_zero() || dns == kFallbackDns) return;  // that is in the image
  std::array<char, 40> text;
  std::size_t n = 0;
  const auto put = [&](std::string_view part) {
    std::memcpy(text.data() + n, part.data(), part.size());
    n += part.size();
  };
  put("nameserver ");
  for (int shift = 24; shift >= 0; shift -= 8) {
    const std::uint32_t byte = dns.value >> shift & 0xff;
    if (byte >= 100) text[n++] = static_cast<char>('0' + byte / 100);
    if (byte >= 10) text[n++] = static_cast<char>('0' + byte / 10 % 10);
    text[n++] = static_cast<char>('0' + byte % 10);
    text[n++] = shift == 0 ? '\n' : '.';
  }
  const FileSystemLock lock;
  const Credentials who = credentials();
  Vfs fs = file_system();
  const auto opened =
      fs.open(caller(who), process().root, "/etc/resolv.conf",
              {.write = true, .create = true, .truncate = true, .permissions = 0644});
  if (!opened.has_value()) return;
  (void)fs.write(who, opened->node, 0, std::as_bytes(std::span{text}.first(n)));
  fs.release(opened->node);
}

void use(AddressFilters& filters, const net::Ipv4Interface& interface, net::Ipv4Address dns) {
  filters.replace(shared().net.ring, interface);
  write_resolver_file(dns);
  publish(NetworkPhase::Up, interface, dns);
}

/// Takes over what DHCP has found, or the fallback when the time has come.
/// Returns  when to look again for the latter
std::uint64_t choose_address(AddressFilters& filters, std::uint64_t fallback_at_ns) {
  std::optional<net::DhcpLease> lease;
  bool changed = false;
  {
    const Network network;
    changed = network.state().lease_changed != 0;
    network.state().lease_changed = 0;
    lease = network.state().dhcp.lease();
  }
  if (changed && lease.has_value()) use(filters, lease->interface, lease->dns);
  if (network_config().phase == NetworkPhase::Up) return net::kNever;
  if (rt::monotonic_ns() < fallback_at_ns) return fallback_at_ns;
  use(filters, kFallbackInterface, kFallbackDns);
  return net::kNever;
}

void begin(AddressFilters& filters, const NetworkChoice& choice) {
  const InterfaceInfo& card = system_info().interfaces[kCardInterface];
  if (card.present == 0 || choice.kind == NetworkChoice::Kind::None)
    return publish(NetworkPhase::Loopback, {}, {});
  if (choice.kind == NetworkChoice::Kind::Static) return use(filters, choice.interface, choice.dns);
  publish(NetworkPhase::Starting, {}, {});
  Network network;
  network.start_dhcp(random_value<std::uint64_t>());
}

}  // namespace

void run_network_service() {
  AddressFilters filters;
  if (!set_up()) return;
  begin(filters, shared().network_choice);
  std::uint64_t fallback_at_ns = rt::monotonic_ns() + kFallbackAfterNs;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(shared().net.timer_event);
    if (network_config().phase == NetworkPhase::Starting || shared().net.lease_changed != 0)
      fallback_at_ns = choose_address(filters, fallback_at_ns);
    {
      Network network;
      network.take_frames();
      network.run_timers();
      NetworkState& state = network.state();
      state.service_wake_ns = network.next_deadline();
      state.service_watches = kWatchedSlots + network.taken();
      state.ring.watch(wait, kWatchedSlots);
      wait.deadline(state.service_wake_ns);
    }
    if (network_config().phase == NetworkPhase::Starting) wait.deadline(fallback_at_ns);
    wait.sleep();
  }
}

}  // namespace xok::exos
