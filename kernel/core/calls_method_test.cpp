// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "kernel/core/schedule.hpp"
#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kEntry = kMethodBase + 0x100;
constexpr std::uint64_t kStack = kMethodBase + 2 * kPageSize;
constexpr std::uint64_t kUenv = kMethodBase;
constexpr std::uint64_t kState = kMethodBase + kPageSize;
constexpr std::uint64_t kSlice = 10'000'000;

/// The first environment makes a method of two pages. Slots: 1 {7}, the guard; 2 {7} without
/// permissions; 3 {8}; 4 {9}, what the method holds.
class Methods : public ::testing::Test {
 protected:
  void SetUp() override {
    bed.call(cap_forge, 0, 1, Capability::make({7}).bits(), 0);
    bed.call(cap_forge, 0, 2, Capability::make({7}, Permission::None).bits(), 0);
    bed.call(cap_forge, 0, 3, Capability::make({8}).bits(), 0);
    bed.call(cap_forge, 0, 4, Capability::make({9}).bits(), 0);
    map();
    bed.poke(kState, 42);
    state_page = bed.core().page_tables.lookup(bed.self().table_page, kState) >> 12 & 0xffff;
    const std::int64_t made = define();
    ASSERT_GT(made, 0);
    id = static_cast<MethodId>(made);
  }
  void TearDown() override {
    if (!bed.machine.stopped) {
      EXPECT_EQ(bed.sweep(), "");
    }
  }
  void map() {
    ASSERT_GT(bed.call(pte_insert, 4, fresh_page(), kUenv, 0), 0);
    ASSERT_GT(bed.call(pte_insert, 4, fresh_page(), kState, 0), 0);
  }
  std::int64_t define(std::uint64_t entry = kEntry, std::uint64_t stack = kStack,
                      std::uint64_t uenv = kUenv, std::uint64_t guard = 1, std::uint64_t own = 4) {
    return bed.call(method_define, guard, own, entry, stack, uenv);
  }
  std::int64_t enter(std::uint64_t share = 0, std::uint64_t slot = 1) {
    return bed.call(method_call, make_target(slot, id), 11, 12, 13, 14, share);
  }
  Context& context(EnvId env) { return bed.machine.context(env_index(env)); }
  bool inside() { return bed.core().state(bed.current()).method != 0; }
  Method& method() { return bed.core().methods.method[id % kMaxMethods]; }

  TestBed bed;
  const EnvId first = bed.current_id();
  MethodId id = 0;
  std::uint64_t state_page = 0;
};

TEST_F(Methods, RunAtTheirEntryWithTheirOwnPagesAndGoBack) {
  EXPECT_FALSE(bed.readable(kState));  // gone from the maker's own space
  Context& c = context(first);
  c.rbx = 99;
  const Context before = c;
  bed.machine.vectors[1] = 1234;
  enter();
  ASSERT_TRUE(inside());
  EXPECT_EQ(c.rip, kEntry);
  EXPECT_EQ(c.rsp, kStack);
  EXPECT_EQ(c.rdi, first);
  EXPECT_EQ(c.rsi, 11u);
  EXPECT_EQ(c.r8, 14u);
  EXPECT_EQ(c.rax, Capability::make({7}).bits());
  EXPECT_EQ(c.rbx, 0u);
  EXPECT_EQ(c.gs_base, kUenv);
  EXPECT_EQ(bed.machine.vectors[1], 0u);
  EXPECT_EQ(bed.peek(kState), 42u);
  EXPECT_FALSE(bed.readable(kScratch));
  EXPECT_EQ(bed.sweep(), "");
  bed.machine.vectors[1] = 5555;
  EXPECT_EQ(bed.call(method_exit, 7, 8), 7);
  EXPECT_FALSE(inside());
  EXPECT_EQ(c.rip, before.rip);
  EXPECT_EQ(c.rbx, 99u);
  EXPECT_EQ(c.rax, 7u);
  EXPECT_EQ(c.rdx, 8u);
  EXPECT_EQ(bed.machine.vectors[1], 1234u);
  EXPECT_FALSE(bed.readable(kState));
  EXPECT_TRUE(bed.writable(kScratch));
  EXPECT_EQ(bed.call(method_exit, 0, 0), error(Errc::NotFound));
}

TEST_F(Methods, SeeWhatTheCallerShowsThemAndNoMore) {
  bed.poke(kScratch, 5);
  enter(kScratch);
  EXPECT_EQ(bed.peek(kScratch), 5u);
  EXPECT_FALSE(bed.writable(kScratch));
  EXPECT_EQ(bed.sweep(), "");
  bed.call(method_exit, 0, 0);
  enter(kScratch | kShareWritable);
  bed.poke(kScratch, 6);
  EXPECT_FALSE(bed.readable(kInitStackTop - 8));
  bed.call(method_exit, 0, 0);
  EXPECT_EQ(bed.peek(kScratch), 6u);
  enter(0);
  EXPECT_FALSE(bed.readable(kScratch));
  bed.call(method_exit, 0, 0);
  EXPECT_EQ(enter(kUserTop), error(Errc::BadArgument));
  EXPECT_EQ(enter(~0ull), error(Errc::BadArgument));
  EXPECT_EQ(enter(kMethodBase), error(Errc::BadArgument));
  EXPECT_EQ(enter(0x80'0000'0000), error(Errc::Fault));
}

TEST_F(Methods, TheGuardDecidesWhoCallsAndWhoDeletes) {
  EXPECT_EQ(enter(0, 2), error(Errc::Denied));
  EXPECT_EQ(enter(0, 3), error(Errc::Denied));
  EXPECT_EQ(enter(0, 9), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(method_call, make_target(1, 12345)), error(Errc::NotFound));
  bed.put(kScratch + 64, BatchEntry{0x61, {make_target(1, id), 0, 0, 0, 0, 0}, 0});
  EXPECT_EQ(bed.call(batch, kScratch + 64, 1, kScratch), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(method_delete, 3, id), error(Errc::Denied));
  EXPECT_EQ(bed.call(method_delete, 2, id), error(Errc::Denied));
  EXPECT_EQ(bed.call(method_delete, 9, id), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(method_delete, 1, id + kMaxMethods), error(Errc::NotFound));
  const std::uint64_t free_before = bed.machine.info().free_pages;
  EXPECT_EQ(bed.call(method_delete, 1, id), 0);
  EXPECT_EQ(bed.machine.info().free_pages, free_before + 7);  // 2, record, 4 tables
  EXPECT_EQ(enter(), error(Errc::NotFound));
}

TEST_F(Methods, TheirCodeHasNoneOfItsCallersRights) {
  enter(kScratch | kShareWritable);
  constexpr std::array kAllowed = {yield,        null_call,   region_read,   region_write,
                                   message_send, packet_send, console_write, console_read,
                                   entropy_read, method_exit};
  for (std::uint64_t number = 0; number < kSyscallNumbers; number++) {
    const auto name = static_cast<SyscallNumber>(number);
    const bool allowed = std::ranges::find(kAllowed, name) != kAllowed.end();
    if (allowed || syscall_name(number).empty()) continue;
    EXPECT_EQ(bed.raw_call(number, {0, 0, 0, 0, 0, 0}), error(Errc::Denied)) << number;
  }
  EXPECT_EQ(bed.call(yield, 0, kYieldSleep), error(Errc::Denied));
  EXPECT_EQ(bed.call(null_call), 0);
  EXPECT_EQ(bed.call(console_write, 0, 0, kScratch, 1), error(Errc::Denied));  // {9} only
  EXPECT_EQ(bed.call(console_write, 1, 0, kScratch, 1), error(Errc::BadCapability));
  bed.call(method_exit, 0, 0);
  EXPECT_EQ(bed.call(console_write, 0, 0, kScratch, 1), 1);
}

TEST_F(Methods, DefinitionIsChecked) {
  EXPECT_EQ(define(), error(Errc::NotFound));  // the stretch is empty now
  map();
  EXPECT_EQ(define(kEntry, kStack, kUenv, 2), error(Errc::Denied));
  EXPECT_EQ(define(kEntry, kStack, kUenv, 9), error(Errc::BadCapability));
  EXPECT_EQ(define(kEntry, kStack, kUenv, 1, 9), error(Errc::BadCapability));
  EXPECT_EQ(define(kMethodBase - 1), error(Errc::BadArgument));
  EXPECT_EQ(define(kMethodBase + kMethodBytes), error(Errc::BadArgument));
  EXPECT_EQ(define(kEntry, kMethodBase), error(Errc::BadArgument));
  EXPECT_EQ(define(kEntry, kMethodBase + kMethodBytes + 1), error(Errc::BadArgument));
  EXPECT_EQ(define(kEntry, kStack, kUenv + 8), error(Errc::BadArgument));
  EXPECT_EQ(define(kEntry, kStack, 0), error(Errc::BadArgument));
  EXPECT_EQ(define(kEntry, kStack, kUenv + 8 * kPageSize), error(Errc::Fault));
  ASSERT_GT(bed.call(pte_insert, 4, fresh_page(), kMethodBase + kMethodBytes, 0), 0);
  EXPECT_EQ(define(), error(Errc::BadArgument));  // more than the stretch
  EXPECT_TRUE(bed.readable(kState));
}

TEST_F(Methods, TablesThatOthersHoldAreRefused) {
  map();
  const EnvId child = bed.spawn();
  for (std::uint64_t level = 1; level <= 3; level++) {
    const EnvId other = bed.spawn(0, false, 0x7100'0000);
    ASSERT_EQ(bed.call(table_share, kMethodBase, level, 0, make_target(0, other)), 0);
    EXPECT_EQ(define(), error(Errc::Denied));
    ASSERT_EQ(bed.call(env_free, make_target(0, other)), 0);
  }
  EXPECT_EQ(define(), error(Errc::Denied));  // they were shared once
  (void)child;
}

TEST_F(Methods, QuotaAndTableEnd) {
  std::int64_t last = 0;
  std::uint64_t count = 1;
  for (;; count++) {
    map();
    last = define();
    if (last < 0) break;
  }
  EXPECT_EQ(last, error(Errc::NoSpace));
  EXPECT_EQ(count, kMethodsPerEnv);
}

TEST_F(Methods, NoMemoryChangesNothing) {
  map();
  std::uint64_t va = 0x60'0000;
  while (bed.machine.info().free_pages > 1) {
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), va, 0), 0);
    va += kPageSize;
  }
  EXPECT_EQ(define(), error(Errc::NoMemory));
  EXPECT_TRUE(bed.readable(kState));
}

TEST_F(Methods, WhoFindsOneInUseHelpsItsUser) {
  const EnvId user = bed.spawn(1);
  bed.run(user);
  enter(0, 0);
  ASSERT_TRUE(inside());
  bed.run(first);
  EXPECT_FALSE(bed.readable(kState));
  EXPECT_EQ(enter(), error(Errc::WouldBlock));
  EXPECT_EQ(bed.current_id(), user);
  EXPECT_EQ(context(first).rax, static_cast<std::uint64_t>(error(Errc::WouldBlock)));
  EXPECT_EQ(bed.peek(kState), 42u);  // its own space again
  bed.call(method_exit, 0, 0);
  bed.run(first);
  enter();
  EXPECT_TRUE(inside());
  bed.call(method_exit, 0, 0);
}

TEST_F(Methods, AFaultWithoutAHandlerGoesBackToTheCaller) {
  enter();
  bed.fault(FaultVector::PageFault);
  EXPECT_EQ(bed.current_id(), first);
  EXPECT_FALSE(inside());
  EXPECT_EQ(context(first).rax, static_cast<std::uint64_t>(error(Errc::Interrupted)));
  enter();  // still usable
  bed.machine.uenv(bed.current()).critical_depth = 1;
  bed.fault(FaultVector::PageFault);
  EXPECT_EQ(enter(), error(Errc::Closed));
  EXPECT_EQ(bed.machine.uenv(bed.current()).critical_depth, 0u);  // the caller's own Uenv
}

TEST_F(Methods, FaultsGoToTheMethodsOwnEntry) {
  bed.machine.uenv(bed.current()).fault_entry = 0x20'0000;
  enter();
  bed.machine.uenv(bed.current()).fault_entry = kMethodBase + 0x200;
  bed.machine.uenv(bed.current()).fault_depth = 0;
  bed.fault(FaultVector::PageFault);
  EXPECT_EQ(context(first).rip, kMethodBase + 0x200);
  bed.call(method_exit, 0, 0);
  EXPECT_EQ(bed.machine.uenv(bed.current()).fault_depth, 0u);
  EXPECT_EQ(bed.machine.uenv(bed.current()).fault_entry, 0x20'0000u);
}

TEST_F(Methods, ItsUserCanBeEndedOnlyAfterwardsButInBoundedTime) {
  const EnvId user = bed.spawn(1);
  bed.run(user);
  enter(0, 0);
  bed.run(first);
  EXPECT_EQ(bed.call(env_get_context, make_target(0, user), kScratch), error(Errc::Busy));
  EXPECT_EQ(bed.call(env_set_context, make_target(0, user), kScratch), error(Errc::Busy));
  EXPECT_EQ(bed.call(cap_acquire, 9, user), error(Errc::Denied));
  EXPECT_EQ(bed.call(ipc_call, make_target(0, user)), error(Errc::WouldBlock));
  EXPECT_EQ(bed.call(env_free, make_target(0, user)), kEndsLater);
  ASSERT_EQ(bed.current_id(), user);
  bed.call(method_exit, 0, 0);
  EXPECT_EQ(bed.current_id(), first);
  EXPECT_EQ(bed.env(user).id, 0u);
  EXPECT_EQ(method().user, kNoEnv);

  const EnvId endless = bed.spawn(1);
  bed.run(endless);
  enter(0, 0);
  bed.run(first);
  for (int i = 0; i < 40 && bed.env(endless).id == endless; i++) {
    if (bed.current_id() == first) bed.call(env_free, make_target(0, endless));
    bed.machine.clock += kSlice;
    bed.timer();
  }
  EXPECT_NE(bed.env(endless).id, endless);
  EXPECT_EQ(bed.sweep(), "");
  while (bed.current_id() != first) bed.timer();
  enter();
  EXPECT_TRUE(inside());  // it was not in a critical section
  bed.call(method_exit, 0, 0);
}

TEST_F(Methods, SliceEndsInsideAreTheMethodsOwn) {
  const EnvId other = bed.spawn();
  enter();
  bed.machine.clock += kSlice;
  bed.timer();
  EXPECT_EQ(bed.current_id(), other);
  EXPECT_FALSE(bed.readable(kState));
  bed.machine.clock += kSlice;
  bed.timer();
  ASSERT_EQ(bed.current_id(), first);
  EXPECT_EQ(bed.peek(kState), 42u);
  bed.machine.uenv(bed.current()).critical_depth = 1;  // and never yields
  for (int i = 0; i < 4000 && !method().broken; i++) {
    bed.machine.clock += kSlice;
    bed.timer();
  }
  EXPECT_TRUE(method().broken);
  EXPECT_EQ(bed.env(first).status, EnvStatus::Runnable);
  EXPECT_EQ(context(first).rax, static_cast<std::uint64_t>(error(Errc::Interrupted)));
}

TEST_F(Methods, GoWithTheirMakerAndThrowTheUserOut) {
  const EnvId maker = bed.spawn(1);
  bed.run(maker);
  ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kUenv, 0), 0);
  const std::int64_t made = bed.call(method_define, 0, 0, kEntry, kStack, kUenv);
  ASSERT_GT(made, 0);
  const EnvId user = bed.spawn(0, false, 0x7100'0000);
  bed.run(user);
  bed.call(method_call, make_target(0, static_cast<MethodId>(made)), 0, 0, 0, 0, 0);
  ASSERT_TRUE(inside());
  bed.run(first);
  EXPECT_EQ(bed.call(env_free, make_target(0, maker)), 0);
  EXPECT_EQ(bed.sweep(), "");
  EXPECT_EQ(context(user).rax, static_cast<std::uint64_t>(error(Errc::Interrupted)));
  bed.run(user);
  EXPECT_FALSE(inside());
}

TEST_F(Methods, NobodyMapsTheStateWithoutItsOwnCapability) {
  const EnvId child = bed.spawn(3);
  bed.run(child);
  EXPECT_EQ(bed.call(pte_insert, 0, this_page(state_page), 0x60'0000, 0), error(Errc::Denied));
  bed.run(first);
}

TEST_F(Methods, RevocationUsesItsUsersOwnUenv) {
  constexpr std::uint64_t kVector = 0x60'0000, kMethodsVector = 0x60'1000, kVictim = 0x60'2000;
  const EnvId user = bed.spawn();
  const std::uint64_t target = make_target(0, user);
  ASSERT_EQ(bed.call(env_set_quota, target, kUnlimited, 3), 0);
  for (const std::uint64_t va : {kVector, kMethodsVector, kVictim})
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page() | kPteNoExecute, va, target), 0);
  volatile Revocation& own = bed.machine.uenv(env_index(user)).revocation;
  own.vector = kVector;
  own.vector_slots = 8;
  ASSERT_EQ(bed.call(cap_forge, 1, 1, Capability::make({7}).bits(), target), 1);
  bed.run(user);
  enter(kVector | kShareWritable);
  ASSERT_TRUE(inside());
  volatile Revocation& lie = bed.machine.uenv(env_index(user)).revocation;
  lie.vector = kMethodsVector;  // would write over its caller's memory
  lie.vector_slots = 8;
  lie.entry = 0x20'2000;
  bed.run(first);
  ASSERT_EQ(bed.call(pages_request, target, 1, 0), 0);
  ASSERT_EQ(bed.call(pages_repossess, target), 1);
  const auto page_at = [&](std::uint64_t va) {
    return entry_page(bed.core().page_tables.lookup(bed.env(user).table_page, va));
  };
  std::uint64_t word = 0;
  std::memcpy(&word, bed.machine.page(PageNumber{page_at(kVector)}), sizeof word);
  EXPECT_EQ(word, kMethodsVector);  // taken, not written to
}

/// The method's own tables have a copy of the top-level entry.
TEST_F(Methods, WhatIsShownStaysWhereItIs) {
  const EnvId user = bed.spawn();
  const EnvId other = bed.spawn();
  const std::uint64_t target = make_target(0, user);
  ASSERT_EQ(bed.call(cap_forge, 1, 1, Capability::make({7}).bits(), target), 1);
  bed.run(user);
  enter(kScratch | kShareWritable);
  ASSERT_TRUE(inside());
  bed.run(first);
  EXPECT_EQ(bed.call(table_drop, 0, 3, target), error(Errc::Busy));
  EXPECT_EQ(bed.call(table_fork, 0, 3, target, make_target(0, bed.spawn(0, true, 0x7000'1000))),
            error(Errc::Exists));
  const std::int64_t empty = bed.call(env_alloc, 0, 0, std::uint64_t{60} << 39);
  EXPECT_EQ(bed.call(table_fork, 0, 3, target, make_target(0, static_cast<EnvId>(empty))),
            error(Errc::Busy));
  EXPECT_EQ(bed.call(table_drop, 0, 3, make_target(0, other)), 0);  // not shown
  bed.run(user);
  bed.call(method_exit, 0, 0);
  bed.run(first);
  EXPECT_EQ(bed.call(table_drop, 0, 3, target), 0);
}

/// The first environment on the first processor, a user of its method on the second.
class MethodsOnTwoProcessors : public ::testing::Test {
 protected:
  void SetUp() override {
    bed.call(cap_forge, 0, 1, Capability::make({7}).bits(), 0);
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kUenv, 0), 0);
    ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kState, 0), 0);
    user = bed.spawn(0, false, 0x7000'0000, 1);
    thread = bed.spawn(0, true, 0x7000'1000, 1);  // of the first environment
    bed.take_kicks();
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }
  void define() {
    const std::int64_t made = bed.call(method_define, 1, 0, kEntry, kStack, kUenv);
    ASSERT_GT(made, 0);
    id = static_cast<MethodId>(made);
  }
  /// The user, on the second processor, is inside.
  void enter(std::uint64_t share = 0) {
    ASSERT_EQ(bed.call(cap_forge, 1, 1, Capability::make({7}).bits(), make_target(0, user)), 1);
    bed.use(1);
    bed.run(user);
    bed.call(method_call, make_target(1, id), 0, 0, 0, 0, share);
    ASSERT_NE(bed.core().state(env_index(user)).method, 0u);
    bed.use(0);
  }
  Context& context(EnvId env) { return bed.machine.context(env_index(env)); }

  TestBed bed{200, 2};
  EnvId user = 0, thread = 0;
  MethodId id = 0;
};

TEST_F(MethodsOnTwoProcessors, ThePagesLeaveThreadsThatRunElsewhere) {
  bed.use(1);
  bed.run(thread);
  ASSERT_TRUE(bed.writable(kState));
  bed.use(0);
  define();
  EXPECT_EQ(bed.machine.processors[1].interrupted, 1u);
  bed.use(1);
  EXPECT_FALSE(bed.readable(kState));
}

TEST_F(MethodsOnTwoProcessors, WhatAThreadUnmapsIsNoLongerShown) {
  define();
  enter(kScratch | kShareWritable);
  bed.use(1);
  ASSERT_TRUE(bed.writable(kScratch));
  bed.use(0);
  const auto before = bed.machine.processors[1].interrupted;
  EXPECT_EQ(bed.call(pte_insert, 0, 0, kScratch, make_target(0, user)), 0);
  EXPECT_EQ(bed.machine.processors[1].interrupted, before + 1);
  bed.use(1);
  EXPECT_FALSE(bed.readable(kScratch));
}

TEST_F(MethodsOnTwoProcessors, DeletionThrowsOutAUserThatRunsElsewhere) {
  define();
  context(user).rbx = 77;
  enter();
  context(user).rbx = 78;  // the method's
  EXPECT_EQ(bed.call(method_delete, 1, id), 0);
  EXPECT_EQ(bed.machine.processors[1].seized, 1u);
  EXPECT_EQ(context(user).rax, static_cast<std::uint64_t>(error(Errc::Interrupted)));
  EXPECT_EQ(context(user).rbx, 77u);
  bed.use(1);
  bed.wake();
  EXPECT_NE(bed.current(), kNoEnv);
}

}  // namespace
}  // namespace xok::kernel::testing
