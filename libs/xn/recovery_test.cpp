// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/recovery.hpp"

#include "libs/xn/test_tree.hpp"

/// What the disk says is distrusted: flipped bytes, pointers that cannot be, full tables.
namespace xok::xn::test {
namespace {

/// A small tree on an image: a file with data and an indirect block, one with two names, a
/// directory.
struct Tree {
  explicit Tree(bool clean) {
    t = m.start();
    file = m.make_node(m.top, 0, 1).value_or(0);
    data = m.make_data(file, 0, std::byte{0x11}).value_or(0);
    indirect = m.volume->find_free(0, 1).value_or(0);
    const XnExtent extent{indirect, 1, t.indirect};
    EXPECT_TRUE(m.volume->allocate(m.alice, file, Change{{kIndirect, indirect}}, extent));
    EXPECT_TRUE(m.volume->insert_attribute(m.alice, file, extent, std::nullopt));
    EXPECT_TRUE(m.make_data(indirect, 100, std::byte{0x12}));
    directory = m.make_node(m.top, 1, 2).value_or(0);
    linked = m.make_node(directory, 0, 1).value_or(0);
    EXPECT_TRUE(m.volume->add_edge(m.alice, directory, Change{{8, linked}}, {linked, 1, t.node},
                                   Change{{kLinks, 1}}));
    EXPECT_TRUE(m.sync(m.alice));
    free_blocks = m.volume->info().free_blocks;
    first_data = m.volume->info().first_data_block;
    if (clean) {
      EXPECT_TRUE(m.volume->shutdown(m.root));
    }
    image = m.disk.image();
  }
  void poke(BlockNumber block, std::size_t offset, std::uint64_t value) {
    std::memcpy(image[block].data() + offset, &value, sizeof value);
  }

  Machine m;
  Types t;
  BlockNumber file = 0, data = 0, indirect = 0, directory = 0, linked = 0;
  std::uint64_t free_blocks = 0, first_data = 0;
  std::vector<Block> image;
};

class Reader {
 public:
  /// Opens, and reads the whole tree as a file system that believes everything would.
  explicit Reader(std::size_t blocks) : m{blocks} {}

  Result<> open(const std::vector<Block>& image) {
    m.volume = std::make_unique<Volume>(Services{m.disk, m.pages, m.clock, m.completions},
                                        m.memory.view());
    m.disk.image() = image;
    visited = 0;
    XOK_TRY(m.init());
    for (std::size_t i = 0; m.volume->root_info(i); ++i) {
      const auto root = m.volume->root_info(i);
      XOK_TRY(m.volume->mount_root(name_of(root->name)));
      walk(root->block, 0);
    }
    return {};
  }
  void walk(BlockNumber block, int depth) {
    if (++visited > 200 || depth > 8) return;
    const std::size_t partitions = m.volume->partition_count(block).value_or(0);
    std::array<XnExtent, kXnMaxOwned> out{};
    for (std::size_t p = 0; p < partitions; ++p) {
      const std::size_t count = m.volume->enumerate(m.root, block, p, out).value_or(0);
      const auto owned = out;
      for (std::size_t i = 0; i < count; ++i) {
        (void)m.load(block, owned[i]);
        walk(owned[i].block, depth + 1);
      }
    }
  }

  Machine m;
  int visited = 0;
};

const XnLogEntry* find(const Machine& m, XnTrouble trouble) {
  for (const XnLogEntry& e : m.volume->log())
    if (e.trouble == trouble) return &e;
  return nullptr;
}

TEST(XnRecovery, EveryByteOfXnsBlocksFlippedIsFoundOrHarmless) {
  const Tree tree{true};
  Reader reader{tree.image.size()};
  ASSERT_TRUE(reader.open(tree.image));
  ASSERT_GT(reader.visited, 6);
  int refused = 0;
  int recovered = 0;
  std::vector<Block> image = tree.image;
  for (BlockNumber b = 0; b < tree.first_data; ++b) {
    for (std::size_t at = 0; at < kBlockSize; ++at) {
      // The catalogues are mostly zeros and every place is alike: each byte of the first sectors.
      if (b != 0 && at >= 1024 && at % 16 != 0) continue;
      image[b][at] ^= std::byte{1} << (at % 8);
      const auto opened = reader.open(image);
      image[b][at] = tree.image[b][at];
      if (!opened) {
        EXPECT_TRUE(opened.error() == Errc::BadFormat || opened.error() == Errc::NotSupported)
            << "block " << b << " byte " << at << " error " << error_in(opened);
        ++refused;
        continue;
      }
      // A map is not believed, but rebuilt; other bytes are those of the code area that no type
      // uses.
      const XnInfo info = reader.m.volume->info();
      EXPECT_EQ(info.free_blocks, tree.free_blocks) << "block " << b << " byte " << at;
      const std::size_t entries = b == tree.first_data - 1 ? 1 : 0;
      EXPECT_EQ(reader.m.volume->log().size(), entries) << "block " << b << " byte " << at;
      ++recovered;
    }
  }
  EXPECT_GT(refused, 8000);
  EXPECT_GT(recovered, 1000) << "the free map's bytes";
}

TEST(XnRecovery, EveryByteOfTheTreesMetadataFlippedIsContained) {
  const Tree tree{false};
  Reader reader{tree.image.size()};
  std::vector<Block> image = tree.image;
  int troubles = 0;
  for (const BlockNumber b : {tree.m.top, tree.file, tree.indirect, tree.directory, tree.linked}) {
    for (std::size_t at = 0; at < kBlockSize; at += at < 1024 ? 1 : 8) {
      image[b][at] ^= std::byte{1} << (at % 8);
      const auto opened = reader.open(image);
      image[b][at] = tree.image[b][at];
      ASSERT_TRUE(opened) << "block " << b << " byte " << at << " error " << error_in(opened);
      if (reader.m.volume->log().size() > 1) ++troubles;
      image[b][at] ^= std::byte{1} << (at % 8);
      const std::vector<VoidEdge> voids = {
          reader.m.memory.voids.begin(),
          reader.m.memory.voids.begin() + reader.m.volume->info().damaged};
      const Found found = Walk{image, voids}.from(tree.m.top);
      image[b][at] = tree.image[b][at];
      EXPECT_EQ(found.wrong.find("owned twice"), std::string::npos) << b << ' ' << at;
      EXPECT_EQ(found.wrong.find("outside"), std::string::npos) << b << ' ' << at;
    }
  }
  EXPECT_GT(troubles, 500);
}

TEST(XnRecovery, ASecondPointerDoesNotCount) {
  Tree tree{false};
  tree.poke(tree.indirect, 0, tree.data);  // of two files' the first one in the walk counts
  Reader r{tree.image.size()};
  ASSERT_TRUE(r.open(tree.image));
  const XnLogEntry* entry = find(r.m, XnTrouble::OwnedTwice);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->block, tree.data);
  EXPECT_EQ(entry->parent, tree.indirect);
  EXPECT_EQ(r.m.volume->info().damaged, 1u);
  const XnExtent extent{tree.data, 1, tree.t.data};
  (void)r.m.volume->delete_attribute(tree.data);
  EXPECT_ERROR(r.m.volume->read_and_insert(tree.indirect, extent, 0), Errc::BadFormat);
  EXPECT_ERROR(r.m.volume->insert_attribute(r.m.alice, tree.indirect, extent, std::nullopt),
               Errc::BadFormat);
  // The repair program takes the pointer out; the block stays the other's.
  ASSERT_TRUE(r.m.volume->free(r.m.alice, tree.indirect, Change{{0, 0}}, extent));
  EXPECT_TRUE(r.m.volume->used_map().test(tree.data));
  EXPECT_EQ(r.m.volume->info().damaged, 0u);
  EXPECT_TRUE(r.m.load(tree.file, extent));
  ASSERT_TRUE(r.m.sync(r.m.alice));
  ASSERT_TRUE(r.m.volume->shutdown(r.m.root));
  ASSERT_TRUE(r.open(r.m.disk.image()));
  EXPECT_TRUE(r.m.volume->log().empty());
}

TEST(XnRecovery, ADamagedVolumeIsRecoveredAgainUntilItIsRepaired) {
  Tree tree{false};
  tree.poke(tree.indirect, 0, tree.data);
  Reader r{tree.image.size()};
  ASSERT_TRUE(r.open(tree.image));
  ASSERT_TRUE(r.m.volume->shutdown(r.m.root));
  ASSERT_TRUE(r.open(r.m.disk.image()));
  EXPECT_NE(find(r.m, XnTrouble::OwnedTwice), nullptr);
}

TEST(XnRecovery, AUnionIsCountedOnlyIfItsMemberIs) {
  Tree tree{false};
  tree.poke(tree.m.top, 16, tree.directory);
  Reader r{tree.image.size()};
  ASSERT_TRUE(r.open(tree.image));
  const XnLogEntry* entry = find(r.m, XnTrouble::OwnedTwice);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->block, tree.directory);
  EXPECT_EQ(find(r.m, XnTrouble::CountTooLow), nullptr);
  ASSERT_TRUE(
      r.m.volume->free(r.m.alice, tree.m.top, Change{{16, 0}}, {tree.directory, 1, tree.t.node}));
  EXPECT_EQ(r.m.volume->info().damaged, 0u);
  EXPECT_TRUE(r.m.volume->used_map().test(tree.directory));
}

TEST(XnRecovery, NoPointerLeadsToARoot) {
  Tree tree{false};
  ASSERT_TRUE(tree.m.volume->install_root(tree.m.root, "other", tree.t.directory, 100, false));
  tree.image = tree.m.disk.image();
  tree.poke(tree.m.top, 16, 100);  // the first root's, walked before or after
  tree.poke(tree.m.top, 24, tree.m.top);
  Reader r{tree.image.size()};
  ASSERT_TRUE(r.open(tree.image));
  EXPECT_EQ(r.m.volume->info().damaged, 2u);
  (void)r.m.volume->delete_attribute(100);
  EXPECT_ERROR(r.m.volume->read_and_insert(tree.m.top, {100, 1, tree.t.node}, 0), Errc::BadFormat);
  EXPECT_TRUE(r.m.volume->mount_root("other"));
}

TEST(XnRecovery, PointersThatCannotBeDoNotCount) {
  Tree tree{false};
  tree.poke(tree.file, 8, 1);                        // XN's own
  tree.poke(tree.file, 16, 0);                       // none
  tree.poke(tree.file, 24, tree.image.size());       // beyond the end
  tree.poke(tree.file, 32, std::uint64_t{1} << 39);  // far beyond
  Reader r{tree.image.size()};
  ASSERT_TRUE(r.open(tree.image));
  std::size_t outside = 0;
  for (const XnLogEntry& e : r.m.volume->log())
    if (e.trouble == XnTrouble::OutOfRange) ++outside;
  EXPECT_EQ(outside, 3u);
  EXPECT_ERROR(r.m.volume->read_and_insert(tree.file, {1, 1, tree.t.data}, 0), Errc::BadArgument);
  EXPECT_TRUE(r.m.volume->free(r.m.alice, tree.file, Change{{8, 0}}, {1, 1, tree.t.data}));
  EXPECT_TRUE(
      r.m.volume->free(r.m.alice, tree.file, Change{{24, 0}}, {tree.image.size(), 1, tree.t.data}));
  EXPECT_EQ(r.m.volume->info().damaged, 1u);
}

TEST(XnRecovery, AnotherTypeForABlockDoesNotCount) {
  Tree tree{false};
  tree.poke(tree.file, 8, tree.linked);  // as data
  Reader r{tree.image.size()};
  ASSERT_TRUE(r.open(tree.image));
  EXPECT_TRUE(find(r.m, XnTrouble::TypeConflict) != nullptr ||
              find(r.m, XnTrouble::OwnedTwice) != nullptr);
  EXPECT_ERROR(r.m.volume->read_and_insert(tree.file, {tree.linked, 1, tree.t.data}, 0),
               Errc::Exists);
  (void)r.m.volume->delete_attribute(tree.linked);
  EXPECT_ERROR(r.m.volume->read_and_insert(tree.file, {tree.linked, 1, tree.t.data}, 0),
               Errc::BadFormat);
}

TEST(XnRecovery, CountsAreCheckedAndRepaired) {
  Tree tree{false};
  tree.poke(tree.linked, kLinks, 7);
  Reader r{tree.image.size()};
  ASSERT_TRUE(r.open(tree.image));
  const XnLogEntry* entry = find(r.m, XnTrouble::CountTooHigh);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->detail, 2u);
  EXPECT_ERROR(r.m.volume->repair_count(r.m.alice, tree.file, Change{{kLinks, 0}}), Errc::NotFound);
  EXPECT_ERROR(r.m.volume->repair_count(r.m.alice, tree.linked, Change{{kLinks, 0}}),
               Errc::WrongOwns);
  ASSERT_TRUE(r.m.volume->repair_count(r.m.alice, tree.linked, Change{{kLinks, 1}}));
  EXPECT_EQ(r.m.volume->info().damaged, 0u);
  EXPECT_TRUE(r.m.volume->free(r.m.alice, tree.directory, Change{{8, 0}},
                               {tree.linked, 1, tree.t.node}, Change{{kLinks, 0}}));

  tree.poke(tree.linked, kLinks, 0);
  ASSERT_TRUE(r.open(tree.image));
  EXPECT_NE(find(r.m, XnTrouble::CountTooLow), nullptr);
  EXPECT_ERROR(
      r.m.volume->free(r.m.alice, tree.directory, Change{{8, 0}}, {tree.linked, 1, tree.t.node}),
      Errc::BadFormat);
}

TEST(XnRecovery, APartitionWhoseFunctionFailsOwnsNothingAndCanBeRepaired) {
  Machine m;
  m.start();
  // Never ends when byte 64 is 1: which only a broken disk can bring about.
  Code code = {asm_::ldx(1, 6, 1, 64), asm_::jump(JumpOp::Jeq, 6, 1, -1)};
  const Code rest = owns({{{0, 8, m.types.data}}});
  code.insert(code.end(), rest.begin(), rest.end());
  const auto type = m.import("fragile", XnTypeKind::Metadata, 1, 8,
                             {{XnFunction::Owns, code}, {XnFunction::Acl, returns(1)}});
  ASSERT_TRUE(type);
  ASSERT_TRUE(m.volume->install_root(m.root, "x", *type, 60, false));
  const auto data = m.make_data(60, 0, std::byte{1});
  ASSERT_TRUE(m.sync(m.alice));
  m.disk.at(60)[64] = std::byte{1};
  Machine again{m.disk.image()};
  ASSERT_TRUE(again.init());
  const XnLogEntry* entry = find(again, XnTrouble::FunctionFailed);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->block, 60u);
  EXPECT_FALSE(again.volume->used_map().test(*data));
  ASSERT_TRUE(again.volume->mount_root("x"));
  const Change good = Change{}.add<std::uint8_t>(64, 0);
  EXPECT_ERROR(again.volume->write_bytes(again.alice, 60, good), Errc::WrongOwns)
      << "the lost block is not owned by a repair";
  EXPECT_EQ(again.volume->info().damaged, 1u);
  EXPECT_TRUE(again.volume->write_bytes(again.alice, 60, Change{{64, 0}, {0, 0}}));
  EXPECT_EQ(again.volume->info().damaged, 0u);
  EXPECT_TRUE(
      again.volume->allocate(again.alice, 60, Change{{0, *data}}, {*data, 1, m.types.data}));
}

TEST(XnRecovery, ABlockThatCannotBeReadLosesWhatItOwnsAndNoMore) {
  Tree tree{false};
  Machine m{tree.image};
  m.disk.bad = [&](BlockNumber b) { return b == tree.directory; };
  ASSERT_TRUE(m.init());
  const XnLogEntry* entry = find(m, XnTrouble::Unreadable);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->block, tree.directory);
  EXPECT_TRUE(m.volume->used_map().test(tree.directory));
  EXPECT_TRUE(m.volume->used_map().test(tree.data));
  EXPECT_FALSE(m.volume->used_map().test(tree.linked));
}

TEST(XnRecovery, TablesThatAreTooSmallAreAnError) {
  const Tree tree{false};
  const auto open = [&](auto&& shrink) {
    Machine m{tree.image};
    VolumeMemory memory = m.memory.view();
    shrink(memory);
    m.volume = std::make_unique<Volume>(Services{m.disk, m.pages, m.clock, m.completions}, memory);
    return m.init();
  };
  EXPECT_TRUE(open([](VolumeMemory&) {}));
  EXPECT_ERROR(open([](VolumeMemory& v) { v.walk = v.walk.first(1); }), Errc::NoMemory);
  EXPECT_ERROR(open([](VolumeMemory& v) { v.counts = v.counts.first(2); }), Errc::NoMemory);
  EXPECT_ERROR(open([](VolumeMemory& v) { v.counts = v.counts.first(3); }), Errc::NoMemory);
  EXPECT_ERROR(open([](VolumeMemory& v) { v.used = v.used.first(1); }), Errc::NoMemory);
  EXPECT_ERROR(open([](VolumeMemory& v) { v.types = v.types.first(3); }), Errc::NoSpace);
  EXPECT_ERROR(open([](VolumeMemory& v) { v.slots = v.slots.first(100); }), Errc::NoSpace);
  EXPECT_ERROR(open([](VolumeMemory& v) { v.code = v.code.first(64); }), Errc::NoSpace);
  EXPECT_ERROR(open([](VolumeMemory& v) { v.roots = v.roots.first(0); }), Errc::NoSpace);
  EXPECT_TRUE(open([](VolumeMemory& v) { v.log = v.log.first(0); })) << "it loses entries";
}

TEST(XnRecovery, ADiskThatFailsIsAnError) {
  const Tree tree{false};
  for (BlockNumber b = 0; b < 2; ++b) {
    Machine m{tree.image};
    m.disk.bad = [b](BlockNumber x) { return x == b; };
    EXPECT_ERROR(m.init(), Errc::Device);
    EXPECT_FALSE(m.volume->open());
    m.disk.bad = [](BlockNumber) { return false; };
    EXPECT_TRUE(m.init()) << "later it is there again";
  }
}

TEST(XnRecovery, AFormatThatIsInterruptedLeavesNoVolume) {
  Machine m;
  ASSERT_TRUE(m.format());
  m.disk.recording = true;
  const std::vector<Block> start = m.disk.image();
  ASSERT_TRUE(m.format());
  std::vector<Block> image = start;
  int opened = 0;
  for (const DiskEvent& e : m.disk.events) {
    if (e.kind == DiskEvent::Kind::Submit) image[e.block] = *e.bytes;
    Machine again{image};
    const auto out = again.init();
    if (out) ++opened;
    if (!out) {
      EXPECT_ERROR(out, Errc::BadFormat);
    }
  }
  EXPECT_EQ(opened, 4) << "with the last write: its start, its end, its flush";
}

}  // namespace
}  // namespace xok::xn::test
