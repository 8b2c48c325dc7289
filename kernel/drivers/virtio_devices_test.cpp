// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <random>

#include "kernel/drivers/testing/simulated_device.hpp"
#include "kernel/drivers/virtio_blk.hpp"
#include "kernel/drivers/virtio_net.hpp"
#include "kernel/drivers/virtio_rng.hpp"

namespace xok::kernel::drivers {
namespace {

using testing::SimulatedDevice;
using testing::SimulatedPlatform;

/// What the drivers told the kernel.
struct Told {
  std::vector<std::string> frames;
  std::vector<std::pair<std::uint64_t, bool>> disk;
  Callbacks callbacks{.context = this,
                      .packet_received =
                          [](void* self, std::uint32_t, std::span<const std::byte> frame) {
                            static_cast<Told*>(self)->frames.emplace_back(
                                reinterpret_cast<const char*>(frame.data()), frame.size());
                          },
                      .disk_done =
                          [](void* self, std::uint64_t tag, Result<> outcome) {
                            static_cast<Told*>(self)->disk.emplace_back(tag, outcome.has_value());
                          },
                      .input_arrived = nullptr};
};

// -- Negotiation

TEST(Negotiate, ADeviceThatIsNeitherVersion1NorLegacyIsRefused) {
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Entropy, 0};
  EXPECT_EQ(negotiate(device, 0).error(), Errc::NotSupported);
  device.is_legacy = true;
  EXPECT_TRUE(negotiate(device, 0));
}

TEST(Negotiate, ADeviceThatRefusesTheFeaturesIsRefused) {
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Entropy, kFeatureVersion1};
  device.refuses_features = true;
  EXPECT_EQ(negotiate(device, 0).error(), Errc::NotSupported);
}

TEST(Negotiate, AgreesOnlyToWhatBothWant) {
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Entropy, ~std::uint64_t{0}};
  EXPECT_EQ(negotiate(device, 6), 6 | kFeatureVersion1);
  EXPECT_EQ(device.agreed, 6 | kFeatureVersion1);
}

TEST(Config, ADeviceThatNeverSettlesReadsAsZero) {
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Block, 0};
  device.set_config<std::uint64_t>(0, 0x1122334455667788);
  EXPECT_EQ(config64(device, 0), 0x1122334455667788u);
  EXPECT_EQ(config16(device, 6), 0x1122u);
  EXPECT_EQ(config32(device, 100), 0u);
  device.generation_steps = true;
  EXPECT_EQ(config64(device, 0), 0u);
}

// -- Network

struct NetRig {
  explicit NetRig(std::uint64_t features = kFeatureVersion1 | kFeatureEventIndex | 1u << 5,
                  bool legacy = false) {
    device.offered = features;
    device.is_legacy = legacy;
    device.config = {2, 0, 0, 0, 0, 9};
    started = net.start();
  }
  std::size_t header() const { return device.is_legacy ? 10 : 12; }
  /// A frame from the wire. False: no buffer for it.
  bool arrive(const std::string& frame) {
    const auto chain = device.queues[0].pop();
    if (!chain) return false;
    std::memset(chain->pieces[0].bytes, 0, header());
    std::memcpy(chain->pieces[0].bytes + header(), frame.data(), frame.size());
    if (device.queues[0].push(chain->head, static_cast<std::uint32_t>(frame.size() + header())))
      due = true;
    return true;
  }
  bool send(const std::string& frame) {
    const auto room = net.transmit_buffer();
    if (room.empty()) return false;
    std::memcpy(room.data(), frame.data(), frame.size());
    net.transmit(frame.size());
    return true;
  }

  Told told;
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Network, 0};
  InterfaceInfo record{};
  VirtioNet net{platform, device, told.callbacks, 1, record};
  Result<> started;
  bool due = false;
};

TEST(VirtioNet, FillsTheRecord) {
  NetRig rig;
  ASSERT_TRUE(rig.started);
  EXPECT_EQ(rig.record.present, 1);
  EXPECT_EQ(rig.record.loopback, 0);
  EXPECT_EQ(rig.record.mac, (std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 9}));
  EXPECT_EQ(rig.record.guard, Capability::make({kInterfaceName, 1}));
  EXPECT_EQ(rig.record.mtu, 1500u);
}

TEST(VirtioNet, FramesArriveInOrderAndBuffersComeAround) {
  for (const bool legacy : {false, true}) {
    NetRig rig{kFeatureVersion1 | (legacy ? 0 : kFeatureEventIndex), legacy};
    for (int i = 0; i < 5000; i++) {
      ASSERT_TRUE(rig.arrive("frame number " + std::to_string(i) + std::string(40, 'x')));
      if (rig.due && i % 7 == 0) rig.device.interrupt();
    }
    rig.device.interrupt();
    ASSERT_EQ(rig.told.frames.size(), 5000u);
    EXPECT_EQ(rig.told.frames[4999].substr(0, 17), "frame number 4999");
    EXPECT_EQ(rig.record.receive_dropped, 0u);
  }
}

TEST(VirtioNet, FramesOfImpossibleLengthAreDropped) {
  NetRig rig;
  ASSERT_TRUE(rig.arrive(std::string(13, 'x')));
  ASSERT_TRUE(rig.arrive(std::string(1515, 'x')));
  ASSERT_TRUE(rig.arrive(std::string(1514, 'x')));
  rig.device.queues[0].push(rig.device.queues[0].pop()->head, 3);
  rig.device.interrupt();
  ASSERT_EQ(rig.told.frames.size(), 1u);
  EXPECT_EQ(rig.told.frames[0].size(), 1514u);
  EXPECT_EQ(rig.record.receive_dropped, 3u);
}

TEST(VirtioNet, AFloodLeavesWorkForThePoll) {
  NetRig rig;
  // The device refills the ring as fast as it is served.
  rig.device.on_notify = [&](std::uint16_t) {
    while (rig.arrive(std::string(60, 'x'))) {
    }
  };
  rig.device.on_notify(0);
  rig.device.interrupt();
  EXPECT_EQ(rig.told.frames.size(), VirtioNet::kFramesPerInterrupt);
  rig.net.serve();
  EXPECT_EQ(rig.told.frames.size(), 2 * VirtioNet::kFramesPerInterrupt);
}

TEST(VirtioNet, SendsWithAZeroHeaderAndNoInterrupts) {
  NetRig rig;
  for (int i = 0; i < 3000; i++) {
    ASSERT_TRUE(rig.send("outgoing " + std::to_string(i)));
    const auto chain = rig.device.queues[1].pop();
    ASSERT_EQ(chain->pieces.size(), 1u);
    const std::string bytes(reinterpret_cast<char*>(chain->pieces[0].bytes),
                            chain->pieces[0].length);
    EXPECT_EQ(bytes, std::string(12, '\0') + "outgoing " + std::to_string(i));
    EXPECT_FALSE(rig.device.queues[1].push(chain->head, 0));
  }
}

TEST(VirtioNet, AFullTransmitQueueGivesNoBuffer) {
  NetRig rig;
  for (int i = 0; i < 256; i++) ASSERT_TRUE(rig.send("x"));
  EXPECT_FALSE(rig.send("x"));
  rig.device.queues[1].push(rig.device.queues[1].pop()->head, 0);
  EXPECT_TRUE(rig.send("x"));
  EXPECT_FALSE(rig.send("x"));
}

TEST(VirtioNet, ABreachRemovesTheDeviceOnce) {
  NetRig rig;
  rig.device.queues[0].push(999, 60);
  rig.device.interrupt();
  rig.device.interrupt();
  rig.net.serve();
  EXPECT_EQ(rig.record.present, 0);
  EXPECT_TRUE(rig.device.off);
  EXPECT_EQ(rig.platform.lines.size(), 1u);
  EXPECT_FALSE(rig.send("x"));
}

TEST(VirtioNet, MissingQueueOrMemoryLeavesTheRecord) {
  Told told;
  SimulatedPlatform platform;
  InterfaceInfo record{};
  SimulatedDevice device{platform.memory, DeviceType::Network, kFeatureVersion1};
  device.queue_count = 1;
  VirtioNet net{platform, device, told.callbacks, 1, record};
  EXPECT_EQ(net.start().error(), Errc::NotFound);
  platform.memory.pages_left = 10;
  device.queue_count = 2;
  VirtioNet other{platform, device, told.callbacks, 1, record};
  EXPECT_EQ(other.start().error(), Errc::NoMemory);
  EXPECT_EQ(record.present, 0);
}

// -- Block

struct BlkRig {
  explicit BlkRig(std::uint64_t features = kFeatureVersion1 | kFeatureIndirect | kFeatureEventIndex,
                  std::uint64_t sectors = 8000) {
    device.offered = features;
    device.set_config<std::uint64_t>(0, sectors);
    device.set_config<std::uint32_t>(12, 126);
    started = blk.start();
    storage.resize(sectors * 512);
    pages = platform.memory.allocate(1024);
  }
  PageNumber page(std::size_t i) const { return PageNumber{pages.physical / kPageSize + i}; }
  std::byte* bytes(std::size_t i) const { return pages.address + kPageSize * i; }

  /// Does one request as a device does. False: none there.
  bool serve_one(std::uint8_t status = 0) {
    const auto chain = device.queues[0].pop();
    if (!chain) return false;
    std::uint32_t type = 0;
    std::uint64_t sector = 0;
    std::memcpy(&type, chain->pieces[0].bytes, 4);
    std::memcpy(&sector, chain->pieces[0].bytes + 8, 8);
    std::uint32_t written = 1;
    std::byte* disk = storage.data() + sector * 512;
    for (std::size_t i = 1; i + 1 < chain->pieces.size(); i++) {
      const auto& piece = chain->pieces[i];
      EXPECT_EQ(piece.writable, type == 0);
      if (type == 0) std::memcpy(piece.bytes, disk, piece.length);
      if (type == 1) std::memcpy(disk, piece.bytes, piece.length);
      if (type == 0) written += piece.length;
      disk += piece.length;
    }
    EXPECT_EQ(chain->pieces.back().length, 1u);
    *chain->pieces.back().bytes = std::byte{status};
    requests++;
    device.queues[0].push(chain->head, written);
    return true;
  }

  Told told;
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Block, 0};
  DiskInfo record{};
  VirtioBlk blk{platform, device, told.callbacks, 0, record};
  Result<> started;
  DmaMemory pages;
  std::vector<std::byte> storage;
  int requests = 0;
};

TEST(VirtioBlk, FillsTheRecordAndNeverAgreesToAWriteCache) {
  BlkRig rig{~std::uint64_t{0}};
  ASSERT_TRUE(rig.started);
  EXPECT_EQ(rig.record.blocks, 1000u);
  EXPECT_EQ(rig.record.read_only, 1);
  EXPECT_EQ(rig.device.agreed & (1u << 9 | 1u << 11), 0u);
  const PageNumber page = rig.page(0);
  EXPECT_EQ(rig.blk.transfer(true, 0, {&page, 1}, 1).error(), Errc::Denied);
}

TEST(VirtioBlk, RefusesWhatIsOutsideTheDisk) {
  BlkRig rig;
  const std::vector<PageNumber> many(513, rig.page(0));
  const std::span two{many.data(), 2};
  EXPECT_EQ(rig.blk.transfer(false, 0, {}, 1).error(), Errc::BadArgument);
  EXPECT_EQ(rig.blk.transfer(false, 999, two, 1).error(), Errc::BadArgument);
  EXPECT_EQ(rig.blk.transfer(false, ~std::uint64_t{0}, two, 1).error(), Errc::BadArgument);
  EXPECT_EQ(rig.blk.transfer(false, 0, many, 1).error(), Errc::TooBig);
  EXPECT_TRUE(rig.blk.transfer(false, 998, two, 1));
}

TEST(VirtioBlk, ScatteredPagesOfManyRequestsArriveWhereTheyBelong) {
  for (const std::uint64_t features :
       {kFeatureVersion1 | kFeatureIndirect | kFeatureEventIndex, kFeatureVersion1}) {
    std::mt19937 random{7};
    BlkRig rig{features};
    for (std::byte& b : rig.storage) b = static_cast<std::byte>(random());
    const std::vector<std::byte> before = rig.storage;
    std::vector<PageNumber> pages;
    for (std::size_t i = 0; i < (features & kFeatureIndirect ? 300u : 40u); i++)
      pages.push_back(rig.page(i * 2 + (i % 10 == 3 ? 1 : 0)));
    ASSERT_TRUE(rig.blk.transfer(false, 100, pages, 77));
    while (rig.serve_one()) {
    }
    rig.device.interrupt();
    ASSERT_EQ(rig.told.disk, (std::vector<std::pair<std::uint64_t, bool>>{{77, true}}));
    for (std::size_t i = 0; i < pages.size(); i++) {
      const std::byte* page = rig.platform.memory.at(pages[i].value * kPageSize, kPageSize);
      ASSERT_EQ(std::memcmp(page, before.data() + (100 + i) * kPageSize, kPageSize), 0) << i;
    }
  }
}

TEST(VirtioBlk, NeighbouringPagesAreOnePiece) {
  BlkRig rig;
  std::vector<PageNumber> pages;
  for (std::size_t i = 0; i < 512; i++) pages.push_back(rig.page(i));
  std::memset(rig.bytes(511), 0x33, kPageSize);
  ASSERT_TRUE(rig.blk.transfer(true, 0, pages, 1));
  ASSERT_TRUE(rig.serve_one());
  EXPECT_FALSE(rig.serve_one());
  EXPECT_EQ(rig.storage[511 * kPageSize], std::byte{0x33});
}

TEST(VirtioBlk, AFullQueueSaysWouldBlockAndTagsComeBackOnce) {
  BlkRig rig;
  const PageNumber page = rig.page(0);
  std::uint64_t accepted = 0;
  while (rig.blk.transfer(false, 0, {&page, 1}, accepted)) accepted++;
  EXPECT_EQ(accepted, 64u);
  EXPECT_EQ(rig.blk.transfer(false, 0, {&page, 1}, 99).error(), Errc::WouldBlock);
  while (rig.serve_one()) {
  }
  rig.device.interrupt();
  ASSERT_EQ(rig.told.disk.size(), 64u);
  for (std::uint64_t i = 0; i < 64; i++) EXPECT_EQ(rig.told.disk[i].first, i);
  EXPECT_TRUE(rig.blk.transfer(false, 0, {&page, 1}, 1));
}

TEST(VirtioBlk, AnErrorOfOnePartFailsTheTransfer) {
  BlkRig rig;
  std::vector<PageNumber> pages;
  for (std::size_t i = 0; i < 200; i++) pages.push_back(rig.page(i * 2));
  ASSERT_TRUE(rig.blk.transfer(false, 0, pages, 5));
  ASSERT_TRUE(rig.serve_one(1));
  rig.device.interrupt();
  EXPECT_TRUE(rig.told.disk.empty());
  ASSERT_TRUE(rig.serve_one(0));
  rig.device.interrupt();
  EXPECT_EQ(rig.told.disk, (std::vector<std::pair<std::uint64_t, bool>>{{5, false}}));
}

TEST(VirtioBlk, ABreachEndsEveryTransferAfterTheReset) {
  BlkRig rig;
  const PageNumber page = rig.page(0);
  for (std::uint64_t tag = 0; tag < 3; tag++)
    ASSERT_TRUE(rig.blk.transfer(false, 0, {&page, 1}, tag));
  rig.device.queues[0].push(500, 0);
  rig.device.interrupt();
  EXPECT_TRUE(rig.device.off);
  EXPECT_EQ(rig.record.present, 0);
  EXPECT_EQ(rig.told.disk,
            (std::vector<std::pair<std::uint64_t, bool>>{{0, false}, {1, false}, {2, false}}));
  EXPECT_EQ(rig.blk.transfer(false, 0, {&page, 1}, 9).error(), Errc::NotFound);
}

TEST(VirtioBlk, RandomlyHostileDevicesEndEveryTransferExactlyOnce) {
  for (unsigned seed = 0; seed < 300; seed++) {
    std::mt19937 random{seed};
    BlkRig rig;
    std::uint64_t next = 0;
    for (int step = 0; step < 100; step++) {
      std::vector<PageNumber> pages;
      for (std::size_t i = 0; i < 1 + random() % 5; i++) pages.push_back(rig.page(random() % 1000));
      if (rig.blk.transfer(random() % 2 == 0, random() % 900, pages, next)) next++;
      if (random() % 4 != 0) rig.serve_one(static_cast<std::uint8_t>(random() % 3));
      if (random() % 50 == 0 && !rig.device.off)
        rig.device.queues[0].push(static_cast<std::uint32_t>(random() % 70), 0);
      if (random() % 3 == 0) rig.device.interrupt();
    }
    if (!rig.device.off) rig.device.queues[0].push(9999, 0);
    rig.device.interrupt();
    std::set<std::uint64_t> ended;
    for (const auto& [tag, good] : rig.told.disk) ASSERT_TRUE(ended.insert(tag).second);
    ASSERT_EQ(ended.size(), next) << "seed " << seed;
  }
}

// -- Entropy

TEST(VirtioRng, GivesEachByteOnceAndAsksForMore) {
  SimulatedPlatform platform;
  SimulatedDevice device{platform.memory, DeviceType::Entropy, kFeatureVersion1};
  std::uint8_t counter = 0;
  int length = 300;
  device.on_notify = [&](std::uint16_t) {
    const auto chain = device.queues[0].pop();
    for (int i = 0; i < length; i++) chain->pieces[0].bytes[i] = std::byte{counter++};
    device.queues[0].push(chain->head, static_cast<std::uint32_t>(length));
  };
  VirtioRng rng{platform, device};
  std::array<std::byte, 100> bytes{};
  EXPECT_EQ(rng.take(bytes), 0u);
  ASSERT_TRUE(rng.start());
  std::uint8_t expected = 0;
  for (int i = 0; i < 50; i++) {
    ASSERT_EQ(rng.take(bytes), 100u);
    for (const std::byte b : bytes) ASSERT_EQ(b, std::byte{expected++});
  }
  length = 0;  // a device with nothing to give is asked again, once per call
  for (int i = 0; i < 10; i++) (void)rng.take(bytes);
  EXPECT_EQ(rng.take(bytes), 0u);
  length = 1000;  // longer than the buffer
  device.on_notify = [&](std::uint16_t) {
    device.queues[0].push(device.queues[0].pop()->head, 1000);
  };
  EXPECT_EQ(rng.take(bytes), 0u);
  EXPECT_EQ(rng.take(bytes), 0u);
  EXPECT_TRUE(device.off);
  EXPECT_EQ(platform.lines.size(), 1u);
}

}  // namespace
}  // namespace xok::kernel::drivers
