// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fs/test_pages.hpp"

namespace xok::exos {
namespace {

struct RenameTest : MemoryFsFixture {
  FsResult<void> rename(Inode& from, std::string_view old_name, Inode& to,
                        std::string_view new_name, RenameMode mode = RenameMode::Replace) {
    return fs().rename(from, old_name, to, new_name, mode);
  }
  Inode* find(Inode& in, std::string_view name) { return fs().lookup(in, name).value_or(nullptr); }
};

TEST_F(RenameTest, AFileMovesToANewName) {
  Inode& a = file(root(), "a");
  Inode& d = directory(root(), "d");
  EXPECT_TRUE(rename(root(), "a", d, "b").has_value());
  EXPECT_EQ(find(root(), "a"), nullptr);
  EXPECT_EQ(find(d, "b"), &a);
  EXPECT_EQ(a.links, 1U);
  EXPECT_EQ(a.entry->name(), "b");
}

TEST_F(RenameTest, ADirectoryTakesItsWayUpAlong) {
  Inode& a = directory(root(), "a");
  Inode& b = directory(root(), "b");
  Inode& c = directory(a, "c");
  EXPECT_TRUE(rename(a, "c", b, "c2").has_value());
  EXPECT_EQ(c.parent, &b);
  EXPECT_EQ(a.links, 2U);
  EXPECT_EQ(b.links, 3U);
}

TEST_F(RenameTest, AFileReplacesAFileWithoutMemory) {
  Inode& a = file(root(), "a");
  Inode& b = file(root(), "b");
  write(b, 0, "old");
  fs().hold(b);
  pages_.fail_after(0);
  EXPECT_TRUE(rename(root(), "a", root(), "b").has_value());
  EXPECT_EQ(find(root(), "b"), &a);
  EXPECT_EQ(find(root(), "a"), nullptr);
  EXPECT_EQ(b.links, 0U);
  EXPECT_EQ(read(b, 0, 9), "old");
  fs().release(b);
}

TEST_F(RenameTest, AnEmptyDirectoryIsReplacedByADirectory) {
  Inode& a = directory(root(), "a");
  Inode& b = directory(root(), "b");
  Inode& in_a = directory(a, "x");
  EXPECT_EQ(rename(root(), "b", root(), "a").error(), FsError::NotEmpty);
  fs().hold(b);
  EXPECT_TRUE(rename(root(), "a", root(), "b").has_value());
  EXPECT_EQ(find(root(), "b"), &a);
  EXPECT_EQ(in_a.parent, &a);
  EXPECT_EQ(root().links, 3U);
  EXPECT_EQ(b.links, 0U);
  EXPECT_EQ(b.parent, &root());
  fs().release(b);
}

TEST_F(RenameTest, FilesAndDirectoriesDoNotReplaceOneAnother) {
  file(root(), "f");
  directory(root(), "d");
  EXPECT_EQ(rename(root(), "f", root(), "d").error(), FsError::IsADirectory);
  EXPECT_EQ(rename(root(), "d", root(), "f").error(), FsError::NotADirectory);
}

TEST_F(RenameTest, ADirectoryNeverMovesBelowItself) {
  Inode& a = directory(root(), "a");
  Inode& b = directory(a, "b");
  EXPECT_EQ(rename(root(), "a", b, "c").error(), FsError::BadArgument);
  EXPECT_EQ(rename(root(), "a", a, "c").error(), FsError::BadArgument);
  directory(b, "c");
  EXPECT_EQ(rename(root(), "a", b, "c", RenameMode::Exchange).error(), FsError::BadArgument);
  EXPECT_EQ(rename(b, "c", root(), "a", RenameMode::Exchange).error(), FsError::BadArgument);
  // The other way: the target is an ancestor, so it is not empty.
  EXPECT_EQ(rename(b, "c", root(), "a").error(), FsError::NotEmpty);
}

TEST_F(RenameTest, TwoNamesOfOneInodeStayAsTheyAre) {
  Inode& a = file(root(), "a");
  ASSERT_TRUE(fs().link(a, root(), "b").has_value());
  EXPECT_TRUE(rename(root(), "a", root(), "b").has_value());
  EXPECT_EQ(find(root(), "a"), &a);
  EXPECT_EQ(find(root(), "b"), &a);
  EXPECT_EQ(a.links, 2U);
  EXPECT_TRUE(rename(root(), "a", root(), "a").has_value());
  Inode& d = directory(root(), "d");
  EXPECT_TRUE(rename(root(), "d", root(), "d").has_value());
  EXPECT_EQ(find(root(), "d"), &d);
}

TEST_F(RenameTest, NoReplaceRefusesATarget) {
  file(root(), "a");
  file(root(), "b");
  EXPECT_EQ(rename(root(), "a", root(), "b", RenameMode::NoReplace).error(), FsError::Exists);
  EXPECT_EQ(rename(root(), "a", root(), "a", RenameMode::NoReplace).error(), FsError::Exists);
  EXPECT_TRUE(rename(root(), "a", root(), "c", RenameMode::NoReplace).has_value());
}

TEST_F(RenameTest, ExchangeSwapsFilesAndDirectories) {
  Inode& d = directory(root(), "d");
  Inode& f = file(d, "f");
  Inode& e = directory(root(), "e");
  pages_.fail_after(0);
  EXPECT_TRUE(rename(d, "f", root(), "e", RenameMode::Exchange).has_value());
  EXPECT_EQ(find(d, "f"), &e);
  EXPECT_EQ(find(root(), "e"), &f);
  EXPECT_EQ(e.parent, &d);
  EXPECT_EQ(d.links, 3U);
  EXPECT_EQ(root().links, 3U);
  EXPECT_EQ(rename(root(), "e", root(), "none", RenameMode::Exchange).error(), FsError::NotFound);
}

TEST_F(RenameTest, BadNamesMissingSourcesAndMountPointsAreRefused) {
  Inode& d = directory(root(), "d");
  file(root(), "f");
  EXPECT_EQ(rename(root(), "x", root(), "y").error(), FsError::NotFound);
  EXPECT_EQ(rename(root(), "f", root(), "").error(), FsError::BadArgument);
  EXPECT_EQ(rename(root(), ".", root(), "y").error(), FsError::BadArgument);
  EXPECT_EQ(rename(root(), "f", root(), std::string(256, 'n')).error(), FsError::NameTooLong);
  d.covered_by = 1;
  EXPECT_EQ(rename(root(), "d", root(), "y").error(), FsError::Busy);
  Inode& e = directory(root(), "e");
  EXPECT_EQ(rename(root(), "e", root(), "d").error(), FsError::Busy);
  EXPECT_EQ(fs().remove_directory(root(), "d").error(), FsError::Busy);
  d.covered_by = 0;
  Inode& in_e = directory(e, "sub");
  d.links = kMaxLinks;
  EXPECT_EQ(rename(e, "sub", d, "sub").error(), FsError::TooManyLinks);
  file(d, "g");
  EXPECT_EQ(rename(e, "sub", d, "g", RenameMode::Exchange).error(), FsError::TooManyLinks);
  d.links = 2;
  EXPECT_EQ(in_e.parent, &e);
}

}  // namespace
}  // namespace xok::exos
