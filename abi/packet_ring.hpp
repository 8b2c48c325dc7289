// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

/// Packet rings: slots in the receiver's own memory that the kernel fills.
///
/// A ring is a page-aligned array of 2 to kMaxRingSlots slots (a power of two). The kernel fills
/// them in order, round and round. Owner-word protocol: 0 = the kernel may fill the slot;
/// otherwise the slot is the application's and the word is the packet's length. The kernel writes
/// the data first, the owner word last (release). A full ring drops the packet and counts it.
/// Wait for packets with a wakeup predicate on the owner word of the next slot.
namespace xok {

inline constexpr std::size_t kRingSlotSize = 2048;
inline constexpr std::size_t kMaxRingSlots = 256;
inline constexpr std::size_t kMaxRings = 128;
inline constexpr std::size_t kMaxFrame = 1514;
inline constexpr std::size_t kMinFrame = 14;

/// One slot of a packet ring.
struct RingSlot {
  std::uint32_t owner;      ///< 0: the kernel's; else bytes of `frame` in use
  std::uint16_t filter;     ///< which filter took it
  std::uint16_t interface;  ///< where it arrived
  std::uint64_t cycles;     ///< cycle counter at arrival
  std::uint8_t padding[2];  ///< puts the IP header behind the 14-byte Ethernet header on 4 bytes
  std::uint8_t frame[kRingSlotSize - 18];
};
static_assert(sizeof(RingSlot) == kRingSlotSize && offsetof(RingSlot, frame) == 18);

/// One piece of a frame to send.
struct SendPiece {
  std::uint64_t address;
  std::uint64_t length;
};
inline constexpr std::size_t kMaxSendPieces = 16;

}  // namespace xok
