// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <vector>

#include "exos/fs/test_pages.hpp"

namespace xok::exos {
namespace {

/// Data tests, with a page of "archive" that must never change.
struct MemoryFsDataTest : MemoryFsFixture {
  alignas(kPageSize) static inline std::byte archive[2 * kPageSize];

  /// A file of `size` bytes whose pages are the archive's, zero behind its end.
  Inode& external_file(std::uint64_t size) {
    std::memset(archive, 0, sizeof archive);
    std::memset(archive, 'A', size);
    Inode& f = file(root(), "external");
    EXPECT_TRUE(fs().resize(f, size).has_value());
    for (std::uint64_t i = 0; i * kPageSize < size; ++i) {
      EXPECT_TRUE(fs().add_external_page(f, i, archive + i * kPageSize).has_value());
    }
    return f;
  }
  void expect_archive_untouched(std::uint64_t size) {
    for (std::size_t i = 0; i < sizeof archive; ++i) {
      ASSERT_EQ(archive[i], i < size ? std::byte{'A'} : std::byte{0});
    }
  }
};

TEST_F(MemoryFsDataTest, ReadsBackWhatWasWrittenAcrossPages) {
  Inode& f = file(root(), "f");
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i);
  EXPECT_EQ(write(f, 4090, text), text.size());
  EXPECT_EQ(f.size, 4090 + text.size());
  EXPECT_EQ(read(f, 4090, text.size() + 100), text);
  EXPECT_EQ(read(f, 0, 4090), std::string(4090, '\0'));
  EXPECT_EQ(read(f, f.size, 10), "");
  EXPECT_EQ(read(f, ~std::uint64_t{0}, 10), "");
}

TEST_F(MemoryFsDataTest, AFileMayBeATerabyteOfHole) {
  Inode& f = file(root(), "f");
  const std::uint64_t used = state_->heap.used_pages;
  EXPECT_EQ(write(f, kMaxFileSize - 1, "z"), 1U);
  EXPECT_EQ(f.size, kMaxFileSize);
  EXPECT_EQ(f.pages, 1U);
  EXPECT_LE(state_->heap.used_pages, used + 3);
  EXPECT_EQ(read(f, kMaxFileSize - 3, 10), std::string("\0\0z", 3));
  EXPECT_EQ(MemoryFs::seek_data(f, 0), kMaxFileSize - kPageSize);
  EXPECT_EQ(MemoryFs::seek_hole(f, 0), 0U);
  EXPECT_EQ(fs().write(f, kMaxFileSize, std::as_bytes(std::span{"x", 1})).error(),
            FsError::FileTooBig);
  EXPECT_EQ(write(f, kMaxFileSize - 2, "abcd"), 2U);
  EXPECT_EQ(fs().resize(f, kMaxFileSize + 1).error(), FsError::FileTooBig);
  EXPECT_TRUE(fs().resize(f, 10).has_value());
  EXPECT_EQ(f.pages, 0U);
}

TEST_F(MemoryFsDataTest, CuttingAndGrowingShowsZeros) {
  Inode& f = file(root(), "f");
  write(f, 0, std::string(2 * kPageSize, 'x'));
  ASSERT_TRUE(fs().resize(f, 100).has_value());
  EXPECT_EQ(f.pages, 1U);
  ASSERT_TRUE(fs().resize(f, 2 * kPageSize).has_value());
  EXPECT_EQ(read(f, 0, 200), std::string(100, 'x') + std::string(100, '\0'));
  EXPECT_EQ(read(f, kPageSize, kPageSize), std::string(kPageSize, '\0'));
}

TEST_F(MemoryFsDataTest, WhatAMappingLeavesBehindTheEndNeverShows) {
  Inode& f = file(root(), "f");
  write(f, 0, "abc");
  auto* page = static_cast<char*>(fs().page_at(f, 0, PageUse::Write)->address);
  page[3] = page[50] = '!';
  write(f, 10, "z");
  EXPECT_EQ(read(f, 0, 60), std::string("abc\0\0\0\0\0\0\0z", 11));
  page[60] = '!';
  ASSERT_TRUE(fs().resize(f, 100).has_value());
  EXPECT_EQ(read(f, 11, 100), std::string(89, '\0'));
  page[100] = '!';
  ASSERT_TRUE(fs().preallocate(f, 0, 200, SizeChange::Extend).has_value());
  EXPECT_EQ(read(f, 100, 100), std::string(100, '\0'));
}

TEST_F(MemoryFsDataTest, WriteStopsWhereMemoryEnds) {
  make({.pages = 12, .inodes = 10});
  Inode& f = file(root(), "f");
  const std::string data(20 * kPageSize, 'x');
  const std::size_t written = write(f, 0, data);
  EXPECT_GT(written, 0U);
  EXPECT_LT(written, data.size());
  EXPECT_EQ(f.size, written);
  EXPECT_EQ(fs().write(f, written, std::as_bytes(std::span{data})).error(), FsError::NoSpace);
  EXPECT_EQ(f.size, written);
  EXPECT_EQ(fs().page_at(f, 0, PageUse::Write).has_value(), true);
  ASSERT_TRUE(fs().resize(f, 0).has_value());
  EXPECT_EQ(write(f, 0, data), written);
}

TEST_F(MemoryFsDataTest, OnlyRegularFilesHaveData) {
  Inode& fifo = *fs().create(root(), "p", {.type = FileType::Fifo}).value();
  std::byte buffer[1]{};
  EXPECT_EQ(fs().read(root(), 0, buffer).error(), FsError::IsADirectory);
  EXPECT_EQ(fs().write(root(), 0, buffer).error(), FsError::IsADirectory);
  EXPECT_EQ(fs().read(fifo, 0, buffer).error(), FsError::BadArgument);
  EXPECT_EQ(fs().resize(fifo, 0).error(), FsError::BadArgument);
  EXPECT_EQ(fs().page_at(fifo, 0, PageUse::Read).error(), FsError::BadArgument);
}

TEST_F(MemoryFsDataTest, PreallocatedMemoryIsThereWhenTheQuotaIsGone) {
  make({.pages = 20, .inodes = 10});
  Inode& f = file(root(), "f");
  ASSERT_TRUE(fs().preallocate(f, 0, 8 * kPageSize, SizeChange::Keep).has_value());
  EXPECT_EQ(f.size, 0U);
  EXPECT_EQ(f.pages, 8U);
  Inode& g = file(root(), "g");
  EXPECT_LT(write(g, 0, std::string(20 * kPageSize, 'g')), 20 * kPageSize);
  EXPECT_EQ(write(f, 0, std::string(8 * kPageSize, 'f')), 8 * kPageSize);
  const std::uint64_t pages = f.pages;
  EXPECT_EQ(fs().preallocate(f, 0, 10 * kPageSize, SizeChange::Extend).error(), FsError::NoSpace);
  EXPECT_EQ(f.pages, pages);
  EXPECT_EQ(f.size, 8 * kPageSize);
  EXPECT_EQ(fs().preallocate(f, 0, 0, SizeChange::Keep).error(), FsError::BadArgument);
  EXPECT_EQ(fs().preallocate(f, kMaxFileSize, 1, SizeChange::Keep).error(), FsError::FileTooBig);
  EXPECT_EQ(fs().preallocate(f, 1, ~std::uint64_t{0}, SizeChange::Keep).error(),
            FsError::FileTooBig);
}

TEST_F(MemoryFsDataTest, PunchingFreesWholePagesAndZeroesTheRest) {
  Inode& f = file(root(), "f");
  write(f, 0, std::string(4 * kPageSize, 'x'));
  ASSERT_TRUE(fs().punch_hole(f, 100, 3 * kPageSize).has_value());
  EXPECT_EQ(f.pages, 2U);
  EXPECT_EQ(f.size, 4 * kPageSize);
  EXPECT_EQ(read(f, 0, 5 * kPageSize), std::string(100, 'x') + std::string(3 * kPageSize, '\0') +
                                           std::string(kPageSize - 100, 'x'));
  ASSERT_TRUE(fs().punch_hole(f, 10, 5).has_value());
  EXPECT_EQ(read(f, 9, 7), std::string("x\0\0\0\0\0x", 7));
  EXPECT_EQ(fs().punch_hole(f, 10, 0).error(), FsError::BadArgument);
  EXPECT_EQ(MemoryFs::seek_hole(f, 0), kPageSize);
  EXPECT_EQ(MemoryFs::seek_data(f, kPageSize), 3 * kPageSize);
  EXPECT_EQ(MemoryFs::seek_hole(f, 3 * kPageSize), 4 * kPageSize);
  EXPECT_EQ(MemoryFs::seek_data(f, 4 * kPageSize).error(), FsError::BeyondEnd);
  EXPECT_EQ(MemoryFs::seek_hole(f, 4 * kPageSize).error(), FsError::BeyondEnd);
}

TEST_F(MemoryFsDataTest, MappedHolesAreTheZeroPageUntilTheyAreWritten) {
  Inode& f = file(root(), "f");
  ASSERT_TRUE(fs().resize(f, kPageSize + 1).has_value());
  const auto hole = fs().page_at(f, 1, PageUse::Read);
  EXPECT_EQ(hole->address, state_->zero_page);
  EXPECT_TRUE(hole->read_only);
  EXPECT_EQ(f.pages, 0U);
  const auto own = fs().page_at(f, 1, PageUse::Write);
  EXPECT_NE(own->address, state_->zero_page);
  EXPECT_FALSE(own->read_only);
  EXPECT_EQ(fs().page_at(f, 1, PageUse::Read)->address, own->address);
  EXPECT_EQ(fs().page_at(f, 2, PageUse::Read).error(), FsError::BeyondEnd);
  // A write through the mapping is a write to the file, and the other way round.
  static_cast<char*>(own->address)[0] = 'm';
  EXPECT_EQ(read(f, kPageSize, 10), "m");
  write(f, kPageSize, "w");
  EXPECT_EQ(static_cast<char*>(own->address)[0], 'w');
}

TEST_F(MemoryFsDataTest, ExternalPagesAreShownInPlaceAndCopiedByTheFirstWrite) {
  constexpr std::uint64_t kSize = kPageSize + 10;
  Inode& f = external_file(kSize);
  EXPECT_EQ(read(f, 0, 2 * kPageSize), std::string(kSize, 'A'));
  const auto shown = fs().page_at(f, 0, PageUse::Read);
  EXPECT_EQ(shown->address, archive);
  EXPECT_TRUE(shown->read_only);
  write(f, 5, "B");
  EXPECT_EQ(read(f, 4, 3), "ABA");
  EXPECT_NE(fs().page_at(f, 0, PageUse::Read)->address, archive);
  EXPECT_EQ(fs().page_at(f, 1, PageUse::Read)->address, archive + kPageSize);
  EXPECT_EQ(f.pages, 2U);
  const auto own = fs().page_at(f, 1, PageUse::Write);
  EXPECT_FALSE(own->read_only);
  EXPECT_EQ(static_cast<char*>(own->address)[9], 'A');
  EXPECT_EQ(static_cast<char*>(own->address)[10], 0);
  expect_archive_untouched(kSize);
}

TEST_F(MemoryFsDataTest, CuttingThroughAnExternalPageTakesACopy) {
  constexpr std::uint64_t kSize = kPageSize + 10;
  Inode& f = external_file(kSize);
  pages_.fail_after(0);
  EXPECT_EQ(fs().resize(f, 20).error(), FsError::NoSpace);
  EXPECT_EQ(fs().page_at(f, 0, PageUse::Write).error(), FsError::NoSpace);
  EXPECT_EQ(fs().punch_hole(f, 1, 5).error(), FsError::NoSpace);
  EXPECT_EQ(read(f, 0, kSize), std::string(kSize, 'A'));
  pages_.never_fail();
  ASSERT_TRUE(fs().resize(f, 20).has_value());
  ASSERT_TRUE(fs().resize(f, 40).has_value());
  EXPECT_EQ(read(f, 0, 100), std::string(20, 'A') + std::string(20, '\0'));
  expect_archive_untouched(kSize);
}

TEST_F(MemoryFsDataTest, GrowingAnExternalFileLeavesTheArchiveAlone) {
  constexpr std::uint64_t kSize = kPageSize + 10;
  Inode& f = external_file(kSize);
  write(f, kSize + 5, "end");
  EXPECT_EQ(read(f, kSize - 1, 100), std::string("A\0\0\0\0\0end", 9));
  ASSERT_TRUE(fs().preallocate(f, 0, 3 * kPageSize, SizeChange::Keep).has_value());
  EXPECT_FALSE(fs().page_at(f, 0, PageUse::Read)->read_only);
  expect_archive_untouched(kSize);
}

}  // namespace
}  // namespace xok::exos
