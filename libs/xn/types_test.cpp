// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/types.hpp"

#include "libs/xn/test_volume.hpp"

/// What an import refuses, and functions that lie only later.
namespace xok::xn::test {
namespace {

using namespace asm_;

class XnTypes : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(m.format());
    ASSERT_TRUE(m.init());
    data = m.import("data", XnTypeKind::Data, 0, 0, {}).value_or(0);
    ASSERT_NE(data, 0u);
  }
  /// Imports a metadata type with this `owns`, and perhaps more.
  Result<XnTypeId> metadata(const Code& owns_code, std::uint8_t partitions = 1,
                            std::uint8_t max_owned = 64,
                            std::vector<std::pair<XnFunction, Code>> more = {}) {
    more.emplace_back(XnFunction::Owns, owns_code);
    more.emplace_back(XnFunction::Acl, returns(1));
    const std::string name = "type" + std::to_string(next_++);
    return m.import(name, XnTypeKind::Metadata, partitions, max_owned, more);
  }
  /// A temporary root of that type.
  BlockNumber structure(XnTypeId type) {
    const BlockNumber block = m.volume->find_free(0, 1).value_or(0);
    EXPECT_TRUE(m.volume->install_root(m.root, "s" + std::to_string(next_++), type, block, false));
    return block;
  }
  Result<> allocate(BlockNumber parent, const Change& change, BlockNumber block,
                    std::uint32_t count = 1) {
    return m.volume->allocate(m.alice, parent, change, {block, count, data});
  }

  Machine m;
  XnTypeId data = 0;
  int next_ = 0;
};

TEST_F(XnTypes, NamesAreReservedOnceAndForEver) {
  const auto id = m.volume->reserve_type(m.root, "mine");
  ASSERT_TRUE(id);
  EXPECT_ERROR(m.volume->reserve_type(m.root, "mine"), Errc::Exists);
  EXPECT_ERROR(m.volume->reserve_type(m.root, ""), Errc::BadArgument);
  EXPECT_ERROR(m.volume->reserve_type(m.root, "a b"), Errc::BadArgument);
  EXPECT_ERROR(m.volume->reserve_type(m.root, std::string(64, 'x')), Errc::TooBig);
  EXPECT_ERROR(m.volume->mount_type("mine"), Errc::NotFound) << "only reserved";
  EXPECT_ERROR(m.volume->reserve_type(m.alice, "other"), Errc::Denied);
  ASSERT_TRUE(m.fill(*id, XnTypeKind::Data, 0, 0, {}));
  EXPECT_EQ(m.volume->mount_type("mine").value_or(0), *id);
  EXPECT_ERROR(m.fill(*id, XnTypeKind::Data, 0, 0, {}), Errc::Exists);
  EXPECT_ERROR(m.fill(14, XnTypeKind::Data, 0, 0, {}), Errc::NotFound);
}

TEST_F(XnTypes, TheCapabilityThatAllowedItIsRemembered) {
  const std::vector<Capability> list{Capability{}, kAlice, kRootCapability};
  const Caller odd{7, list};
  const auto id = m.volume->reserve_type(odd, "odd");
  ASSERT_TRUE(id);
  TypeSource source;
  source.kind = XnTypeKind::Data;
  EXPECT_ERROR(m.volume->import_type(m.alice, *id, source), Errc::Denied);
  EXPECT_TRUE(m.volume->import_type(odd, *id, source));
  Machine again{m.disk.image()};
  EXPECT_TRUE(again.init());
}

TEST_F(XnTypes, OnlyWhoReservedMayImport) {
  const auto id = m.volume->reserve_type(m.root, "mine");
  ASSERT_TRUE(id);
  TypeSource source;
  source.kind = XnTypeKind::Data;
  EXPECT_ERROR(m.volume->import_type(m.alice, *id, source), Errc::Denied);
}

TEST_F(XnTypes, TheCatalogueIsBounded) {
  for (int i = 1; i < 16; ++i) ASSERT_TRUE(m.volume->reserve_type(m.root, "t" + std::to_string(i)));
  EXPECT_ERROR(m.volume->reserve_type(m.root, "more"), Errc::NoSpace);
}

TEST_F(XnTypes, AKindHasItsFunctionsAndNoOthers) {
  const auto refused = [&](XnTypeKind kind, std::uint8_t partitions, std::uint8_t max_owned,
                           const std::vector<std::pair<XnFunction, Code>>& functions,
                           const std::vector<XnTypeId>& members = {}) {
    const auto id = m.volume->reserve_type(m.root, "refused" + std::to_string(next_++));
    ASSERT_TRUE(id);
    EXPECT_ERROR(m.fill(*id, kind, partitions, max_owned, functions, members), Errc::BadArgument);
  };
  const Code nothing = returns(0);
  refused(XnTypeKind::None, 0, 0, {});
  refused(XnTypeKind::Data, 0, 0, {{XnFunction::Acl, nothing}});
  refused(XnTypeKind::Metadata, 1, 1, {{XnFunction::Owns, nothing}});
  refused(XnTypeKind::Metadata, 0, 1, {{XnFunction::Owns, nothing}, {XnFunction::Acl, nothing}});
  refused(XnTypeKind::Metadata, 65, 1, {{XnFunction::Owns, nothing}, {XnFunction::Acl, nothing}});
  refused(XnTypeKind::Metadata, 1, 65, {{XnFunction::Owns, nothing}, {XnFunction::Acl, nothing}});
  refused(XnTypeKind::Union, 0, 0, {{XnFunction::Select, returns(-1)}, {XnFunction::Acl, nothing}});
  refused(XnTypeKind::Union, 0, 0, {{XnFunction::Select, returns(-1)}, {XnFunction::Acl, nothing}},
          {data});
}

TEST_F(XnTypes, CodeThatIsNoProgramIsRefused) {
  EXPECT_ERROR(metadata({raw(0xff, 0, 0, 0, 0), graft::code::exit()}), Errc::BadFormat);
  EXPECT_ERROR(metadata({call(5), graft::code::exit()}), Errc::NotFound) << "there are no helpers";
  EXPECT_ERROR(metadata({mov(10, 0), graft::code::exit()}), Errc::BadFormat);
}

TEST_F(XnTypes, ZerosOwnNothing) {
  const Code always = {st(4, 3, 8, 1), mov(0, 1), graft::code::exit()};
  EXPECT_ERROR(metadata(always), Errc::WrongOwns);
  const Code if_zero = {
      ldx(8, 0, 1, 0), jump(JumpOp::Jne, 0, 0, 4), st(8, 3, 0, 100), st(4, 3, 8, 1),
      mov(0, 1),       graft::code::exit(),        mov(0, 0),        graft::code::exit()};
  EXPECT_ERROR(metadata(if_zero), Errc::WrongOwns);
}

TEST_F(XnTypes, PartitionsDoNotOverlap) {
  EXPECT_ERROR(metadata(owns({{{0, 4, data}}, {{24, 4, data}}}), 2), Errc::WrongReads);
  EXPECT_TRUE(metadata(owns({{{0, 4, data}}, {{32, 4, data}}}), 2));
}

TEST_F(XnTypes, APartitionLiesInOneSector) {
  EXPECT_ERROR(metadata(owns({{{504, 2, data}}})), Errc::WrongReads);
  EXPECT_ERROR(metadata(owns({{{0, 1, data}, {512, 1, data}}})), Errc::WrongReads);
}

TEST_F(XnTypes, AnEndlessFunctionIsStopped) {
  EXPECT_ERROR(metadata({ja(-1)}), Errc::GraftFailed);
  // On zeros it ends.
  const Code later = {ldx(8, 0, 1, 0), jump(JumpOp::Jne, 0, 0, -1), graft::code::exit()};
  const auto type = metadata(later);
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  EXPECT_ERROR(allocate(s, Change{{0, 60}}, 60), Errc::GraftFailed);
  EXPECT_ERROR(m.volume->write_bytes(m.alice, s, Change{{0, 1}}), Errc::GraftFailed);
  EXPECT_TRUE(m.volume->write_bytes(m.alice, s, Change{{8, 1}})) << "outside of its window";
}

TEST_F(XnTypes, MoreThanWasReadAtImportCannotBeRead) {
  // Follows a word to the pointer: reads [0, 8) and, when zero, [0, 8) again.
  const Code follows = {ldx(8, 6, 1, 0), alu64r(AluOp::Add, 6, 1), ldx(8, 0, 6, 0), mov(0, 0),
                        graft::code::exit()};
  const auto type = metadata(follows);
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  EXPECT_ERROR(m.volume->write_bytes(m.alice, s, Change{{0, 64}}), Errc::WrongReads);
  EXPECT_ERROR(m.volume->write_bytes(m.alice, s, Change{{0, 8192}}), Errc::WrongReads);
}

TEST_F(XnTypes, ForbiddenStateDoesNotExist) {
  // A clock, another block, what a run before left behind: a graft has no way to name them. What
  // it left in its output or its stack is gone.
  const Code remembers = {
      ldx(8, 6, 1, 0),             // window
      ldx(8, 7, 10, -8),           // the stack of the run before?
      jump(JumpOp::Jne, 7, 0, 3),  //
      st(8, 10, -8, 1),            //
      mov(0, 0),                   //
      graft::code::exit(),         //
      mov(0, 1),                   // "yes": would own block 0 of type 0
      graft::code::exit(),
  };
  const auto type = metadata(remembers);
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  for (int i = 1; i < 4; ++i)
    EXPECT_TRUE(m.volume->write_bytes(m.alice, s, Change{{0, static_cast<std::uint64_t>(i)}}));
  // Says "one extent" and writes none: must not get the one of the run before.
  const Code lazy = {ldx(8, 6, 1, 0),
                     mov(0, 0),
                     jump(JumpOp::Jeq, 6, 0, 5),
                     mov(0, 1),
                     jump(JumpOp::Jeq, 6, 7, 3),
                     stx(8, 3, 0, 6),
                     st(4, 3, 8, 1),
                     st(4, 3, 12, static_cast<int>(data)),
                     graft::code::exit()};
  const auto lazy_type = metadata(lazy);
  ASSERT_TRUE(lazy_type);
  const BlockNumber l = structure(*lazy_type);
  ASSERT_TRUE(allocate(l, Change{{0, 60}}, 60));
  EXPECT_ERROR(m.volume->write_bytes(m.alice, l, Change{{0, 7}}), Errc::WrongOwns);
}

TEST_F(XnTypes, OutputIsBounded) {
  // Two extents where one is promised.
  EXPECT_TRUE(metadata(owns({{{0, 2, data}}}), 1, 1));
  const auto type = metadata(owns({{{0, 2, data}}}), 1, 1);
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  ASSERT_TRUE(allocate(s, Change{{0, 60}}, 60));
  EXPECT_ERROR(allocate(s, Change{{8, 61}}, 61), Errc::GraftFailed);
  // A count with nothing written.
  const auto count = metadata({ldx(8, 0, 1, 0), graft::code::exit()});
  ASSERT_TRUE(count);
  const BlockNumber c = structure(*count);
  EXPECT_TRUE(m.volume->write_bytes(m.alice, c, Change{{0, 64}})) << "64 times no block";
  EXPECT_ERROR(m.volume->write_bytes(m.alice, c, Change{{0, 65}}), Errc::GraftFailed);
  EXPECT_ERROR(m.volume->write_bytes(m.alice, c, Change{{0, 1u << 30}}), Errc::GraftFailed);
  // Extents beyond any disk.
  const Code words = {ldx(8, 6, 1, 0), mov(0, 0), jump(JumpOp::Jeq, 6, 0, 3), stx(8, 3, 0, 6),
                      st(4, 3, 8, -1), mov(0, 1), graft::code::exit()};
  const auto huge = metadata(words);
  ASSERT_TRUE(huge);
  const BlockNumber h = structure(*huge);
  EXPECT_ERROR(m.volume->write_bytes(m.alice, h, Change{{0, ~std::uint64_t{0}}}), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->allocate(m.alice, h, Change{{0, ~std::uint64_t{0}}},
                                  {~std::uint64_t{0}, ~std::uint32_t{0}, data}),
               Errc::BadArgument);
  EXPECT_ERROR(
      m.volume->free(m.alice, h, Change{{0, 0}}, {~std::uint64_t{0}, ~std::uint32_t{0}, data}),
      Errc::WrongOwns);
}

TEST_F(XnTypes, TheWrongSetIsRefused) {
  const auto type = metadata(owns({{{0, 8, data}}, {{64, 8, data}}}), 2);
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  const std::vector<std::byte> before = [&] {
    std::vector<std::byte> bytes(kBlockSize);
    EXPECT_TRUE(m.volume->read_bytes(m.alice, s, 0, bytes));
    return bytes;
  }();
  EXPECT_ERROR(allocate(s, Change{{0, 61}}, 60), Errc::WrongOwns) << "another block";
  EXPECT_ERROR(allocate(s, Change{{0, 0}}, 60), Errc::WrongOwns) << "none";
  EXPECT_ERROR(allocate(s, Change{{0, 60}, {8, 61}}, 60), Errc::WrongOwns) << "one more";
  EXPECT_ERROR(allocate(s, (Change{{0, 60}, {8, 60}}), 60), Errc::WrongOwns) << "twice";
  EXPECT_ERROR(allocate(s, (Change{{0, 60}, {64, 60}}), 60), Errc::WrongOwns)
      << "in two partitions";
  EXPECT_ERROR(allocate(s, (Change{{0, 60}, {64, 61}}), 60, 2), Errc::WrongOwns)
      << "half in one, half in the other";
  EXPECT_ERROR(allocate(s, (Change{{0, 60}, {64, 0}, {72, 1}}), 60), Errc::WrongOwns)
      << "a foreign block in the other partition";
  EXPECT_ERROR(m.volume->write_bytes(m.alice, s, Change{{0, 60}}), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->allocate(m.alice, s, Change{{0, 60}}, {60, 1, *type}), Errc::WrongOwns)
      << "of another type";
  std::vector<std::byte> after(kBlockSize);
  ASSERT_TRUE(m.volume->read_bytes(m.alice, s, 0, after));
  EXPECT_EQ(before, after);
  EXPECT_FALSE(m.volume->used_map().test(60));
}

TEST_F(XnTypes, BlocksThatCannotBeHadAreRefused) {
  const auto type = metadata(owns({{{0, 8, data}}}));
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  const auto attempt = [&](BlockNumber b, std::uint32_t count = 1) {
    return allocate(s, Change{{0, b}}, b, count);
  };
  const BlockNumber first = m.volume->info().first_data_block;
  EXPECT_ERROR(attempt(0), Errc::BadArgument);
  EXPECT_ERROR(attempt(1), Errc::BadArgument);
  EXPECT_ERROR(attempt(first - 1), Errc::BadArgument);
  EXPECT_ERROR(attempt(128), Errc::BadArgument);
  EXPECT_ERROR(attempt(127, 2), Errc::BadArgument);
  EXPECT_ERROR(attempt(~std::uint64_t{0}), Errc::BadArgument);
  EXPECT_ERROR(attempt(60, 0), Errc::BadArgument);
  EXPECT_ERROR(attempt(s), Errc::Exists) << "itself";
  ASSERT_TRUE(attempt(60));
  EXPECT_ERROR(allocate(s, Change{{8, 60}}, 60), Errc::Exists);
  EXPECT_ERROR(m.volume->allocate(m.alice, s, Change{{8, 61}}, {61, 1, 15}), Errc::WrongType);
}

TEST_F(XnTypes, RangesAreChecked) {
  const auto type = metadata(owns({{{0, 8, data}}}));
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  const std::array<std::byte, 16> bytes{};
  const auto write = [&](std::initializer_list<XnRange> ranges, std::size_t length) {
    const std::vector<XnRange> list{ranges};
    return m.volume->write_bytes(m.alice, s, {list, std::span{bytes}.first(length)});
  };
  EXPECT_TRUE(write({{4088, 8}}, 8));
  EXPECT_ERROR(write({{4089, 8}}, 8), Errc::BadArgument);
  EXPECT_ERROR(write({{65535, 8}}, 8), Errc::BadArgument);
  EXPECT_ERROR(write({{0, 8}}, 7), Errc::BadArgument);
  EXPECT_ERROR(write({{0, 8}}, 9), Errc::BadArgument);
  EXPECT_ERROR(write({{0, 0}}, 0), Errc::BadArgument);
  Change many;
  for (std::size_t i = 0; i <= kXnMaxRanges; ++i) many.add(1024 + 8 * i, std::uint64_t{1});
  EXPECT_ERROR(m.volume->write_bytes(m.alice, s, many), Errc::TooBig);
}

TEST_F(XnTypes, ExtentsMayBeCutAndMergedAsTheyLike) {
  // One extent: first block, and count, in one word each.
  const Code extent = {ldx(8, 6, 1, 0),
                       ldx(8, 7, 1, 8),
                       mov(0, 0),
                       jump(JumpOp::Jeq, 7, 0, 4),
                       stx(8, 3, 0, 6),
                       stx(4, 3, 8, 7),
                       st(4, 3, 12, static_cast<int>(data)),
                       mov(0, 1),
                       graft::code::exit()};
  const auto type = metadata(extent, 1, 1);
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  ASSERT_TRUE(allocate(s, (Change{{0, 60}, {8, 3}}), 60, 3));
  ASSERT_TRUE(allocate(s, Change{{8, 4}}, 63)) << "one block more at the end";
  ASSERT_TRUE(allocate(s, (Change{{0, 59}, {8, 5}}), 59)) << "and in front";
  EXPECT_ERROR(allocate(s, (Change{{0, 58}, {8, 7}}), 58), Errc::WrongOwns);
  ASSERT_TRUE(m.volume->free(m.alice, s, Change{{8, 4}}, {63, 1, data}));
  EXPECT_ERROR(m.volume->free(m.alice, s, Change{{8, 2}}, {62, 1, data}), Errc::WrongOwns);
}

TEST_F(XnTypes, ASizeBringsPartitionsIntoBeing) {
  // Sectors, as many as byte 4000 says and one more.
  const Code size = {ldx(1, 0, 1, 4000), alu64(AluOp::Add, 0, 1), alu64(AluOp::Mul, 0, 512),
                     graft::code::exit()};
  const auto type = metadata(owns({{{0, 4, data}}, {{512, 4, data}}, {{1024, 4, data}}}), 3, 4,
                             {{XnFunction::Size, size}});
  ASSERT_TRUE(type);
  const BlockNumber s = structure(*type);
  const auto set_size = [&](std::uint8_t n) { return Change{}.add<std::uint8_t>(4000, n); };
  EXPECT_ERROR(allocate(s, Change{{512, 60}}, 60), Errc::WrongOwns) << "beyond the size";
  EXPECT_TRUE(m.volume->write_bytes(m.alice, s, Change{{512, 60}})) << "bytes that mean nothing";
  EXPECT_ERROR(m.volume->write_bytes(m.alice, s, set_size(1)), Errc::WrongOwns)
      << "and that would begin to mean something";
  EXPECT_TRUE(allocate(s, set_size(1), 60)) << "which is all right if it is said";
  EXPECT_ERROR(m.volume->write_bytes(m.alice, s, set_size(0)), Errc::WrongOwns);
  EXPECT_ERROR(m.volume->write_bytes(m.alice, s, set_size(8)), Errc::GraftFailed)
      << "more than a block";
  EXPECT_TRUE(m.volume->free(m.alice, s, set_size(0), {60, 1, data}));
}

TEST_F(XnTypes, TypesSurviveAReboot) {
  const auto type = metadata(owns({{{0, 8, data}}, {{512, 8, data}}}), 2);
  ASSERT_TRUE(type);
  const XnTypeInfo info = m.volume->type_info(*type).value_or(XnTypeInfo{});
  const auto reserved = m.volume->reserve_type(m.root, "later");
  ASSERT_TRUE(reserved);
  Machine again{m.disk.image()};
  ASSERT_TRUE(again.init());
  const XnTypeInfo found = again.volume->type_info(*type).value_or(XnTypeInfo{});
  EXPECT_EQ(std::memcmp(&info, &found, sizeof info), 0);
  EXPECT_EQ(again.volume->mount_type(name_of(info.name)).value_or(0), *type);
  EXPECT_TRUE(again.fill(*reserved, XnTypeKind::Data, 0, 0, {}));
  const BlockNumber s = again.volume->find_free(0, 1).value_or(0);
  ASSERT_TRUE(again.volume->install_root(again.root, "s", *type, s, false));
  EXPECT_ERROR(again.volume->allocate(again.alice, s, Change{{0, 61}}, {60, 1, data}),
               Errc::WrongOwns);
  EXPECT_TRUE(again.volume->allocate(again.alice, s, Change{{0, 60}}, {60, 1, data}));
}

TEST_F(XnTypes, CodeFillsItsAreaAndNoMore) {
  Code big(4000, mov(0, 0));
  big.push_back(graft::code::exit());
  EXPECT_TRUE(metadata(big)) << "8 blocks are 4096 instructions";
  EXPECT_ERROR(metadata(returns(0)), Errc::NoSpace);
}

}  // namespace
}  // namespace xok::xn::test
