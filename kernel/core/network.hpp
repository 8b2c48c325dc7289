// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "abi/exposed.hpp"
#include "abi/packet_ring.hpp"
#include "base/result.hpp"
#include "kernel/core/env_state.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/page_table.hpp"
#include "kernel/core/pages.hpp"
#include "libs/dpf/filter_table.hpp"

/// Packet rings, packet filters, and the way of a frame from an interface to a ring.
///
/// A ring belongs to the environment that made it, its pages are pinned, and were writable by that
/// environment. A filter belongs to an environment too, names one of its rings, and has a guard.
namespace xok::kernel {

static_assert(dpf::kMaxFilters == kMaxFilters);

class Network {
 public:
  using EnvStates = std::array<EnvState, kMaxEnvironments>;

  Network(Machine& machine, Pages& pages, EnvStates& states)
      : machine_{machine}, pages_{pages}, states_{states} {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  void initialize(const ExposedTables& tables);

  /// Makes a ring of `pages` (each a User page, not yet pinned by us) for `env`.
  /// Errors  NoSpace  no ring is free, the environment has kRingsPerEnv, or a page's pins are full
  Result<std::uint32_t> create_ring(EnvIndex env, std::span<const std::uint32_t> pages);
  /// Errors  NotFound  no such ring;  Denied  another environment's;  Busy  a filter names it
  Result<> delete_ring(EnvIndex env, std::uint64_t ring);

  /// Adds a filter for `env` that delivers to its ring. `right` is the capability that may steal.
  /// Errors  NotFound (ring), Denied (ring of another), NoSpace (table or quota), Overlap
  Result<std::uint32_t> insert_filter(EnvIndex env, const dpf::Program& program, std::uint64_t ring,
                                      const Capability& guard, const Capability& right);
  /// Errors  NotFound; BadCapability or Denied: `right` does not give Write on the guard
  Result<> delete_filter(std::uint64_t filter, const Capability& right);

  /// Frees an environment's filters and rings. Cost O(kMaxFilters + kMaxRings).
  void free_all(EnvIndex env);

  /// A frame arrived: to the ring of the filter that owns it, or dropped. Counts either way.
  void receive(std::uint32_t interface, std::span<const std::byte> frame);

  /// Calls `visit(page)` for every pin the rings hold, for the invariant sweep.
  template <class Visit>
  void visit_pins(const Visit& visit) const {
    for (const Ring& ring : rings_) {
      const std::size_t count = ring.owner == 0 ? 0 : ring.slots * kRingSlotSize / kPageSize;
      for (std::size_t i = 0; i < count; i++) visit(ring.page[i]);
    }
  }
  /// How many rings an environment has.
  [[nodiscard]] std::uint32_t rings_of(EnvIndex env) const {
    std::uint32_t count = 0;
    for (const Ring& ring : rings_) count += ring.owner == env ? 1 : 0;
    return count;
  }

  /// Where a frame to the loopback interface is gathered.
  std::span<std::byte> loopback_buffer() { return std::as_writable_bytes(std::span{loopback_}); }

 private:
  struct Ring {
    EnvIndex owner = 0;  // 0: free
    std::uint32_t slots = 0;
    std::uint32_t next = 0;
    std::uint32_t filters = 0;
    std::array<std::uint32_t, kMaxRingSlots * kRingSlotSize / kPageSize> page{};
  };

  Result<Ring*> ring_of(EnvIndex env, std::uint64_t ring);
  void drop_filter(std::uint32_t filter);
  void drop_ring(Ring& ring);
  bool deliver(Ring& ring, std::uint16_t filter, std::uint32_t interface,
               std::span<const std::byte> frame);

  Machine& machine_;
  Pages& pages_;
  EnvStates& states_;
  SystemInfo* system_ = nullptr;
  Env* envs_ = nullptr;
  FilterRecord* records_ = nullptr;
  dpf::FilterTable filters_;
  std::array<Ring, kMaxRings> rings_{};
  std::array<std::uint8_t, kMaxFrame> loopback_{};
};

}  // namespace xok::kernel
