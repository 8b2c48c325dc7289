// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Unpacks arbitrary bytes as a boot archive. Properties:
//
//   - the archive's bytes are never written, and nothing outside them is read (address sanitizer)
//   - what was made can be read, is below the root, and has the link counts that its names say
//   - external pages lie within the archive and are zero behind the end of their file
//   - destroying the file system gives every page back, whether unpacking worked or not
#include <cstdlib>
#include <cstring>
#include <map>

#include "exos/fs/archive.hpp"
#include "exos/fs/test_archive.hpp"

namespace {

using namespace xok;
using namespace xok::exos;

class CountedPages final : public PageSource {
 public:
  void* allocate_pages(std::size_t count) override {
    void* first = std::aligned_alloc(kPageSize, count * kPageSize);
    std::memset(first, 0, count * kPageSize);
    out += count;
    return first;
  }
  void free_pages(void* first, std::size_t count) override {
    std::free(first);
    out -= count;
  }
  std::size_t out = 0;
};

void require(bool property) {
  if (!property) std::abort();
}

struct Checker {
  MemoryFs fs;
  std::span<const std::byte> archive;
  std::map<Inode*, std::uint32_t> names = {};

  void check_page(Inode& file, std::uint64_t index) {
    const auto page = fs.page_at(file, index, PageUse::Read);
    require(page.has_value());
    const auto* bytes = static_cast<const std::byte*>(page->address);
    if (page->read_only) {
      require(bytes >= archive.data() && bytes + kPageSize <= archive.data() + archive.size());
    }
    const std::uint64_t used = std::min<std::uint64_t>(kPageSize, file.size - index * kPageSize);
    for (std::uint64_t i = used; i < kPageSize; ++i) require(bytes[i] == std::byte{0});
  }

  void check_below(Inode& directory, unsigned depth) {
    require(depth <= kMaxPath);
    std::uint32_t subdirectories = 0;
    std::uint64_t cursor = 2;
    while (const auto item = fs.next_entry(directory, cursor)) {
      cursor = item->next_cursor;
      Inode* inode = fs.lookup(directory, item->name).value_or(nullptr);
      require(inode != nullptr && item->name != "." && item->name != "..");
      if (inode->type == FileType::Directory) {
        ++subdirectories;
        require(inode->parent == &directory);
        check_below(*inode, depth + 1);
        continue;
      }
      ++names[inode];
      if (inode->type != FileType::Regular) continue;
      for (std::uint64_t i = 0; i * kPageSize < inode->size; ++i) check_page(*inode, i);
    }
    require(directory.links == 2 + subdirectories);
  }

  void check() {
    check_below(fs.root(), 0);
    for (const auto& [inode, count] : names) require(inode->links == count);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const PlacedArchive archive{input};
  CountedPages pages;
  MemoryFsState* state = MemoryFs::create(pages, {.pages = 2000, .inodes = 500}, 0).value();
  MemoryFs fs{*state, pages, 1};
  const auto report = unpack_archive(archive.bytes(), fs);
  require(report.has_value() || report.error() == FsError::BadFormat ||
          report.error() == FsError::NoSpace);
  Checker{fs, archive.bytes()}.check();
  require(std::memcmp(archive.bytes().data(), input.data(), input.size()) == 0);
  require(MemoryFs::destroy(state, pages).has_value());
  require(pages.out == 0);
  return 0;
}
