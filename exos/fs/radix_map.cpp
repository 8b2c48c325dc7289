// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A tree of 64-way nodes. Invariants between operations: every node has an occupied slot; the bit
// of a slot is set exactly when the slot is not 0; the top node has more than slot 0 (else the tree
// would be one level lower). A failed insertion may have made empty nodes on its way: `prune` walks
// the same path again and removes them.
#include "exos/fs/radix_map.hpp"

#include <array>
#include <bit>

#include "base/check.hpp"

namespace xok::exos {

namespace {
constexpr unsigned kBits = 6;
constexpr unsigned kFanOut = 1U << kBits;
constexpr unsigned kMaxLevels = 11;
}  // namespace

struct RadixNode {
  std::uint64_t occupied = 0;
  std::array<std::uintptr_t, kFanOut> slot{};
};

namespace {

static_assert(sizeof(RadixNode) == 520);

RadixNode* node_at(std::uintptr_t word) { return reinterpret_cast<RadixNode*>(word); }
std::uintptr_t word_of(RadixNode* node) { return reinterpret_cast<std::uintptr_t>(node); }

/// The slot that `key` takes in a node `level` steps above the values.
unsigned slot_index(std::uint64_t key, std::uint64_t level) {
  return static_cast<unsigned>((key >> (kBits * level)) & (kFanOut - 1));
}

/// All key bits below a node's slot index.
std::uint64_t low_bits(std::uint64_t level) { return (std::uint64_t{1} << (kBits * level)) - 1; }

/// The search bound inside slot `found`, when the bound's own slot is `wanted`.
enum class Direction { Up, Down };

std::optional<RadixMap::Item> seek(std::uintptr_t word, std::uint64_t levels, std::uint64_t prefix,
                                   std::uint64_t bound, Direction direction) {
  if (levels == 0) return RadixMap::Item{.key = prefix, .value = word};
  const RadixNode& node = *node_at(word);
  const std::uint64_t level = levels - 1;
  const unsigned wanted = slot_index(bound, level);
  const bool up = direction == Direction::Up;
  std::uint64_t candidates =
      node.occupied & (up ? ~std::uint64_t{0} << wanted : ~std::uint64_t{0} >> (63 - wanted));
  while (candidates != 0) {
    const auto index = static_cast<unsigned>(up ? std::countr_zero(candidates)
                                                : 63 - std::countl_zero(candidates));
    candidates &= ~(std::uint64_t{1} << index);
    // Beside the bound's own slot everything in the child qualifies.
    std::uint64_t inner = up ? 0 : low_bits(level);
    if (index == wanted) inner = bound & low_bits(level);
    const std::uint64_t child_prefix = prefix | std::uint64_t{index} << (kBits * level);
    if (auto item = seek(node.slot[index], level, child_prefix, inner, direction)) return item;
  }
  return std::nullopt;
}

}  // namespace

bool RadixMap::covers(std::uint64_t key) const {
  return levels_ == kMaxLevels || key >> (kBits * levels_) == 0;
}

std::uintptr_t RadixMap::get(std::uint64_t key) const {
  if (!covers(key)) return 0;
  std::uintptr_t word = top_;
  for (std::uint64_t level = levels_; level > 0 && word != 0; --level) {
    word = node_at(word)->slot[slot_index(key, level - 1)];
  }
  return word;
}

bool RadixMap::set(ObjectHeap& heap, std::uint64_t key, std::uintptr_t value) {
  XOK_CHECK(value != 0);
  std::uintptr_t* slot = nullptr;
  bool room = true;
  while (room && !covers(key)) room = raise(heap);
  if (room) slot = make_slot(heap, key);
  if (slot == nullptr) {
    prune(heap, key);
    return false;
  }
  *slot = value;
  return true;
}

bool RadixMap::raise(ObjectHeap& heap) {
  if (top_ != 0) {
    auto* node = heap.make<RadixNode>();
    if (node == nullptr) return false;
    node->slot[0] = top_;
    node->occupied = 1;
    top_ = word_of(node);
  }
  ++levels_;
  return true;
}

/// The place of `key`, made if need be and marked occupied; the caller fills it. nullptr: no
/// memory.
std::uintptr_t* RadixMap::make_slot(ObjectHeap& heap, std::uint64_t key) {
  std::uintptr_t* slot = &top_;
  RadixNode* parent = nullptr;
  std::uint64_t parent_bit = 0;
  for (std::uint64_t level = levels_; level > 0; --level) {
    if (*slot == 0) {
      auto* node = heap.make<RadixNode>();
      if (node == nullptr) return nullptr;
      *slot = word_of(node);
      if (parent != nullptr) parent->occupied |= parent_bit;
    }
    parent = node_at(*slot);
    const unsigned index = slot_index(key, level - 1);
    parent_bit = std::uint64_t{1} << index;
    slot = &parent->slot[index];
  }
  if (parent != nullptr) parent->occupied |= parent_bit;
  return slot;
}

std::uintptr_t RadixMap::take(ObjectHeap& heap, std::uint64_t key) {
  if (!covers(key)) return 0;
  std::uintptr_t* slot = &top_;
  RadixNode* parent = nullptr;
  for (std::uint64_t level = levels_; level > 0 && *slot != 0; --level) {
    parent = node_at(*slot);
    slot = &parent->slot[slot_index(key, level - 1)];
  }
  const std::uintptr_t value = *slot;
  if (value == 0) return 0;
  *slot = 0;
  if (parent != nullptr) parent->occupied &= ~(std::uint64_t{1} << slot_index(key, 0));
  if (parent == nullptr || parent->occupied == 0 || parent->occupied == 1) prune(heap, key);
  return value;
}

/// Frees the empty nodes on the way to `key`, from the bottom up, then lowers the tree.
void RadixMap::prune(ObjectHeap& heap, std::uint64_t key) {
  std::array<RadixNode*, kMaxLevels> path;
  std::size_t depth = 0;
  std::uintptr_t word = covers(key) ? top_ : 0;
  for (std::uint64_t level = levels_; level > 0 && word != 0; --level) {
    path[depth++] = node_at(word);
    word = node_at(word)->slot[slot_index(key, level - 1)];
  }
  while (depth > 0 && path[depth - 1]->occupied == 0) {
    heap.destroy(path[--depth]);
    if (depth == 0) {
      top_ = 0;
      break;
    }
    const unsigned index = slot_index(key, levels_ - depth);
    path[depth - 1]->slot[index] = 0;
    path[depth - 1]->occupied &= ~(std::uint64_t{1} << index);
  }
  lower(heap);
}

void RadixMap::lower(ObjectHeap& heap) {
  while (levels_ > 0 && top_ != 0 && node_at(top_)->occupied == 1) {
    RadixNode* node = node_at(top_);
    top_ = node->slot[0];
    heap.destroy(node);
    --levels_;
  }
  if (top_ == 0) levels_ = 0;
}

std::optional<RadixMap::Item> RadixMap::first_from(std::uint64_t from) const {
  if (top_ == 0 || !covers(from)) return std::nullopt;
  return seek(top_, levels_, 0, from, Direction::Up);
}

std::optional<RadixMap::Item> RadixMap::last_until(std::uint64_t from) const {
  if (top_ == 0) return std::nullopt;
  if (!covers(from)) from = low_bits(levels_);
  return seek(top_, levels_, 0, from, Direction::Down);
}

}  // namespace xok::exos
