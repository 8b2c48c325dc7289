// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr auto kFamily = Capability::make({1});
constexpr auto kMember = Capability::make({1, 7});

TEST(CapForge, RefinesIntoAnotherSlot) {
  TestBed bed;
  EXPECT_EQ(bed.call(cap_forge, 0, 3, kMember.bits(), 0), 3);
  EXPECT_EQ(bed.self().capabilities[3], kMember);
}

TEST(CapForge, NeverWidensNameOrPermissions) {
  TestBed bed;
  ASSERT_EQ(bed.call(cap_forge, 0, 1, kMember.bits(), 0), 1);
  EXPECT_EQ(bed.call(cap_forge, 1, 2, kFamily.bits(), 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(cap_forge, 1, 2, Capability::make({2, 7}).bits(), 0), error(Errc::Denied));
  ASSERT_EQ(bed.call(cap_forge, 0, 1,
                     Capability::make({1}, Permission::Modify | Permission::Write).bits(), 0),
            1);
  EXPECT_EQ(bed.call(cap_forge, 1, 2, kFamily.bits(), 0), error(Errc::Denied));
}

TEST(CapForge, NeedsModifyUnlessItErases) {
  TestBed bed;
  ASSERT_EQ(bed.call(cap_forge, 0, 1, Capability::make({1}, Permission::Write).bits(), 0), 1);
  EXPECT_EQ(bed.call(cap_forge, 1, 2, Capability::make({1}, Permission::Write).bits(), 0),
            error(Errc::Denied));
  EXPECT_EQ(bed.call(cap_forge, 1, 1, 0, 0), 1);
  EXPECT_EQ(bed.self().capabilities[1], Capability{});
}

TEST(CapForge, SlotZeroStaysValidWithAllPermissions) {
  TestBed bed;
  EXPECT_EQ(bed.call(cap_forge, 0, 0, 0, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(cap_forge, 0, 0, Capability::make({1}, Permission::Write).bits(), 0),
            error(Errc::Denied));
}

TEST(CapForge, RefusesBadSlotsAndPointers) {
  TestBed bed;
  EXPECT_EQ(bed.call(cap_forge, 0, kCapabilitySlots, kMember.bits(), 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(cap_forge, 0, ~0ull, kMember.bits(), 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(cap_forge, 5, 1, kMember.bits(), 0), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(cap_forge, ~0ull, 1, kMember.bits(), 0), error(Errc::BadCapability));
  Capability pointer = kMember;
  pointer.header |= Capability::kPointer;
  EXPECT_EQ(bed.call(cap_forge, 0, 1, pointer.bits(), 0), error(Errc::BadArgument));
}

TEST(CapForge, IntoAnotherEnvironmentNeedsWriteOnIt) {
  TestBed bed;
  bed.call(cap_forge, 0, 1, kFamily.bits(), 0);
  const EnvId child = bed.spawn(1);
  bed.call(cap_forge, 0, 2, Capability::make({2}).bits(), 0);
  EXPECT_EQ(bed.call(cap_forge, 0, 4, kMember.bits(), make_target(2, child)), error(Errc::Denied));
  EXPECT_EQ(bed.call(cap_forge, 0, 4, kMember.bits(), make_target(9, child)),
            error(Errc::BadCapability));
  EXPECT_EQ(bed.call(cap_forge, 0, 4, kMember.bits(), make_target(1, child + 1)),
            error(Errc::BadEnv));
  EXPECT_EQ(bed.call(cap_forge, 0, 4, kMember.bits(), make_target(1, child)), 4);
  EXPECT_EQ(bed.env(child).capabilities[4], kMember);
}

TEST(CapForge, StoresCanonicalBytes) {
  TestBed bed;
  Capability dirty = kMember;
  dirty.name[6] = 200;
  ASSERT_EQ(bed.call(cap_forge, 0, 1, dirty.bits(), 0), 1);
  EXPECT_EQ(bed.self().capabilities[1], kMember);
}

class CapAcquire : public ::testing::Test {
 protected:
  CapAcquire() : parent{bed.current_id()} {
    bed.call(cap_forge, 0, 1, kFamily.bits(), 0);
    child = bed.spawn(1);
  }
  void offer(EnvId to, std::uint64_t slot, std::uint64_t value) {
    volatile Uenv& uenv = bed.machine.uenv(env_index(parent));
    uenv.grant_to = to;
    uenv.grant_slot = slot;
    uenv.grant = value;
  }
  TestBed bed;
  EnvId parent;
  EnvId child = 0;
};

TEST_F(CapAcquire, TakesTheGrantOnce) {
  offer(child, 0, Capability::make({5}).bits());
  bed.run(child);
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), 3);
  EXPECT_EQ(bed.self().capabilities[3], Capability::make({5}));
  EXPECT_EQ(bed.call(cap_acquire, 4, parent), error(Errc::Denied));
}

TEST_F(CapAcquire, RefusesWhatIsNotOffered) {
  bed.run(child);
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), error(Errc::Denied));
  offer(parent, 0, kMember.bits());
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), error(Errc::Denied));
}

TEST_F(CapAcquire, TheGrantorCannotGiveMoreThanItHolds) {
  offer(child, 1, Capability::make({5}).bits());
  bed.run(child);
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), error(Errc::Denied));
  offer(child, 7, kMember.bits());
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), error(Errc::BadCapability));
  offer(child, ~0ull, kMember.bits());
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), error(Errc::BadCapability));
  offer(child, 1, 0);
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), error(Errc::BadCapability));
}

TEST_F(CapAcquire, TheGrantingSlotNeedsModify) {
  bed.call(cap_forge, 0, 2, Capability::make({1}, Permission::Write).bits(), 0);
  offer(child, 2, Capability::make({1}, Permission::Write).bits());
  bed.run(child);
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), error(Errc::Denied));
}

TEST_F(CapAcquire, RefusesSlotZeroBadSlotsPointersAndTheDead) {
  Capability pointer = kMember;
  pointer.header |= Capability::kPointer;
  offer(child, 0, pointer.bits());
  bed.run(child);
  EXPECT_EQ(bed.call(cap_acquire, 3, parent), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(cap_acquire, 0, parent), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(cap_acquire, kCapabilitySlots, parent), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(cap_acquire, 3, 12345), error(Errc::BadEnv));
  EXPECT_EQ(bed.call(cap_acquire, 3, std::uint64_t{1} << 32 | parent), error(Errc::BadEnv));
}

TEST(CapRelease, EmptiesASlotOfOneselfOrOfATarget) {
  TestBed bed;
  const Capability name = Capability::make({4});
  ASSERT_EQ(bed.call(cap_forge, 0, 3, name.bits(), 0), 3);
  EXPECT_EQ(bed.call(cap_release, 3, 0), 0);
  EXPECT_FALSE(bed.self().capabilities[3].valid());
  EXPECT_EQ(bed.call(cap_release, 3, 0), 0);  // already empty
  const EnvId child = bed.spawn();
  ASSERT_EQ(bed.call(cap_forge, 0, 5, name.bits(), make_target(0, child)), 5);
  EXPECT_EQ(bed.call(cap_release, 5, make_target(0, child)), 0);
  EXPECT_FALSE(bed.env(child).capabilities[5].valid());
  EXPECT_EQ(bed.sweep(), "");
}

TEST(CapRelease, ChecksSlotAndTarget) {
  TestBed bed;
  ASSERT_EQ(bed.call(cap_forge, 0, 1, Capability::make({4}).bits(), 0), 1);
  const EnvId first = bed.current_id();
  const EnvId child = bed.spawn(1);
  EXPECT_EQ(bed.call(cap_release, 0, 0), error(Errc::Denied));
  EXPECT_EQ(bed.call(cap_release, kCapabilitySlots, 0), error(Errc::BadArgument));
  EXPECT_EQ(bed.call(cap_release, ~0ull, 0), error(Errc::BadArgument));
  bed.run(child);
  EXPECT_EQ(bed.call(cap_release, 1, make_target(0, first)), error(Errc::Denied));
  EXPECT_EQ(bed.call(cap_release, 1, make_target(9, first)), error(Errc::BadCapability));
  EXPECT_EQ(bed.call(cap_release, 1, 0x7fff), error(Errc::BadEnv));
  EXPECT_TRUE(bed.env(first).capabilities[1].valid());
}

}  // namespace
}  // namespace xok::kernel::testing
