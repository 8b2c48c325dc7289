// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/test_volume.hpp"

namespace xok::xn::test {
namespace {

TEST(XnVolume, AFormattedDiskOpensClean) {
  Machine m;
  ASSERT_TRUE(m.format());
  ASSERT_TRUE(m.init());
  EXPECT_TRUE(m.volume->log().empty());
  const XnInfo info = m.volume->info();
  EXPECT_EQ(info.blocks, 128u);
  EXPECT_EQ(info.free_blocks, 128 - info.first_data_block);
  EXPECT_EQ(info.generation, 1u);
}

TEST(XnVolume, FilesSurviveACleanShutdown) {
  Machine m;
  m.start();
  const auto inode = m.make_node(m.top, 0, 1);
  ASSERT_TRUE(inode);
  const auto data = m.make_data(*inode, 3, std::byte{0x5a});
  ASSERT_TRUE(data);
  ASSERT_TRUE(m.sync(m.alice));
  const auto free_blocks = m.volume->info().free_blocks;
  ASSERT_TRUE(m.volume->shutdown(m.root));
  EXPECT_EQ(m.pages.live(), 0u);

  Machine again(m.disk.image());
  ASSERT_TRUE(again.init());
  EXPECT_TRUE(again.volume->log().empty());
  EXPECT_EQ(again.volume->info().free_blocks, free_blocks);
  const auto root = again.volume->mount_root("fs");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->block, m.top);
  ASSERT_TRUE(again.load(m.top, {*inode, 1, m.types.node}));
  ASSERT_TRUE(again.load(*inode, {*data, 1, m.types.data}));
  std::array<std::byte, 4> out{};
  ASSERT_TRUE(again.volume->read_bytes(again.alice, *data, 100, out));
  EXPECT_EQ(out[0], std::byte{0x5a});
}

TEST(XnVolume, AnUncleanStopIsRecovered) {
  Machine m;
  m.start();
  const auto inode = m.make_node(m.top, 0, 1);
  const auto data = m.make_data(*inode, 3, std::byte{0x5a});
  ASSERT_TRUE(data);
  ASSERT_TRUE(m.sync(m.alice));
  const auto free_blocks = m.volume->info().free_blocks;
  // Allocated and never written: gone with the power.
  ASSERT_TRUE(m.make_data(*inode, 4, std::byte{0x5b}));

  Machine again(m.disk.image());
  ASSERT_TRUE(again.init());
  ASSERT_EQ(again.volume->log().size(), 1u);
  EXPECT_EQ(again.volume->log()[0].trouble, XnTrouble::Unclean);
  EXPECT_EQ(again.volume->info().free_blocks, free_blocks);
  EXPECT_TRUE(again.volume->used_map().test(*data));
}

TEST(XnVolume, AFreedBlockIsFreeWhenNoPointerIsOnTheDisk) {
  Machine m;
  m.start();
  const auto inode = m.make_node(m.top, 0, 1);
  const auto data = m.make_data(*inode, 0, std::byte{1});
  ASSERT_TRUE(m.sync(m.alice));
  ASSERT_TRUE(m.volume->free(m.alice, *inode, Change{{0, 0}}, {*data, 1, m.types.data}));
  EXPECT_TRUE(m.volume->used_map().test(*data));
  EXPECT_EQ(m.volume->info().will_free_blocks, 1u);
  EXPECT_ERROR(m.volume->allocate(m.alice, *inode, Change{{8, *data}}, {*data, 1, m.types.data}),
               Errc::WouldBlock);
  ASSERT_TRUE(m.write({*inode}, m.alice));
  EXPECT_TRUE(m.volume->used_map().test(*data)) << "written, but not yet durable";
  ASSERT_TRUE(m.flush());
  EXPECT_FALSE(m.volume->used_map().test(*data));
  EXPECT_TRUE(m.volume->allocate(m.alice, *inode, Change{{8, *data}}, {*data, 1, m.types.data}));
}

TEST(XnVolume, OnlyThePrivilegedClose) {
  Machine m;
  m.start();
  EXPECT_ERROR(m.volume->shutdown(m.alice), Errc::Denied);
  EXPECT_ERROR(m.init(), Errc::Busy) << "it is open";
  ASSERT_TRUE(m.volume->shutdown(m.root));
  EXPECT_ERROR(m.volume->shutdown(m.root), Errc::BadArgument);
  EXPECT_ERROR(m.volume->find_free(0, 1), Errc::BadArgument);
  EXPECT_ERROR(m.volume->mount_root("fs"), Errc::BadArgument);
  EXPECT_ERROR(m.volume->allocate(m.root, m.top, {}, {60, 1, 1}), Errc::BadArgument);
  EXPECT_TRUE(m.init()) << "and opens again";
}

TEST(XnVolume, NothingIsLostByClosing) {
  Machine m;
  m.start();
  const auto inode = m.make_node(m.top, 0, 1);
  EXPECT_ERROR(m.volume->shutdown(m.root), Errc::Busy) << "dirty";
  ASSERT_TRUE(m.volume->write_back(m.alice, std::span{&*inode, 1}, 0));
  EXPECT_ERROR(m.volume->shutdown(m.root), Errc::Busy) << "in flight";
  ASSERT_TRUE(m.sync(m.alice));
  ASSERT_TRUE(m.volume->use(*inode, 1));
  EXPECT_ERROR(m.volume->shutdown(m.root), Errc::Busy) << "in use";
  ASSERT_TRUE(m.volume->use(*inode, -1));
  EXPECT_TRUE(m.volume->shutdown(m.root));
}

TEST(XnVolume, ClosingMakesTheLastWritesDurableItself) {
  Machine m;
  m.start();
  const auto inode = m.make_node(m.top, 0, 1);
  const auto data = m.make_data(*inode, 0, std::byte{1});
  ASSERT_TRUE(m.sync(m.alice));
  ASSERT_TRUE(m.volume->free(m.alice, *inode, Change{{0, 0}}, {*data, 1, m.types.data}));
  ASSERT_TRUE(m.write({*inode}, m.alice));
  ASSERT_TRUE(m.volume->shutdown(m.root)) << "without a flush before";
  Machine again(m.disk.image());
  ASSERT_TRUE(again.init());
  EXPECT_TRUE(again.volume->log().empty());
  EXPECT_FALSE(again.volume->used_map().test(*data));
}

TEST(XnVolume, ADiskThatIsTooSmallOrOtherIsRefused) {
  Machine tiny{8};
  EXPECT_ERROR(tiny.format({1, 1, 8}), Errc::BadArgument);
  Machine m;
  EXPECT_ERROR(m.init(), Errc::BadFormat) << "never formatted";
  ASSERT_TRUE(m.format());
  std::vector<Block> cut = m.disk.image();
  cut.resize(100);
  Machine shorter{cut};
  EXPECT_ERROR(shorter.init(), Errc::BadFormat);
  m.disk.at(0)[8] = std::byte{9};
  EXPECT_ERROR(m.init(), Errc::NotSupported);
}

TEST(XnVolume, TheDiskFillsUpAndNoFurther) {
  Machine m{40};
  m.start();
  const BlockNumber inode = m.make_node(m.top, 0, 1).value_or(0);
  std::size_t made = 0;
  while (made < 16 && m.make_data(inode, made, std::byte{1})) ++made;
  ASSERT_EQ(made, 16u);
  const auto last = [&] {
    const auto b = m.make_node(m.top, 64 + made, 1);
    ++made;
    return b;
  };
  Result<BlockNumber> out = last();
  while (out) out = last();
  EXPECT_ERROR(out, Errc::NoSpace);
  EXPECT_EQ(m.volume->info().free_blocks, 0u);
  EXPECT_ERROR(m.volume->find_free(20, 1), Errc::NoSpace);
  EXPECT_TRUE(m.sync(m.alice));
}

TEST(XnVolume, FreeBlocksAreFoundNearAHint) {
  Machine m;
  m.start();
  EXPECT_EQ(m.volume->find_free(80, 4).value_or(0), 80u);
  const BlockNumber inode = m.make_node(m.top, 0, 1).value_or(0);
  ASSERT_TRUE(m.volume->allocate(m.alice, inode, Change{{0, 81}}, {81, 1, m.types.data}));
  EXPECT_EQ(m.volume->find_free(80, 1).value_or(0), 80u);
  EXPECT_EQ(m.volume->find_free(80, 4).value_or(0), 82u);
  EXPECT_LT(m.volume->find_free(125, 4).value_or(99), 80u) << "from the start, when there is none";
  EXPECT_ERROR(m.volume->find_free(0, 120), Errc::NoSpace);
  EXPECT_ERROR(m.volume->find_free(0, 0), Errc::NoSpace);
}

}  // namespace
}  // namespace xok::xn::test
