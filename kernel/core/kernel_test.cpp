// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/kernel.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "kernel/core/lock.hpp"
#include "kernel/core/log_line.hpp"
#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

// -- The first environment

TEST(Boot, FirstEnvironmentRunsWithTheRootCapability) {
  TestBed bed;
  EXPECT_EQ(bed.current(), 1u);
  EXPECT_EQ(bed.self().capabilities[0], kRootCapability);
  EXPECT_EQ(bed.machine.context(1).rip, 0x20'0000u);
  EXPECT_EQ(bed.machine.context(1).rsp, kInitStackTop);
  EXPECT_EQ(bed.machine.context(1).rdi, kInitBundleAddress);
  EXPECT_EQ(bed.machine.context(1).rsi, FakeMachine::kModulePages * kPageSize - 100);
  EXPECT_EQ(bed.call(null_call), 0);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(Boot, SegmentsStackAndBundleAreMapped) {
  TestBed bed;
  EXPECT_EQ(bed.peek(0x20'0000) & 0xffff'ffff, 0x464c'457fu);  // the ELF header
  EXPECT_FALSE(bed.writable(0x20'0000));
  EXPECT_EQ(bed.peek(kScratch + 8), 0u);
  EXPECT_TRUE(bed.writable(kInitStackTop - 8));
  EXPECT_TRUE(bed.writable(kInitStackTop - kInitStackPages * kPageSize));
  EXPECT_FALSE(bed.readable(kInitStackTop - kInitStackPages * kPageSize - 1));
  EXPECT_TRUE(bed.writable(kInitUenvAddress));
  EXPECT_TRUE(bed.readable(kInitBundleAddress + (FakeMachine::kModulePages - 1) * kPageSize));
  EXPECT_FALSE(bed.writable(kInitBundleAddress));
  EXPECT_FALSE(bed.readable(kInitBundleAddress + FakeMachine::kModulePages * kPageSize));
}

TEST(Boot, RecordsAreFilledIn) {
  TestBed bed;
  const SystemInfo& info = bed.machine.info();
  EXPECT_EQ(info.version, kExposedVersion);
  EXPECT_EQ(info.environments, 1u);
  EXPECT_EQ(info.interfaces[0].loopback, 1);
  EXPECT_EQ(info.interfaces[1].guard, Capability::make({kInterfaceName, 1}));
  EXPECT_EQ(info.usable_pages, info.page_count - 2);
}

Result<EnvIndex> start_with(const std::vector<std::byte>& image, std::size_t pages = 100,
                            std::uint64_t bundle_page = FakeMachine::kFirstModulePage) {
  FakeMachine machine{pages};
  const std::unique_ptr<Kernel> kernel{new Kernel{machine}};
  kernel->initialize(machine.tables());
  return kernel->start_first_environment(image, PageNumber{bundle_page}, kPageSize);
}

template <class T>
std::vector<std::byte> patched(std::size_t offset, T value) {
  std::vector<std::byte> image = small_elf();
  std::memcpy(image.data() + offset, &value, sizeof value);
  return image;
}

TEST(Boot, BadElfFilesAreRefused) {
  constexpr std::size_t kSegment = 64;  // offset of the first program header
  EXPECT_TRUE(start_with(small_elf()).has_value());
  EXPECT_TRUE(start_with(patched<std::uint16_t>(16, 3)).has_value());  // position-independent
  const std::vector<std::vector<std::byte>> bad = {
      {},
      std::vector<std::byte>(63),
      patched<std::uint8_t>(0, 0),
      patched<std::uint8_t>(4, 1),       // 32 bits
      patched<std::uint16_t>(16, 1),     // relocatable
      patched<std::uint16_t>(18, 3),     // i386
      patched<std::uint64_t>(32, 1000),  // phoff
      patched<std::uint64_t>(32, ~0ull),
      patched<std::uint16_t>(54, 32),                   // phentsize
      patched<std::uint16_t>(56, 60000),                // phnum
      patched<std::uint64_t>(24, kUserTop),             // entry
      patched<std::uint64_t>(kSegment + 8, 100000),     // offset
      patched<std::uint64_t>(kSegment + 16, kUserTop),  // vaddr
      patched<std::uint64_t>(kSegment + 16, ~0ull),
      patched<std::uint64_t>(kSegment + 32, 177),        // filesz > memsz, past the end
      patched<std::uint64_t>(kSegment + 40, 1ull << 40)  // memsz
  };
  for (std::size_t i = 0; i < bad.size(); i++) {
    const auto started = start_with(bad[i]);
    ASSERT_FALSE(started.has_value()) << i;
    EXPECT_EQ(started.error(), Errc::BadFormat) << i;
  }
  EXPECT_EQ(start_with(small_elf(), 100, 20).error(), Errc::BadFormat);    // not a module
  EXPECT_EQ(start_with(small_elf(), 100, 5000).error(), Errc::BadFormat);  // no such page
  EXPECT_EQ(start_with(small_elf(), 20).error(), Errc::NoMemory);
}

TEST(Boot, SegmentsThatShareAPageGetBothTheirRights) {
  std::vector<std::byte> image = patched<std::uint64_t>(64 + 56 + 16, 0x20'0100);
  const std::uint64_t size = 8;
  std::memcpy(image.data() + 64 + 56 + 40, &size, sizeof size);
  FakeMachine machine{100};
  const std::unique_ptr<Kernel> kernel{new Kernel{machine}};
  kernel->initialize(machine.tables());
  ASSERT_TRUE(
      kernel->start_first_environment(image, PageNumber{FakeMachine::kFirstModulePage}, kPageSize)
          .has_value());
  Translation page;
  ASSERT_TRUE(machine.walk(machine.tables().envs[1].table_page, 0x20'0000, page));
  EXPECT_TRUE(page.writable);
}

// -- Exceptions

class Fault : public ::testing::Test {
 protected:
  Fault() : child{bed.spawn()} {
    bed.run(child);
    context().rip = 0x1111;
    context().rsp = 0x2222;
    context().rflags = 0x202 | 1u << 8;
    context().rax = 3;
    context().rcx = 4;
    context().rdx = 5;
    context().rbx = 6;
  }
  Context& context() { return bed.machine.context(env_index(child)); }
  volatile Uenv& uenv() { return bed.machine.uenv(env_index(child)); }
  TestBed bed;
  EnvId child;
};

TEST_F(Fault, EntersTheHandlerWithTheStateSaved) {
  uenv().fault_entry = 0x9000;
  uenv().fault_stack = 0x8000;
  bed.fault(FaultVector::PageFault, 6, 0xabc);
  EXPECT_EQ(bed.current_id(), child);
  EXPECT_EQ(context().rip, 0x9000u);
  EXPECT_EQ(context().rsp, 0x8000u);
  EXPECT_EQ(context().rflags, 0x202u);
  EXPECT_EQ(context().rbx, 6u);
  const volatile FaultSave& save = uenv().fault;
  EXPECT_EQ(save.rip, 0x1111u);
  EXPECT_EQ(save.rsp, 0x2222u);
  EXPECT_EQ(save.rflags, 0x302u);
  EXPECT_EQ(save.rax, 3u);
  EXPECT_EQ(save.rcx, 4u);
  EXPECT_EQ(save.rdx, 5u);
  EXPECT_EQ(save.vector, 14u);
  EXPECT_EQ(save.error, 6u);
  EXPECT_EQ(save.address, 0xabcu);
  EXPECT_EQ(uenv().fault_depth, 1u);
  EXPECT_EQ(bed.self().faults, 1u);
}

TEST_F(Fault, InsideTheHandlerGoesToTheDoubleFaultEntry) {
  uenv().fault_entry = 0x9000;
  uenv().double_fault_entry = 0xa000;
  uenv().double_fault_stack = 0xb000;
  bed.fault(FaultVector::PageFault);
  bed.fault(FaultVector::InvalidOpcode);
  EXPECT_EQ(context().rip, 0xa000u);
  EXPECT_EQ(context().rsp, 0xb000u);
  EXPECT_EQ(uenv().double_fault.rip, 0x9000u);
  EXPECT_EQ(uenv().double_fault.vector, 6u);
  EXPECT_EQ(uenv().fault.rip, 0x1111u);
  bed.fault(FaultVector::Breakpoint);
  EXPECT_EQ(bed.env(child).status, EnvStatus::Dead);
  EXPECT_EQ(bed.env(child).death, DeathReason::FaultInFaultEntry);
  EXPECT_EQ(bed.current(), 1u);
}

TEST_F(Fault, WithoutADoubleFaultEntryItDies) {
  uenv().fault_entry = 0x9000;
  bed.fault(FaultVector::PageFault);
  bed.fault(FaultVector::PageFault);
  EXPECT_EQ(bed.env(child).death, DeathReason::FaultInFaultEntry);
}

TEST_F(Fault, TheHandlerThatClearsTheDepthMayFaultAgain) {
  uenv().fault_entry = 0x9000;
  for (int i = 0; i < 5; i++) {
    bed.fault(FaultVector::PageFault);
    EXPECT_EQ(bed.env(child).status, EnvStatus::Runnable);
    uenv().fault_depth = 0;
  }
}

TEST_F(Fault, DeathLeavesOneLineThatSaysWhy) {
  uenv().fault_entry = kUserTop;  // no user address: as none
  bed.fault(FaultVector::GeneralProtection, 0, 0);
  EXPECT_EQ(bed.env(child).death, DeathReason::NoFaultEntry);
  ASSERT_EQ(bed.machine.lines.size(), 1u);
  EXPECT_NE(bed.machine.lines[0].find("environment " + std::to_string(child)), std::string::npos);
  EXPECT_NE(bed.machine.lines[0].find("vector 13"), std::string::npos);
  EXPECT_NE(bed.machine.lines[0].find("rip 0x1111"), std::string::npos);
  EXPECT_EQ(bed.sweep(), "");
}

TEST_F(Fault, OfTheFirstEnvironmentStopsTheMachine) {
  bed.run(1025);
  bed.fault(FaultVector::PageFault);
  EXPECT_TRUE(bed.machine.stopped);
  EXPECT_EQ(bed.machine.stop_status, kStopFailure);
}

// -- Small parts

TEST(LogLine, FormatsAndCutsOff) {
  FakeMachine machine{20};
  LogLine{}
      .text("a ")
      .number(0)
      .text(" ")
      .number(12345)
      .text(" ")
      .hex(0)
      .text(" ")
      .hex(0xfe01)
      .write(machine);
  EXPECT_EQ(machine.lines.back(), "a 0 12345 0x0 0xfe01");
  LogLine{}.text(std::string(500, 'x')).write(machine);
  EXPECT_EQ(machine.lines.back().size(), 160u);
}

TEST(LockDeathTest, TakingLocksOutOfOrderStops) {
#ifdef NDEBUG
  GTEST_SKIP() << "ranks are checked in debug builds";
#endif
  Guarded<int, LockRank::Kernel> outer{1};
  Guarded<int, LockRank::Log> inner{2};
  EXPECT_EQ(outer.with([&](int& a) { return inner.with([&](int& b) { return a + b; }); }), 3);
  EXPECT_DEATH(inner.with([&](int&) { outer.with([](int&) {}); }), "");
  EXPECT_DEATH(outer.with([&](int&) { outer.with([](int&) {}); }), "");
}

// -- Everything, often

TEST(Reclaim, AThousandLivesLeaveNothing) {
  TestBed bed;
  const std::uint64_t free = bed.machine.info().free_pages;
  for (std::uint64_t i = 0; i < 1000; i++) {
    const EnvId child = bed.spawn();
    bed.run(child);
    bed.call(pte_insert, 0, fresh_page(), (i % 200) << 39, 0);
    bed.call(ring_create, kScratch, 2);
    if (i % 2 == 0) {
      bed.call(env_free, kSelf);
    } else {
      bed.fault(FaultVector::PageFault);
      ASSERT_EQ(bed.call(env_free, make_target(0, child)), 0);
    }
    ASSERT_EQ(bed.current(), 1u);
  }
  EXPECT_EQ(bed.machine.info().free_pages, free);
  EXPECT_EQ(bed.machine.info().deaths, 1000u);
  EXPECT_EQ(bed.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
