// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Any bytes as a sequence of insertions, removals and packets. Properties: no access outside a
// packet, `classify` and `Program::matches` equal the reference, packets are taken only from
// filters that said yes, removal of all filters frees all nodes.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

#include "libs/dpf/filter_table.hpp"
#include "libs/dpf/reference.hpp"

namespace {

using namespace xok;
using namespace xok::dpf;

FilterTable table;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Input {
  std::span<const std::uint8_t> left;

  std::uint8_t byte() {
    if (left.empty()) return 0;
    const auto out = left.front();
    left = left.subspan(1);
    return out;
  }
  std::span<const std::uint8_t> bytes(std::size_t count) {
    const auto out = left.first(std::min(count, left.size()));
    left = left.subspan(out.size());
    return out;
  }
};

Atom raw_atom(Input& input) {
  Atom atom;
  const auto bytes = input.bytes(sizeof atom);
  if (!bytes.empty()) std::memcpy(&atom, bytes.data(), bytes.size());
  return atom;
}

/// An atom that is likely to be valid and to say something about a short packet.
Atom small_atom(Input& input) {
  const auto kind = input.byte();
  const auto offset = static_cast<std::uint16_t>(input.byte() % 12);
  const auto width = static_cast<std::uint8_t>(1u << (kind >> 4 & 3));
  const std::uint64_t all = ~0ull >> (64 - 8 * width);
  const std::uint64_t mask = (kind & 0x80) != 0 ? all : all & 0x0101010101010101ull * input.byte();
  if (kind % 4 == 0) return {Op::Shift, width, kind % 3u == 0, 0, offset, 0, mask & 7, 0};
  if (kind % 8 == 1) return {Op::Skip, 0, 0, 0, offset, 0, 0, 0};
  return {Op::Eq, width, 0, 0, offset, 0, mask, mask & input.byte()};
}

void insert(Input& input, reference::Table& model) {
  const auto shape = input.byte();
  const unsigned rights = input.byte();
  reference::Atoms atoms(shape % 80 > 66 ? shape % 67u : shape % 8u);
  for (auto& atom : atoms) atom = (shape & 0x80) != 0 ? raw_atom(input) : small_atom(input);
  const auto program = Program::from(atoms);
  if (!program) return;
  require(program->specificity() == reference::specificity(atoms));
  const auto probe = input.bytes(input.byte() % 24);
  const auto packet = std::as_bytes(probe);
  require(program->matches(packet) == reference::matches(atoms, packet));
  const auto before = model.classify(packet);
  std::set<std::uint16_t> allowed;
  const auto id = table.insert(*program, shape, [&](FilterId other) {
    if ((rights >> other.value % 8 & 1) == 0) return false;
    return allowed.insert(other.value), true;
  });
  if (!id) {
    require(table.classify(packet) == before);
    return;
  }
  model.entries.push_back({*id, atoms});
  require(!before || table.classify(packet) == before || allowed.contains(before->value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{{data, size}};
  reference::Table model;
  while (!input.left.empty()) {
    const auto command = input.byte();
    if (command % 4 <= 1) {
      insert(input, model);
    } else if (command % 4 == 2 && !model.entries.empty()) {
      const auto victim =
          model.entries.begin() + static_cast<std::ptrdiff_t>(input.byte() % model.entries.size());
      require(table.remove(victim->id).has_value());
      model.entries.erase(victim);
    } else {
      const auto packet = std::as_bytes(input.bytes(input.byte() % 64));
      require(table.classify(packet) == model.classify(packet));
    }
  }
  for (const auto& entry : model.entries) require(table.remove(entry.id).has_value());
  require(table.nodes_in_use() == 0);
  return 0;
}
