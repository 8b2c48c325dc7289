// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "base/units.hpp"
#include "libs/dpf/program.hpp"

namespace xok::dpf {

/// The most filters in one table.
inline constexpr std::size_t kMaxFilters = 256;
/// Tests, and likewise states, that the merged trie can hold. A filter takes at most one of each
/// per atom, and none for the atoms at its beginning that it shares with another filter.
inline constexpr std::size_t kMaxNodes = 4096;

/// Names a filter in its table: 0 to kMaxFilters - 1. Used again after removal.
using FilterId = Number<struct FilterIdTag, std::uint16_t>;

/// Asks the caller of `insert` whether it may take packets from another filter (the kernel answers
/// with that filter's capability). Refers to a callable `bool(FilterId)` that outlives the call and
/// does not touch the table.
class MaySteal {
 public:
  template <class Callable>
    requires(!std::same_as<Callable, MaySteal> && std::predicate<const Callable&, FilterId>)
  constexpr MaySteal(const Callable& callable)  // NOLINT(google-explicit-constructor)
      : context_{&callable}, ask_{[](const void* context, FilterId id) {
          return static_cast<bool>((*static_cast<const Callable*>(context))(id));
        }} {}

  bool operator()(FilterId id) const { return ask_(context_, id); }

 private:
  const void* context_;
  bool (*ask_)(const void*, FilterId);
};

/// All filters of one machine, merged into a trie, so that a packet is read once and not once per
/// filter: common beginnings are tested once, and filters that differ only in the value they
/// compare a field with become one search over those values.
///
/// The rules of ownership. A packet belongs to the filter with the greatest `specificity` of those
/// that match it. Two filters that could match one packet
///   with equal specificity      cannot both be in the table (a packet never has two owners);
///   with different specificity  can, if whoever inserts the more specific one, and so takes the
///                               packets, has the right over the other (`MaySteal`). Inserting the
///                               less specific one takes nothing, and needs no right.
/// For example ExOS holds `ipv4_to(me)`, and lets Cheetah insert `tcp_port(me, 80)`.
/// Which packets that nobody owns may be claimed by whom is for the caller to decide.
///
/// Locking is the caller's: `classify` must not run during `insert` or `remove`. No operation
/// allocates. An all-zero object is an empty table (it can live in .bss, about 200 KB).
///
/// Source  Engler and Kaashoek, DPF (SIGCOMM 1996); original `sys/dpf`. differs: theft needs a
///         right (the original let any longer filter take packets), the whole field is bounds
///         checked (it checked the first byte), no global state.
class FilterTable {
 public:
  FilterTable(const FilterTable&) = delete;
  FilterTable& operator=(const FilterTable&) = delete;
  constexpr FilterTable() = default;

  /// Adds a filter.
  ///
  /// owner      any number; `owner(id)` gives it back (the kernel: the ring or environment)
  /// may_steal  asked once for each filter that would lose packets, until it says no
  /// Returns    the new filter's id, the lowest that is free
  /// Errors     Overlap  a filter of equal specificity could match the same packet, or `may_steal`
  ///                     said no
  ///            NoSpace  kMaxFilters filters exist, or the trie's nodes do not suffice
  ///            After an error nothing has changed.
  /// Cost       at most kMaxFilters * kMaxAtoms^2 comparisons of two fields
  Result<FilterId> insert(const Program& program, std::uint64_t owner, MaySteal may_steal);

  /// Takes a filter out; its packets go to the next most specific filter that matches.
  /// Errors  NotFound  no filter has this id
  /// Cost    O(atoms + kMaxFilters)
  Result<> remove(FilterId id);

  /// The filter that owns the packet, if any does.
  ///
  /// Cost  each test of the trie is evaluated at most once: kMaxNodes bounds-checked loads, each
  ///       with a search of at most 9 steps, if all filters are built to be slow. For filters from
  ///       `builders.hpp` with 200 connections to one port: 9 tests, 510 instructions
  ///       (interpreted). Budget filters and their atoms per environment to bound it lower.
  std::optional<FilterId> classify(std::span<const std::byte> packet) const;

  /// Whether the id names a filter now.
  bool contains(FilterId id) const;
  /// What `insert` was given. Errors: NotFound.
  Result<std::uint64_t> owner(FilterId id) const;
  /// The filter's atoms, Skips folded. Errors: NotFound.
  Result<Program> program(FilterId id) const;

  std::size_t size() const { return size_; }
  /// Nodes in use, of both kinds: 0 when the table is empty.
  std::size_t nodes_in_use() const { return tests_.in_use() + states_.in_use(); }

 private:
  using Index = std::uint16_t;  // 0: none, or (where a state must be meant) the root state

  /// "Read this field": the alternatives of a state are a list of tests with different fields.
  struct Test {
    std::uint64_t mask;
    std::uint16_t offset;
    Op op;
    std::uint8_t width;
    std::uint8_t left_shift;
    Index next;    // the next alternative of the same state
    Index parent;  // the state it belongs to; in the free list: the next free one
    Index edges;   // Eq: root of a search tree of states by value; Shift: the only state
  };

  /// "Having found this value": a place in the trie.
  struct State {
    std::uint64_t value;
    Index smaller, larger;  // subtrees of the parent test's search tree
    Index tests;            // first alternative
    Index filter;           // id + 1 of the filter that ends here, or 0
    Index parent;           // the test it belongs to; in the free list: the next free one
  };

  struct Filter {
    std::uint64_t owner;
    Index state;  // 0: this id is free
    std::uint16_t specificity;
  };

  /// Nodes 1 to kMaxNodes, without a constructor: those never used follow those once used.
  template <class Node>
  class Pool {
   public:
    Node& operator[](Index i) { return nodes_[i]; }
    const Node& operator[](Index i) const { return nodes_[i]; }
    std::size_t in_use() const { return in_use_; }
    std::size_t free() const { return kMaxNodes - in_use_; }
    Index take(const Node& content);
    void give(Index i);

   private:
    std::array<Node, kMaxNodes + 1> nodes_{};
    Index first_free_ = 0;
    Index ever_used_ = 0;
    Index in_use_ = 0;
  };

  /// How far into the trie a program already leads.
  struct Place {
    Index state = 0;
    Index test = 0;         // the alternative that has the right field but not the value, or 0
    std::size_t known = 0;  // atoms that led here
  };

  Result<> check_overlap(const Program& program, unsigned specificity, MaySteal may_steal);
  Place locate(std::span<const Atom> atoms) const;
  Index find_test(Index state, const Atom& atom) const;
  Index find_edge(const Test& test, std::uint64_t value) const;
  Index grow(Place place, std::span<const Atom> atoms);
  void prune(Index state);
  void unlink_test(Index test);
  void add_edge(Test& test, Index state);
  void remove_edge(Test& test, Index state);
  void rebuild(Program& out, Index state) const;

  using EdgeList = std::array<Index, kMaxFilters + 1>;
  std::size_t list_edges(Index root, EdgeList& out, std::size_t count) const;
  Index balance(std::span<const Index> sorted);

  Pool<Test> tests_;
  Pool<State> states_;
  Index root_tests_ = 0;
  std::array<Filter, kMaxFilters> filters_{};
  std::size_t size_ = 0;
};

}  // namespace xok::dpf
