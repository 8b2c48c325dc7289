// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virt_queue.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernel/drivers/testing/simulated_device.hpp"

namespace xok::kernel::drivers {
namespace {

using testing::SimulatedDevice;
using testing::SimulatedPlatform;

constexpr Segment kSegment{.physical = 0x5000, .length = 100};

struct Rig {
  explicit Rig(std::uint64_t features = 0, std::uint16_t size = 8,
               VirtQueue::Indirect indirect = VirtQueue::Indirect::No) {
    device.agreed = features;
    started = queue.start(platform, device, 3, size, features, indirect);
  }
  testing::DeviceQueue& other() { return device.queues[3]; }

  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Block, 0};
  VirtQueue queue;
  Result<> started;
};

TEST(VirtQueue, TakesTheDevicesLimitRoundedDownToAPowerOfTwo) {
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Block, 0};
  device.limit = 100;
  VirtQueue queue;
  ASSERT_TRUE(queue.start(platform, device, 0, 256, 0));
  EXPECT_EQ(queue.size(), 64);
}

TEST(VirtQueue, AQueueTheDeviceDoesNotHaveIsNotFound) {
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Block, 0};
  VirtQueue queue;
  EXPECT_EQ(queue.start(platform, device, 20, 8, 0).error(), Errc::NotFound);
}

TEST(VirtQueue, WithoutMemoryItSaysSo) {
  SimulatedPlatform platform;
  platform.memory.pages_left = 1;
  SimulatedDevice device{platform.memory, DeviceType::Block, 0};
  VirtQueue queue;
  EXPECT_EQ(queue.start(platform, device, 0, 8, 0).error(), Errc::NoMemory);
}

TEST(VirtQueue, ChainsComeBackOnceInTheDevicesOrder) {
  Rig s;
  ASSERT_TRUE(s.started);
  ASSERT_TRUE(s.queue.add({&kSegment, 1}, 0, 10));
  ASSERT_TRUE(s.queue.add({&kSegment, 1}, 0, 20));
  const auto first = s.other().pop();
  const auto second = s.other().pop();
  s.other().push(second->head, 100);
  s.other().push(first->head, 7);
  VirtQueue::Done done{};
  ASSERT_TRUE(s.queue.take(done));
  EXPECT_EQ(done.token, 20u);
  EXPECT_EQ(done.length, 100u);
  ASSERT_TRUE(s.queue.take(done));
  EXPECT_EQ(done.token, 10u);
  EXPECT_FALSE(s.queue.take(done));
  EXPECT_FALSE(s.queue.broken());
}

TEST(VirtQueue, RefusesEmptyTooLongAndTooMany) {
  Rig s;
  const std::vector<Segment> nine(9, kSegment);
  EXPECT_EQ(s.queue.add({}, 0, 1).error(), Errc::BadArgument);
  EXPECT_EQ(s.queue.add(nine, 0, 1).error(), Errc::BadArgument);
  ASSERT_TRUE(s.queue.add({nine.data(), 5}, 2, 1));
  EXPECT_EQ(s.queue.add({nine.data(), 4}, 2, 1).error(), Errc::WouldBlock);
  EXPECT_TRUE(s.queue.add({nine.data(), 3}, 2, 1));
}

TEST(VirtQueue, IndirectTablesTakeOneEntryPerChain) {
  Rig s{kFeatureIndirect, 8, VirtQueue::Indirect::Yes};
  const DmaMemory memory = s.platform.memory.allocate(128);
  std::vector<Segment> many;
  for (std::uint64_t i = 0; i < 128; i++) many.push_back({memory.physical + i * 4096, 4096});
  for (int i = 0; i < 8; i++) ASSERT_TRUE(s.queue.add(many, 3, 5));
  EXPECT_FALSE(s.queue.has_room(1));
  const auto chain = s.other().pop();
  ASSERT_EQ(chain->pieces.size(), 128u);
  EXPECT_FALSE(chain->pieces[2].writable);
  EXPECT_TRUE(chain->pieces[3].writable);
  EXPECT_EQ(chain->pieces[127].bytes, memory.address + 127 * 4096);
}

TEST(VirtQueue, KicksOnlyWhenTheDeviceWantsIt) {
  Rig flags;
  flags.other().set_no_notify(true);
  ASSERT_TRUE(flags.queue.add({&kSegment, 1}, 0, 1));
  flags.queue.kick();
  EXPECT_EQ(flags.device.notifications, 0);
  flags.other().set_no_notify(false);
  ASSERT_TRUE(flags.queue.add({&kSegment, 1}, 0, 1));
  flags.queue.kick();
  flags.queue.kick();
  EXPECT_EQ(flags.device.notifications, 1);

  Rig events{kFeatureEventIndex};
  for (int i = 0; i < 3; i++) {
    ASSERT_TRUE(events.queue.add({&kSegment, 1}, 0, 1));
    events.queue.kick();  // the device looked at none: it was told with the first
  }
  EXPECT_EQ(events.device.notifications, 1);
  while (events.other().pop()) {
  }
  ASSERT_TRUE(events.queue.add({&kSegment, 1}, 0, 1));
  events.queue.kick();
  EXPECT_EQ(events.device.notifications, 2);
}

TEST(VirtQueue, InterruptsAfterAsManyAsAsked) {
  for (const std::uint64_t features : {std::uint64_t{0}, kFeatureEventIndex}) {
    Rig s{features};
    for (int i = 0; i < 3; i++) ASSERT_TRUE(s.queue.add({&kSegment, 1}, 0, 1));
    s.queue.interrupt_after(0);
    EXPECT_FALSE(s.other().push(s.other().pop()->head, 0));
    VirtQueue::Done done{};
    ASSERT_TRUE(s.queue.take(done));
    s.queue.interrupt_after(2);
    EXPECT_EQ(s.other().push(s.other().pop()->head, 0), features == 0);
    EXPECT_TRUE(s.other().push(s.other().pop()->head, 0));
    EXPECT_TRUE(s.queue.pending());
  }
}

TEST(VirtQueue, IndicesWrapAround) {
  for (const std::uint64_t features : {std::uint64_t{0}, kFeatureEventIndex}) {
    Rig s{features, 4};
    VirtQueue::Done done{};
    for (std::uint64_t i = 0; i < 200'000; i++) {
      ASSERT_TRUE(s.queue.add({&kSegment, 1}, 0, i));
      s.queue.kick();
      const auto chain = s.other().pop();
      ASSERT_TRUE(chain.has_value());
      s.other().push(chain->head, 50);
      ASSERT_TRUE(s.queue.take(done)) << i;
      ASSERT_EQ(done.token, i);
    }
  }
}

// -- A device that breaks the rules

void expect_broken(const std::function<void(Rig&)>& attack) {
  Rig s;
  ASSERT_TRUE(s.queue.add({&kSegment, 1}, 0, 1));
  ASSERT_TRUE(s.queue.add({&kSegment, 1}, 0, 2));
  attack(s);
  VirtQueue::Done done{};
  while (s.queue.take(done)) {
  }
  EXPECT_TRUE(s.queue.broken());
  EXPECT_FALSE(s.queue.add({&kSegment, 1}, 0, 3));
  const int before = s.device.notifications;
  s.queue.kick();
  EXPECT_EQ(s.device.notifications, before);
}

TEST(VirtQueue, ABreachOfTheRulesBreaksItForGood) {
  expect_broken([](Rig& s) { s.other().set_index(3); });
  expect_broken([](Rig& s) { s.other().set_index(0xffff); });
  expect_broken([](Rig& s) { s.other().push(8, 0); });
  expect_broken([](Rig& s) { s.other().push(0xffff'ffff, 0); });
  expect_broken([](Rig& s) { s.other().push(0x1'0000, 0); });
  expect_broken([](Rig& s) { s.other().push(0, 101); });
  expect_broken([](Rig& s) { s.other().push(5, 0); });  // never handed out
  expect_broken([](Rig& s) {
    s.other().push(0, 0);
    s.other().push(0, 0);
  });
}

TEST(VirtQueue, OnlyTheHeadOfAChainMayComeBack) {
  Rig s;
  const std::vector<Segment> three(3, kSegment);
  ASSERT_TRUE(s.queue.add(three, 1, 1));
  s.other().push(1, 0);
  VirtQueue::Done done{};
  EXPECT_FALSE(s.queue.take(done));
  EXPECT_TRUE(s.queue.broken());
}

TEST(VirtQueue, LengthIsBoundedByTheWritablePart) {
  Rig s;
  const std::vector<Segment> three(3, kSegment);
  ASSERT_TRUE(s.queue.add(three, 2, 1));
  s.other().push(0, 101);
  VirtQueue::Done done{};
  EXPECT_FALSE(s.queue.take(done));
}

// Whatever is in the ring memory: no token twice, none that was not given, no length too large.
TEST(VirtQueue, RandomDeviceMemoryNeverGivesBackWhatWasNotGiven) {
  for (unsigned seed = 0; seed < 3000; seed++) {
    std::mt19937 random{seed};
    Rig s{seed % 2 == 0 ? 0 : kFeatureEventIndex, 16};
    std::set<std::uint64_t> out;
    std::uint64_t next = 1;
    for (int step = 0; step < 60 && !s.queue.broken(); step++) {
      const std::vector<Segment> segments(1 + random() % 4, kSegment);
      if (s.queue.add(segments, random() % 3, next)) out.insert(next++);
      s.queue.kick();
      const bool mostly_honest = random() % 8 != 0;
      if (const auto chain = s.other().pop(); chain && mostly_honest)
        s.other().push(chain->head, 0);
      else if (random() % 2 == 0)
        s.other().push(static_cast<std::uint32_t>(random() % 20),
                       static_cast<std::uint32_t>(random() % 300));
      else
        s.other().set_index(static_cast<std::uint16_t>(random()));
      VirtQueue::Done done{};
      while (s.queue.take(done)) {
        ASSERT_EQ(out.erase(done.token), 1u) << "seed " << seed;
        ASSERT_LE(done.length, 400u) << "seed " << seed;
      }
      ASSERT_EQ(s.queue.in_flight(), out.size()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace xok::kernel::drivers
