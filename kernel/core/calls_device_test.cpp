// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_device.hpp"

#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

class Devices : public ::testing::Test {
 protected:
  void TearDown() override {
    if (!bed.machine.stopped) {
      EXPECT_EQ(bed.sweep(), "");
    }
  }
  void name(std::uint64_t at, std::initializer_list<std::uint8_t> bytes,
            Permission permissions = Permission::All) {
    ASSERT_EQ(bed.call(cap_forge, 0, at, Capability::make(bytes, permissions).bits(), 0),
              static_cast<std::int64_t>(at));
  }
  TestBed bed;
};

// -- Console

TEST_F(Devices, ConsoleWritesInPartsAndSaysHowMuch) {
  bed.poke(kScratch, 0x6867'6665'6463'6261);
  EXPECT_EQ(bed.call(console_write, 0, 0, kScratch, 8), 8);
  EXPECT_EQ(bed.machine.console_output, "abcdefgh");
  EXPECT_EQ(bed.call(console_write, 0, 0, kScratch, 0), 0);
  EXPECT_EQ(bed.call(console_write, 0, 0, kScratch, 4096), 4096);
  bed.machine.console_output_room = 3;
  EXPECT_EQ(bed.call(console_write, 0, 0, kScratch, 8), 3);
  EXPECT_EQ(bed.call(console_write, 0, 0, kScratch, 8), error(Errc::WouldBlock));
}

TEST_F(Devices, ConsoleStopsWhereMemoryEnds) {
  EXPECT_EQ(bed.call(console_write, 0, 0, kScratch + 4096 - 256, 2000), 256);
  EXPECT_EQ(bed.call(console_write, 0, 0, 0x1000, 8), error(Errc::Fault));
  EXPECT_EQ(bed.call(console_write, 0, 0, ~0ull, 8), error(Errc::Fault));
  bed.machine.console_input = "typed";
  EXPECT_EQ(bed.call(console_read, 0, 0, 0x20'0000, 8), error(Errc::Fault));
  EXPECT_EQ(bed.machine.console_input, "typed");
}

TEST_F(Devices, ConsoleReadsWhatIsThere) {
  EXPECT_EQ(bed.call(console_read, 0, 1, kScratch, 8), error(Errc::WouldBlock));
  bed.machine.console_input = "abcdefghij";
  EXPECT_EQ(bed.call(console_read, 0, 1, kScratch, 8), 8);
  EXPECT_EQ(bed.peek(kScratch), 0x6867'6665'6463'6261u);
  EXPECT_EQ(bed.call(console_read, 0, 1, kScratch, 8), 2);
}

TEST_F(Devices, ConsolePortsHaveNames) {
  name(1, {kConsoleName, 1});
  name(2, {kConsoleName, 0}, Permission::Modify);
  EXPECT_EQ(bed.call(console_write, 1, 0, kScratch, 8), error(Errc::Denied));
  EXPECT_EQ(bed.call(console_write, 2, 0, kScratch, 8), error(Errc::Denied));
  EXPECT_EQ(bed.call(console_read, 1, 0, kScratch, 8), error(Errc::Denied));
  EXPECT_EQ(bed.call(console_write, 9, 0, kScratch, 8), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(console_write, 1, 1, kScratch, 8), 8);
  EXPECT_EQ(bed.call(console_write, 0, 2, kScratch, 8), error(Errc::NotFound));
  EXPECT_EQ(bed.call(console_read, 0, ~0ull, kScratch, 8), error(Errc::NotFound));
}

// -- Entropy

TEST_F(Devices, EntropyGivesWhatThereIs) {
  EXPECT_EQ(bed.call(entropy_read, kScratch, 8), 8);
  EXPECT_EQ(bed.peek(kScratch), 0x5e5e'5e5e'5e5e'5e5eu);
  EXPECT_EQ(bed.call(entropy_read, kScratch, ~0ull), 256);
  EXPECT_EQ(bed.call(entropy_read, 0x1000, 8), error(Errc::Fault));
  bed.machine.entropy_available = 0;
  EXPECT_EQ(bed.call(entropy_read, kScratch, 8), error(Errc::WouldBlock));
  EXPECT_EQ(bed.call(entropy_read, kScratch, 0), 0);
}

// -- Disk

class Disk : public Devices {
 protected:
  static constexpr std::uint64_t kMemory = 0x60'0000;
  void SetUp() override {
    page = bed.call(pte_insert, 0, fresh_page(), kMemory, 0);
    ASSERT_GT(page, 0);
    bed.poke(kScratch, 1);
  }
  std::int64_t start(const DiskRequest& wanted, std::uint64_t cap = 0) {
    bed.put(kScratch + 64, wanted);
    return bed.call(disk_transfer, cap, kScratch + 64);
  }
  DiskRequest request{.disk = 0,
                      .write = 0,
                      .block = 10,
                      .count = 1,
                      .memory = kMemory,
                      .pending = kScratch,
                      .status = kScratch + 8};
  std::int64_t page = 0;
};

TEST_F(Disk, TransfersPinAndReport) {
  ASSERT_EQ(start(request), 0);
  ASSERT_EQ(bed.machine.transfers.size(), 1u);
  EXPECT_EQ(bed.machine.transfers[0].block, 10u);
  EXPECT_EQ(bed.machine.transfers[0].pages, std::vector{static_cast<std::uint64_t>(page)});
  EXPECT_EQ(bed.sweep(), "");
  bed.finish_disk(0);
  EXPECT_EQ(bed.peek(kScratch), 0u);
  EXPECT_EQ(bed.peek(kScratch + 8), 0u);
  EXPECT_EQ(bed.peek(kMemory) & 0xff, 0xd1u);
  EXPECT_EQ(bed.machine.info().disks[0].reads, 1u);
}

TEST_F(Disk, FailuresAreReportedInTheStatusWord) {
  request.write = 1;
  ASSERT_EQ(start(request), 0);
  bed.finish_disk(0, fail(Errc::BadFormat));
  EXPECT_EQ(static_cast<std::int64_t>(bed.peek(kScratch + 8)), error(Errc::BadFormat));
  EXPECT_EQ(bed.machine.info().disks[0].errors, 1u);
}

TEST_F(Disk, MemoryUnmappedMeanwhileIsNotReused) {
  ASSERT_EQ(start(request), 0);
  ASSERT_EQ(bed.call(pte_insert, 0, 0, kMemory, 0), 0);
  EXPECT_EQ(bed.machine.page_info(static_cast<std::uint64_t>(page)).status, PageStatus::User);
  bed.finish_disk(0);
  EXPECT_EQ(bed.machine.page_info(static_cast<std::uint64_t>(page)).status, PageStatus::Free);
}

TEST_F(Disk, TransfersOutliveWhoStartedThem) {
  const EnvId child = bed.spawn();
  bed.run(child);
  ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kMemory, 0), 0);
  ASSERT_EQ(start(request), 0);
  bed.call(env_free, kSelf);
  EXPECT_EQ(bed.sweep(), "");
  bed.finish_disk(0);
  EXPECT_EQ(bed.sweep(), "");
}

TEST_F(Disk, NeedsTheDisksName) {
  name(1, {kDiskName, 0}, Permission::Modify);
  name(2, {kDiskName, 1});
  EXPECT_EQ(start(request, 2), error(Errc::Denied));
  EXPECT_EQ(start(request, 9), error(Errc::BadCapability));
  EXPECT_EQ(start(request, 1), 0);
  request.write = 1;
  EXPECT_EQ(start(request, 1), error(Errc::Denied));
  request.disk = 1;
  EXPECT_EQ(start(request), error(Errc::Denied));  // a read-only disk
}

TEST_F(Disk, ChecksTheRequest) {
  const auto with = [&](auto&& change) {
    DiskRequest r = request;
    change(r);
    return start(r);
  };
  EXPECT_EQ(bed.call(disk_transfer, 0, 0x1000), error(Errc::Fault));
  EXPECT_EQ(with([](auto& r) { r.disk = 3; }), error(Errc::NotFound));
  EXPECT_EQ(with([](auto& r) { r.disk = ~0u; }), error(Errc::NotFound));
  EXPECT_EQ(with([](auto& r) { r.write = 2; }), error(Errc::BadArgument));
  EXPECT_EQ(with([](auto& r) { r.count = 0; }), error(Errc::BadArgument));
  EXPECT_EQ(with([](auto& r) { r.count = kMaxTransferPages + 1; }), error(Errc::TooBig));
  EXPECT_EQ(with([](auto& r) { r.block = 1000; }), error(Errc::BadArgument));
  EXPECT_EQ(with([](auto& r) { r.block = ~0ull; }), error(Errc::BadArgument));
  EXPECT_EQ(with([](auto& r) { r.memory += 8; }), error(Errc::BadArgument));
  EXPECT_EQ(with([](auto& r) { r.memory = kUserTop; }), error(Errc::Fault));
  EXPECT_EQ(with([](auto& r) { r.count = 2; }), error(Errc::Fault));
  EXPECT_EQ(with([](auto& r) { r.memory = ~0ull << 12; }), error(Errc::Fault));
  EXPECT_EQ(with([](auto& r) { r.memory = 0x20'0000; }), error(Errc::Fault));  // read-only
  EXPECT_EQ(with([](auto& r) { r.pending += 4; }), error(Errc::BadArgument));
  EXPECT_EQ(with([](auto& r) { r.status = 0x20'0000; }), error(Errc::Fault));
  EXPECT_EQ(with([](auto& r) { r.write = 1, r.memory = 0x20'0000; }), 0);
}

TEST_F(Disk, TooMuchUnderWayIsRefusedAndLeavesNoPins) {
  bed.machine.transfer_limit = 1;
  ASSERT_EQ(start(request), 0);
  EXPECT_EQ(start(request), error(Errc::WouldBlock));
  EXPECT_EQ(bed.sweep(), "");
  bed.machine.transfer_limit = 1000;
  std::int64_t last = 0;
  while ((last = start(request)) == 0) continue;
  EXPECT_EQ(last, error(Errc::NoSpace));
  EXPECT_EQ(bed.machine.transfers.size(), kMaxTransfers);
  while (!bed.machine.transfers.empty()) bed.finish_disk(bed.machine.transfers.size() / 2);
}

TEST_F(Disk, FullPinsAreNoSpace) {
  PageInfo& info = bed.machine.page_info(static_cast<std::uint64_t>(page));
  info.pins = 0xffff;
  EXPECT_EQ(start(request), error(Errc::NoSpace));
  EXPECT_TRUE(bed.machine.transfers.empty());
  info.pins = 0;
}

// -- The whole machine

TEST_F(Devices, OnlyTheRootStopsTheMachine) {
  name(1, {1});
  EXPECT_EQ(bed.call(machine_stop, 1, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(machine_stop, 9, 0), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(machine_stop, 0, 128), error(Errc::BadArgument));
  EXPECT_FALSE(bed.machine.stopped);
  bed.call(machine_stop, 0, kStopClean);
  EXPECT_TRUE(bed.machine.stopped);
  EXPECT_EQ(bed.machine.stop_status, kStopClean);
}

// -- Batch

class Batch : public Devices {
 protected:
  static constexpr std::uint64_t kEntries = kScratch + 64;
  std::int64_t run(const std::vector<BatchEntry>& entries) {
    for (std::size_t i = 0; i < entries.size(); i++)
      bed.put(kEntries + i * sizeof(BatchEntry), entries[i]);
    return bed.call(batch, kEntries, entries.size(), kScratch);
  }
  std::int64_t result(std::size_t i) {
    return static_cast<std::int64_t>(bed.peek(kEntries + i * sizeof(BatchEntry) + 56));
  }
  static BatchEntry entry(SyscallNumber number, std::array<std::uint64_t, 6> arguments = {}) {
    return {static_cast<std::uint64_t>(number), arguments, 99};
  }
};

TEST_F(Batch, RunsInOrderAndStoresResults) {
  EXPECT_EQ(run({entry(pte_insert, {0, fresh_page(), 0x60'0000, 0}), entry(null_call),
                 entry(cap_forge, {0, 5, Capability::make({1}).bits(), 0})}),
            0);
  EXPECT_EQ(bed.peek(kScratch), 3u);
  EXPECT_GT(result(0), 0);
  EXPECT_EQ(result(1), 0);
  EXPECT_EQ(result(2), 5);
}

TEST_F(Batch, StopsAtTheFirstFailure) {
  EXPECT_EQ(run({entry(null_call), entry(cap_forge, {0, 99, 0, 0}), entry(null_call)}),
            error(Errc::BadArgument));
  EXPECT_EQ(bed.peek(kScratch), 1u);
  EXPECT_EQ(result(1), error(Errc::BadArgument));
  EXPECT_EQ(result(2), 99);
}

TEST_F(Batch, RefusesWhatWouldLeaveOrNest) {
  for (const SyscallNumber number : {batch, yield, env_free, machine_stop}) {
    EXPECT_EQ(run({entry(number)}), error(Errc::BadArgument));
    EXPECT_FALSE(bed.machine.stopped);
    EXPECT_EQ(bed.current(), 1u);
  }
  EXPECT_EQ(run({entry(static_cast<SyscallNumber>(0x55))}), error(Errc::NoSuchCall));
  EXPECT_EQ(run({entry(null_call)}), 0);
}

TEST_F(Batch, ChecksItsArguments) {
  EXPECT_EQ(bed.call(batch, kEntries, kMaxBatch + 1, kScratch), error(Errc::TooBig));
  EXPECT_EQ(bed.call(batch, kEntries, ~0ull, kScratch), error(Errc::TooBig));
  EXPECT_EQ(bed.call(batch, kEntries, 0, 0x1000), error(Errc::Fault));
  EXPECT_EQ(bed.call(batch, 0x1000, 1, kScratch), error(Errc::Fault));
  EXPECT_EQ(bed.call(batch, 0x20'0000, 1, kScratch), error(Errc::Fault));  // read-only
  EXPECT_EQ(bed.call(batch, kEntries, 0, kScratch), 0);
}

TEST_F(Batch, EachEntryIsCheckedAtItsOwnTime) {
  EXPECT_EQ(run({entry(cap_forge, {0, 1, Capability::make({1}).bits(), 0}),
                 entry(pte_insert, {1, fresh_page(), 0x60'0000, 0}), entry(cap_forge, {0, 1, 0, 0}),
                 entry(pte_insert, {1, fresh_page(), 0x60'1000, 0})}),
            error(Errc::BadCapability));
  EXPECT_EQ(bed.peek(kScratch), 3u);
}

TEST_F(Batch, MayUnmapItself) {
  EXPECT_EQ(run({entry(pte_insert, {0, 0, kScratch, 0})}), error(Errc::Fault));
  EXPECT_FALSE(bed.readable(kScratch));
}

TEST_F(Batch, StopsWhenItsTimeIsOverAndSaysWhere) {
  for (std::uint64_t i = 0; i < 4; i++) {
    const BatchEntry entry{static_cast<std::uint64_t>(null_call), {}, -1};
    bed.put(kScratch + 64 * i, entry);
  }
  const std::uint64_t done = kScratch + 1024;
  bed.machine.clock_step = bed.machine.info().tsc_hz / 1800;  // 0.55 ms each time it is asked
  EXPECT_EQ(bed.call(batch, kScratch, 4, done), error(Errc::TimedOut));
  EXPECT_EQ(bed.peek(done), 2u);
  EXPECT_EQ(bed.call(batch, kScratch + 2 * 64, 2, done), 0);
}

}  // namespace
}  // namespace xok::kernel::testing
