// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_network.hpp"

#include <array>

namespace xok::kernel::calls {

CallResult ring_create(Call& call, UserAddr slots, Count n) {
  const bool power_of_two = n.value != 0 && (n.value & (n.value - 1)) == 0;
  if (!power_of_two || n.value < 2 || n.value > kMaxRingSlots || slots.value % kPageSize != 0)
    return fail(Errc::BadArgument);
  const std::uint64_t count = n.value * kRingSlotSize / kPageSize;
  if (slots.value >= kUserTop || count > (kUserTop - slots.value) / kPageSize)
    return fail(Errc::Fault);
  std::array<std::uint32_t, kMaxRingSlots * kRingSlotSize / kPageSize> pages;
  const std::uint64_t top = call.env().table_page;
  for (std::uint64_t i = 0; i < count; i++) {
    const std::uint64_t entry = call.core.page_tables.lookup(top, slots.value + i * kPageSize);
    constexpr std::uint64_t kNeeded = kPtePresent | kPteWritable;
    if ((entry & kNeeded) != kNeeded) return fail(Errc::Fault);
    pages[i] = static_cast<std::uint32_t>(entry_page(entry));
  }
  return XOK_TRY(call.core.network.create_ring(call.self, std::span{pages}.first(count)));
}

CallResult ring_delete(Call& call, Count ring) {
  XOK_TRY(call.core.network.delete_ring(call.self, ring.value));
  return 0;
}

CallResult filter_insert(Call& call, CapSlot cap, CapSlot guard, UserAddr atoms, Count n,
                         Count ring) {
  const Capability right = XOK_TRY(call.capability(cap));
  const Capability name = Capability::make({kFilterName});
  XOK_TRY(access(right, std::span{&name, 1}, Permission::Write));
  const Capability guard_value = XOK_TRY(call.capability(guard));
  if (n.value > dpf::kMaxAtoms) return fail(Errc::TooBig);
  std::array<dpf::Atom, dpf::kMaxAtoms> copy;
  if (!call.from_user(copy.data(), atoms, n.value * sizeof(dpf::Atom))) return fail(Errc::Fault);
  const dpf::Program program = XOK_TRY(dpf::Program::from(std::span{copy}.first(n.value)));
  return XOK_TRY(
      call.core.network.insert_filter(call.self, program, ring.value, guard_value, right));
}

CallResult filter_delete(Call& call, CapSlot guard, Count filter) {
  const Capability right = XOK_TRY(call.capability(guard));
  XOK_TRY(call.core.network.delete_filter(filter.value, right));
  return 0;
}

CallResult packet_send(Call& call, CapSlot cap, Count interface, UserAddr pieces, Count n) {
  SystemInfo& info = *call.core.tables.info;
  if (interface.value >= kMaxInterfaces || info.interfaces[interface.value].present == 0)
    return fail(Errc::NotFound);
  const auto number = static_cast<std::uint32_t>(interface.value);
  XOK_TRY(call.check(cap, Capability::make({kInterfaceName, static_cast<std::uint8_t>(number)}),
                     Permission::Write));
  if (n.value == 0) return fail(Errc::BadArgument);
  if (n.value > kMaxSendPieces) return fail(Errc::TooBig);
  std::array<SendPiece, kMaxSendPieces> piece;
  if (!call.from_user(piece.data(), pieces, n.value * sizeof(SendPiece))) return fail(Errc::Fault);
  std::size_t total = 0;
  for (std::size_t i = 0; i < n.value; i++) {
    if (piece[i].length > kMaxFrame - total) return fail(Errc::TooBig);
    total += piece[i].length;
  }
  if (total < kMinFrame) return fail(Errc::BadArgument);

  InterfaceInfo& counters = info.interfaces[number];
  const bool loopback = counters.loopback != 0;
  const std::span<std::byte> buffer =
      loopback ? call.core.network.loopback_buffer() : call.core.machine.transmit_buffer(number);
  if (buffer.size() < total) {
    counters.send_dropped++;
    return fail(Errc::WouldBlock);
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < n.value; i++) {
    if (!call.from_user(buffer.data() + at, UserAddr{piece[i].address}, piece[i].length))
      return fail(Errc::Fault);
    at += piece[i].length;
  }
  counters.sent++;
  if (loopback) {
    call.core.network.receive(number, buffer.first(total));
  } else {
    call.core.machine.transmit(number, total);
  }
  return 0;
}

}  // namespace xok::kernel::calls
