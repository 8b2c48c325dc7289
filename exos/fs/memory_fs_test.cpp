// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fs/memory_fs.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "exos/fs/test_pages.hpp"

namespace xok::exos {
namespace {

using MemoryFsTest = MemoryFsFixture;

std::vector<std::string> list(const MemoryFs& fs, const Inode& directory) {
  std::vector<std::string> names;
  std::uint64_t cursor = 0;
  while (const auto item = fs.next_entry(directory, cursor)) {
    if (item->name != "." && item->name != "..") names.emplace_back(item->name);
    cursor = item->next_cursor;
  }
  std::ranges::sort(names);
  return names;
}

// --- Names ---------------------------------------------------------------------------------------

TEST_F(MemoryFsTest, ACreatedFileIsFoundWithItsAttributes) {
  const auto made = fs().create(
      root(), "console",
      {.type = FileType::CharDevice, .permissions = 0600, .uid = 5, .gid = 6, .device = 0x501});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(fs().lookup(root(), "console"), *made);
  const Attributes all = MemoryFs::attributes(**made);
  EXPECT_EQ(all.mode(), 0020600U);
  EXPECT_EQ(all.uid, 5U);
  EXPECT_EQ(all.gid, 6U);
  EXPECT_EQ(all.device, 0x501U);
  EXPECT_EQ(all.links, 1U);
  EXPECT_EQ(all.modified_ns, kNow);
  EXPECT_EQ(all.created_ns, kNow);
}

TEST_F(MemoryFsTest, NamesMayHoldAnyByteButSlashAndNul) {
  const std::string longest(kMaxName, '\xff');
  EXPECT_TRUE(fs().create(root(), longest, {}).has_value());
  EXPECT_TRUE(fs().lookup(root(), longest).has_value());
  EXPECT_TRUE(fs().create(root(), "\n \x01", {}).has_value());
  const std::string too_long(kMaxName + 1, 'x');
  EXPECT_EQ(fs().create(root(), too_long, {}).error(), FsError::NameTooLong);
  EXPECT_EQ(fs().lookup(root(), too_long).error(), FsError::NameTooLong);
  EXPECT_EQ(fs().unlink(root(), too_long).error(), FsError::NameTooLong);
  EXPECT_EQ(fs().remove_directory(root(), too_long).error(), FsError::NameTooLong);
  for (const std::string_view bad :
       {std::string_view{""}, std::string_view{"."}, std::string_view{".."},
        std::string_view{"a/b"}, std::string_view{"a\0b", 3}}) {
    EXPECT_EQ(fs().create(root(), bad, {}).error(), FsError::BadArgument) << bad;
  }
}

TEST_F(MemoryFsTest, CreateRefusesATakenNameAndARemovedDirectory) {
  file(root(), "a");
  EXPECT_EQ(fs().create(root(), "a", {}).error(), FsError::Exists);
  EXPECT_EQ(fs().create(root(), "l", {.type = FileType::Symlink}).error(), FsError::BadArgument);
  Inode& gone = directory(root(), "gone");
  fs().hold(gone);
  ASSERT_TRUE(fs().remove_directory(root(), "gone").has_value());
  EXPECT_EQ(fs().create(gone, "x", {}).error(), FsError::NotFound);
  EXPECT_EQ(fs().link(**fs().lookup(root(), "a"), gone, "x").error(), FsError::NotFound);
  EXPECT_EQ(fs().rename(root(), "a", gone, "x", RenameMode::Replace).error(), FsError::NotFound);
  fs().release(gone);
}

TEST_F(MemoryFsTest, DirectoriesCountTheLinksOfTheirChildren) {
  Inode& a = directory(root(), "a");
  EXPECT_EQ(root().links, 3U);
  EXPECT_EQ(a.links, 2U);
  directory(a, "b");
  EXPECT_EQ(a.links, 3U);
  EXPECT_EQ(fs().remove_directory(root(), "a").error(), FsError::NotEmpty);
  EXPECT_TRUE(fs().remove_directory(a, "b").has_value());
  EXPECT_EQ(a.links, 2U);
  EXPECT_TRUE(fs().remove_directory(root(), "a").has_value());
  EXPECT_EQ(root().links, 2U);
}

TEST_F(MemoryFsTest, RemovalKnowsDirectoriesFromFiles) {
  file(root(), "f");
  directory(root(), "d");
  EXPECT_EQ(fs().unlink(root(), "d").error(), FsError::IsADirectory);
  EXPECT_EQ(fs().remove_directory(root(), "f").error(), FsError::NotADirectory);
  EXPECT_EQ(fs().unlink(root(), "x").error(), FsError::NotFound);
  EXPECT_EQ(fs().remove_directory(root(), "x").error(), FsError::NotFound);
}

TEST_F(MemoryFsTest, HardLinksShareTheInode) {
  Inode& a = file(root(), "a");
  Inode& d = directory(root(), "d");
  EXPECT_TRUE(fs().link(a, d, "b").has_value());
  EXPECT_EQ(a.links, 2U);
  EXPECT_EQ(fs().lookup(d, "b"), &a);
  EXPECT_EQ(fs().link(a, d, "b").error(), FsError::Exists);
  EXPECT_EQ(fs().link(d, root(), "e").error(), FsError::NotPermitted);
  EXPECT_EQ(fs().link(a, d, "").error(), FsError::BadArgument);
  a.links = kMaxLinks;
  EXPECT_EQ(fs().link(a, d, "c").error(), FsError::TooManyLinks);
  a.links = 2;
  d.links = kMaxLinks;
  EXPECT_EQ(fs().create(d, "e", {.type = FileType::Directory}).error(), FsError::TooManyLinks);
  d.links = 2;
  EXPECT_TRUE(fs().unlink(root(), "a").has_value());
  EXPECT_EQ(a.links, 1U);
  EXPECT_EQ(fs().lookup(d, "b"), &a);
}

TEST_F(MemoryFsTest, SymbolicLinksKeepTheirText) {
  const std::string longest(kMaxPath, 't');
  auto link = fs().create_symlink(root(), "l", longest, 1, 2);
  ASSERT_TRUE(link.has_value());
  EXPECT_EQ(MemoryFs::read_link(**link), longest);
  EXPECT_EQ(MemoryFs::attributes(**link).size, kMaxPath);
  EXPECT_EQ(fs().create_symlink(root(), "m", longest + "t", 0, 0).error(), FsError::NameTooLong);
  EXPECT_EQ(fs().create_symlink(root(), "m", "", 0, 0).error(), FsError::BadArgument);
  EXPECT_EQ(fs().create_symlink(root(), "m", {"a\0b", 3}, 0, 0).error(), FsError::BadArgument);
  EXPECT_EQ(fs().create_symlink(root(), "l", "x", 0, 0).error(), FsError::Exists);
  EXPECT_EQ(MemoryFs::read_link(root()).error(), FsError::BadArgument);
}

TEST_F(MemoryFsTest, AHundredThousandNamesAreFoundAndRemoved) {
  make({.pages = 1'000'000, .inodes = 200'000});
  Inode& d = directory(root(), "d");
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) file(d, "file-" + std::to_string(i));
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(fs().lookup(d, "file-" + std::to_string(i)).has_value());
  }
  EXPECT_EQ(list(fs(), d).size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(fs().unlink(d, "file-" + std::to_string(i)).has_value());
  }
  EXPECT_TRUE(list(fs(), d).empty());
  EXPECT_LE(state_->bucket_count, 1024U);
}

// --- Listing -------------------------------------------------------------------------------------

TEST_F(MemoryFsTest, AListingBeginsWithDotAndDotDot) {
  Inode& d = directory(root(), "d");
  const auto self = fs().next_entry(d, 0);
  EXPECT_EQ(self->name, ".");
  EXPECT_EQ(self->number, d.number);
  const auto up = fs().next_entry(d, self->next_cursor);
  EXPECT_EQ(up->name, "..");
  EXPECT_EQ(up->number, root().number);
  EXPECT_FALSE(fs().next_entry(d, up->next_cursor).has_value());
}

TEST_F(MemoryFsTest, EntriesPresentThroughoutAreListedExactlyOnce) {
  Inode& d = directory(root(), "d");
  for (int i = 0; i < 500; ++i) file(d, "keep" + std::to_string(i));
  for (int i = 0; i < 500; ++i) file(d, "drop" + std::to_string(i));
  std::multiset<std::string> seen;
  std::uint64_t cursor = 0;
  int step = 0;
  while (const auto item = fs().next_entry(d, cursor)) {
    seen.emplace(item->name);
    cursor = item->next_cursor;
    // Between any two steps names come and go, the one just listed included.
    if (step < 500) (void)fs().unlink(d, "drop" + std::to_string(step)).value();
    file(d, "new" + std::to_string(step));
    ASSERT_LT(++step, 3000);
  }
  for (int i = 0; i < 500; ++i) EXPECT_EQ(seen.count("keep" + std::to_string(i)), 1U);
  for (const std::string& name : seen) EXPECT_EQ(seen.count(name), 1U) << name;
}

TEST_F(MemoryFsTest, RenamingEverythingThatIsListedEnds) {
  Inode& d = directory(root(), "d");
  for (int i = 0; i < 100; ++i) file(d, std::to_string(i));
  int steps = 0;
  std::uint64_t cursor = 2;
  while (const auto item = fs().next_entry(d, cursor)) {
    cursor = item->next_cursor;
    const std::string old{item->name};
    ASSERT_TRUE(fs().rename(d, old, d, old + "x", RenameMode::Replace).has_value());
    ASSERT_LE(++steps, 100);
  }
  EXPECT_EQ(steps, 100);
}

// --- Life ----------------------------------------------------------------------------------------

TEST_F(MemoryFsTest, AnUnlinkedFileLivesUntilItsLastRelease) {
  Inode& a = file(root(), "a");
  fs().hold(a);
  fs().hold(a);
  write(a, 0, "still here");
  ASSERT_TRUE(fs().unlink(root(), "a").has_value());
  fs().release(a);
  EXPECT_EQ(read(a, 0, 100), "still here");
  EXPECT_EQ(a.links, 0U);
  const std::uint64_t inodes = state_->inode_count;
  fs().release(a);
  EXPECT_EQ(state_->inode_count, inodes - 1);
}

TEST_F(MemoryFsTest, AHeldRemovedDirectoryKeepsItsWayUp) {
  Inode& a = directory(root(), "a");
  Inode& b = directory(a, "b");
  Inode& c = directory(b, "c");
  fs().hold(c);
  ASSERT_TRUE(fs().remove_directory(b, "c").has_value());
  ASSERT_TRUE(fs().remove_directory(a, "b").has_value());
  ASSERT_TRUE(fs().remove_directory(root(), "a").has_value());
  EXPECT_EQ(c.parent->parent, &a);
  EXPECT_EQ(state_->inode_count, 4U);
  fs().release(c);
  EXPECT_EQ(state_->inode_count, 1U);
}

TEST_F(MemoryFsTest, AnUnnamedFileMayGetANameLater) {
  Inode* a = fs().create_unnamed({.type = FileType::Regular}).value();
  write(*a, 0, "x");
  EXPECT_TRUE(fs().link(*a, root(), "named").has_value());
  fs().release(*a);
  EXPECT_EQ(read(**fs().lookup(root(), "named"), 0, 9), "x");
  Inode* pipe = fs().create_unnamed({.type = FileType::Fifo}).value();
  pipe->attached = &pages_;
  fs().release(*pipe);
  EXPECT_EQ(state_->inode_count, 2U);
  EXPECT_EQ(fs().create_unnamed({.type = FileType::Directory}).error(), FsError::BadArgument);
}

TEST_F(MemoryFsTest, DestroyRefusesWhileAnInodeIsHeld) {
  Inode& a = file(root(), "a");
  fs().hold(a);
  EXPECT_EQ(MemoryFs::destroy(state_, pages_).error(), FsError::Busy);
  fs().release(a);
}

TEST_F(MemoryFsTest, CreateFailsCleanlyWhenThereAreTooFewPages) {
  for (std::uint64_t count = 0; count < 4; ++count) {
    EXPECT_EQ(MemoryFs::create(pages_, {.pages = count, .inodes = 10}, 0).error(),
              FsError::NoSpace);
    pages_.fail_after(count);
    EXPECT_EQ(MemoryFs::create(pages_, {.pages = 100, .inodes = 10}, 0).error(), FsError::NoSpace);
    pages_.never_fail();
  }
  EXPECT_EQ(MemoryFs::create(pages_, {.pages = 100, .inodes = 0}, 0).error(), FsError::NoSpace);
}

// --- Attributes ----------------------------------------------------------------------------------

TEST_F(MemoryFsTest, ChangesMoveTheRightTimes) {
  Inode& a = file(root(), "a");
  fs(kNow + 10).set_permissions(a, 0123);
  EXPECT_EQ(a.changed_ns, kNow + 10);
  EXPECT_EQ(a.modified_ns, kNow);
  fs(kNow + 20).set_owner(a, 7, 8);
  EXPECT_EQ(a.changed_ns, kNow + 20);
  fs(kNow + 30).set_times(a, -5, 6);
  EXPECT_EQ(a.accessed_ns, -5);
  EXPECT_EQ(a.modified_ns, 6);
  EXPECT_EQ(a.changed_ns, kNow + 30);
  ASSERT_TRUE(fs(kNow + 40).write(a, 0, std::as_bytes(std::span{"x", 1})).has_value());
  EXPECT_EQ(a.modified_ns, kNow + 40);
  ASSERT_TRUE(fs(kNow + 50).link(a, root(), "b").has_value());
  EXPECT_EQ(root().modified_ns, kNow + 50);
  EXPECT_EQ(a.changed_ns, kNow + 50);
}

TEST_F(MemoryFsTest, StatisticsCountPagesAndInodes) {
  make({.pages = 50, .inodes = 10});
  const Statistics before = fs().statistics();
  EXPECT_EQ(before.total_pages, 50U);
  EXPECT_EQ(before.free_inodes, 9U);
  Inode& a = file(root(), "a");
  write(a, 0, std::string(3 * kPageSize, 'x'));
  EXPECT_LE(fs().statistics().free_pages, before.free_pages - 3);
  EXPECT_EQ(fs().statistics().free_inodes, 8U);
}

TEST_F(MemoryFsTest, TheInodeLimitIsNoSpace) {
  make({.pages = 50, .inodes = 2});
  file(root(), "a");
  EXPECT_EQ(fs().create(root(), "b", {}).error(), FsError::NoSpace);
  EXPECT_EQ(fs().create_symlink(root(), "b", "x", 0, 0).error(), FsError::NoSpace);
  EXPECT_EQ(fs().create_unnamed({}).error(), FsError::NoSpace);
}

/// Whatever allocation fails, an operation either works or changes nothing.
TEST_F(MemoryFsTest, NoOperationIsHalfDoneWhenMemoryRunsOut) {
  const std::string path(3000, 'p');
  std::vector<std::function<bool(Inode&)>> operations = {
      [&](Inode& d) { return fs().create(d, "new", {}).has_value(); },
      [&](Inode& d) {
        return fs().create(d, std::string(200, 'n'), {.type = FileType::Directory}).has_value();
      },
      [&](Inode& d) { return fs().create_symlink(d, "s", path, 0, 0).has_value(); },
      [&](Inode& d) { return fs().link(**fs().lookup(d, "f"), d, "hard").has_value(); },
      [&](Inode& d) {
        return fs().rename(d, "f", root(), "moved", RenameMode::Replace).has_value();
      },
      [&](Inode& d) {
        return fs()
            .preallocate(**fs().lookup(d, "f"), 1 << 20, 40 * kPageSize, SizeChange::Extend)
            .has_value();
      },
  };
  for (std::size_t which = 0; which < operations.size(); ++which) {
    for (std::uint64_t allowed = 0;; ++allowed) {
      ASSERT_LT(allowed, 100U);
      make({.pages = 1000, .inodes = 1000});
      Inode& d = directory(root(), "d");
      Inode& f = file(d, "f");
      write(f, 0, "content");
      // Leave no room in any slab.
      fs().heap().trim();
      std::vector<std::pair<void*, std::size_t>> fill;
      pages_.fail_after(0);
      for (const std::uint16_t size : kObjectSizes) {
        while (void* object = fs().heap().allocate(size)) fill.emplace_back(object, size);
      }
      const auto names = list(fs(), d);
      const std::uint64_t used = state_->heap.used_pages;
      const std::uint64_t inodes = state_->inode_count;
      pages_.fail_after(allowed);
      const bool worked = operations[which](d);
      pages_.never_fail();
      if (!worked) {
        fs().heap().trim();
        EXPECT_EQ(list(fs(), d), names);
        EXPECT_EQ(state_->heap.used_pages, used) << which << " " << allowed;
        EXPECT_EQ(state_->inode_count, inodes);
        EXPECT_EQ(f.links, 1U);
        EXPECT_EQ(f.size, 7U);
        EXPECT_EQ(read(f, 0, 10), "content");
      }
      for (const auto& [object, size] : fill) fs().heap().free(object, size);
      if (worked) break;
    }
  }
}

}  // namespace
}  // namespace xok::exos
