// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <fstream>
#include <iterator>

#include "abi/xn_graft.h"
#include "libs/graft/object_file.hpp"
#include "libs/xn/test_tree.hpp"

/// Types whose functions are written in C++, and functions as machine code.
namespace xok::xn::test {
namespace {

static_assert(sizeof(xok_owned) == sizeof(XnExtent) &&
              offsetof(xok_owned, type) == offsetof(XnExtent, type));
static_assert(sizeof(xok_acl_request) == sizeof(XnAclRequest) &&
              offsetof(xok_acl_request, extent) == offsetof(XnAclRequest, extent) &&
              offsetof(xok_acl_request, caller) == offsetof(XnAclRequest, caller) &&
              offsetof(xok_acl_request, ranges) == offsetof(XnAclRequest, ranges));
static_assert(static_cast<int>(kXokMoveIn) == static_cast<int>(XnOperation::MoveIn) &&
              static_cast<int>(kXokReadData) == static_cast<int>(XnOperation::ReadData));

class XnSample : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::ifstream in{XOK_XN_SAMPLES "/directory.cpp.bpf.o", std::ios::binary};
    file_.assign(std::istreambuf_iterator<char>{in}, {});
    const auto object = graft::ObjectFile::open(std::as_bytes(std::span{file_}));
    ASSERT_TRUE(object);
    const auto owns_function = object->find("owns");
    const auto acl = object->find("acl");
    ASSERT_TRUE(owns_function && acl);
    source_.kind = XnTypeKind::Metadata;
    source_.partitions = 8;
    source_.max_owned = 16;
    source_.functions[0] = owns_function->code;
    source_.functions[2] = acl->code;
    ASSERT_TRUE(m.format());
    ASSERT_TRUE(m.init());
    ASSERT_EQ(m.import("data", XnTypeKind::Data, 0, 0, {}).value_or(0), 1u);
    id_ = m.volume->reserve_type(m.root, "directory").value_or(0);
  }
  /// An entry's word.
  static std::size_t at(std::size_t entry, std::size_t offset) { return entry * 512 + offset; }

  Machine m{128, false, 128, GetParam()};
  std::vector<char> file_;
  TypeSource source_;
  XnTypeId id_ = 0;
};

TEST_P(XnSample, WindowsThatAreTracedAreTooSmallForWhoLooksAtANameFirst) {
  ASSERT_TRUE(m.volume->import_type(m.root, id_, source_));
  ASSERT_TRUE(m.volume->install_root(m.root, "fs", id_, 60, false));
  EXPECT_ERROR(m.volume->write_bytes(m.alice, 60, Change{{0, 'a'}}), Errc::WrongReads);
}

TEST_P(XnSample, DeclaredWindowsAreChecked) {
  const auto import = [&](XnWindows windows) {
    source_.windows = windows;
    return m.volume->import_type(m.root, id_, source_);
  };
  EXPECT_ERROR(import({0, 512, 513, 0}), Errc::WrongReads) << "more than a sector";
  EXPECT_ERROR(import({256, 512, 512, 0}), Errc::WrongReads) << "across two sectors";
  EXPECT_ERROR(import({0, 256, 512, 0}), Errc::WrongReads);
  EXPECT_ERROR(import({0, 0, 512, 0}), Errc::WrongReads) << "all the same";
  EXPECT_ERROR(import({0, 1024, 512, 0}), Errc::BadArgument) << "beyond the block";
  EXPECT_ERROR(import({512, 512, 512, 0}), Errc::BadArgument);
  EXPECT_ERROR(import({8, 512, 8, 0}), Errc::WrongReads) << "not where it reads";
  EXPECT_TRUE(import({0, 512, 512, 0}));
}

TEST_P(XnSample, AFunctionInCppDecides) {
  source_.windows = {0, 512, 512, 0};
  ASSERT_TRUE(m.volume->import_type(m.root, id_, source_));
  ASSERT_TRUE(m.volume->install_root(m.root, "fs", id_, 60, false));
  const Change name{{at(3, 0), 'a'}, {at(3, 248), kAlice.bits()}};
  ASSERT_TRUE(m.volume->write_bytes(m.alice, 60, name));
  const Change run{{at(3, 256), 70}, {at(3, 264), 4}};
  EXPECT_ERROR(m.volume->allocate(m.bob, 60, run, {70, 4, 1}), Errc::Denied);
  ASSERT_TRUE(m.volume->allocate(m.alice, 60, run, {70, 4, 1}));
  EXPECT_TRUE(m.volume->allocate(m.root, 60, Change{{at(3, 264), 5}}, {74, 1, 1}))
      << "who stands above her may, too";
  EXPECT_ERROR(m.volume->write_bytes(m.alice, 60, Change{{at(3, 0), 0}}), Errc::WrongOwns)
      << "without its name the entry owns nothing";
  EXPECT_ERROR(
      m.volume->allocate(m.alice, 60, Change{{at(3, 272), 75}, {at(4, 256), 1}}, {75, 1, 1}),
      Errc::WrongOwns);
  ASSERT_TRUE(m.volume->write_bytes(m.bob, 60, Change{{at(4, 0), 'b'}}));
  EXPECT_ERROR(m.volume->allocate(m.bob, 60, Change{{at(4, 256), 74}, {at(4, 264), 1}}, {74, 1, 1}),
               Errc::Exists);
  // And again after a reboot, for which all is loaded and compiled anew.
  ASSERT_TRUE(m.volume->insert_attribute(m.alice, 60, {70, 1, 1}, std::nullopt));
  for (BlockNumber b = 71; b < 75; ++b)
    ASSERT_TRUE(m.volume->insert_attribute(m.alice, 60, {b, 1, 1}, std::nullopt));
  ASSERT_TRUE(m.sync(m.alice));
  Machine again{128, false, 128, GetParam()};
  again.disk.image() = m.disk.image();
  ASSERT_TRUE(again.init());
  EXPECT_EQ(again.volume->info().free_blocks, m.volume->info().free_blocks);
  ASSERT_TRUE(again.volume->mount_root("fs"));
  EXPECT_TRUE(again.volume->free(again.alice, 60, Change{{at(3, 264), 4}}, {74, 1, 1}));
}

INSTANTIATE_TEST_SUITE_P(Engines, XnSample, testing::Bool(), [](const auto& param) {
  return param.param ? "Compiled" : "Interpreted";
});

TEST(XnEngines, DoTheSame) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<Block> images[2];
    for (const bool compiled : {false, true}) {
      Machine m{96, false, 128, compiled};
      m.start();
      EXPECT_EQ(m.code_space.placed() != 0, compiled);
      RandomTree tree{m, seed};
      for (int i = 0; i < 100; ++i) tree.step();
      tree.sync();
      images[compiled ? 1 : 0] = m.disk.image();
    }
    ASSERT_EQ(images[0], images[1]) << seed;
  }
}

}  // namespace
}  // namespace xok::xn::test
