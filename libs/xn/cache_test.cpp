// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/test_volume.hpp"

/// The registry: reading in, binding, writing back, recycling, locks, a disk that fails.
namespace xok::xn::test {
namespace {

class XnCache : public testing::Test {
 protected:
  void SetUp() override {
    t = m.start();
    inode = m.make_node(m.top, 0, 1).value_or(0);
    data = m.make_data(inode, 0, std::byte{0x5a}).value_or(0);
    ASSERT_NE(data, 0u);
    ASSERT_TRUE(m.sync(m.alice));
  }
  XnExtent data_extent() const { return {data, 1, t.data}; }
  XnExtent inode_extent() const { return {inode, 1, t.node}; }

  Machine m;
  Types t;
  BlockNumber inode = 0;
  BlockNumber data = 0;
};

TEST_F(XnCache, ARawBlockIsOfNoUseBeforeAParentBindsIt) {
  ASSERT_TRUE(m.volume->delete_attribute(data));
  ASSERT_TRUE(m.volume->read_and_insert(0, data_extent(), 7));
  EXPECT_TRUE(m.attribute(data).is(XnFlag::ComingIn));
  EXPECT_ERROR(m.volume->access(m.alice, data, false), Errc::WrongType);
  m.settle();
  ASSERT_EQ(m.completions.done.back().cookie, 7u);
  EXPECT_TRUE(m.attribute(data).is(XnFlag::UnknownType));
  std::array<std::byte, 4> out{};
  EXPECT_ERROR(m.volume->access(m.root, data, false), Errc::WrongType);
  EXPECT_ERROR(m.volume->read_bytes(m.root, data, 0, out), Errc::WrongType);
  EXPECT_ERROR(m.volume->write_bytes(m.root, data, Change{{0, 1}}), Errc::WrongType);
  EXPECT_ERROR(m.volume->write_back(m.root, std::span{&data, 1}, 0), Errc::WrongType);
  EXPECT_ERROR(m.volume->lock(m.root, data), Errc::WrongType);
  EXPECT_ERROR(m.volume->partition_count(data), Errc::WrongType);
  EXPECT_ERROR(m.volume->insert_attribute(m.alice, m.top, data_extent(), std::nullopt),
               Errc::WrongOwns);
  EXPECT_ERROR(m.volume->insert_attribute(m.alice, inode, {data, 1, t.indirect}, std::nullopt),
               Errc::WrongOwns);
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, inode, data_extent(), std::nullopt));
  ASSERT_TRUE(m.volume->read_bytes(m.alice, data, 0, out));
  EXPECT_EQ(out[0], std::byte{0x5a});
  EXPECT_ERROR(m.volume->insert_attribute(m.alice, inode, data_extent(), std::nullopt),
               Errc::Exists);
}

TEST_F(XnCache, ARawBlockOfMetadataIsChangedByNobody) {
  ASSERT_TRUE(m.volume->delete_attribute(inode));
  ASSERT_TRUE(m.load(0, inode_extent()));
  EXPECT_ERROR(m.volume->allocate(m.root, inode, Change{{8, 60}}, {60, 1, t.data}),
               Errc::WrongType);
  EXPECT_ERROR(m.volume->set_type(m.root, inode, Change{{0, 1}}, t.inode), Errc::WrongType);
  EXPECT_ERROR(m.volume->free(m.root, m.top, Change{{0, 0}}, inode_extent()), Errc::NotFound)
      << "what it owns is not known before it is bound";
}

TEST_F(XnCache, OnlyWhatTheParentOwnsIsReadAsItsOwn) {
  ASSERT_TRUE(m.volume->delete_attribute(data));
  EXPECT_ERROR(m.volume->read_and_insert(m.top, data_extent(), 0), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->read_and_insert(inode, {data, 1, t.node}, 0), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->read_and_insert(inode, {data + 1, 1, t.data}, 0), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->read_and_insert(99, data_extent(), 0), Errc::NotFound);
  EXPECT_ERROR(m.volume->read_and_insert(inode, {0, 1, t.data}, 0), Errc::BadArgument);
  EXPECT_ERROR(m.volume->read_and_insert(0, {1, 1, 0}, 0), Errc::BadArgument) << "XN's own";
  EXPECT_ERROR(m.volume->read_and_insert(0, {127, 2, 0}, 0), Errc::BadArgument);
  EXPECT_ERROR(m.volume->read_and_insert(0, {60, 65, 0}, 0), Errc::TooBig);
  ASSERT_TRUE(m.volume->read_and_insert(inode, data_extent(), 0));
  EXPECT_ERROR(m.volume->read_and_insert(inode, data_extent(), 0), Errc::Exists);
}

TEST_F(XnCache, ARawReadOfAFreeBlockDoesNotComeBackWithItsAllocation) {
  const BlockNumber block = 90;
  ASSERT_TRUE(m.volume->read_and_insert(0, {block, 1, 0}, 0));
  EXPECT_ERROR(m.volume->allocate(m.alice, inode, Change{{8, block}}, {block, 1, t.data}),
               Errc::Busy);
  m.settle();
  ASSERT_TRUE(m.volume->allocate(m.alice, inode, Change{{8, block}}, {block, 1, t.data}));
  EXPECT_ERROR(m.volume->access(m.alice, block, false), Errc::NotFound) << "what was there is gone";
  EXPECT_ERROR(m.volume->read_and_insert(inode, {block, 1, t.data}, 0), Errc::Exists)
      << "nor can it be read again";
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, inode, {block, 1, t.data}, std::nullopt));
  std::array<std::byte, 8> out{};
  out.fill(std::byte{1});
  ASSERT_TRUE(m.volume->read_bytes(m.alice, block, 0, out));
  for (const std::byte b : out) EXPECT_EQ(b, std::byte{0});
}

TEST_F(XnCache, MetadataIsBornAsZerosAndDataAsItsOwnerLikes) {
  const BlockNumber block = 90;
  const XnExtent node{block, 1, t.node};
  ASSERT_TRUE(m.volume->allocate(m.alice, m.top, Change{{8, block}}, node));
  const PageNumber page = m.pages.allocate().value_or(PageNumber{});
  EXPECT_ERROR(m.volume->insert_attribute(m.alice, m.top, node, page), Errc::WrongType);
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, m.top, node, std::nullopt));
  // A whole block of data is overwritten without being read.
  ASSERT_TRUE(m.volume->delete_attribute(data));
  EXPECT_ERROR(m.volume->insert_attribute(m.alice, inode, data_extent(), std::nullopt),
               Errc::NotFound);
  m.pages.bytes(page)[0] = std::byte{0x77};
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, inode, data_extent(), page));
  EXPECT_TRUE(m.attribute(data).is(XnFlag::Dirty));
  EXPECT_ERROR(m.volume->insert_attribute(m.alice, inode, data_extent(), page), Errc::Exists);
  ASSERT_TRUE(m.write({data}, m.alice));
  EXPECT_EQ(m.disk.at(data)[0], std::byte{0x77});
}

TEST_F(XnCache, APointerToTheUninitialisedIsNotWritten) {
  const auto fresh = m.make_data(inode, 1, std::byte{1});
  ASSERT_TRUE(fresh);
  EXPECT_TRUE(m.attribute(inode).is(XnFlag::Tainted));
  EXPECT_ERROR(m.write({inode}, m.alice), Errc::Tainted);
  EXPECT_ERROR(m.write({*fresh, inode}, m.alice), Errc::Tainted) << "not in one call, either";
  ASSERT_TRUE(m.write({*fresh}, m.alice));
  EXPECT_ERROR(m.write({inode}, m.alice), Errc::Tainted) << "it may be in the cache of the disk";
  ASSERT_TRUE(m.flush());
  EXPECT_FALSE(m.attribute(inode).is(XnFlag::Tainted));
  EXPECT_TRUE(m.write({inode}, m.alice));
}

TEST_F(XnCache, TaintGoesWithAPointerThatIsGivenUp) {
  const auto fresh = m.make_data(inode, 1, std::byte{1});
  ASSERT_TRUE(fresh);
  EXPECT_ERROR(m.write({inode}, m.alice), Errc::Tainted);
  ASSERT_TRUE(m.volume->free(m.alice, inode, Change{{8, 0}}, {*fresh, 1, t.data}));
  EXPECT_FALSE(m.volume->used_map().test(*fresh)) << "no pointer to it was ever on the disk";
  EXPECT_TRUE(m.write({inode}, m.alice));
}

TEST_F(XnCache, WritesAreTransfersOfRunsInTheOrderOfTheCaller) {
  std::vector<BlockNumber> blocks;
  for (std::size_t i = 1; i < 5; ++i)
    blocks.push_back(m.make_data(inode, i, std::byte{1}).value_or(0));
  // b, b+1, b+3, b+2: three runs.
  std::swap(blocks[2], blocks[3]);
  m.completions.done.clear();
  const auto started = m.volume->write_back(m.alice, blocks, 9);
  ASSERT_TRUE(started);
  EXPECT_EQ(*started, 3u);
  EXPECT_EQ(m.disk.queued(), 3u);
  EXPECT_TRUE(m.attribute(blocks[0]).is(XnFlag::GoingOut));
  m.settle();
  EXPECT_EQ(m.completions.done.size(), 3u) << "the caller's counter is told of each";
  for (const auto& done : m.completions.done) EXPECT_EQ(done.cookie, 9u);
  const std::array<BlockNumber, 2> twice{blocks[0], blocks[0]};
  EXPECT_ERROR(m.volume->write_back(m.alice, twice, 0), Errc::Busy);
  EXPECT_FALSE(m.attribute(blocks[0]).is(XnFlag::GoingOut));
  EXPECT_ERROR(m.volume->write_back(m.alice, {}, 0), Errc::BadArgument);
}

TEST_F(XnCache, MetadataOnItsWayOutIsNotChanged) {
  ASSERT_TRUE(m.volume->write_bytes(m.alice, inode, Change{{kId, 5}}));
  ASSERT_TRUE(m.volume->write_back(m.alice, std::span{&inode, 1}, 0));
  EXPECT_ERROR(m.volume->write_bytes(m.alice, inode, Change{{kId, 6}}), Errc::Busy);
  EXPECT_ERROR(m.volume->free(m.alice, inode, Change{{0, 0}}, data_extent()), Errc::Busy);
  EXPECT_ERROR(m.volume->delete_attribute(inode), Errc::Busy);
  m.settle();
  EXPECT_TRUE(m.volume->write_bytes(m.alice, inode, Change{{kId, 6}}));
}

TEST_F(XnCache, AnybodyMayWriteBackWhatNobodyUses) {
  ASSERT_TRUE(m.volume->write_bytes(m.alice, inode, Change{{kOwner, kAlice.bits()}}));
  EXPECT_ERROR(m.volume->write_bytes(m.bob, inode, Change{{kId, 6}}), Errc::Denied);
  ASSERT_TRUE(m.volume->use(inode, 1));
  EXPECT_ERROR(m.write({inode}, m.bob), Errc::Denied);
  EXPECT_TRUE(m.write({inode}, m.alice));
  ASSERT_TRUE(m.volume->write_bytes(m.alice, inode, Change{{kId, 6}}));
  ASSERT_TRUE(m.volume->use(inode, -1));
  EXPECT_TRUE(m.write({inode}, m.bob));
  EXPECT_ERROR(m.volume->use(inode, -1), Errc::BadArgument);
}

TEST_F(XnCache, RightsAreThoseThatTheParentGives) {
  ASSERT_TRUE(m.volume->write_bytes(m.alice, inode, Change{{kOwner, kAlice.bits()}}));
  EXPECT_TRUE(m.volume->access(m.alice, data, false));
  EXPECT_TRUE(m.volume->access(m.alice, data, true));
  EXPECT_TRUE(m.attribute(data).is(XnFlag::Dirty));
  EXPECT_ERROR(m.volume->access(m.bob, data, false), Errc::Denied);
  EXPECT_ERROR(m.volume->access(m.bob, inode, false), Errc::Denied);
  EXPECT_ERROR(m.volume->access(m.alice, inode, true), Errc::WrongType)
      << "metadata is never mapped writable";
  EXPECT_ERROR(m.volume->write_bytes(m.bob, data, Change{{0, 1}}), Errc::Denied);
  EXPECT_ERROR(m.volume->free(m.bob, inode, Change{{0, 0}}, data_extent()), Errc::Denied);
  EXPECT_ERROR(m.volume->allocate(m.bob, inode, Change{{8, 90}}, {90, 1, t.data}), Errc::Denied);
  std::array<XnExtent, 64> out{};
  EXPECT_ERROR(m.volume->enumerate(m.bob, inode, 0, out), Errc::Denied);
  const std::vector<Capability> many(kXnMaxCredentials + 1, kAlice);
  EXPECT_ERROR(m.volume->access(Caller{9, many}, data, false), Errc::TooBig);
  // Without its parent in the cache, nobody can say who may.
  ASSERT_TRUE(m.sync(m.alice));
  ASSERT_TRUE(m.volume->delete_attribute(inode));
  EXPECT_ERROR(m.volume->access(m.alice, data, false), Errc::NotFound);
}

TEST_F(XnCache, LocksKeepOthersOut) {
  ASSERT_TRUE(m.volume->lock(m.alice, inode));
  EXPECT_ERROR(m.volume->lock(m.bob, inode), Errc::Busy);
  EXPECT_ERROR(m.volume->write_bytes(m.bob, inode, Change{{kId, 6}}), Errc::Busy);
  EXPECT_ERROR(m.write({inode}, m.bob), Errc::Busy);
  EXPECT_ERROR(m.volume->delete_attribute(inode), Errc::Busy);
  EXPECT_ERROR(m.volume->unlock(m.bob, inode), Errc::Denied);
  EXPECT_TRUE(m.volume->write_bytes(m.alice, inode, Change{{kId, 6}}));
  EXPECT_TRUE(m.volume->unlock(m.alice, inode));
  EXPECT_TRUE(m.volume->lock(m.bob, inode));
  m.volume->unlock_all(m.bob.id);
  EXPECT_TRUE(m.volume->lock(m.alice, inode));
  EXPECT_TRUE(m.volume->lock(m.alice, data));
  EXPECT_ERROR(m.volume->access(m.bob, data, true), Errc::Busy);
}

TEST_F(XnCache, TheOldestUnusedBlockIsRecycled) {
  Machine small{128, false, 12};
  small.start();
  const BlockNumber node = small.make_node(small.top, 0, 1).value_or(0);
  std::vector<BlockNumber> blocks;
  for (std::size_t i = 0; i < 10; ++i) {
    const auto block = small.make_data(node, i, std::byte{1});
    ASSERT_TRUE(block);
    blocks.push_back(*block);
  }
  EXPECT_EQ(small.volume->info().cached, 12u);
  // All dirty: nothing to recycle.
  EXPECT_ERROR(small.volume->read_and_insert(0, {100, 1, 0}, 0), Errc::NoSpace);
  EXPECT_ERROR(small.make_data(node, 10, std::byte{1}), Errc::NoSpace);
  ASSERT_TRUE(small.sync(small.alice));
  ASSERT_TRUE(small.volume->use(blocks[0], 1));
  ASSERT_TRUE(small.volume->lock(small.alice, blocks[1]));
  for (BlockNumber b = 100; b < 108; ++b) ASSERT_TRUE(small.load(0, {b, 1, 0}));
  EXPECT_TRUE(small.volume->read_attribute(blocks[0]));
  EXPECT_TRUE(small.volume->read_attribute(blocks[1]));
  EXPECT_FALSE(small.volume->read_attribute(blocks[2]));
  EXPECT_TRUE(small.volume->read_attribute(107));
  EXPECT_EQ(small.pages.live(), 12u);
}

TEST_F(XnCache, WithoutPagesTheOldestGivesHisUp) {
  m.pages.limit = m.pages.live();
  ASSERT_TRUE(m.load(0, {100, 1, 0}));
  EXPECT_FALSE(m.volume->read_attribute(data)) << "it was the oldest";
  while (m.volume->recycle_one()) {
  }
  m.pages.limit = m.pages.live();
  EXPECT_ERROR(m.volume->read_and_insert(0, {101, 1, 0}, 0), Errc::NoMemory);
}

TEST_F(XnCache, AFailedReadLeavesNothing) {
  ASSERT_TRUE(m.volume->delete_attribute(data));
  m.disk.bad = [&](BlockNumber b) { return b == data; };
  const std::size_t pages = m.pages.live();
  ASSERT_TRUE(m.volume->read_and_insert(inode, data_extent(), 3));
  m.settle();
  EXPECT_ERROR(m.completions.done.back().result, Errc::Device);
  EXPECT_FALSE(m.volume->read_attribute(data));
  EXPECT_EQ(m.pages.live(), pages);
}

TEST_F(XnCache, AFailedWriteStaysDirtyAndClearsNoTaint) {
  const auto fresh = m.make_data(inode, 1, std::byte{1});
  m.disk.bad = [&](BlockNumber b) { return b == *fresh; };
  ASSERT_TRUE(m.write({*fresh}, m.alice));
  EXPECT_ERROR(m.completions.done.back().result, Errc::Device);
  EXPECT_TRUE(m.attribute(*fresh).is(XnFlag::Dirty));
  EXPECT_TRUE(m.attribute(*fresh).is(XnFlag::Failed));
  ASSERT_TRUE(m.flush());
  EXPECT_ERROR(m.write({inode}, m.alice), Errc::Tainted);
  m.disk.bad = [](BlockNumber) { return false; };
  EXPECT_TRUE(m.sync(m.alice));
  EXPECT_FALSE(m.attribute(*fresh).is(XnFlag::Failed));
}

TEST_F(XnCache, ADiskThatIsGoneIsAnErrorAndChangesNothing) {
  const auto fresh = m.make_data(inode, 1, std::byte{1});
  m.disk.gone = true;
  EXPECT_ERROR(m.write({*fresh}, m.alice), Errc::Device);
  EXPECT_FALSE(m.attribute(*fresh).is(XnFlag::GoingOut));
  EXPECT_TRUE(m.attribute(*fresh).is(XnFlag::Dirty));
  EXPECT_ERROR(m.volume->flush(0), Errc::Device);
  EXPECT_ERROR(m.volume->read_and_insert(0, {100, 1, 0}, 0), Errc::Device);
  EXPECT_FALSE(m.volume->read_attribute(100));
  EXPECT_ERROR(m.volume->reserve_type(m.root, "x"), Errc::Device);
  EXPECT_ERROR(m.volume->install_root(m.root, "x", t.directory, 100, false), Errc::Device);
  EXPECT_FALSE(m.volume->used_map().test(100));
  m.disk.gone = false;
  EXPECT_TRUE(m.sync(m.alice));
  EXPECT_TRUE(m.volume->shutdown(m.root));
}

TEST_F(XnCache, TransfersAreBounded) {
  std::vector<BlockNumber> blocks;
  for (BlockNumber b = 60; b < 60 + 40; b += 2) blocks.push_back(b);
  for (const BlockNumber b : blocks) {
    const auto started = m.volume->read_and_insert(0, {b, 1, 0}, 0);
    if (b < 60 + 32) {
      EXPECT_TRUE(started);
    } else {
      EXPECT_ERROR(started, Errc::WouldBlock);
    }
  }
  m.settle();
  // Completions that nobody waits for are ignored.
  m.volume->completed(0, {});
  m.volume->completed(~std::uint64_t{0}, {});
  EXPECT_TRUE(m.attribute(60).is(XnFlag::Present));
}

TEST_F(XnCache, AFlushInFlightIsTheOnlyOne) {
  ASSERT_TRUE(m.volume->flush(0));
  EXPECT_ERROR(m.volume->flush(0), Errc::WouldBlock);
  m.settle();
  EXPECT_TRUE(m.volume->flush(0));
}

TEST_F(XnCache, WhatCanBeWrittenIsListed) {
  const auto fresh = m.make_data(inode, 1, std::byte{1});
  std::array<BlockNumber, 8> out{};
  std::size_t cursor = 0;
  ASSERT_EQ(m.volume->list_writable(cursor, out), 1u);
  EXPECT_EQ(out[0], *fresh) << "the inode is tainted";
  ASSERT_TRUE(m.write({*fresh}, m.alice));
  ASSERT_TRUE(m.flush());
  cursor = 0;
  ASSERT_EQ(m.volume->list_writable(cursor, out), 1u);
  EXPECT_EQ(out[0], inode);
}

}  // namespace
}  // namespace xok::xn::test
