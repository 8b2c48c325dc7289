// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/network.hpp"

#include <cstring>

#include "base/check.hpp"
#include "kernel/core/capability.hpp"

namespace xok::kernel {
namespace {

constexpr std::uint32_t kSlotsPerPage = kPageSize / kRingSlotSize;

}  // namespace

void Network::initialize(const ExposedTables& tables) {
  system_ = tables.info;
  envs_ = tables.envs;
  records_ = tables.filters;
  for (std::size_t i = 0; i < kMaxFilters; i++) records_[i] = FilterRecord{};
}

// -- Rings

Result<std::uint32_t> Network::create_ring(EnvIndex env, std::span<const std::uint32_t> pages) {
  if (states_[env].rings >= kRingsPerEnv) return fail(Errc::NoSpace);
  std::uint32_t number = 0;
  while (number < kMaxRings && rings_[number].owner != 0) number++;
  if (number == kMaxRings) return fail(Errc::NoSpace);
  Ring& ring = rings_[number];
  for (std::size_t i = 0; i < pages.size(); i++) {
    if (pages_.pin(pages[i])) {
      ring.page[i] = pages[i];
      continue;
    }
    while (i-- > 0) pages_.unpin(pages[i]);
    return fail(Errc::NoSpace);
  }
  ring.owner = env;
  ring.slots = static_cast<std::uint32_t>(pages.size() * kSlotsPerPage);
  ring.next = 0;
  ring.filters = 0;
  states_[env].rings++;
  return number;
}

Result<Network::Ring*> Network::ring_of(EnvIndex env, std::uint64_t ring) {
  if (ring >= kMaxRings || rings_[ring].owner == 0) return fail(Errc::NotFound);
  if (rings_[ring].owner != env) return fail(Errc::Denied);
  return &rings_[ring];
}

Result<> Network::delete_ring(EnvIndex env, std::uint64_t ring) {
  Ring* const found = XOK_TRY(ring_of(env, ring));
  if (found->filters != 0) return fail(Errc::Busy);
  drop_ring(*found);
  return {};
}

void Network::drop_ring(Ring& ring) {
  const std::uint32_t count = ring.slots / kSlotsPerPage;
  for (std::uint32_t i = 0; i < count; i++) pages_.unpin(ring.page[i]);
  states_[ring.owner].rings--;
  ring.owner = 0;
}

// -- Filters

Result<std::uint32_t> Network::insert_filter(EnvIndex env, const dpf::Program& program,
                                             std::uint64_t ring, const Capability& guard,
                                             const Capability& right) {
  Ring* const target = XOK_TRY(ring_of(env, ring));
  if (states_[env].filters >= kFiltersPerEnv) return fail(Errc::NoSpace);
  const auto may_steal = [&](dpf::FilterId other) {
    return access(right, std::span{&records_[other.value].guard, 1}, Permission::Write).has_value();
  };
  const dpf::FilterId id = XOK_TRY(filters_.insert(program, ring, may_steal));
  records_[id.value] = {envs_[env].id, static_cast<std::uint32_t>(ring), as_guard(guard), 0, 0};
  target->filters++;
  states_[env].filters++;
  return id.value;
}

Result<> Network::delete_filter(std::uint64_t filter, const Capability& right) {
  if (filter >= kMaxFilters || records_[filter].owner == 0) return fail(Errc::NotFound);
  XOK_TRY(access(right, std::span{&records_[filter].guard, 1}, Permission::Write));
  drop_filter(static_cast<std::uint32_t>(filter));
  return {};
}

void Network::drop_filter(std::uint32_t filter) {
  FilterRecord& record = records_[filter];
  const auto removed = filters_.remove(dpf::FilterId{static_cast<std::uint16_t>(filter)});
  XOK_CHECK(removed.has_value(), filter);
  rings_[record.ring].filters--;
  states_[env_index(record.owner)].filters--;
  record = FilterRecord{};
}

void Network::free_all(EnvIndex env) {
  for (std::uint32_t i = 0; i < kMaxFilters && states_[env].filters > 0; i++) {
    if (env_index(records_[i].owner) == env) drop_filter(i);
  }
  for (std::uint32_t i = 0; i < kMaxRings && states_[env].rings > 0; i++) {
    if (rings_[i].owner == env) drop_ring(rings_[i]);
  }
}

// -- Frames

void Network::receive(std::uint32_t interface, std::span<const std::byte> frame) {
  InterfaceInfo& counters = system_->interfaces[interface];
  counters.received++;
  const bool sound = frame.size() >= kMinFrame && frame.size() <= kMaxFrame;
  const auto filter = sound ? filters_.classify(frame) : std::nullopt;
  if (!filter.has_value()) {
    counters.receive_dropped++;
    return;
  }
  FilterRecord& record = records_[filter->value];
  if (deliver(rings_[record.ring], filter->value, interface, frame)) {
    record.packets++;
  } else {
    record.dropped++;
    counters.receive_dropped++;
  }
}

/// Fills the next slot if it is the kernel's. A slot never crosses a page.
bool Network::deliver(Ring& ring, std::uint16_t filter, std::uint32_t interface,
                      std::span<const std::byte> frame) {
  std::byte* const page = pages_.bytes(ring.page[ring.next / kSlotsPerPage]);
  auto* const slot = reinterpret_cast<RingSlot*>(page + ring.next % kSlotsPerPage * kRingSlotSize);
  // acquire; pairs with the application's release store of 0
  if (__atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE) != 0) return false;
  slot->filter = filter;
  slot->interface = static_cast<std::uint16_t>(interface);
  slot->cycles = machine_.cycles();
  std::memcpy(slot->frame, frame.data(), frame.size());
  // release; pairs with the application's acquire load
  __atomic_store_n(&slot->owner, static_cast<std::uint32_t>(frame.size()), __ATOMIC_RELEASE);
  ring.next = (ring.next + 1) & (ring.slots - 1);
  return true;
}

}  // namespace xok::kernel
