// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "abi/packet_ring.hpp"
#include "kernel/core/testing/test_bed.hpp"
#include "libs/dpf/builders.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kRing = 0x60'0000;
constexpr std::uint64_t kArguments = kScratch + 512;

class NetworkCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::uint64_t i = 0; i < 2; i++)
      ASSERT_GT(bed.call(pte_insert, 0, fresh_page(), kRing + i * kPageSize, 0), 0);
  }
  void TearDown() override { EXPECT_EQ(bed.sweep(), ""); }

  std::int64_t filter(std::vector<dpf::Atom> atoms, std::uint64_t ring = 0, std::uint64_t cap = 0,
                      std::uint64_t guard = 0) {
    for (std::size_t i = 0; i < atoms.size(); i++) bed.put(kArguments + 24 * i, atoms[i]);
    return bed.call(filter_insert, cap, guard, kArguments, atoms.size(), ring);
  }
  std::int64_t send(std::uint64_t interface, std::vector<SendPiece> pieces, std::uint64_t cap = 0) {
    for (std::size_t i = 0; i < pieces.size(); i++) bed.put(kArguments + 16 * i, pieces[i]);
    return bed.call(packet_send, cap, interface, kArguments, pieces.size());
  }
  RingSlot slot(std::uint64_t number) {
    RingSlot out;
    EXPECT_TRUE(bed.machine.user_read(kRing + number * kRingSlotSize, &out, sizeof out));
    return out;
  }
  static std::string frame(char kind, std::size_t size = 60) {
    std::string out(size, kind);
    return out;
  }
  void name(std::uint64_t at, std::initializer_list<std::uint8_t> bytes,
            Permission permissions = Permission::All) {
    ASSERT_EQ(bed.call(cap_forge, 0, at, Capability::make(bytes, permissions).bits(), 0),
              static_cast<std::int64_t>(at));
  }
  TestBed bed;
};

TEST_F(NetworkCalls, RingsArePowersOfTwoOfWritablePages) {
  for (const std::uint64_t n : {0ull, 1ull, 3ull, 512ull, ~0ull, 1ull << 63})
    EXPECT_EQ(bed.call(ring_create, kRing, n), error(Errc::BadArgument)) << n;
  EXPECT_EQ(bed.call(ring_create, kRing + 8, 2), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(ring_create, kRing, 8), error(Errc::Fault));
  EXPECT_EQ(bed.call(ring_create, kUserTop, 2), error(Errc::Fault));
  EXPECT_EQ(bed.call(ring_create, kUserTop - kPageSize, 4), error(Errc::Fault));
  EXPECT_EQ(bed.call(ring_create, 0x20'0000, 2), error(Errc::Fault));  // read-only
  EXPECT_EQ(bed.call(ring_create, kRing, 4), 0);
}

TEST_F(NetworkCalls, RingsAreTheirMakersAlone) {
  ASSERT_EQ(bed.call(ring_create, kRing, 4), 0);
  const EnvId child = bed.spawn();
  bed.run(child);
  EXPECT_EQ(bed.call(ring_delete, 0), error(Errc::Denied));
  EXPECT_EQ(filter({dpf::eq8(0, 1)}, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(ring_delete, 5), error(Errc::NotFound));
  EXPECT_EQ(bed.call(ring_delete, ~0ull), error(Errc::NotFound));
  EXPECT_EQ(filter({dpf::eq8(0, 1)}, 77), error(Errc::NotFound));
}

TEST_F(NetworkCalls, RingsPinTheirPagesAndEndAtQuotaAndTable) {
  std::int64_t last = 0;
  std::uint32_t made = 0;
  while ((last = bed.call(ring_create, kRing, 2)) >= 0) made++;
  EXPECT_EQ(last, error(Errc::NoSpace));
  EXPECT_EQ(made, kRingsPerEnv);
  EXPECT_EQ(bed.call(pte_insert, 0, 0, kRing, 0), 0);
  EXPECT_EQ(bed.sweep(), "");
  for (int i = 0; i < 2; i++) {
    bed.run(bed.spawn());
    while ((last = bed.call(ring_create, kScratch, 2)) >= 0) made++;
    bed.run(1025);
  }
  EXPECT_EQ(made, kMaxRings);
}

TEST_F(NetworkCalls, PacketsFillSlotsInOrderUntilTheRingIsFull) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  const std::int64_t f = filter({dpf::eq8(0, 'a')});
  ASSERT_GE(f, 0);
  bed.packet(1, frame('a', 61));
  bed.packet(1, frame('b'));
  bed.packet(1, frame('a', 62));
  bed.packet(1, frame('a', 63));
  EXPECT_EQ(slot(0).owner, 61u);
  EXPECT_EQ(slot(0).interface, 1u);
  EXPECT_EQ(slot(0).filter, static_cast<std::uint16_t>(f));
  EXPECT_EQ(slot(0).frame[60], 'a');
  EXPECT_EQ(slot(1).owner, 62u);
  const FilterRecord& record = bed.machine.tables().filters[f];
  EXPECT_EQ(record.packets, 2u);
  EXPECT_EQ(record.dropped, 1u);
  EXPECT_EQ(bed.machine.info().interfaces[1].received, 4u);
  EXPECT_EQ(bed.machine.info().interfaces[1].receive_dropped, 2u);
  bed.put<std::uint32_t>(kRing, 0);  // the first slot back to the kernel
  bed.packet(1, frame('a', 64));
  EXPECT_EQ(slot(0).owner, 64u);
}

TEST_F(NetworkCalls, FramesOfImpossibleSizeAreDropped) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  ASSERT_GE(filter({dpf::eq8(0, 'a')}), 0);
  bed.packet(1, frame('a', kMinFrame - 1));
  bed.packet(1, frame('a', kMaxFrame + 1));
  EXPECT_EQ(slot(0).owner, 0u);
  bed.packet(1, frame('a', kMaxFrame));
  EXPECT_EQ(slot(0).owner, kMaxFrame);
}

TEST_F(NetworkCalls, UnmappedRingsKeepReceivingIntoTheirOwnPages) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  ASSERT_GE(filter({dpf::eq8(0, 'a')}), 0);
  ASSERT_EQ(bed.call(pte_insert, 0, 0, kRing, 0), 0);
  bed.packet(1, frame('a'));
  const std::int64_t fresh = bed.call(pte_insert, 0, fresh_page(), kRing, 0);
  ASSERT_GT(fresh, 0);
  EXPECT_EQ(slot(0).owner, 0u);
}

TEST_F(NetworkCalls, FiltersNeedTheFilterName) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  name(1, {7});
  name(2, {kFilterName});
  name(3, {kFilterName}, Permission::Modify);
  EXPECT_EQ(filter({dpf::eq8(0, 1)}, 0, 1), error(Errc::Denied));
  EXPECT_EQ(filter({dpf::eq8(0, 1)}, 0, 3), error(Errc::Denied));
  EXPECT_EQ(filter({dpf::eq8(0, 1)}, 0, 9), error(Errc::BadCapability));
  EXPECT_EQ(filter({dpf::eq8(0, 1)}, 0, 2, 9), error(Errc::BadCapability));
  EXPECT_EQ(filter({dpf::eq8(0, 1)}, 0, 2, 1), 0);
  EXPECT_EQ(bed.machine.tables().filters[0].guard, Capability::make({7}));
  EXPECT_EQ(bed.machine.tables().filters[0].owner, bed.current_id());
}

TEST_F(NetworkCalls, FilterProgramsAreChecked) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  EXPECT_EQ(filter({}), error(Errc::BadFormat));
  EXPECT_EQ(filter({dpf::skip(4)}), error(Errc::BadFormat));
  EXPECT_EQ(bed.call(filter_insert, 0, 0, kArguments, dpf::kMaxAtoms + 1, 0), error(Errc::TooBig));
  EXPECT_EQ(bed.call(filter_insert, 0, 0, 0x1000, 1, 0), error(Errc::Fault));
}

TEST_F(NetworkCalls, PacketsAreNotStolenWithoutTheGuard) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  name(1, {7});
  ASSERT_EQ(filter({dpf::eq8(0, 'a')}, 0, 0, 1), 0);
  const EnvId child = bed.spawn();
  bed.run(child);
  bed.call(cap_forge, 0, 1, Capability::make({kFilterName}).bits(), 0);
  ASSERT_EQ(bed.call(ring_create, kScratch, 2), 1);
  EXPECT_EQ(filter({dpf::eq8(0, 'a'), dpf::eq8(1, 'a')}, 1, 1, 0), error(Errc::Overlap));
  EXPECT_EQ(filter({dpf::eq8(0, 'a')}, 1, 0, 0), error(Errc::Overlap));  // the same: never
  EXPECT_EQ(filter({dpf::eq8(0, 'a'), dpf::eq8(1, 'a')}, 1, 0, 0), 1);   // root may
}

TEST_F(NetworkCalls, FiltersAreDeletedByTheirGuardAndDieWithTheirOwner) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  name(1, {7});
  name(2, {8});
  ASSERT_EQ(filter({dpf::eq8(0, 'a')}, 0, 0, 1), 0);
  EXPECT_EQ(bed.call(ring_delete, 0), error(Errc::Busy));
  EXPECT_EQ(bed.call(filter_delete, 2, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(filter_delete, 9, 0), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(filter_delete, 1, 3), error(Errc::NotFound));
  EXPECT_EQ(bed.call(filter_delete, 1, ~0ull), error(Errc::NotFound));
  EXPECT_EQ(bed.call(filter_delete, 1, 0), 0);
  EXPECT_EQ(bed.call(ring_delete, 0), 0);

  const EnvId child = bed.spawn();
  bed.run(child);
  ASSERT_EQ(bed.call(ring_create, kScratch, 2), 0);
  ASSERT_EQ(filter({dpf::eq8(0, 'a')}), 0);
  bed.call(env_free, kSelf);
  EXPECT_EQ(bed.machine.tables().filters[0].owner, 0u);
  bed.packet(1, frame('a'));
  EXPECT_EQ(bed.machine.info().interfaces[1].receive_dropped, 1u);
}

TEST_F(NetworkCalls, FilterQuotaHolds) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  for (std::uint32_t i = 0; i < kFiltersPerEnv; i++)
    ASSERT_GE(filter({dpf::eq8(0, static_cast<std::uint8_t>(i))}), 0);
  EXPECT_EQ(filter({dpf::eq8(0, 255)}), error(Errc::NoSpace));
}

TEST_F(NetworkCalls, FramesAreGatheredAndSent) {
  bed.poke(kScratch, 0x6867'6665'6463'6261);
  bed.poke(kScratch + 8, 0x7877'7675'7473'7271);
  EXPECT_EQ(send(1, {{kScratch + 8, 8}, {kScratch, 8}}), 0);
  ASSERT_EQ(bed.machine.sent.size(), 1u);
  EXPECT_EQ(bed.machine.sent[0].first, 1u);
  EXPECT_EQ(bed.machine.sent[0].second, "qrstuvwxabcdefgh");
  EXPECT_EQ(bed.machine.info().interfaces[1].sent, 1u);
}

TEST_F(NetworkCalls, SendingNeedsTheInterfacesName) {
  name(1, {kInterfaceName, 0});
  name(2, {kInterfaceName, 1}, Permission::Modify);
  EXPECT_EQ(send(1, {{kScratch, 60}}, 1), error(Errc::Denied));
  EXPECT_EQ(send(1, {{kScratch, 60}}, 2), error(Errc::Denied));
  EXPECT_EQ(send(1, {{kScratch, 60}}, 9), error(Errc::BadCapability));
  EXPECT_EQ(send(0, {{kScratch, 60}}, 1), 0);
  EXPECT_EQ(send(2, {{kScratch, 60}}), error(Errc::NotFound));
  EXPECT_EQ(send(~0ull, {{kScratch, 60}}), error(Errc::NotFound));
}

TEST_F(NetworkCalls, SendChecksSizesAndMemory) {
  EXPECT_EQ(send(1, {}), error(Errc::BadArgument));
  EXPECT_EQ(send(1, {{kScratch, kMinFrame - 1}}), error(Errc::BadArgument));
  EXPECT_EQ(send(1, {{kScratch, kMaxFrame + 1}}), error(Errc::TooBig));
  EXPECT_EQ(send(1, {{kScratch, 1000}, {kScratch, 1000}}), error(Errc::TooBig));
  EXPECT_EQ(send(1, {{kScratch, 60}, {kScratch, ~0ull}}), error(Errc::TooBig));
  EXPECT_EQ(bed.call(packet_send, 0, 1, kArguments, kMaxSendPieces + 1), error(Errc::TooBig));
  EXPECT_EQ(bed.call(packet_send, 0, 1, 0x1000, 1), error(Errc::Fault));
  EXPECT_EQ(send(1, {{0x1000, 60}}), error(Errc::Fault));
  EXPECT_EQ(send(1, {{kScratch, 60}, {kUserTop - 4, 60}}), error(Errc::Fault));
  bed.machine.transmit_room = 0;
  EXPECT_EQ(send(1, {{kScratch, 60}}), error(Errc::WouldBlock));
  EXPECT_EQ(bed.machine.info().interfaces[1].send_dropped, 1u);
  EXPECT_TRUE(bed.machine.sent.empty());
}

TEST_F(NetworkCalls, LoopbackDeliversAtOnce) {
  ASSERT_EQ(bed.call(ring_create, kRing, 2), 0);
  ASSERT_EQ(filter({dpf::eq8(0, 'x')}), 0);
  bed.poke(kScratch, 'x');
  EXPECT_EQ(send(0, {{kScratch, 60}}), 0);
  EXPECT_EQ(slot(0).owner, 60u);
  EXPECT_EQ(slot(0).interface, 0u);
  EXPECT_TRUE(bed.machine.sent.empty());
}

}  // namespace
}  // namespace xok::kernel::testing
