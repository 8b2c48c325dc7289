// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/net/packet_io.hpp"

#include <array>

#include "exos/layout.hpp"
#include "exos/rt/calls.hpp"

namespace xok::exos {
namespace {

template <class T>
std::uint64_t address_of(const T* object) {
  return reinterpret_cast<std::uint64_t>(object);
}

}  // namespace

Result<> ReceiveRing::open(void* memory, std::uint32_t slots) {
  const std::int64_t made = sys::ring_create(address_of(memory), slots);
  if (made < 0) return fail(static_cast<Errc>(-made));
  slots_ = static_cast<RingSlot*>(memory);
  count_ = slots;
  next_ = 0;
  number_ = static_cast<std::uint32_t>(made);
  return {};
}

Result<std::uint32_t> ReceiveRing::insert_filter(std::span<const dpf::Atom> atoms) const {
  const std::int64_t made =
      sys::filter_insert(kCapFilters, kCapFilters, address_of(atoms.data()), atoms.size(), number_);
  if (made < 0) return fail(static_cast<Errc>(-made));
  return static_cast<std::uint32_t>(made);
}

Result<> remove_filter(std::uint32_t filter) {
  const std::int64_t done = sys::filter_delete(kCapFilters, filter);
  if (done < 0) return fail(static_cast<Errc>(-done));
  return {};
}

void send_frame(std::uint32_t interface, const net::OutPacket& packet) {
  std::array<SendPiece, 1 + net::kMaxPieces> pieces;
  std::size_t n = 0;
  pieces[n++] = {address_of(packet.header.data()), packet.header.size()};
  for (const net::PayloadPiece& piece : packet.payload)
    pieces[n++] = {address_of(piece.data), piece.length};
  sys::packet_send(kCapNetwork, interface, address_of(pieces.data()), n);
}

}  // namespace xok::exos
