// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "libs/dpf/filter_table.hpp"
#include "libs/dpf/program.hpp"

/// The meaning of filters, as plainly as it can be written: atoms one by one, bytes one by one, all
/// filters one by one. Tests and the fuzzer hold the real thing against it. Host only.
namespace xok::dpf::reference {

using Atoms = std::vector<Atom>;
using Packet = std::vector<std::byte>;

inline std::optional<std::uint64_t> field(std::span<const std::byte> packet, std::uint64_t at,
                                          unsigned width) {
  std::uint64_t out = 0;
  for (unsigned i = 0; i < width; ++i) {
    if (at + i >= packet.size()) return std::nullopt;
    out = out << 8 | std::to_integer<std::uint64_t>(packet[at + i]);
  }
  return out;
}

inline bool matches(std::span<const Atom> atoms, std::span<const std::byte> packet) {
  std::uint64_t base = 0;
  for (const Atom& atom : atoms) {
    if (atom.op == Op::Skip) {
      base += atom.offset;
      continue;
    }
    const auto bits = field(packet, base + atom.offset, atom.width);
    if (!bits) return false;
    if (atom.op == Op::Eq && (*bits & atom.mask) != atom.value) return false;
    if (atom.op == Op::Shift) base += (*bits & atom.mask) << atom.left_shift;
  }
  return true;
}

inline unsigned specificity(std::span<const Atom> atoms) {
  std::set<std::tuple<unsigned, unsigned, unsigned>> bits;  // Shifts made, byte, bit
  unsigned shifts = 0;
  unsigned skipped = 0;
  for (const Atom& atom : atoms) {
    if (atom.op == Op::Skip) skipped += atom.offset;
    if (atom.op == Op::Shift) ++shifts;
    for (unsigned bit = 0; atom.op == Op::Eq && bit < 8u * atom.width; ++bit)
      if ((atom.mask >> bit & 1) != 0)
        bits.emplace(shifts, skipped + atom.offset + atom.width - 1 - bit / 8, bit % 8);
  }
  return static_cast<unsigned>(bits.size());
}

/// A list of filters in place of the trie.
struct Table {
  struct Entry {
    FilterId id;
    Atoms atoms;
  };
  std::vector<Entry> entries;

  std::optional<FilterId> classify(std::span<const std::byte> packet) const {
    std::optional<FilterId> winner;
    unsigned best = 0;
    for (const Entry& entry : entries) {
      const unsigned length = specificity(entry.atoms);
      if (length <= best || !matches(entry.atoms, packet)) continue;
      best = length;
      winner = entry.id;
    }
    return winner;
  }
};

}  // namespace xok::dpf::reference
