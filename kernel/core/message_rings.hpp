// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "abi/message_ring.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/pages.hpp"

/// Message rings (abi/message_ring.hpp): one per environment, so there is no table to exhaust. The
/// pages are the receiver's and pinned: they stay the same memory whatever it maps or unmaps.
namespace xok::kernel {

inline constexpr std::size_t kMessageRingPages = kMaxMessageSlots * kMessageSlotSize / kPageSize;

class MessageRings {
 public:
  MessageRings(Machine& machine, Pages& pages) : machine_{machine}, pages_{pages} {}
  MessageRings(const MessageRings&) = delete;
  MessageRings& operator=(const MessageRings&) = delete;

  /// Makes the ring of `env` of these pages (1, 2 or 4, each a User page).
  /// Errors  Exists  it has one;  NoSpace  a page has too many pins
  Result<> create(EnvIndex env, std::span<const std::uint32_t> pages, const Capability& gate);
  /// Unpins a ring's pages. Errors: NotFound: there is none.
  Result<> remove(EnvIndex env);
  /// What a sender to `env` needs Write on. Errors: NotFound: it has no ring.
  Result<Capability> gate(EnvIndex env) const;
  /// Whether the next slot is the kernel's. The ring must exist.
  bool has_room(EnvIndex env);
  /// Fills the next slot, which is the kernel's, with 1 to kMaxMessageBytes bytes.
  void deliver(EnvIndex env, std::uint32_t sender, const Capability& presented,
               std::span<const std::byte> body);

  /// Calls `visit(env, page)` for every pin, for the invariant sweep.
  template <class Visit>
  void visit_pins(const Visit& visit) const {
    for (EnvIndex env = 0; env < kMaxEnvironments; env++) {
      for (std::uint32_t i = 0; i < rings_[env].pages; i++) visit(env, rings_[env].page[i]);
    }
  }

 private:
  struct Ring {
    std::array<std::uint32_t, kMessageRingPages> page{};
    std::uint16_t pages = 0;  // 0: no ring
    std::uint16_t next = 0;   // slot
    Capability gate{};
  };

  MessageSlot& next_slot(const Ring& ring);

  Machine& machine_;
  Pages& pages_;
  std::array<Ring, kMaxEnvironments> rings_{};
};

}  // namespace xok::kernel
