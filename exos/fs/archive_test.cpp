// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fs/archive.hpp"

#include "exos/fs/test_archive.hpp"
#include "exos/fs/test_pages.hpp"

namespace xok::exos {
namespace {

constexpr std::uint32_t kDirectoryMode = 040755;

struct ArchiveTest : MemoryFsFixture {
  FsResult<UnpackReport> unpack(std::string_view bytes) {
    archives_.emplace_back(bytes);
    MemoryFs target = fs();
    return unpack_archive(archives_.back().bytes(), target);
  }
  Inode* find(std::string_view path) {
    Inode* at = &root();
    while (at != nullptr && !path.empty()) {
      const std::size_t end = std::min(path.find('/'), path.size());
      at = fs().lookup(*at, path.substr(0, end)).value_or(nullptr);
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    return at;
  }
  /// The archive stays while the file system does.
  std::vector<PlacedArchive> archives_;
};

TEST_F(ArchiveTest, EveryKindOfFileIsMade) {
  const auto report =
      unpack(ArchiveWriter{}
                 .add({.name = ".", .mode = 040711, .uid = 3, .modified = 9})
                 .add({.name = "etc", .mode = 041755, .gid = 7, .modified = 5})
                 .add({.name = "etc/passwd",
                       .mode = 0100600,
                       .data = "root:x:0:0",
                       .uid = 1,
                       .gid = 2,
                       .modified = 1'700'000'000})
                 .add({.name = "link", .mode = 0120777, .data = "etc/passwd"})
                 .add({.name = "null", .mode = 020666, .node_major = 1, .node_minor = 3})
                 .add({.name = "disk", .mode = 060600, .node_major = 259, .node_minor = 70'000})
                 .add({.name = "fifo", .mode = 010644})
                 .add({.name = "/sock", .mode = 0140644})
                 .finish());
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->entries, 8U);
  EXPECT_EQ(root().permissions, 0711);
  EXPECT_EQ(root().uid, 3U);
  Inode* passwd = find("etc/passwd");
  ASSERT_NE(passwd, nullptr);
  EXPECT_EQ(read(*passwd, 0, 99), "root:x:0:0");
  EXPECT_EQ(MemoryFs::attributes(*passwd).mode(), 0100600U);
  EXPECT_EQ(passwd->uid, 1U);
  EXPECT_EQ(passwd->gid, 2U);
  EXPECT_EQ(passwd->modified_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(find("etc")->modified_ns, 5'000'000'000);
  EXPECT_EQ(find("etc")->permissions, 01755);
  EXPECT_EQ(MemoryFs::read_link(*find("link")), "etc/passwd");
  EXPECT_EQ(find("null")->device, 0x103U);
  EXPECT_EQ(find("disk")->device, 0x11110370U);
  EXPECT_EQ(find("fifo")->type, FileType::Fifo);
  EXPECT_EQ(find("sock")->type, FileType::Socket);
}

TEST_F(ArchiveTest, AlignedDataIsUsedInPlace) {
  const std::string data(kPageSize + 100, 'd');
  const auto report = unpack(ArchiveWriter{}
                                 .add({.name = "small", .data = "s"})
                                 .add({.name = "big", .data = data, .aligned = true})
                                 .add({.name = "after", .data = "a"})
                                 .finish());
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->external_pages, 2U);
  EXPECT_EQ(report->copied_pages, 2U);
  Inode& big = *find("big");
  EXPECT_EQ(read(big, 0, 2 * kPageSize), data);
  const auto last = fs().page_at(big, 1, PageUse::Read);
  EXPECT_TRUE(last->read_only);
  const auto archive = archives_.back().bytes();
  EXPECT_GE(last->address, static_cast<const void*>(archive.data()));
  EXPECT_LT(last->address, static_cast<const void*>(archive.data() + archive.size()));
  EXPECT_EQ(static_cast<const char*>(last->address)[100], 0);
  const std::string before{reinterpret_cast<const char*>(archive.data()), archive.size()};
  write(big, 0, "X");
  write(big, kPageSize + 150, "Y");
  EXPECT_EQ(before, std::string(reinterpret_cast<const char*>(archive.data()), archive.size()));
}

TEST_F(ArchiveTest, ALastPageThatIsNotZeroBehindTheDataIsCopied) {
  std::string bytes =
      ArchiveWriter{}.add({.name = "f", .data = std::string(5000, 'd'), .aligned = true}).finish();
  // What follows the data is padding of the format; something in it shall not be mapped.
  const std::size_t end = bytes.find(std::string(5000, 'd')) + 5000;
  std::string tight = bytes.substr(0, end) + bytes.substr(bytes.rfind("070701"));
  const auto report = unpack(tight);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->external_pages, 1U);
  EXPECT_EQ(report->copied_pages, 1U);
  const auto last = fs().page_at(*find("f"), 1, PageUse::Read);
  EXPECT_FALSE(last->read_only);
  EXPECT_EQ(static_cast<const char*>(last->address)[5000 - kPageSize], 0);
}

TEST_F(ArchiveTest, HardLinksShareTheContentWhereverItStands) {
  const auto report = unpack(ArchiveWriter{}
                                 .add({.name = "a", .data = "", .number = 5, .links = 3})
                                 .add({.name = "d/b", .data = "", .number = 5, .links = 3})
                                 .add({.name = "other", .data = "o", .number = 6, .links = 1})
                                 .add({.name = "c", .data = "content", .number = 5, .links = 3})
                                 .add({.name = "x", .data = "first", .number = 7, .links = 2})
                                 .add({.name = "y", .data = "", .number = 7, .links = 2})
                                 .finish());
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(find("a"), find("d/b"));
  EXPECT_EQ(find("a"), find("c"));
  EXPECT_EQ(find("a")->links, 3U);
  EXPECT_EQ(read(*find("a"), 0, 99), "content");
  EXPECT_NE(find("other"), find("a"));
  EXPECT_EQ(find("x"), find("y"));
  EXPECT_EQ(read(*find("y"), 0, 99), "first");
  EXPECT_EQ(find("d")->permissions, 0755) << "a missing parent is made";
}

TEST_F(ArchiveTest, LaterEntriesReplaceEarlierOnes) {
  const auto report = unpack(ArchiveWriter{}
                                 .add({.name = "f", .data = "old and long"})
                                 .add({.name = "f", .mode = 0100755, .data = "new"})
                                 .add({.name = "d", .mode = kDirectoryMode})
                                 .add({.name = "d/x", .data = "x"})
                                 .add({.name = "d", .mode = 040700})
                                 .add({.name = "e", .mode = kDirectoryMode})
                                 .add({.name = "e", .data = "a file now"})
                                 .add({.name = "l", .mode = 0120777, .data = "d"})
                                 .add({.name = "l", .mode = kDirectoryMode})
                                 .add({.name = "l/y", .data = "y"})
                                 .finish());
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(read(*find("f"), 0, 99), "new");
  EXPECT_EQ(find("f")->permissions, 0755);
  EXPECT_EQ(find("d")->permissions, 0700);
  EXPECT_NE(find("d/x"), nullptr);
  EXPECT_EQ(read(*find("e"), 0, 99), "a file now");
  EXPECT_NE(find("l/y"), nullptr);
  EXPECT_EQ(find("d/y"), nullptr);
}

TEST_F(ArchiveTest, PathsThatLeaveOrAreNoPathsAreRefused) {
  for (const std::string& name :
       {std::string{".."}, std::string{"../x"}, std::string{"a/../../x"}, std::string{"a/.."},
        std::string{""}, std::string(256, 'n'), "d/" + std::string(256, 'n'), [] {
          std::string deep;
          while (deep.size() <= kMaxPath) deep += "abcdefg/";
          return deep;
        }()}) {
    const auto report =
        unpack(ArchiveWriter{}.add({.name = "before"}).add({.name = name}).finish());
    EXPECT_EQ(report.error(), FsError::BadFormat) << name;
    EXPECT_EQ(find("before"), nullptr) << "checked before anything is made";
  }
  EXPECT_TRUE(unpack(ArchiveWriter{}.add({.name = "./a//./b"}).finish()).has_value());
  EXPECT_NE(find("a/b"), nullptr);
  EXPECT_TRUE(unpack(ArchiveWriter{}.add({.name = "..a/b.."}).finish()).has_value());
}

TEST_F(ArchiveTest, LinksAreNotFollowedAndFullDirectoriesNotReplaced) {
  EXPECT_EQ(unpack(ArchiveWriter{}
                       .add({.name = "d", .mode = kDirectoryMode})
                       .add({.name = "l", .mode = 0120777, .data = "d"})
                       .add({.name = "l/x"})
                       .finish())
                .error(),
            FsError::BadFormat);
  EXPECT_EQ(unpack(ArchiveWriter{}.add({.name = "f"}).add({.name = "f/x"}).finish()).error(),
            FsError::BadFormat);
  EXPECT_EQ(unpack(ArchiveWriter{}.add({.name = "p/q"}).add({.name = "p"}).finish()).error(),
            FsError::BadFormat);
  EXPECT_EQ(unpack(ArchiveWriter{}.add({.name = "./", .mode = 0100644}).finish()).error(),
            FsError::BadFormat);
}

TEST_F(ArchiveTest, BadFieldsAreRefused) {
  using Entry = ArchiveWriter::Entry;
  const Entry bad[] = {
      {.name = "f", .magic = "070707"},
      {.name = "f", .mode = 0},
      {.name = "f", .mode = 0030644},
      {.name = "f", .mode = 0200000 | 0100644},
      {.name = "d", .mode = kDirectoryMode, .data = "x"},
      {.name = "p", .mode = 010644, .data = "x"},
      {.name = "l", .mode = 0120777, .data = ""},
      {.name = "l", .mode = 0120777, .data = std::string("a\0b", 3)},
      {.name = "l", .mode = 0120777, .data = std::string(4096, 'x')},
      {.name = "f", .data = "abc", .magic = "070702", .check = 1},
      {.name = std::string("a\0b", 3)},
  };
  for (const Entry& entry : bad) {
    EXPECT_EQ(unpack(ArchiveWriter{}.add(entry).finish()).error(), FsError::BadFormat)
        << entry.name << " " << entry.mode;
  }
  EXPECT_TRUE(unpack(ArchiveWriter{}
                         .add({.name = "f", .data = "abc", .magic = "070702", .check = 294})
                         .finish())
                  .has_value());
}

TEST_F(ArchiveTest, EveryTruncationAndEveryBadDigitIsRefused) {
  const std::string whole = ArchiveWriter{}.add({.name = "file", .data = "data"}).finish();
  for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
    // The trailer's own padding may be missing, its name's NUL may not.
    if (whole.substr(0, length).ends_with(std::string("TRAILER!!!\0", 11))) break;
    EXPECT_EQ(unpack(whole.substr(0, length)).error(), FsError::BadFormat) << length;
  }
  for (std::size_t at = 6; at < 110; ++at) {
    for (const char wrong : {'g', ' ', '\0', '-', 'x'}) {
      std::string broken = whole;
      broken[at] = wrong;
      EXPECT_EQ(unpack(broken).error(), FsError::BadFormat) << at;
    }
  }
}

TEST_F(ArchiveTest, SizesThatOverflowAreRefused) {
  const std::string whole = ArchiveWriter{}.add({.name = "file", .data = "data"}).finish();
  for (const std::size_t field : {6U, 11U}) {  // file size, name size
    for (const char* size : {"FFFFFFFF", "FFFFFFFC", "7FFFFFFF", "00002100"}) {
      std::string broken = whole;
      broken.replace(6 + field * 8, 8, size);
      EXPECT_EQ(unpack(broken).error(), FsError::BadFormat) << field << size;
    }
  }
  std::string nameless = whole;
  nameless.replace(6 + 11 * 8, 8, "00000000");
  EXPECT_EQ(unpack(nameless).error(), FsError::BadFormat);
}

TEST_F(ArchiveTest, RunningOutOfMemoryAnywhereLeavesASoundFileSystem) {
  const std::string bytes =
      ArchiveWriter{}
          .add({.name = "a", .data = std::string(9000, 'a'), .number = 1, .links = 2})
          .add({.name = "b", .number = 1, .links = 2})
          .add({.name = "d/e/f", .data = std::string(9000, 'f'), .aligned = true})
          .add({.name = "l", .mode = 0120777, .data = std::string(3000, 'l')})
          .finish();
  for (std::uint64_t allowed = 0;; ++allowed) {
    ASSERT_LT(allowed, 100U);
    make({.pages = 1000, .inodes = 100});
    pages_.fail_after(allowed);
    const auto report = unpack(bytes);
    pages_.never_fail();
    if (report) break;
    EXPECT_EQ(report.error(), FsError::NoSpace);
    EXPECT_EQ(state_->references, 0U);
  }
}

}  // namespace
}  // namespace xok::exos
