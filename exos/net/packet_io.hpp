// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>

#include "abi/packet_ring.hpp"
#include "base/result.hpp"
#include "exos/rt/wait.hpp"
#include "libs/dpf/program.hpp"
#include "libs/net/payload.hpp"

/// Frames in and out, as the kernel gives them: a ring of our own that filters fill, and a gather
/// send. The network service and Cheetah each have a ring of their own.
namespace xok::exos {

/// The interface whose frames come back to this machine at once.
inline constexpr std::uint32_t kLoopbackInterface = 0;
/// The first card; InterfaceInfo::present says whether there is one.
inline constexpr std::uint32_t kCardInterface = 1;

/// A received frame: borrowed from the ring until `ReceiveRing::pop`.
struct ReceivedFrame {
  std::span<const std::uint8_t> bytes;  ///< empty: there is none
  std::uint32_t interface = 0;
};

/// A packet ring in memory of the owner's (abi/packet_ring.hpp). All-zero bytes are a closed ring;
/// the object may lie in shared memory: whoever maps the slots may take frames, one at a time.
class ReceiveRing {
 public:
  /// Makes the ring. The calling environment owns it from now on.
  ///
  /// memory  page-aligned, zero, present and writable: `slots` RingSlots
  /// Errors  as the kernel call ring_create
  Result<> open(void* memory, std::uint32_t slots);

  /// The oldest frame not yet popped.
  [[nodiscard]] ReceivedFrame front() const {
    if (slots_ == nullptr) return {};
    const RingSlot& slot = slots_[next_];
    // acquire; pairs with the kernel's release store
    const std::uint32_t length = __atomic_load_n(&slot.owner, __ATOMIC_ACQUIRE);
    // The kernel writes no more; whoever else maps the slots might.
    return {{slot.frame, length < kMaxFrame ? length : kMaxFrame}, slot.interface};
  }
  /// Gives the slot of front() back to the kernel.
  void pop() {
    // release; pairs with the kernel's acquire load
    __atomic_store_n(&slots_[next_].owner, 0, __ATOMIC_RELEASE);
    next_ = (next_ + 1) & (count_ - 1);
  }
  /// The word that is 0 until the next frame is there: wait for it with WaitSet::watch32(word, 0).
  [[nodiscard]] const volatile std::uint32_t& next_word() const { return slots_[next_].owner; }
  /// Adds the words of the next `count` slots: for who is not the only one to take frames.
  void watch(rt::WaitSet& wait, std::uint32_t count) const {
    for (std::uint32_t i = 0; i < count; i++)
      wait.watch32(slots_[(next_ + i) & (count_ - 1)].owner, 0);
  }
  [[nodiscard]] bool is_open() const { return slots_ != nullptr; }

  /// Lets frames that match come to this ring; only the ring's owner may. Needs kCapFilters.
  /// Returns  the filter's number, for remove_filter;  Errors  as the kernel call filter_insert
  Result<std::uint32_t> insert_filter(std::span<const dpf::Atom> atoms) const;

 private:
  RingSlot* slots_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t next_ = 0;
  std::uint32_t number_ = 0;
};

/// Takes a filter away. Errors  as the kernel call filter_delete
Result<> remove_filter(std::uint32_t filter);

/// Sends one frame, gathered from the header and the pieces; copied when this returns. A full
/// queue or a missing interface loses it, as a wire may. Needs kCapNetwork.
/// Cost  one kernel call
void send_frame(std::uint32_t interface, const net::OutPacket& packet);

}  // namespace xok::exos
