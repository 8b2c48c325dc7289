// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/schedule.hpp"
#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kEntry = 0x20'0100;
constexpr std::uint64_t kStack = 0x60'0000;
constexpr std::uint64_t kSlice = 10'000'000;

/// The first environment and a server that lets it in through the gate {7, 1}; slot 1 of the first
/// environment holds {7} and slot 2 {8}, both with all permissions.
class Transfer : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(bed.call(cap_forge, 0, 1, Capability::make({7}).bits(), 0), 1);
    ASSERT_EQ(bed.call(cap_forge, 0, 2, Capability::make({8}).bits(), 0), 2);
    ASSERT_EQ(bed.call(cap_forge, 0, 3, Capability::make({7}, Permission::None).bits(), 0), 3);
    server = bed.spawn();
    serve(server);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }

  volatile IpcArea& area(EnvId id) { return bed.machine.uenv(env_index(id)).ipc; }
  Context& context(EnvId id) { return bed.machine.context(env_index(id)); }
  void serve(EnvId id) {
    area(id).entry = kEntry;
    area(id).stack = kStack;
    area(id).allow = 6;
    area(id).gate = Capability::make({7, 1}).bits();
  }
  std::int64_t enter(EnvId callee, SyscallNumber kind = ipc_call, std::uint64_t slot = 1) {
    return bed.call(kind, make_target(slot, callee), 11, 12, 13, 14, 15);
  }
  /// The call fails with that error, and neither side is touched.
  void refused(EnvId callee, Errc why, SyscallNumber kind = ipc_call, std::uint64_t slot = 1) {
    const Context before = context(server);
    IpcArea old;
    std::memcpy(&old, const_cast<IpcArea*>(&area(server)), sizeof old);
    EXPECT_EQ(enter(callee, kind, slot), error(why));
    EXPECT_EQ(std::memcmp(&before, &context(server), sizeof before), 0);
    EXPECT_EQ(std::memcmp(&old, const_cast<IpcArea*>(&area(server)), sizeof old), 0);
    EXPECT_EQ(bed.current_id(), first);
    EXPECT_EQ(bed.self().status, EnvStatus::Runnable);
  }

  TestBed bed;
  const EnvId first = bed.current_id();
  EnvId server = 0;
};

TEST_F(Transfer, EntersTheCalleeWithTheMessageAndTheCallersIdentity) {
  context(server).rbx = 77;
  context(server).rsi = 78;
  const Context old = context(server);
  area(first).out_words = 2;
  area(first).out[0] = 101;
  area(first).out[1] = 102;
  enter(server);
  ASSERT_EQ(bed.current_id(), server);
  const Context& c = context(server);
  EXPECT_EQ(c.rip, kEntry);
  EXPECT_EQ(c.rsp, kStack);
  EXPECT_EQ(c.rax, 1u);
  EXPECT_EQ(c.rdi, first);
  EXPECT_EQ(c.rsi, 11u);
  EXPECT_EQ(c.rdx, 12u);
  EXPECT_EQ(c.r10, 13u);
  EXPECT_EQ(c.r8, 14u);
  EXPECT_EQ(c.r9, 15u);
  EXPECT_EQ(c.rbx, 77u);
  EXPECT_EQ(c.rcx | c.r11, 0u);
  EXPECT_EQ(area(server).caller, first);
  EXPECT_EQ(area(server).capability, Capability::make({7}).bits());
  EXPECT_EQ(area(server).busy, 1u);
  EXPECT_EQ(area(server).save.rip, old.rip);
  EXPECT_EQ(area(server).save.rsp, old.rsp);
  EXPECT_EQ(area(server).save.rsi, 78u);
  EXPECT_EQ(area(server).in_words, 2u);
  EXPECT_EQ(area(server).in[1], 102u);
  EXPECT_EQ(bed.env(first).status, EnvStatus::Calling);
}

TEST_F(Transfer, TheReplyComesBackAndTheInterruptedStateGoesOn) {
  context(server).r9 = 79;
  const Context old = context(server);
  enter(server);
  area(server).out_words = 1;
  area(server).out[0] = 201;
  bed.call(ipc_reply, make_reply(kIpcDone, first), 21, 22, 23, 24, 25);
  ASSERT_EQ(bed.current_id(), first);
  const Context& c = context(first);
  EXPECT_EQ(c.rax, 0u);
  EXPECT_EQ(c.rdi, server);
  EXPECT_EQ(c.rsi, 21u);
  EXPECT_EQ(c.r9, 25u);
  EXPECT_EQ(area(first).in_words, 1u);
  EXPECT_EQ(area(first).in[0], 201u);
  EXPECT_EQ(std::memcmp(&old, &context(server), sizeof old), 0);
  EXPECT_EQ(area(server).busy, 0u);
  EXPECT_EQ(bed.self().status, EnvStatus::Runnable);
}

TEST_F(Transfer, ASleepThatWasInterruptedGoesOn) {
  bed.run(server);
  const WakeTerm term{
      kScratch + 8, 5, WakeOperand::Word64, WakeOperand::Immediate, WakeComparison::Equal, 1, 9};
  bed.put(kScratch + 1024, term);
  ASSERT_EQ(bed.call(wakeup_set, kScratch + 1024, 1), 0);
  bed.call(yield, first, kYieldSleep);
  ASSERT_EQ(bed.current_id(), first);
  enter(server);
  ASSERT_EQ(bed.current_id(), server);
  EXPECT_EQ(bed.self().status, EnvStatus::Runnable);
  bed.call(ipc_reply, make_reply(kIpcDone, first));
  EXPECT_EQ(bed.env(server).status, EnvStatus::Sleeping);
  enter(server);  // at once again
  ASSERT_EQ(bed.current_id(), server);
  bed.poke(kScratch + 8, 5);
  bed.call(ipc_reply, make_reply(kIpcDone, first));
  bed.call(yield, server, 0);
  ASSERT_EQ(bed.current_id(), server);
  EXPECT_EQ(context(server).rax, 9u);
}

TEST_F(Transfer, SendsDoNotWait) {
  enter(server, ipc_send);
  ASSERT_EQ(bed.current_id(), server);
  EXPECT_EQ(context(server).rax, 2u);
  EXPECT_EQ(context(first).rax, 0u);
  EXPECT_EQ(bed.env(first).status, EnvStatus::Runnable);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(0, first)), error(Errc::NotFound));
  context(server).rbp = 4;
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcDone, 0)), 0);  // the interrupted rax
  EXPECT_EQ(bed.current_id(), server);
  EXPECT_EQ(context(server).rip, 0x20'0000u);
}

TEST_F(Transfer, ByDefaultNobodyMayEnter) {
  const EnvId other = bed.spawn(0, false, 0x7100'0000);
  EXPECT_EQ(enter(other), error(Errc::Denied));
  EXPECT_EQ(enter(other, ipc_call, 0), error(Errc::Denied));  // not even the root
  EXPECT_EQ(enter(other, ipc_send, 0), error(Errc::Denied));
}

TEST_F(Transfer, TheGateTheKindAndTheOneCallerDecide) {
  refused(server, Errc::Denied, ipc_call, 2);  // another name
  refused(server, Errc::Denied, ipc_call, 3);  // no Write
  refused(server, Errc::BadCapability, ipc_call, 5);
  refused(server, Errc::BadCapability, ipc_call, 1u << 20);
  area(server).allow = 4;
  refused(server, Errc::Denied);
  area(server).allow = 2;
  refused(server, Errc::Denied, ipc_send);
  area(server).only = server;
  refused(server, Errc::Denied);
  area(server).only = first;
  area(server).entry = 0;
  refused(server, Errc::Denied);
  area(server).entry = kUserTop;
  refused(server, Errc::Denied);
  area(server).entry = kEntry;
  area(server).gate = Capability::make({7, 1}).bits() | Capability::kPointer;
  refused(server, Errc::Denied);
  area(server).gate = Capability::make({7, 1}, Permission::Modify).bits();
  refused(server, Errc::Denied);
  area(server).gate = Capability::make({7, 1}).bits();
  enter(server);
  EXPECT_EQ(bed.current_id(), server);
}

TEST_F(Transfer, WhoIsNotReadyIsNotEntered) {
  volatile Uenv& uenv = bed.machine.uenv(env_index(server));
  uenv.ipc.busy = 1;
  refused(server, Errc::WouldBlock);
  uenv.ipc.busy = 0;
  uenv.critical_depth = 1;
  refused(server, Errc::WouldBlock);
  uenv.critical_depth = 0;
  uenv.fault_depth = 1;
  refused(server, Errc::WouldBlock);
  uenv.fault_depth = 0;
  uenv.double_fault_depth = 1;
  refused(server, Errc::WouldBlock);
  uenv.double_fault_depth = 0;
  const std::int64_t fresh = bed.call(env_alloc, 0, 0, 0x7200'0000);
  ASSERT_GT(fresh, 0);
  serve(static_cast<EnvId>(fresh));
  refused(static_cast<EnvId>(fresh), Errc::WouldBlock);  // never started
}

TEST_F(Transfer, StaleDeadAndOwnIdsAreRefused) {
  refused(first, Errc::BadArgument);
  refused(0, Errc::BadArgument);
  refused(server + kMaxEnvironments, Errc::BadEnv);
  area(first).out_words = kIpcBlockWords + 1;
  refused(server, Errc::TooBig);
  area(first).out_words = 0;
  bed.run(server);
  bed.fault(FaultVector::PageFault);
  ASSERT_EQ(bed.current_id(), first);
  EXPECT_EQ(enter(server), error(Errc::BadEnv));
}

TEST_F(Transfer, NotInABatch) {
  bed.put(kScratch + 64, BatchEntry{0x25, {make_target(1, server), 0, 0, 0, 0, 0}, 0});
  EXPECT_EQ(bed.call(batch, kScratch + 64, 1, kScratch), error(Errc::BadArgument));
  bed.put(kScratch + 64, BatchEntry{0x27, {make_reply(kIpcDone, 0), 0, 0, 0, 0, 0}, 0});
  EXPECT_EQ(bed.call(batch, kScratch + 64, 1, kScratch), error(Errc::BadArgument));
}

TEST_F(Transfer, OnlyTheCalleeRepliesAndOnlyOnce) {
  const EnvId other = bed.spawn(0, false, 0x7100'0000);
  enter(server);
  bed.run(other);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(0, first)), error(Errc::NotFound));
  EXPECT_EQ(bed.env(first).status, EnvStatus::Calling);
  bed.run(server);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(2, first)), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(ipc_reply, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(ipc_reply, make_reply(0, first + kMaxEnvironments)), error(Errc::BadEnv));
  area(server).out_words = 9;
  EXPECT_EQ(bed.call(ipc_reply, make_reply(0, first)), error(Errc::TooBig));
  area(server).out_words = 0;
  area(server).save.rip = kUserTop;
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcDone, first)), error(Errc::BadArgument));
  EXPECT_EQ(bed.env(first).status, EnvStatus::Calling);
  bed.call(ipc_reply, make_reply(0, first), 1, 2, 3, 4, 5);
  ASSERT_EQ(bed.current_id(), first);
  bed.run(server);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(0, first)), error(Errc::NotFound));
  area(server).busy = 0;
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcDone, 0)), error(Errc::NotFound));
}

TEST_F(Transfer, RestoredFlagsAreMadeHarmless) {
  enter(server);
  area(server).save.rflags = ~0ull;
  bed.call(ipc_reply, make_reply(kIpcDone, first));
  EXPECT_EQ(context(server).rflags, user_flags(~0ull));
}

TEST_F(Transfer, TheDeathOfTheCalleeWakesTheCaller) {
  enter(server);
  bed.fault(FaultVector::PageFault);  // no handler
  ASSERT_EQ(bed.current_id(), first);
  EXPECT_EQ(context(first).rax, static_cast<std::uint64_t>(error(Errc::BadEnv)));
  EXPECT_EQ(bed.self().status, EnvStatus::Runnable);
}

TEST_F(Transfer, TheDeathOfTheCallerLeavesTheCalleeSane) {
  const EnvId client = bed.spawn(1, false, 0x7100'0000);
  bed.run(client);
  enter(server, ipc_call, 0);
  ASSERT_EQ(bed.current_id(), server);
  bed.run(first);
  ASSERT_EQ(bed.call(env_free, make_target(0, client)), 0);
  EXPECT_EQ(bed.sweep(), "");
  bed.run(server);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcDone, client)), error(Errc::BadEnv));
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcDone, 0)), 0);
  bed.run(first);
  enter(server);
  EXPECT_EQ(bed.current_id(), server);
}

TEST_F(Transfer, AWaitCanBeAbandonedForTheCaller) {
  const EnvId client = bed.spawn(1, false, 0x7100'0000);
  bed.run(client);
  enter(server, ipc_call, 0);
  bed.run(first);
  Context fresh{};
  fresh.rip = 0x20'0000;
  bed.put(kScratch + 1024, fresh);
  ASSERT_EQ(bed.call(env_set_context, make_target(0, client), kScratch + 1024), 0);
  EXPECT_EQ(bed.env(client).status, EnvStatus::Runnable);
  bed.run(server);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(0, client)), error(Errc::NotFound));
}

TEST_F(Transfer, TheCallersSlicesAreTheCallees) {
  bed.call(slice_free, 0, 0, 1);  // the server's own
  EXPECT_EQ(bed.env(server).slices, 0u);
  const EnvId other = bed.spawn(0, false, 0x7100'0000);
  enter(server);
  ASSERT_EQ(bed.current_id(), server);
  bed.machine.clock += kSlice;
  bed.timer();
  ASSERT_EQ(bed.current_id(), other);
  bed.machine.clock += kSlice;
  bed.timer();
  EXPECT_EQ(bed.current_id(), server);
  bed.call(yield, other, 0);
  bed.call(yield, first, 0);  // who names the caller gets its callee
  EXPECT_EQ(bed.current_id(), server);
}

TEST_F(Transfer, CallsMayNestAndCirclesAreRefused) {
  const EnvId second = bed.spawn(1, false, 0x7100'0000);
  serve(second);
  serve(first);
  bed.run(server);
  bed.run(first);
  enter(server);
  EXPECT_EQ(enter(second, ipc_call, 0), 0);
  ASSERT_EQ(bed.current_id(), second);
  EXPECT_EQ(enter(first, ipc_call, 0), error(Errc::WouldBlock));
  EXPECT_EQ(enter(server, ipc_call, 0), error(Errc::WouldBlock));
  EXPECT_EQ(bed.sweep(), "");
  bed.call(ipc_reply, make_reply(kIpcDone, server));
  bed.call(ipc_reply, make_reply(kIpcDone, first));
  EXPECT_EQ(bed.current_id(), first);
}

TEST_F(Transfer, WhenTheSliceIsOverTheCalleeStillGetsTheMessage) {
  volatile Uenv& mine = bed.machine.uenv(env_index(first));
  mine.critical_depth = 1;
  bed.machine.clock += kSlice;
  bed.timer();
  mine.critical_depth = 0;
  enter(server);
  EXPECT_EQ(bed.current_id(), server);  // by its own slice, which is next
  EXPECT_EQ(context(server).rip, kEntry);
  EXPECT_EQ(bed.env(first).status, EnvStatus::Calling);
}

}  // namespace
}  // namespace xok::kernel::testing
