// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

/// Message rings: asynchronous messages between environments, as slots in the receiver's own memory
/// that the kernel fills. An environment has at most one ring.
///
/// A ring is a page-aligned array of kMinMessageSlots to kMaxMessageSlots slots (a power of two, so
/// whole pages). The kernel fills them in order, round and round. Owner-word protocol, as for
/// packet rings: 0 = the kernel may fill the slot; otherwise the slot is the receiver's and the
/// word is the message's length. The kernel writes everything else first, the owner word last
/// (release): a message is there whole or not at all. The receiver reads the word with acquire,
/// takes what it wants, and stores 0 with release. A full ring refuses the next message
/// (WouldBlock): nothing is ever dropped or overwritten. Wait with a wakeup predicate on the owner
/// word of the next slot.
///
/// Who may send: whoever names a slot of its own whose capability gives Write on the ring's gate.
/// `sender` and `capability` are written by the kernel and cannot be forged.
namespace xok {

inline constexpr std::size_t kMessageSlotSize = 128;
inline constexpr std::size_t kMaxMessageBytes = 104;
inline constexpr std::size_t kMinMessageSlots = 32;   ///< one page
inline constexpr std::size_t kMaxMessageSlots = 128;  ///< four pages

/// One slot of a message ring.
struct MessageSlot {
  std::uint32_t owner;   ///< 0: the kernel's; else bytes of `body` in use, 1 to kMaxMessageBytes
  std::uint32_t sender;  ///< EnvId
  std::uint64_t capability;  ///< Capability::bits() of the slot that the sender named
  std::uint64_t cycles;      ///< cycle counter when it was sent
  std::uint8_t body[kMaxMessageBytes];
};
static_assert(sizeof(MessageSlot) == kMessageSlotSize && offsetof(MessageSlot, body) == 24);

}  // namespace xok
