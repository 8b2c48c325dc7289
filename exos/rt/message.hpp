// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <type_traits>

#include "abi/capability.hpp"
#include "abi/message_ring.hpp"
#include "base/result.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/wait.hpp"

namespace xok::rt {

/// The receiver's end of a message ring (abi/message_ring.hpp).
///
///   rt::Mailbox box;
///   box.open(ring_memory, 32, gate);
///   box.receive([](const MessageSlot& m) { use(m.body, m.owner, m.sender); });   // waits
class Mailbox {
 public:
  /// `slots`: n of them, page-aligned, writable, filled with zeroes. Whoever holds Write on `gate`
  /// may send.
  Result<> open(MessageSlot* slots, std::size_t n, const Capability& gate) {
    const std::int64_t error =
        sys::message_ring_create(reinterpret_cast<std::uint64_t>(slots), n, gate.bits());
    if (error < 0) return fail(static_cast<Errc>(-error));
    slots_ = slots;
    count_ = n;
    next_ = 0;
    return {};
  }
  void close() { sys::message_ring_delete(); }

  /// Gives the next message to `use` if there is one, then its slot back to the kernel.
  template <class Use>
  bool poll(Use&& use) {
    MessageSlot& slot = slots_[next_];
    // acquire; pairs with the kernel's release store
    if (__atomic_load_n(&slot.owner, __ATOMIC_ACQUIRE) == 0) return false;
    use(static_cast<const MessageSlot&>(slot));
    // release; pairs with the kernel's acquire load
    __atomic_store_n(&slot.owner, 0, __ATOMIC_RELEASE);
    next_ = (next_ + 1) % count_;
    return true;
  }
  /// Sleeps until there is one.
  template <class Use>
  void receive(Use&& use) {
    while (!poll(use)) {
      WaitSet wait;
      wait.watch32(slots_[next_].owner, 0);
      wait.sleep();
    }
  }

 private:
  MessageSlot* slots_ = nullptr;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

/// Sends one object. `slot`: the caller's, opens the receiver's gate. WouldBlock: its ring is full.
template <class T>
Result<> send_message(std::uint64_t slot, EnvId to, const T& message) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kMaxMessageBytes);
  const std::int64_t error = sys::message_send(
      make_target(slot, to), reinterpret_cast<std::uint64_t>(&message), sizeof message);
  if (error < 0) return fail(static_cast<Errc>(-error));
  return {};
}

}  // namespace xok::rt
