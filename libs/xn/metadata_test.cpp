// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/test_volume.hpp"

/// Blocks change hands: free and will-free, edges, moves, unions, roots, temporary file systems.
namespace xok::xn::test {
namespace {

class XnMetadata : public testing::Test {
 protected:
  void SetUp() override { t = m.start(); }
  XnExtent node(BlockNumber b) const { return {b, 1, t.node}; }
  XnExtent data(BlockNumber b) const { return {b, 1, t.data}; }
  bool used(BlockNumber b) const { return m.volume->used_map().test(b); }
  BlockNumber make(std::size_t slot, std::uint8_t tag) {
    return m.make_node(m.top, slot, tag).value_or(0);
  }
  Result<> unlink(BlockNumber directory, std::size_t slot, BlockNumber b,
                  const Modifications& count = {}) {
    return m.volume->free(m.alice, directory, Change{{slot * 8, 0}}, node(b), count);
  }
  Result<> link(BlockNumber directory, std::size_t slot, BlockNumber b, std::uint64_t extra) {
    return m.volume->add_edge(m.alice, directory, Change{{slot * 8, b}}, node(b),
                              Change{{kLinks, extra}});
  }

  Machine m;
  Types t;
};

TEST_F(XnMetadata, AStructureThatOwnsBlocksIsNotFreed) {
  const BlockNumber inode = make(0, 1);
  const auto block = m.make_data(inode, 0, std::byte{1});
  EXPECT_ERROR(unlink(m.top, 0, inode), Errc::Busy);
  ASSERT_TRUE(m.volume->free(m.alice, inode, Change{{0, 0}}, data(*block)));
  EXPECT_TRUE(unlink(m.top, 0, inode));
  EXPECT_FALSE(used(inode)) << "it never was on the disk";
}

TEST_F(XnMetadata, WhatIsFreedShowsNothingElse) {
  const BlockNumber a = make(0, 1);
  const BlockNumber b = make(1, 1);
  EXPECT_ERROR(unlink(m.top, 1, a), Errc::WrongOwns) << "the other one's pointer";
  EXPECT_ERROR(unlink(m.top, 2, a), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->free(m.alice, m.top, Change{{0, 0}, {8, 0}}, node(a)), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->free(m.alice, m.top, Change{{0, b}}, node(a)), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->free(m.alice, m.top, Change{{0, 0}}, {a, 1, t.data}), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->free(m.alice, m.top, Change{{0, 0}}, {a, 0, t.node}), Errc::BadArgument);
}

TEST_F(XnMetadata, AChainOfFreedStructuresIsFreeWithTheFirstPointer) {
  const BlockNumber directory = make(0, 2);
  const BlockNumber inode = m.make_node(directory, 0, 1).value_or(0);
  const BlockNumber block = m.make_data(inode, 0, std::byte{1}).value_or(0);
  ASSERT_TRUE(m.sync(m.alice));
  // All are given up; only the root is written afterwards.
  ASSERT_TRUE(m.volume->free(m.alice, inode, Change{{0, 0}}, data(block)));
  ASSERT_TRUE(unlink(directory, 0, inode));
  ASSERT_TRUE(unlink(m.top, 0, directory));
  EXPECT_TRUE(used(block) && used(inode) && used(directory));
  EXPECT_EQ(m.volume->info().will_free_blocks, 3u);
  ASSERT_TRUE(m.write({m.top}, m.alice));
  EXPECT_TRUE(used(block));
  ASSERT_TRUE(m.flush());
  EXPECT_FALSE(used(block) || used(inode) || used(directory));
  EXPECT_EQ(m.volume->info().will_free_blocks, 0u);
}

TEST_F(XnMetadata, AVersionFromBeforeTheLastChangeFreesNothingOfIt) {
  const BlockNumber inode = make(0, 1);
  const BlockNumber first = m.make_data(inode, 0, std::byte{1}).value_or(0);
  const BlockNumber second = m.make_data(inode, 1, std::byte{1}).value_or(0);
  ASSERT_TRUE(m.sync(m.alice));
  ASSERT_TRUE(m.volume->free(m.alice, inode, Change{{0, 0}}, data(first)));
  ASSERT_TRUE(m.write({inode}, m.alice));
  ASSERT_TRUE(m.volume->free(m.alice, inode, Change{{8, 0}}, data(second)));
  ASSERT_TRUE(m.flush());
  EXPECT_FALSE(used(first));
  EXPECT_TRUE(used(second));
  EXPECT_TRUE(m.attribute(inode).is(XnFlag::Dirty));
}

TEST_F(XnMetadata, TheWillFreeListIsBounded) {
  const BlockNumber inode = make(0, 1);
  const BlockNumber indirect = m.volume->find_free(0, 1).value_or(0);
  ASSERT_TRUE(
      m.volume->allocate(m.alice, inode, Change{{kIndirect, indirect}}, {indirect, 1, t.indirect}));
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, inode, {indirect, 1, t.indirect}, std::nullopt));
  std::vector<BlockNumber> blocks;
  for (std::size_t i = 0; i < 33; ++i)
    blocks.push_back(m.make_data(indirect, i, std::byte{1}).value_or(0));
  ASSERT_TRUE(m.sync(m.alice));
  for (std::size_t i = 0; i < 32; ++i)
    ASSERT_TRUE(m.volume->free(m.alice, indirect, Change{{i * 8, 0}}, data(blocks[i])));
  const Change last{{32 * 8, 0}};
  EXPECT_ERROR(m.volume->free(m.alice, indirect, last, data(blocks[32])), Errc::NoSpace);
  ASSERT_TRUE(m.sync(m.alice));
  EXPECT_TRUE(m.volume->free(m.alice, indirect, last, data(blocks[32])));
}

TEST_F(XnMetadata, EdgesAreCounted) {
  const BlockNumber inode = make(0, 1);
  EXPECT_EQ(m.volume->reference_count(inode).value_or(0), 1u);
  EXPECT_ERROR(m.volume->reference_count(m.top), Errc::WrongType);
  EXPECT_ERROR(link(m.top, 1, inode, 0), Errc::WrongOwns) << "not counted";
  EXPECT_ERROR(link(m.top, 1, inode, 2), Errc::WrongOwns) << "counted twice";
  EXPECT_ERROR(m.volume->write_bytes(m.alice, inode, Change{{kLinks, 1}}), Errc::WrongOwns)
      << "counted for nothing";
  EXPECT_ERROR(link(m.top, 1, inode + 1, 1), Errc::NotFound);
  EXPECT_ERROR(m.volume->add_edge(m.alice, m.top, Change{{8, inode}}, {inode, 1, t.inode},
                                  Change{{kLinks, 1}}),
               Errc::WrongType)
      << "another type than it is known by";
  ASSERT_TRUE(link(m.top, 1, inode, 1));
  EXPECT_EQ(m.volume->reference_count(inode).value_or(0), 2u);
  EXPECT_ERROR(unlink(m.top, 0, inode), Errc::WrongOwns);
  EXPECT_ERROR(unlink(m.top, 0, inode, Change{{kLinks, 1}}), Errc::WrongOwns);
  ASSERT_TRUE(unlink(m.top, 0, inode, Change{{kLinks, 0}}));
  EXPECT_TRUE(used(inode));
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, m.top, node(inode), std::nullopt));
  ASSERT_TRUE(unlink(m.top, 1, inode));
  EXPECT_FALSE(used(inode));
}

TEST_F(XnMetadata, OnlyCountedTypesHaveSeveralOwners) {
  const BlockNumber directory = make(0, 2);
  EXPECT_ERROR(link(m.top, 1, directory, 1), Errc::WrongType);
  const BlockNumber inode = make(2, 1);
  const BlockNumber block = m.make_data(inode, 0, std::byte{1}).value_or(0);
  const BlockNumber other = make(3, 1);
  EXPECT_ERROR(m.volume->add_edge(m.alice, other, Change{{0, block}}, data(block), {}),
               Errc::WrongType);
  EXPECT_ERROR(m.volume->allocate(m.alice, other, Change{{0, block}}, data(block)), Errc::Exists);
}

TEST_F(XnMetadata, TheOwnerOfABlockAgreesToEdges) {
  const BlockNumber inode = make(0, 1);
  ASSERT_TRUE(m.volume->write_bytes(m.alice, inode, Change{{kOwner, kBob.bits()}}));
  EXPECT_ERROR(link(m.top, 1, inode, 1), Errc::Denied);
}

TEST_F(XnMetadata, TheCountIsOnTheDiskBeforeThePointer) {
  const BlockNumber inode = make(0, 1);
  ASSERT_TRUE(m.sync(m.alice));
  ASSERT_TRUE(link(m.top, 1, inode, 1));
  EXPECT_EQ(m.attribute(m.top).waits_for, inode);
  EXPECT_ERROR(m.write({m.top}, m.alice), Errc::WouldBlock);
  ASSERT_TRUE(m.write({inode}, m.alice));
  EXPECT_ERROR(m.write({m.top}, m.alice), Errc::WouldBlock) << "not flushed";
  ASSERT_TRUE(m.flush());
  EXPECT_TRUE(m.write({m.top}, m.alice));
  ASSERT_TRUE(m.flush());
  // And the other way round: the pointer is gone before it is no longer counted.
  ASSERT_TRUE(unlink(m.top, 1, inode, Change{{kLinks, 0}}));
  EXPECT_ERROR(m.write({inode}, m.alice), Errc::WouldBlock);
  EXPECT_ERROR(unlink(m.top, 0, inode), Errc::WouldBlock)
      << "free only when the first pointer is gone on the disk, too";
  ASSERT_TRUE(m.sync(m.alice));
  EXPECT_TRUE(unlink(m.top, 0, inode));
}

TEST_F(XnMetadata, ACycleOfTheUninitialisedIsNeverWrittenAndCanBeTakenApart) {
  // A type that counts, and points to its own kind.
  const XnTypeId self = t.node + 1;
  const auto cyclic = m.import("cyclic", XnTypeKind::Metadata, 1, 8,
                               {{XnFunction::Owns, owns({{{0, 8, self}}})},
                                {XnFunction::RefCount, field(8, kLinks, 1)},
                                {XnFunction::Acl, returns(1)}});
  ASSERT_EQ(cyclic.value_or(0), self);
  ASSERT_TRUE(m.volume->install_root(m.root, "cycle", self, 60, false));
  const auto child = [&](BlockNumber parent, BlockNumber b) {
    ASSERT_TRUE(m.volume->allocate(m.alice, parent, Change{{0, b}}, {b, 1, self}));
    ASSERT_TRUE(m.volume->insert_attribute(m.alice, parent, {b, 1, self}, std::nullopt));
  };
  child(60, 61);
  child(61, 62);
  EXPECT_ERROR(m.volume->add_edge(m.alice, 62, Change{{0, 61}}, {61, 1, self}, Change{{kLinks, 1}}),
               Errc::WouldBlock)
      << "61 waits for 62, which would wait for 61";
  EXPECT_ERROR(m.volume->add_edge(m.alice, 62, Change{{0, 62}}, {62, 1, self}, Change{{kLinks, 1}}),
               Errc::BadArgument);
  EXPECT_TRUE(m.sync(m.alice));
  EXPECT_EQ(m.volume->info().dirty, 0u);
  // On the disk it does no harm, and recovery ends.
  EXPECT_TRUE(m.volume->add_edge(m.alice, 62, Change{{0, 61}}, {61, 1, self}, Change{{kLinks, 1}}));
  EXPECT_TRUE(m.sync(m.alice));
  Machine again{m.disk.image()};
  ASSERT_TRUE(again.init());
  EXPECT_EQ(again.volume->log().size(), 1u);
}

TEST_F(XnMetadata, AMovedPointerIsOnTheDiskTwiceRatherThanNever) {
  const BlockNumber inode = make(0, 1);
  const BlockNumber directory = make(1, 2);
  const auto move = [&](BlockNumber from, std::size_t at, BlockNumber to, std::size_t slot) {
    return m.volume->move(m.alice, from, Change{{at * 8, 0}}, to, Change{{slot * 8, inode}},
                          node(inode));
  };
  ASSERT_TRUE(m.write({inode, directory}, m.alice));
  ASSERT_TRUE(m.flush());
  ASSERT_TRUE(m.write({m.top}, m.alice));
  EXPECT_ERROR(move(m.top, 0, directory, 5), Errc::WouldBlock)
      << "no path on the disk leads to the directory";
  ASSERT_TRUE(m.flush());
  EXPECT_ERROR(move(m.top, 1, directory, 5), Errc::WrongOwns);
  EXPECT_ERROR(move(m.top, 0, m.top, 5), Errc::BadArgument);
  ASSERT_TRUE(move(m.top, 0, directory, 5));
  EXPECT_ERROR(m.write({m.top}, m.alice), Errc::WouldBlock);
  EXPECT_ERROR(unlink(directory, 5, inode), Errc::WouldBlock)
      << "the disk still has a pointer elsewhere";
  EXPECT_ERROR(move(directory, 5, m.top, 0), Errc::WouldBlock) << "each would wait for the other";
  Machine between{m.disk.image()};
  ASSERT_TRUE(m.write({directory}, m.alice));
  ASSERT_TRUE(m.flush());

  // A crash now: two pointers, one counts. The file system takes the other one out.
  Machine again{m.disk.image()};
  again.types = t;
  ASSERT_TRUE(again.init());
  ASSERT_EQ(again.volume->log().size(), 2u);
  EXPECT_EQ(again.volume->log()[1].trouble, XnTrouble::CountTooLow);
  EXPECT_EQ(again.volume->log()[1].block, inode);
  ASSERT_TRUE(again.volume->mount_root("fs"));
  ASSERT_TRUE(again.load(m.top, node(inode)));
  EXPECT_ERROR(
      again.volume->free(again.alice, m.top, Change{{0, 0}}, node(inode), Change{{kLinks, 0}}),
      Errc::BadFormat)
      << "not before the count is repaired";
  EXPECT_ERROR(again.volume->repair_count(again.alice, inode, Change{{kLinks, 2}}),
               Errc::WrongOwns);
  ASSERT_TRUE(again.volume->repair_count(again.alice, inode, Change{{kLinks, 1}}));
  EXPECT_TRUE(
      again.volume->free(again.alice, m.top, Change{{0, 0}}, node(inode), Change{{kLinks, 0}}));

  ASSERT_TRUE(m.write({m.top}, m.alice));
  ASSERT_TRUE(m.flush());
  EXPECT_TRUE(unlink(directory, 5, inode));
}

TEST_F(XnMetadata, ADirectoryThatGaveSomethingAwayGoesAfterItHasArrived) {
  const BlockNumber directory = make(1, 2);
  const BlockNumber inode = m.make_node(directory, 0, 1).value_or(0);
  ASSERT_TRUE(m.sync(m.alice));
  const BlockNumber other = make(2, 2);
  ASSERT_TRUE(m.sync(m.alice));
  ASSERT_TRUE(
      m.volume->move(m.alice, directory, Change{{0, 0}}, other, Change{{0, inode}}, node(inode)));
  EXPECT_ERROR(unlink(m.top, 1, directory), Errc::WouldBlock)
      << "or the root could be written before the other directory is";
  ASSERT_TRUE(m.write({other}, m.alice));
  ASSERT_TRUE(m.flush());
  EXPECT_TRUE(unlink(m.top, 1, directory));
  EXPECT_EQ(m.volume->info().will_free_blocks, 1u);
  EXPECT_ERROR(m.volume->free(m.alice, other, Change{{0, 0}}, node(inode)), Errc::WouldBlock)
      << "the disk still has the pointer from before the move";
  ASSERT_TRUE(m.sync(m.alice));
  EXPECT_TRUE(m.volume->free(m.alice, other, Change{{0, 0}}, node(inode)));
}

TEST_F(XnMetadata, WhatIsMovedIsUninitialisedWhereItIsNow) {
  const BlockNumber directory = make(1, 2);
  ASSERT_TRUE(m.sync(m.alice));
  const BlockNumber inode = make(0, 1);
  EXPECT_TRUE(m.attribute(m.top).is(XnFlag::Tainted));
  ASSERT_TRUE(
      m.volume->move(m.alice, m.top, Change{{0, 0}}, directory, Change{{0, inode}}, node(inode)));
  EXPECT_FALSE(m.attribute(m.top).is(XnFlag::Tainted));
  EXPECT_ERROR(m.write({directory}, m.alice), Errc::Tainted);
  ASSERT_TRUE(m.write({inode}, m.alice));
  ASSERT_TRUE(m.flush());
  EXPECT_TRUE(m.write({directory}, m.alice));
}

TEST_F(XnMetadata, AUnionIsNothingBeforeItIsOneOfItsMembers) {
  const BlockNumber b = m.volume->find_free(0, 1).value_or(0);
  ASSERT_TRUE(m.volume->allocate(m.alice, m.top, Change{{0, b}}, node(b)));
  const auto become = [&](XnTypeId member, const Change& change) {
    return m.volume->set_type(m.alice, b, change, member);
  };
  const Change tag1 = Change{}.add<std::uint8_t>(kTag, 1);
  const Change tag2 = Change{}.add<std::uint8_t>(kTag, 2);
  EXPECT_ERROR(become(t.inode, tag1), Errc::NotFound) << "no page yet";
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, m.top, node(b), std::nullopt));
  EXPECT_ERROR(m.volume->write_bytes(m.alice, b, tag1), Errc::WrongType);
  EXPECT_ERROR(m.volume->allocate(m.alice, b, Change{{0, 60}}, data(60)), Errc::WrongType);
  EXPECT_ERROR(become(t.directory, tag1), Errc::WrongOwns);
  EXPECT_ERROR(become(t.inode, Change{}.add<std::uint8_t>(kTag, 0)), Errc::WrongOwns);
  EXPECT_ERROR(become(t.inode, Change{}.add<std::uint8_t>(kTag, 3)), Errc::GraftFailed);
  EXPECT_ERROR(become(t.indirect, tag1), Errc::WrongType) << "no member";
  EXPECT_ERROR(become(t.inode, Change{}.add<std::uint8_t>(kTag, 1).add(0, std::uint64_t{60})),
               Errc::WrongOwns)
      << "it would own a block";
  EXPECT_ERROR(become(t.inode, Change{}.add<std::uint8_t>(kTag, 1).add(kLinks, std::uint64_t{1})),
               Errc::WrongOwns)
      << "and have a second pointer";
  ASSERT_TRUE(become(t.inode, tag1));
  EXPECT_ERROR(become(t.directory, tag2), Errc::WrongType) << "once";
  EXPECT_ERROR(m.volume->write_bytes(m.alice, b, tag2), Errc::WrongType);
  EXPECT_EQ(m.attribute(b).member, t.inode);
  EXPECT_EQ(m.volume->partition_count(b).value_or(0), 2u);
  EXPECT_ERROR(m.volume->set_type(m.alice, m.top, tag1, t.inode), Errc::WrongType);
}

TEST_F(XnMetadata, EverythingCanBeWalkedWithoutKnowingTheFileSystem) {
  const BlockNumber inode = make(64, 1);
  const BlockNumber a = m.make_data(inode, 0, std::byte{1}).value_or(0);
  const BlockNumber b = m.make_data(inode, 5, std::byte{1}).value_or(0);
  std::array<XnExtent, 64> out{};
  ASSERT_EQ(m.volume->partition_count(m.top).value_or(0), 8u);
  EXPECT_EQ(m.volume->enumerate(m.alice, m.top, 0, out).value_or(99), 0u);
  ASSERT_EQ(m.volume->partition_count(inode).value_or(0), 2u);
  ASSERT_EQ(m.volume->enumerate(m.alice, inode, 0, out).value_or(0), 2u);
  EXPECT_EQ(out[0], data(a));
  EXPECT_EQ(out[1], data(b));
  EXPECT_ERROR(m.volume->enumerate(m.alice, inode, 2, out), Errc::BadArgument);
  EXPECT_ERROR(m.volume->enumerate(m.alice, inode, 0, std::span{out}.first(1)), Errc::TooBig);
  EXPECT_ERROR(m.volume->enumerate(m.alice, a, 0, out), Errc::WrongType);
}

TEST_F(XnMetadata, RootsHaveNames) {
  EXPECT_ERROR(m.volume->install_root(m.root, "fs", t.directory, 60, false), Errc::Exists);
  EXPECT_ERROR(m.volume->install_root(m.alice, "x", t.directory, 60, false), Errc::Denied);
  EXPECT_ERROR(m.volume->install_root(m.root, "x", t.data, 60, false), Errc::WrongType);
  EXPECT_ERROR(m.volume->install_root(m.root, "x", 15, 60, false), Errc::WrongType);
  EXPECT_ERROR(m.volume->install_root(m.root, "x", t.directory, m.top, false), Errc::Exists);
  EXPECT_ERROR(m.volume->install_root(m.root, "x", t.directory, 0, false), Errc::BadArgument);
  EXPECT_ERROR(m.volume->install_root(m.root, "", t.directory, 60, false), Errc::BadArgument);
  EXPECT_ERROR(m.volume->mount_root("x"), Errc::NotFound);
  EXPECT_ERROR(m.volume->uninstall_root(m.root, "x"), Errc::NotFound);
  const BlockNumber inode = make(0, 1);
  EXPECT_ERROR(m.volume->uninstall_root(m.root, "fs"), Errc::Busy);
  EXPECT_ERROR(m.volume->uninstall_root(m.alice, "fs"), Errc::Denied);
  ASSERT_TRUE(unlink(m.top, 0, inode));
  ASSERT_TRUE(m.volume->uninstall_root(m.root, "fs"));
  EXPECT_FALSE(used(m.top));
  for (int i = 0; i < 8; ++i)
    ASSERT_TRUE(m.volume->install_root(m.root, "r" + std::to_string(i), t.directory,
                                       60 + static_cast<BlockNumber>(i), i % 2 == 0));
  EXPECT_ERROR(m.volume->install_root(m.root, "more", t.directory, 70, false), Errc::NoSpace);
  EXPECT_EQ(m.volume->root_info(3).value_or(XnRootInfo{}).block, 63u);
  EXPECT_ERROR(m.volume->root_info(8), Errc::NotFound);
  Machine again{m.disk.image()};
  ASSERT_TRUE(again.init());
  EXPECT_EQ(again.volume->info().roots, 4u) << "the temporary ones are gone";
  EXPECT_ERROR(again.volume->mount_root("r0"), Errc::NotFound);
  EXPECT_TRUE(again.volume->mount_root("r1"));
}

TEST(XnTemporary, KnowsNoOrderAndLeavesNothing) {
  Machine m;
  const Types t = m.start(true);
  const auto free_before = m.volume->info().free_blocks;
  const BlockNumber inode = m.make_node(m.top, 0, 1).value_or(0);
  const BlockNumber data = m.make_data(inode, 0, std::byte{1}).value_or(0);
  EXPECT_TRUE(m.write({inode}, m.alice)) << "though it points to a block never written";
  EXPECT_TRUE(m.write({m.top}, m.alice));
  ASSERT_TRUE(m.volume->free(m.alice, inode, Change{{0, 0}}, {data, 1, t.data}));
  EXPECT_FALSE(m.volume->used_map().test(data)) << "at once, though the disk points to it";
  EXPECT_EQ(m.volume->info().temporary_blocks, 2u);
  const BlockNumber other = m.make_data(inode, 0, std::byte{1}).value_or(0);
  EXPECT_TRUE(m.volume->shutdown(m.root)) << "dirty blocks of it hinder nobody";
  Machine again{m.disk.image()};
  ASSERT_TRUE(again.init());
  EXPECT_TRUE(again.volume->log().empty());
  EXPECT_EQ(again.volume->info().free_blocks, free_before + 1);
  EXPECT_FALSE(again.volume->used_map().test(other));
  EXPECT_EQ(again.volume->info().roots, 0u);
}

TEST(XnTemporary, MixesWithNoPersistentOne) {
  Machine m;
  const Types t = m.start();
  ASSERT_TRUE(m.volume->install_root(m.root, "tmp", t.directory, 60, true));
  const BlockNumber inode = m.make_node(m.top, 0, 1).value_or(0);
  EXPECT_ERROR(
      m.volume->move(m.alice, m.top, Change{{0, 0}}, 60, Change{{0, inode}}, {inode, 1, t.node}),
      Errc::BadArgument);
  EXPECT_ERROR(
      m.volume->add_edge(m.alice, 60, Change{{0, inode}}, {inode, 1, t.node}, Change{{kLinks, 1}}),
      Errc::BadArgument);
}

TEST(XnTemporary, ShowsNothingOfOthersEither) {
  Machine m;
  const Types t = m.start(true);
  const BlockNumber inode = m.make_node(m.top, 0, 1).value_or(0);
  ASSERT_TRUE(m.volume->allocate(m.alice, inode, Change{{0, 90}}, {90, 1, t.data}));
  EXPECT_ERROR(m.volume->read_and_insert(inode, {90, 1, t.data}, 0), Errc::Exists);
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, inode, {90, 1, t.data}, std::nullopt));
  std::array<std::byte, kBlockSize> out{};
  ASSERT_TRUE(m.volume->read_bytes(m.alice, 90, 0, out));
  EXPECT_EQ(out, (std::array<std::byte, kBlockSize>{}));
}

}  // namespace
}  // namespace xok::xn::test
