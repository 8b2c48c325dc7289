// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A packet counter: the application's own filters decide which packets it gets, the kernel copies
// them into a ring in the application's own memory, and the application counts.
//
// To have something to count it sends frames to itself over the loopback interface (number 0).
#include <array>

#include "abi/packet_ring.hpp"
#include "apps/examples/example.hpp"
#include "libs/dpf/builders.hpp"

namespace {

using namespace xok;
using namespace xok::example;

constexpr std::size_t kSlots = 16;
constexpr std::uint64_t kRing = 0x100'0000'0000;
constexpr std::size_t kFrame = 60;

/// One frame of an Ethernet type, sent in two pieces: the kernel gathers.
void send(std::uint8_t type_high, std::uint8_t type_low) {
  static std::array<std::uint8_t, 14> header{};
  static std::array<std::uint8_t, kFrame - 14> body{};
  header[12] = type_high;
  header[13] = type_low;
  const SendPiece pieces[] = {
      {reinterpret_cast<std::uint64_t>(header.data()), header.size()},
      {reinterpret_cast<std::uint64_t>(body.data()), body.size()},
  };
  must(sys::packet_send(kRoot, 0, reinterpret_cast<std::uint64_t>(pieces), std::size(pieces)),
       "packet_send");
}

}  // namespace

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  for (std::uint64_t i = 0; i < kSlots * kRingSlotSize; i += kPageSize)
    must(sys::pte_insert(kRoot, kData, kRing + i, kSelf), "pte_insert");
  const std::int64_t ring = sys::ring_create(kRing, kSlots);
  must(ring, "ring_create");
  const dpf::Atom arp[] = {
      {.op = dpf::Op::Eq, .width = 2, .offset = 12, .mask = 0xffff, .value = 0x0806}};
  must(sys::filter_insert(kRoot, kRoot, reinterpret_cast<std::uint64_t>(arp), std::size(arp),
                          static_cast<std::uint64_t>(ring)),
       "filter_insert");

  send(0x08, 0x06);  // ARP: ours
  send(0x86, 0xdd);  // IPv6: nobody's, the kernel drops it
  send(0x08, 0x06);

  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  auto* slots = reinterpret_cast<volatile RingSlot*>(kRing);
  for (std::size_t i = 0; slots[i].owner != 0; i = (i + 1) % kSlots) {
    packets++;
    bytes += slots[i].owner;
    slots[i].owner = 0;  // the slot is the kernel's again
  }
  print("ARP packets: ");
  print(packets);
  print(", bytes: ");
  print(bytes);
  print("\n");
  stop(packets == 2 && bytes == 2 * kFrame);
}
