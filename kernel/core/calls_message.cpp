// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_message.hpp"

#include <array>

namespace xok::kernel::calls {

CallResult message_ring_create(Call& call, UserAddr slots, Count n, CapBits gate) {
  const bool power_of_two = (n.value & (n.value - 1)) == 0;
  if (!power_of_two || n.value < kMinMessageSlots || n.value > kMaxMessageSlots ||
      slots.value % kPageSize != 0)
    return fail(Errc::BadArgument);
  const Capability wanted = Capability::from_bits(gate.value);
  if (!wanted.valid() || wanted.pointer()) return fail(Errc::BadArgument);
  const std::uint64_t count = n.value * kMessageSlotSize / kPageSize;
  if (slots.value >= kUserTop || count > (kUserTop - slots.value) / kPageSize)
    return fail(Errc::Fault);
  std::array<std::uint32_t, kMessageRingPages> pages;
  for (std::uint64_t i = 0; i < count; i++) {
    const std::uint64_t entry =
        call.core.page_tables.lookup(call.env().table_page, slots.value + i * kPageSize);
    constexpr std::uint64_t kNeeded = kPtePresent | kPteWritable;
    if ((entry & kNeeded) != kNeeded) return fail(Errc::Fault);
    pages[i] = static_cast<std::uint32_t>(entry_page(entry));
  }
  XOK_TRY(call.core.messages.create(call.self, std::span{pages}.first(count), canonical(wanted)));
  return 0;
}

CallResult message_ring_delete(Call& call) {
  XOK_TRY(call.core.messages.remove(call.self));
  return 0;
}

CallResult message_send(Call& call, Target to, UserAddr message, Count n) {
  MessageRings& rings = call.core.messages;
  const EnvIndex receiver = XOK_TRY(call.env_named(EnvIdWord{to.value & 0xffff'ffff}));
  const Capability gate = XOK_TRY(rings.gate(receiver));
  const Capability held = XOK_TRY(call.capability(CapSlot{to.value >> 32}));
  XOK_TRY(access(held, std::span{&gate, 1}, Permission::Write));
  if (n.value == 0) return fail(Errc::BadArgument);
  if (n.value > kMaxMessageBytes) return fail(Errc::TooBig);
  std::array<std::byte, kMaxMessageBytes> body;
  if (!call.from_user(body.data(), message, n.value)) return fail(Errc::Fault);
  if (!rings.has_room(receiver)) return fail(Errc::WouldBlock);
  rings.deliver(receiver, call.env().id, held, std::span{body}.first(n.value));
  return 0;
}

}  // namespace xok::kernel::calls
