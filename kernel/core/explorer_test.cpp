// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "kernel/core/testing/fingerprint.hpp"
#include "kernel/core/testing/judge.hpp"
#include "kernel/core/testing/settings.hpp"
#include "kernel/core/testing/test_bed.hpp"

/// Every sequence of calls, up to a length, of a very small machine: two environments that do not
/// trust each other (names 1 and 2), the first environment, and two pages. After each call the
/// oracle judges the step; in each new state the sweep re-derives the invariants.
///
/// Breadth first; a state that was seen before is not looked at again, so that each state is
/// reached on a shortest way. A state is all that later calls can depend on: capabilities, offers,
/// the records and contents of pages (page tables among them), the free list. A path is replayed on
/// a new machine for each state, and for each call that changed something.
///
/// XOK_EXPLORE_DEPTH   how long the sequences are (default 3)
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kPages = 64;
constexpr std::uint64_t kTable = kScratch & ~0x1f'ffffull;  // what one page table spans
constexpr std::uint64_t kElsewhere = kScratch + kPageSize;  // in the same table

/// Something that an environment does: a call, or (number null_call) the words of an offer.
struct Action {
  unsigned who;  ///< 0: the first environment, 1, 2: those that distrust each other
  SyscallNumber number;
  std::array<std::uint64_t, 6> words{};
};

/// The machine after its set-up, which is always the same.
struct World {
  TestBed bed{kPages};
  std::array<EnvId, 3> ids{};
  std::array<std::uint64_t, 3> page{};  ///< that environment 1, 2 has at kScratch

  World() {
    ids[0] = bed.current_id();
    for (std::uint8_t n = 1; n <= 2; n++) {
      bed.call(cap_forge, 0, n, Capability::make({n}).bits(), 0);
      ids[n] = bed.spawn(n);
      Translation there;
      if (bed.machine.walk(bed.env(ids[n]).table_page, kScratch, there)) page[n] = there.page;
    }
  }

  [[nodiscard]] bool can(const Action& a) { return bed.env(ids[a.who]).id == ids[a.who]; }
  /// Makes it the current one's turn.
  void give_processor(const Action& a) { bed.run(ids[a.who]); }
  std::int64_t perform(const Action& a) {
    if (a.number != null_call) return bed.raw_call(static_cast<std::uint64_t>(a.number), a.words);
    volatile Uenv& uenv = bed.machine.uenv(bed.current());
    uenv.grant_to = a.words[0];
    uenv.grant_slot = a.words[1];
    uenv.grant = a.words[2];
    return 0;
  }
};

std::vector<Action> all_actions() {
  const World world;
  const auto rights = [](std::initializer_list<std::uint8_t> name, Permission p = Permission::All) {
    return Capability::make(name, p).bits();
  };
  std::vector<Action> out;
  for (std::uint8_t me = 1; me <= 2; me++) {
    const auto other = static_cast<std::uint8_t>(3 - me);
    const EnvId it = world.ids[other];
    const std::uint64_t its = make_target(1, it);  // with what slot 1 has come to hold
    const auto add = [&](SyscallNumber number, std::array<std::uint64_t, 6> words) {
      out.push_back({me, number, words});
    };
    // Capabilities: within the own name, beyond it, and for the other.
    add(cap_forge, {0, 1, rights({me}), 0});
    add(cap_forge, {0, 1, rights({me}, Permission::Write), 0});
    add(cap_forge, {0, 1, rights({me, 1}), 0});
    add(cap_forge, {0, 1, rights({}), 0});
    add(cap_forge, {1, 2, rights({other}), 0});
    add(cap_forge, {1, 0, rights({other, 1}), 0});
    add(cap_forge, {0, 1, rights({me}), its});
    add(cap_forge, {1, 0, rights({other, 1}), its});
    add(null_call, {it, 0, rights({me})});
    add(null_call, {it, 0, rights({me}, Permission::Write | Permission::Allocate)});
    add(null_call, {it, 1, rights({me, 1})});
    add(cap_acquire, {1, it});
    add(cap_release, {1, 0});
    add(cap_release, {1, its});
    // Pages: mine, the other's, new ones; for me and for the other.
    for (const std::uint64_t slot : {0u, 1u}) {
      for (const std::uint64_t page : {world.page[me], world.page[other]}) {
        add(pte_insert, {slot, this_page(page), kElsewhere, 0});
        add(pte_insert, {slot, this_page(page, false), kElsewhere, 0});
        add(page_set_acl, {slot, page, 1, rights({other})});
        add(page_set_acl, {slot, page, 0, rights({me}, Permission::None)});
      }
    }
    add(pte_insert, {0, fresh_page(), kElsewhere, 0});
    add(pte_insert, {0, 0, kScratch, 0});
    add(pte_insert, {0, fresh_page(), kElsewhere, its});
    add(pte_insert, {1, 0, kScratch, its});
    add(pte_modify_range, {kScratch, 2, kPteWritable, 0, 0, 0});
    add(pte_modify_range, {kScratch, 2, kPteWritable, 0, 1, its});
    // Tables.
    add(table_share, {kTable, 1, 0, its});
    add(table_share, {kTable, 1, its, 0});
    add(table_fork, {kTable, 1, 0, its});
    add(table_fork, {kTable, 1, its, 0});
    add(table_own, {0, kScratch, 0});
    add(table_drop, {kTable, 1, 0});
    add(pte_fill, {0, fresh_page(), kElsewhere, 1, kScratch & ~kPageMask, 0});
    add(env_alloc, {0, kShareAddressSpace, 0x7000'1000});
    add(env_free, {its});
  }
  // What the first environment may do to both: it rules them.
  for (const std::size_t n : {1u, 2u}) {
    out.push_back({0, table_share, {kTable, 1, make_target(0, world.ids[n]), 0}});
    out.push_back({0, env_free, {make_target(0, world.ids[n])}});
  }
  out.push_back(
      {0, table_fork, {kTable, 1, make_target(0, world.ids[1]), make_target(0, world.ids[2])}});
  out.push_back({0, table_drop, {kTable, 1, make_target(0, world.ids[2])}});
  return out;
}

class Explorer {
 public:
  using Path = std::vector<std::size_t>;

  /// "" or what went wrong, and how it came to that.
  std::string run(unsigned depth) {
    std::vector<Path> level{{}};
    World first;
    seen_.insert(fingerprint(first.bed));
    for (unsigned d = 1; d <= depth; d++) {
      std::vector<Path> next;
      for (const Path& path : level) {
        const std::string wrong = expand(path, next);
        if (!wrong.empty()) return wrong;
      }
      sequences_ *= static_cast<double>(actions_.size());
      std::printf(
          "length %u: %zu new states, %zu in all, %llu calls judged, %llu of them refused\n", d,
          next.size(), seen_.size(), static_cast<unsigned long long>(calls_),
          static_cast<unsigned long long>(refused_));
      std::fflush(stdout);
      level = std::move(next);
    }
    std::printf("stands for all %.3g sequences of %u out of %zu actions\n", sequences_, depth,
                actions_.size());
    return "";
  }
  [[nodiscard]] std::size_t states() const { return seen_.size(); }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  std::unique_ptr<World> at(const Path& path) {
    auto world = std::make_unique<World>();
    for (const std::size_t index : path) {
      world->give_processor(actions_[index]);
      world->perform(actions_[index]);
    }
    return world;
  }

  /// Tries every action after a path.
  std::string expand(const Path& path, std::vector<Path>& next) {
    std::unique_ptr<World> world = at(path);
    const std::uint64_t here = fingerprint(world->bed);
    for (std::size_t index = 0; index < actions_.size(); index++) {
      const Action& action = actions_[index];
      if (!world->can(action)) continue;
      world->give_processor(action);
      const std::string wrong = judged(*world, action);
      if (!wrong.empty()) return wrong + "\n" + describe(path) + describe({index});
      const std::uint64_t there = fingerprint(world->bed);
      if (there == here) continue;
      if (seen_.insert(there).second) {
        const std::string broken = world->bed.sweep();
        if (!broken.empty()) return broken + "\n" + describe(path) + describe({index});
        next.push_back(path);
        next.back().push_back(index);
      }
      world = at(path);
    }
    return "";
  }

  std::string judged(World& world, const Action& action) {
    calls_++;
    if (action.number == null_call) return world.perform(action), "";
    const Snapshot before{world.bed};
    const std::int64_t result = world.perform(action);
    refused_ += result < 0 ? 1 : 0;
    const Snapshot after{world.bed};
    const Step step{.caller = env_index(world.ids[action.who]),
                    .number = static_cast<std::uint64_t>(action.number),
                    .arguments = action.words,
                    .result = result};
    return judge(before, after, step);
  }

  std::string describe(const Path& path) {
    std::string out;
    for (const std::size_t index : path) {
      const Action& a = actions_[index];
      out += std::to_string(a.who) + " ";
      out += a.number == null_call ? "offer" : syscall_name(static_cast<std::uint64_t>(a.number));
      for (const std::uint64_t word : a.words) out += " " + std::to_string(word);
      out += "\n";
    }
    return out;
  }

  std::vector<Action> actions_ = all_actions();
  std::unordered_set<std::uint64_t> seen_;
  std::uint64_t calls_ = 0;
  std::uint64_t refused_ = 0;
  double sequences_ = 1;
};

TEST(Explorer, NoSequenceOfCallsUpToTheLengthReachesWhatIsNotGranted) {
  Explorer explorer;
  EXPECT_EQ(explorer.run(static_cast<unsigned>(setting("XOK_EXPLORE_DEPTH", 3))), "");
  EXPECT_GT(explorer.states(), 500u);
  EXPECT_GT(explorer.refused(), 1000u);
}

}  // namespace
}  // namespace xok::kernel::testing
