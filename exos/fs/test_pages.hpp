// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "base/units.hpp"
#include "exos/fs/memory_fs.hpp"
#include "exos/fs/page_source.hpp"

namespace xok::exos {

/// A page source over the host's heap, for tests: counts what is out, can run dry, and fails the
/// test if pages are missing when it goes.
class TestPages final : public PageSource {
 public:
  ~TestPages() { EXPECT_EQ(out_, 0U) << "pages leaked"; }

  void* allocate_pages(std::size_t count) override {
    if (fail_after_ != kNever && fail_after_-- == 0) {
      fail_after_ = 0;
      return nullptr;
    }
    void* first = std::aligned_alloc(kPageSize, count * kPageSize);
    std::memset(first, 0, count * kPageSize);
    runs_[first] = count;
    out_ += count;
    return first;
  }

  void free_pages(void* first, std::size_t count) override {
    const auto run = runs_.find(first);
    ASSERT_TRUE(run != runs_.end() && run->second == count) << "freed what was not allocated";
    runs_.erase(run);
    out_ -= count;
    std::free(first);
  }

  /// The next `count` allocations work, those after fail.
  void fail_after(std::uint64_t count) { fail_after_ = count; }
  void never_fail() { fail_after_ = kNever; }
  [[nodiscard]] std::uint64_t out() const { return out_; }

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  std::uint64_t fail_after_ = kNever;
  std::uint64_t out_ = 0;
  std::map<void*, std::size_t> runs_;
};

/// A memory file system for one test; destroyed, and checked for leaks, at the end.
class MemoryFsFixture : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'700'000'000'000'000'000;

  void SetUp() override { make({.pages = 100'000, .inodes = 100'000}); }
  void TearDown() override {
    pages_.never_fail();
    EXPECT_TRUE(MemoryFs::destroy(state_, pages_).has_value()) << "an inode is still held";
  }
  void make(MemoryFs::Limits limits) {
    if (state_ != nullptr) {
      EXPECT_TRUE(MemoryFs::destroy(state_, pages_).has_value());
    }
    auto made = MemoryFs::create(pages_, limits, kNow);
    ASSERT_TRUE(made.has_value());
    state_ = *made;
  }

  MemoryFs fs(std::int64_t now_ns = kNow) { return {*state_, pages_, now_ns}; }
  Inode& root() { return *state_->root; }

  Inode& file(Inode& directory, std::string_view name) {
    return *fs().create(directory, name, {.type = FileType::Regular, .permissions = 0644}).value();
  }
  Inode& directory(Inode& parent, std::string_view name) {
    return *fs().create(parent, name, {.type = FileType::Directory, .permissions = 0755}).value();
  }
  std::size_t write(Inode& inode, std::uint64_t offset, std::string_view text) {
    return fs().write(inode, offset, std::as_bytes(std::span{text})).value();
  }
  std::string read(Inode& inode, std::uint64_t offset, std::size_t length) {
    std::string out(length, '\0');
    const auto got = fs().read(inode, offset, std::as_writable_bytes(std::span{out}));
    out.resize(got.value());
    return out;
  }

  TestPages pages_;
  MemoryFsState* state_ = nullptr;
};

}  // namespace xok::exos
