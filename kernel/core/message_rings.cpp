// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/message_rings.hpp"

#include <cstring>

namespace xok::kernel {
namespace {

constexpr std::uint32_t kSlotsPerPage = kPageSize / kMessageSlotSize;
static_assert(kSlotsPerPage == kMinMessageSlots);

}  // namespace

Result<> MessageRings::create(EnvIndex env, std::span<const std::uint32_t> pages,
                              const Capability& gate) {
  Ring& ring = rings_[env];
  if (ring.pages != 0) return fail(Errc::Exists);
  for (std::size_t i = 0; i < pages.size(); i++) {
    if (pages_.pin(pages[i])) {
      ring.page[i] = pages[i];
      continue;
    }
    while (i-- > 0) pages_.unpin(pages[i]);
    return fail(Errc::NoSpace);
  }
  ring.pages = static_cast<std::uint16_t>(pages.size());
  ring.next = 0;
  ring.gate = gate;
  return {};
}

Result<> MessageRings::remove(EnvIndex env) {
  Ring& ring = rings_[env];
  if (ring.pages == 0) return fail(Errc::NotFound);
  for (std::uint32_t i = 0; i < ring.pages; i++) pages_.unpin(ring.page[i]);
  ring = Ring{};
  return {};
}

Result<Capability> MessageRings::gate(EnvIndex env) const {
  if (rings_[env].pages == 0) return fail(Errc::NotFound);
  return rings_[env].gate;
}

/// A slot never crosses a page.
MessageSlot& MessageRings::next_slot(const Ring& ring) {
  std::byte* const page = pages_.bytes(ring.page[ring.next / kSlotsPerPage]);
  return *reinterpret_cast<MessageSlot*>(page + ring.next % kSlotsPerPage * kMessageSlotSize);
}

bool MessageRings::has_room(EnvIndex env) {
  // acquire; pairs with the receiver's release store of 0
  return __atomic_load_n(&next_slot(rings_[env]).owner, __ATOMIC_ACQUIRE) == 0;
}

void MessageRings::deliver(EnvIndex env, std::uint32_t sender, const Capability& presented,
                           std::span<const std::byte> body) {
  Ring& ring = rings_[env];
  MessageSlot& slot = next_slot(ring);
  slot.sender = sender;
  slot.capability = presented.bits();
  slot.cycles = machine_.cycles();
  std::memcpy(slot.body, body.data(), body.size());
  // release; pairs with the receiver's acquire load
  __atomic_store_n(&slot.owner, static_cast<std::uint32_t>(body.size()), __ATOMIC_RELEASE);
  ring.next = static_cast<std::uint16_t>((ring.next + 1) % (ring.pages * kSlotsPerPage));
}

}  // namespace xok::kernel
