// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The trie. A state has a list of tests (alternatives: all are tried); a test reads one field and
// has one state per value that some filter wants there, in a balanced search tree:
//
//   root state - [ u16 at 12 ] - 0x0806 -> state, filter 0 (ARP)
//                              - 0x0800 -> state - [ u32 at 30 ] - me -> state, filter 1 (IP to me)
//                                                                         |
//                      filter 2 (port 80) <- state <- 80 - [ ... ] - [ u8 at 23 ]
//
// Invariants: a state without filter and without tests is freed at once, and so is a test without
// states; hence a test has at most one state per filter, and its tree at most 9 levels. Two filters
// of equal specificity in the table never match one packet, so `classify` has one answer whatever
// the order of the alternatives, and thus of insertion.
#include "libs/dpf/filter_table.hpp"

#include "base/checked.hpp"

namespace xok::dpf {

template <class Node>
std::uint16_t FilterTable::Pool<Node>::take(const Node& content) {
  Index i = first_free_;
  if (i != 0) {
    first_free_ = nodes_[i].parent;
  } else {
    i = ++ever_used_;
  }
  ++in_use_;
  nodes_[i] = content;
  return i;
}

template <class Node>
void FilterTable::Pool<Node>::give(Index i) {
  nodes_[i] = Node{};
  nodes_[i].parent = first_free_;
  first_free_ = i;
  --in_use_;
}

Result<FilterId> FilterTable::insert(const Program& program, std::uint64_t owner,
                                     MaySteal may_steal) {
  const auto atoms = program.atoms();
  if (atoms.empty()) return fail(Errc::BadFormat);
  const unsigned specificity = program.specificity();
  XOK_TRY(check_overlap(program, specificity, may_steal));
  const Place place = locate(atoms);
  const std::size_t new_states = atoms.size() - place.known;
  if (size_ == kMaxFilters || new_states > states_.free() ||
      new_states - (place.test != 0) > tests_.free())
    return fail(Errc::NoSpace);

  Index id = 0;
  while (filters_[id].state != 0) ++id;
  const Index state = grow(place, atoms);
  states_[state].filter = static_cast<Index>(id + 1);
  filters_[id] = {owner, state, static_cast<std::uint16_t>(specificity)};
  ++size_;
  return FilterId{id};
}

Result<> FilterTable::remove(FilterId id) {
  if (!contains(id)) return fail(Errc::NotFound);
  const Index state = filters_[id.value].state;
  filters_[id.value] = {};
  --size_;
  states_[state].filter = 0;
  prune(state);
  return {};
}

std::optional<FilterId> FilterTable::classify(std::span<const std::byte> packet) const {
  struct Pending {
    Index test;
    std::uint64_t base;
  };
  std::array<Pending, kMaxAtoms> pending;  // at most one per level above us
  std::size_t depth = 0;
  unsigned best = 0;
  Index winner = 0;
  std::uint64_t base = 0;  // at most 64 * kMaxOffset: cannot overflow
  for (Index next = root_tests_;;) {
    while (next != 0) {
      const Test& test = tests_[next];
      if (test.next != 0) pending[depth++] = {test.next, base};
      const auto position = base + test.offset;
      if (!range_fits<std::uint64_t>(position, test.width, packet.size())) break;
      const auto bits = load_field(packet, position, test.width) & test.mask;
      Index found = test.edges;
      if (test.op == Op::Shift) {
        base += bits << test.left_shift;
      } else {
        found = find_edge(test, bits);
        if (found == 0) break;
      }
      const State& state = states_[found];
      if (state.filter != 0 && filters_[state.filter - 1u].specificity > best) {
        best = filters_[state.filter - 1u].specificity;
        winner = state.filter;
      }
      next = state.tests;
    }
    if (depth == 0) break;
    --depth;
    next = pending[depth].test;
    base = pending[depth].base;
  }
  if (winner == 0) return std::nullopt;
  return FilterId{static_cast<Index>(winner - 1)};
}

bool FilterTable::contains(FilterId id) const {
  return id.value < kMaxFilters && filters_[id.value].state != 0;
}

Result<std::uint64_t> FilterTable::owner(FilterId id) const {
  if (!contains(id)) return fail(Errc::NotFound);
  return filters_[id.value].owner;
}

Result<Program> FilterTable::program(FilterId id) const {
  if (!contains(id)) return fail(Errc::NotFound);
  Result<Program> out{Program{}};
  rebuild(*out, filters_[id.value].state);
  return out;
}

Result<> FilterTable::check_overlap(const Program& program, unsigned specificity,
                                    MaySteal may_steal) {
  // Equals first: a caller is asked about its rights only if the answer matters.
  for (const bool equals : {true, false}) {
    for (Index i = 0; i < kMaxFilters; ++i) {
      const Filter& other = filters_[i];
      if (other.state == 0 || (other.specificity == specificity) != equals) continue;
      if (other.specificity > specificity) continue;  // keeps all its packets
      Program theirs;
      rebuild(theirs, other.state);
      if (!overlaps(program, theirs)) continue;
      if (equals || !may_steal(FilterId{i})) return fail(Errc::Overlap);
    }
  }
  return {};
}

/// Follows `atoms` from the root as far as the trie has them.
FilterTable::Place FilterTable::locate(std::span<const Atom> atoms) const {
  Place place;
  for (const Atom& atom : atoms) {
    place.test = find_test(place.state, atom);
    if (place.test == 0) return place;
    const Test& test = tests_[place.test];
    const Index state = atom.op == Op::Shift ? test.edges : find_edge(test, atom.value);
    if (state == 0) return place;
    place = {state, 0, place.known + 1};
  }
  return place;
}

FilterTable::Index FilterTable::find_test(Index state, const Atom& atom) const {
  Index i = state == 0 ? root_tests_ : states_[state].tests;
  for (; i != 0; i = tests_[i].next) {
    const Test& test = tests_[i];
    if (test.op == atom.op && test.offset == atom.offset && test.width == atom.width &&
        test.mask == atom.mask && test.left_shift == atom.left_shift)
      break;
  }
  return i;
}

FilterTable::Index FilterTable::find_edge(const Test& test, std::uint64_t value) const {
  Index i = test.edges;
  while (i != 0 && states_[i].value != value)
    i = value < states_[i].value ? states_[i].smaller : states_[i].larger;
  return i;
}

/// Adds the atoms the trie does not have yet. The caller has made sure of the nodes.
FilterTable::Index FilterTable::grow(Place place, std::span<const Atom> atoms) {
  for (const Atom& atom : atoms.subspan(place.known)) {
    if (place.test == 0) {
      Index& list = place.state == 0 ? root_tests_ : states_[place.state].tests;
      place.test = tests_.take(
          {atom.mask, atom.offset, atom.op, atom.width, atom.left_shift, list, place.state, 0});
      list = place.test;
    }
    place.state = states_.take({atom.value, 0, 0, 0, 0, place.test});
    add_edge(tests_[place.test], place.state);
    place.test = 0;
  }
  return place.state;
}

/// Frees the state if nothing needs it any more, and then what led only there.
void FilterTable::prune(Index state) {
  while (state != 0 && states_[state].filter == 0 && states_[state].tests == 0) {
    const Index test = states_[state].parent;
    remove_edge(tests_[test], state);
    states_.give(state);
    if (tests_[test].edges != 0) return;
    state = tests_[test].parent;
    unlink_test(test);
    tests_.give(test);
  }
}

void FilterTable::unlink_test(Index test) {
  const Index parent = tests_[test].parent;
  Index* link = parent == 0 ? &root_tests_ : &states_[parent].tests;
  while (*link != test) link = &tests_[*link].next;
  *link = tests_[test].next;
}

void FilterTable::add_edge(Test& test, Index state) {
  EdgeList sorted;
  const std::size_t count = list_edges(test.edges, sorted, 0);
  std::size_t at = count;
  for (; at > 0 && states_[sorted[at - 1]].value > states_[state].value; --at)
    sorted[at] = sorted[at - 1];
  sorted[at] = state;
  test.edges = balance(std::span{sorted}.first(count + 1));
}

void FilterTable::remove_edge(Test& test, Index state) {
  EdgeList sorted;
  const std::size_t count = list_edges(test.edges, sorted, 0);
  std::size_t kept = 0;
  for (const Index edge : std::span{sorted}.first(count))
    if (edge != state) sorted[kept++] = edge;
  test.edges = balance(std::span{sorted}.first(kept));
}

/// Appends a search tree's states in order of value; recursion at most 9 deep.
std::size_t FilterTable::list_edges(Index root, EdgeList& out, std::size_t count) const {
  if (root == 0) return count;
  count = list_edges(states_[root].smaller, out, count);
  out[count++] = root;
  return list_edges(states_[root].larger, out, count);
}

/// Makes a search tree of least height; recursion at most 9 deep.
FilterTable::Index FilterTable::balance(std::span<const Index> sorted) {
  if (sorted.empty()) return 0;
  const std::size_t middle = sorted.size() / 2;
  State& root = states_[sorted[middle]];
  root.smaller = balance(sorted.first(middle));
  root.larger = balance(sorted.subspan(middle + 1));
  return sorted[middle];
}

/// Reads a filter's program back from the path that leads to its state.
void FilterTable::rebuild(Program& out, Index state) const {
  std::size_t count = 0;
  for (Index i = state; i != 0; i = tests_[states_[i].parent].parent) ++count;
  out.count_ = count;
  for (Index i = state; i != 0; i = tests_[states_[i].parent].parent) {
    const Test& test = tests_[states_[i].parent];
    out.atoms_[--count] = {test.op,     test.width, test.left_shift, 0,
                           test.offset, 0,          test.mask,       states_[i].value};
  }
}

}  // namespace xok::dpf
