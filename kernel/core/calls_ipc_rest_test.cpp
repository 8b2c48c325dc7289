// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

/// Servers that rest (kIpcRest): what they agreed to, and that the machine's own way of calling and
/// answering them (Cpu::straight) leaves what the kernel's leaves.
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kEntry = 0x20'0100;
constexpr std::uint64_t kStack = 0x60'0000;
constexpr std::uint64_t kSlice = 10'000'000;
const Capability kGate = Capability::make({7, 1});

/// The first environment, whose slot 1 holds {7} and slot 2 {8}, and a server that rests behind the
/// gate {7, 1}.
class Rest : public ::testing::Test {
 protected:
  explicit Rest(std::uint32_t processors = 1) : bed{200, processors} {}
  void SetUp() override {
    ASSERT_EQ(bed.call(cap_forge, 0, 1, Capability::make({7}).bits(), 0), 1);
    ASSERT_EQ(bed.call(cap_forge, 0, 2, Capability::make({8}).bits(), 0), 2);
    server = bed.spawn();
    agree();
    begin();
    ASSERT_EQ(bed.current_id(), first);
    ASSERT_EQ(bed.env(server).status, EnvStatus::Resting);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }

  volatile IpcArea& area(EnvId id) { return bed.machine.uenv(env_index(id)).ipc; }
  const Context& registers(EnvId id) { return bed.machine.registers(env_index(id)); }
  void agree() {
    area(server).entry = kEntry;
    area(server).stack = kStack;
    area(server).allow = 6;
    area(server).gate = kGate.bits();
  }
  /// The server, on its feet, goes to rest without answering.
  void begin() {
    bed.run(server);
    bed.call(ipc_reply, make_reply(kIpcRest, 0));
  }
  std::int64_t enter(SyscallNumber kind = ipc_call, std::uint64_t slot = 1) {
    return bed.call(kind, make_target(slot, server), 11, 12, 13, 14, 15);
  }
  void answer() { bed.call(ipc_reply, make_reply(kIpcRest, first), 21, 22, 23, 24, 25); }
  /// A call and its answer; how many of the two were the machine's own.
  std::uint64_t round() {
    const std::uint64_t before = bed.machine.straight_switches;
    enter();
    EXPECT_EQ(bed.current_id(), server);
    entered(IpcKind::Call);
    answer();
    EXPECT_EQ(bed.current_id(), first);
    answered();
    return bed.machine.straight_switches - before;
  }
  void entered(IpcKind kind) {
    Context want{};
    want.rip = kEntry;
    want.rsp = kStack;
    want.rflags = 0x202;
    want.rax = static_cast<std::uint64_t>(kind);
    want.rdi = first;
    want.rsi = 11;
    want.rdx = 12;
    want.r10 = 13;
    want.r8 = 14;
    want.r9 = 15;
    EXPECT_EQ(std::memcmp(&registers(server), &want, sizeof want), 0);
    EXPECT_EQ(area(server).capability, Capability::make({7}).bits());
    EXPECT_EQ(bed.env(server).status, EnvStatus::Runnable);
  }
  void answered() {
    const Context& c = registers(first);
    EXPECT_EQ(c.rax, 0u);
    EXPECT_EQ(c.rdi, server);
    EXPECT_EQ(c.rsi, 21u);
    EXPECT_EQ(c.rdx, 22u);
    EXPECT_EQ(c.r10, 23u);
    EXPECT_EQ(c.r8, 24u);
    EXPECT_EQ(c.r9, 25u);
    EXPECT_EQ(bed.env(first).status, EnvStatus::Runnable);
    EXPECT_EQ(bed.env(first).waits_for, 0u);
    EXPECT_EQ(bed.env(server).status, EnvStatus::Resting);
    EXPECT_EQ(bed.env(server).callers, 0u);
  }
  void refused(Errc why, SyscallNumber kind = ipc_call, std::uint64_t slot = 1) {
    EXPECT_EQ(enter(kind, slot), error(why));
    EXPECT_EQ(bed.current_id(), first);
    EXPECT_EQ(bed.env(server).status, EnvStatus::Resting);
  }

  TestBed bed;
  const EnvId first = bed.current_id();
  EnvId server = 0;
};

TEST_F(Rest, AfterOneRoundOfTheKernelsTheMachineDoesItAlone) {
  EXPECT_EQ(round(), 0u);
  for (int i = 0; i < 3; i++) EXPECT_EQ(round(), 2u);
  EXPECT_EQ(bed.sweep(), "");
}

TEST_F(Rest, WhileItIsCalledBothRecordsSaySo) {
  round();
  enter();
  EXPECT_EQ(bed.env(first).status, EnvStatus::Calling);
  EXPECT_EQ(bed.env(first).waits_for, server);
  EXPECT_EQ(bed.env(server).callers, 1u);
  EXPECT_EQ(bed.sweep(), "");
  answer();
}

TEST_F(Rest, NothingOfItsUenvButTheCapabilityIsWritten) {
  area(server).busy = 5;
  area(server).caller = 6;
  area(server).save.rip = 7;
  round();
  round();
  EXPECT_EQ(area(server).busy, 5u);
  EXPECT_EQ(area(server).caller, 6u);
  EXPECT_EQ(area(server).save.rip, 7u);
}

TEST_F(Rest, WhatItAgreedToStaysInForceUntilItAgreesAnew) {
  area(server).entry = 0x1;
  area(server).stack = 0x2;
  area(server).gate = 0;
  area(server).allow = 0;
  EXPECT_EQ(round(), 0u);
  EXPECT_EQ(round(), 2u);
  agree();
  area(server).gate = Capability::make({8, 1}).bits();
  ASSERT_EQ(bed.call(env_set_context, make_target(0, server), kScratch + 2048), 0);
  begin();
  refused(Errc::Denied);
  refused(Errc::Denied);
  enter(ipc_call, 2);
  EXPECT_EQ(bed.current_id(), server);
  answer();
}

TEST_F(Rest, OnlyTheCapabilityThatWasAdmittedIsEnough) {
  round();
  refused(Errc::Denied, ipc_call, 2);
  refused(Errc::BadCapability, ipc_call, 5);  // empty
  refused(Errc::BadCapability, ipc_call, kCapabilitySlots);
  refused(Errc::BadCapability, ipc_call, 0xffff'ffff);
  ASSERT_EQ(bed.call(cap_release, 1, 0), 0);
  refused(Errc::BadCapability);
}

TEST_F(Rest, AnEmptySlotIsNotTheKeyOfOneThatAdmittedNobody) {
  refused(Errc::BadCapability, ipc_call, 5);
  round();
  agree();
  ASSERT_EQ(bed.call(env_set_context, make_target(0, server), kScratch + 2048), 0);
  begin();
  refused(Errc::BadCapability, ipc_call, 5);
}

TEST_F(Rest, OneThatServesASingleCallerIsTheKernels) {
  ASSERT_EQ(bed.call(env_set_context, make_target(0, server), kScratch + 2048), 0);
  area(server).only = first;
  begin();
  EXPECT_EQ(round(), 0u);
  EXPECT_EQ(round(), 0u);
  ASSERT_EQ(bed.call(env_set_context, make_target(0, server), kScratch + 2048), 0);
  area(server).only = first + 1024;
  begin();
  refused(Errc::Denied);
}

TEST_F(Rest, ASendIsNotAnswered) {
  round();
  enter(ipc_send);
  ASSERT_EQ(bed.current_id(), server);
  entered(IpcKind::Send);
  EXPECT_EQ(bed.env(first).status, EnvStatus::Runnable);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcRest, first)), error(Errc::NotFound));
  bed.call(ipc_reply, make_reply(kIpcRest, 0));
  EXPECT_EQ(bed.current_id(), first);
  round();
}

TEST_F(Rest, ABlockIsTheKernels) {
  round();
  area(first).out_words = 2;
  area(first).out[1] = 102;
  EXPECT_EQ(round(), 0u);
  EXPECT_EQ(area(server).in_words, 2u);
  EXPECT_EQ(area(server).in[1], 102u);
  EXPECT_EQ(area(first).in_words, 0u);
  area(first).out_words = 9;
  refused(Errc::TooBig);
  area(first).out_words = 0;
  area(server).out_words = 1;
  area(server).out[0] = 201;
  EXPECT_EQ(round(), 1u);
  EXPECT_EQ(area(server).in_words, 0u);
  EXPECT_EQ(area(first).in_words, 1u);
  EXPECT_EQ(area(first).in[0], 201u);
}

TEST_F(Rest, ReplyArgumentsAreChecked) {
  bed.call(env_set_context, make_target(0, server), kScratch + 2048);
  for (const std::uint64_t flags : {3u, 4u, 1u << 31})
    EXPECT_EQ(bed.call(ipc_reply, flags << 32), error(Errc::BadArgument)) << flags;
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcRest, 0)), error(Errc::BadArgument));  // no entry
  area(first).entry = kUserTop;
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcRest, 0)), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcRest, server)), error(Errc::NotFound));
  EXPECT_EQ(bed.env(first).status, EnvStatus::Runnable);
}

TEST_F(Rest, AnAnswerNeedsAnAgreement) {
  const EnvId other = bed.spawn();
  volatile IpcArea& its = area(other);
  its.entry = kEntry;
  its.allow = 2;
  its.gate = kGate.bits();
  bed.call(ipc_call, make_target(1, other));
  ASSERT_EQ(bed.current_id(), other);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcRest, first)), error(Errc::BadArgument));
  EXPECT_EQ(bed.env(first).status, EnvStatus::Calling);
  bed.call(ipc_reply, make_reply(0, first));
}

TEST_F(Rest, OnlyItsOwnCallerCanBeAnswered) {
  round();
  const EnvId other = bed.spawn();
  enter();
  ASSERT_EQ(bed.current_id(), server);
  bed.call(yield, other, 0);
  ASSERT_EQ(bed.current_id(), other);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcRest, first)), error(Errc::NotFound));
  EXPECT_EQ(bed.env(first).status, EnvStatus::Calling);
  bed.run(server);
  answer();
  answered();
}

TEST_F(Rest, TheCalleesDeathEndsTheWait) {
  round();
  enter();
  bed.fault(FaultVector::InvalidOpcode);
  EXPECT_EQ(bed.current_id(), first);
  EXPECT_EQ(registers(first).rax, static_cast<std::uint64_t>(error(Errc::BadEnv)));
  EXPECT_EQ(bed.call(ipc_call, make_target(1, server)), error(Errc::BadEnv));
}

TEST_F(Rest, TheCallersDeathIsNotTheServers) {
  const EnvId client = bed.spawn(1);
  const auto call = [&] { bed.call(ipc_call, make_target(0, server), 1, 2, 3, 4, 5); };
  for (int i = 0; i < 2; i++) {  // the second time the machine does it
    bed.run(client);
    call();
    ASSERT_EQ(bed.current_id(), server);
    bed.call(ipc_reply, make_reply(kIpcRest, client));
  }
  call();
  ASSERT_EQ(bed.current_id(), server);
  bed.call(yield, first, 0);
  ASSERT_EQ(bed.call(env_free, make_target(0, client)), 0);
  EXPECT_EQ(bed.env(server).callers, 0u);
  bed.run(server);
  EXPECT_EQ(bed.call(ipc_reply, make_reply(kIpcRest, client)), error(Errc::BadEnv));
  bed.call(ipc_reply, make_reply(kIpcRest, 0));
  EXPECT_EQ(bed.env(server).status, EnvStatus::Resting);
}

TEST_F(Rest, ItIsNeitherWokenNorYieldedTo) {
  ASSERT_EQ(bed.call(env_set_context, make_target(0, server), kScratch + 2048), 0);
  bed.run(server);
  const WakeTerm always{
      0, 0, WakeOperand::Clock, WakeOperand::Immediate, WakeComparison::GreaterEqual, 1, 0};
  bed.put(kScratch + 1024, always);
  ASSERT_EQ(bed.call(wakeup_set, kScratch + 1024, 1), 0);
  bed.call(ipc_reply, make_reply(kIpcRest, 0));
  ASSERT_EQ(bed.current_id(), first);
  bed.call(yield, server, 0);
  EXPECT_EQ(bed.current_id(), first);
  bed.machine.clock += kSlice;
  bed.timer();
  EXPECT_EQ(bed.current_id(), first);
  round();
}

TEST_F(Rest, OneThatRestsCanBeSetToWorkAgain) {
  round();
  Context context{};
  context.rip = 0x77'0000;
  bed.put(kScratch + 2048, context);
  ASSERT_EQ(bed.call(env_set_context, make_target(0, server), kScratch + 2048), 0);
  bed.run(server);
  EXPECT_EQ(registers(server).rip, 0x77'0000u);
}

TEST_F(Rest, PagesThatItOwesAreAskedForAtItsNextTurn) {
  round();
  bed.machine.uenv(env_index(server)).revocation.entry = 0x9000;
  ASSERT_EQ(bed.call(pages_request, make_target(0, server), 1, kSlice), 0);
  const std::uint64_t before = bed.machine.straight_switches;
  enter();
  ASSERT_EQ(bed.current_id(), server);
  EXPECT_EQ(bed.machine.straight_switches, before);
  EXPECT_EQ(registers(server).rip, 0x9000u);
  EXPECT_EQ(bed.machine.uenv(env_index(server)).revocation.save.rip, kEntry);
}

TEST_F(Rest, InItsGraceACallerHasToSettleFirst) {
  round();
  bed.machine.uenv(env_index(first)).slice_end_entry = 0x9000;
  bed.spawn();
  bed.machine.clock += kSlice;
  bed.timer();
  ASSERT_EQ(bed.current_id(), first);
  const std::uint64_t before = bed.machine.straight_switches;
  enter();
  EXPECT_EQ(bed.machine.straight_switches, before);
}

class RestOnTwo : public Rest {
 protected:
  RestOnTwo() : Rest{2} {}
};

TEST_F(RestOnTwo, ItIsTheSameWithoutTheStraightWay) {
  for (int i = 0; i < 3; i++) EXPECT_EQ(round(), 0u);
}

}  // namespace
}  // namespace xok::kernel::testing
