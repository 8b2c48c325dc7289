// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "kernel/core/testing/snapshot.hpp"
#include "kernel/core/testing/test_bed.hpp"

/// The oracle's judge itself, where it is easily wrong: one table that some spaces may write
/// through and others see frozen. What is right is accepted, and the same change by a stranger is
/// not.
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

// -- One table that some spaces may write through and others see frozen

/// The first environment and `owner` share a table at kTable; the first one forks the table above
/// it with `forked`: only `owner` still writes. `stranger` has a name of its own.
class JudgeOfWays : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kAbove = 0x8000'0000;  // aligned to 1 GiB
  static constexpr std::uint64_t kTable = kAbove;
  JudgeOfWays() : owner{bed.spawn()}, forked{bed.spawn()} {
    EXPECT_EQ(bed.call(cap_forge, 0, 1, Capability::make({1}).bits(), 0), 1);
    stranger = bed.spawn(1);
    EXPECT_GT(bed.call(pte_insert, 0, fresh_page(), kTable, 0), 0);
    EXPECT_EQ(bed.call(table_share, kTable, 1, 0, make_target(0, owner)), 0);
    EXPECT_EQ(bed.call(table_fork, kAbove, 2, 0, make_target(0, forked)), 0);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }

  /// What the judge says of a call, first as it was made, then as if `stranger` had made it.
  std::array<std::string, 2> judged(SyscallNumber number,
                                    const std::array<std::uint64_t, 6>& arguments) {
    Step step{.caller = bed.current(),
              .number = static_cast<std::uint64_t>(number),
              .arguments = arguments};
    const Snapshot before{bed};
    step.result = bed.raw_call(step.number, arguments);
    EXPECT_GE(step.result, 0);
    const Snapshot after{bed};
    const std::string truth = judge(before, after, step);
    step.caller = env_index(stranger);
    return {truth, judge(before, after, step)};
  }
  static bool of_ways(const std::string& said) { return said.starts_with("a way to a table"); }

  TestBed bed;
  EnvId owner, forked, stranger = 0;
};

TEST_F(JudgeOfWays, TheLastWayToWriteGoesAndTheEntriesStay) {
  const auto [truth, forged] = judged(table_drop, {kAbove, 2, make_target(0, owner)});
  EXPECT_EQ(truth, "");
  EXPECT_TRUE(of_ways(forged)) << forged;
}

TEST_F(JudgeOfWays, AWayGoesOfWhichOthersAreLeft) {
  const EnvId second = bed.spawn();
  ASSERT_EQ(bed.call(table_share, kTable, 1, make_target(0, owner), make_target(0, second)), 0);
  const auto [truth, forged] = judged(table_drop, {kAbove, 2, make_target(0, second)});
  EXPECT_EQ(truth, "");
  EXPECT_TRUE(of_ways(forged)) << forged;
}

TEST_F(JudgeOfWays, AWayEndsWithWhoHadIt) {
  const auto [truth, forged] = judged(env_free, {make_target(0, owner)});
  EXPECT_EQ(truth, "");
  EXPECT_EQ(forged, "ended an environment (" + std::to_string(env_index(owner)) + ", 0)");
}

TEST_F(JudgeOfWays, AWayIsFrozen) {
  const EnvId second = bed.spawn();
  const auto [truth, forged] =
      judged(table_fork, {kAbove, 2, make_target(0, owner), make_target(0, second)});
  EXPECT_EQ(truth, "");
  EXPECT_NE(forged, "");
}

/// Who is left alone with a frozen table opens it: with less right, it could write less.
TEST_F(JudgeOfWays, AWayIsOpenedToWhatTheCallerMayWrite) {
  constexpr std::uint64_t kAlone = 0xc000'0000;
  ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kAlone, 0), 0);
  ASSERT_EQ(bed.call(table_fork, kAlone, 1, 0, make_target(0, forked)), 0);
  ASSERT_EQ(bed.call(table_drop, kAlone, 1, make_target(0, forked)), 0);
  Step step{.caller = bed.current(), .number = static_cast<std::uint64_t>(table_own)};
  step.arguments = {0, kAlone, 0};
  const Snapshot before{bed};
  step.result = bed.raw_call(step.number, step.arguments);
  ASSERT_EQ(step.result, 1);
  const Snapshot after{bed};
  EXPECT_EQ(judge(before, after, step), "");
  step.arguments[0] = 1;  // {1} is not the page's
  EXPECT_NE(judge(before, after, step), "");
  step.arguments[0] = 0;
  step.number = static_cast<std::uint64_t>(pte_modify_range);
  EXPECT_NE(judge(before, after, step), "");
}

// -- Copies of tables

/// `other` was given a page of the first environment in a frozen table, and no right to the page.
class JudgeOfCopies : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kTable = 0x8000'0000;
  JudgeOfCopies() {
    EXPECT_EQ(bed.call(cap_forge, 0, 1, Capability::make({1}).bits(), 0), 1);
    other = bed.spawn(1);
    page = static_cast<std::uint64_t>(bed.call(pte_insert, 0, fresh_page(), kTable, 0));
    EXPECT_EQ(bed.call(table_fork, kTable, 1, 0, make_target(0, other)), 0);
    bed.run(other);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  /// A step in which table_own copies is right; with more in the copy it is not.
  void expect_judged(Step step, std::int64_t result) {
    const Snapshot before{bed};
    step.result = bed.raw_call(step.number, step.arguments);
    ASSERT_EQ(step.result, result);
    const Snapshot after{bed};
    EXPECT_EQ(judge(before, after, step), "");
    std::uint64_t copy = 0;
    for (const auto& [at, entry] : after.leaves) {
      if (entry_page(entry) == page && !before.leaves.contains(at)) copy = at.first;
    }
    ASSERT_NE(copy, 0u);
    const std::string wrong = "reaches a page without a right (" + std::to_string(page) + ", 0)";
    Snapshot forged = after;
    forged.leaves[{copy, 0}] |= kPteWritable;
    EXPECT_EQ(judge(before, forged, step), wrong);
    forged = after;
    forged.leaves[{copy, 1}] = after.leaves.at({copy, 0});
    EXPECT_EQ(judge(before, forged, step), wrong);
    forged = after;
    forged.address[copy] += kLargeSize;
    EXPECT_EQ(judge(before, forged, step), wrong);
  }

  TestBed bed;
  EnvId other = 0;
  std::uint64_t page = 0;
};

TEST_F(JudgeOfCopies, ACopyShowsWhatWasSeenThere) {
  Step step{.caller = bed.current(), .number = static_cast<std::uint64_t>(table_own)};
  step.arguments = {0, kTable, 0};
  expect_judged(step, 1);
}

TEST_F(JudgeOfCopies, AlsoInABatch) {
  constexpr std::uint64_t kEntries = kScratch + 64;
  bed.put(kEntries, BatchEntry{static_cast<std::uint64_t>(table_own), {0, kTable, 0}, 0});
  bed.poke(kScratch, 0);
  Step step{.caller = bed.current(), .number = static_cast<std::uint64_t>(batch)};
  step.arguments = {kEntries, 1, kScratch};
  expect_judged(step, 0);
}

// -- What a call returns

/// A server whose last call failed is entered, answers and does not return: what looks like the
/// result is that error.
class JudgeOfResults : public ::testing::Test {
 protected:
  static constexpr std::int64_t kOldResult = error(Errc::BadEnv);
  JudgeOfResults() {
    volatile IpcArea& area = bed.machine.uenv(index).ipc;
    area.entry = 0x20'0100;
    area.stack = 0x60'0000;
    area.allow = 6;
    area.gate = bed.self().capabilities[0].bits();
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  void leave_error() { bed.machine.result(index) = static_cast<std::uint64_t>(kOldResult); }
  void enter() {
    bed.call(ipc_call, make_target(0, server));
    ASSERT_EQ(bed.current(), index);
  }
  /// The server answers with these flags: right, but not if it had returned, or stayed as it was.
  void expect_judged(std::uint64_t flags) {
    Step step{.caller = index, .number = static_cast<std::uint64_t>(ipc_reply)};
    step.arguments = {make_reply(flags, first)};
    const Snapshot before{bed};
    step.result = bed.raw_call(step.number, step.arguments);
    ASSERT_EQ(step.result, kOldResult);
    Snapshot after{bed};
    EXPECT_EQ(judge(before, after, step), "");

    const auto is_failure = [&](const Step& other) {
      return judge(before, after, other).starts_with("failed, and changed something");
    };
    Step other = step;
    other.result = error(Errc::NotFound);  // is not what was there
    EXPECT_TRUE(is_failure(other));
    other = step;
    other.arguments[0] = make_reply(0, first);  // returns
    EXPECT_TRUE(is_failure(other));
    after.envs[index].ipc.busy = 1;
    after.envs[index].status = EnvStatus::Runnable;
    EXPECT_TRUE(is_failure(step));
  }

  TestBed bed;
  const EnvId first = bed.current_id();
  const EnvId server = bed.spawn();
  const EnvIndex index = env_index(server);
};

TEST_F(JudgeOfResults, WhoGoesBackHasTheResultOfWhatWasInterrupted) {
  leave_error();
  enter();
  expect_judged(kIpcDone);
}

TEST_F(JudgeOfResults, WhoGoesToRestHasNone) {
  bed.run(server);
  bed.call(ipc_reply, make_reply(kIpcRest, 0));
  ASSERT_EQ(bed.current_id(), first);
  enter();
  leave_error();
  expect_judged(kIpcRest);
}

}  // namespace
}  // namespace xok::kernel::testing
