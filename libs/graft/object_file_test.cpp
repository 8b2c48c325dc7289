// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/graft/object_file.hpp"

#include <gtest/gtest.h>

#include <string>

#include "libs/elf/test_file.hpp"

namespace xok::graft {
namespace {

using elf::SectionHeader;
using elf::test::Bytes;

/// An object file with the grafts "one" (8 bytes) and "two" (16 bytes) and data.
struct GraftFile {
  std::uint16_t type = elf::kTypeRelocatable;
  std::uint16_t machine = elf::kMachineBpf;
  std::uint16_t names = 1;
  SectionHeader strings{1, elf::kSectionStrings, 0, 0, 0x500, 50, 0, 0, 1, 0};
  SectionHeader one{10, elf::kSectionContent, 6, 0, 0x600, 8, 0, 0, 8, 0};
  SectionHeader two{20, elf::kSectionContent, 6, 0, 0x608, 16, 0, 0, 8, 0};
  SectionHeader data{30, elf::kSectionContent, 3, 0, 0x618, 8, 0, 0, 8, 0};
  SectionHeader relocations{40, elf::kSectionRelocations, 0, 0, 0x620, 16, 0, 4, 8, 16};

  Bytes bytes() const {
    elf::test::File file;
    file.header.type = type;
    file.header.machine = machine;
    file.header.section_headers = 0x200;
    file.header.section_header_count = 6;
    file.header.section_names = names;
    Bytes out = file.bytes();
    std::size_t at = 0x240;
    for (const SectionHeader& section : {strings, one, two, data, relocations}) {
      elf::test::put(out, at, section);
      at += sizeof section;
    }
    elf::test::put_text(out, 0x50a, "graft/one");
    elf::test::put_text(out, 0x514, "graft/two");
    elf::test::put_text(out, 0x51e, ".data");
    elf::test::put_text(out, 0x528, ".rel");
    return out;
  }
};

Errc error_of(const GraftFile& file, std::string_view name) {
  const Bytes bytes = file.bytes();
  const auto object = ObjectFile::open(bytes);
  if (!object) return object.error();
  const auto found = object->find(name);
  return found ? Errc{} : found.error();
}

TEST(GraftObjectFile, FindsGraftsByName) {
  const Bytes bytes = GraftFile{}.bytes();
  const auto object = ObjectFile::open(bytes);
  ASSERT_TRUE(object);
  const auto one = object->find("one");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->code.data(), bytes.data() + 0x600);
  EXPECT_EQ(one->code.size(), 8u);
  EXPECT_EQ(object->find("two")->code.size(), 16u);
  std::string names;
  EXPECT_TRUE(object->for_each(
      [&](const ObjectFile::Graft& graft) { names += std::string{graft.name} + " "; }));
  EXPECT_EQ(names, "one two ");
}

TEST(GraftObjectFile, FindsTheOnlyOneWithoutName) {
  GraftFile file;
  EXPECT_EQ(error_of(file, ""), Errc::BadArgument) << "two";
  file.two.size = 0;
  EXPECT_EQ(error_of(file, ""), Errc{});
  file.one.flags = 3;
  EXPECT_EQ(error_of(file, ""), Errc::NotFound);
  EXPECT_EQ(error_of(file, "one"), Errc::NotFound);
}

TEST(GraftObjectFile, RefusesCodeThatRefersElsewhere) {
  GraftFile file;
  EXPECT_EQ(error_of(file, "one"), Errc{}) << "the relocations are those of the data";
  file.relocations.info = 2;
  EXPECT_EQ(error_of(file, "one"), Errc::NotSupported);
  EXPECT_EQ(error_of(file, "two"), Errc{});
  file.relocations.type = elf::kSectionRelocationsWithAddend;
  EXPECT_EQ(error_of(file, "one"), Errc::NotSupported);
}

TEST(GraftObjectFile, RefusesOtherFiles) {
  EXPECT_EQ(ObjectFile::open({}).error(), Errc::BadFormat);
  EXPECT_EQ(ObjectFile::open(Bytes(4096)).error(), Errc::BadFormat);
  GraftFile file;
  file.machine = elf::kMachineX86_64;
  EXPECT_EQ(error_of(file, "one"), Errc::BadFormat);
  file = {};
  file.type = elf::kTypeExecutable;
  EXPECT_EQ(error_of(file, "one"), Errc::BadFormat);
  EXPECT_EQ(ObjectFile::open(elf::test::File{}.bytes()).error(), Errc::NotFound) << "no sections";
}

TEST(GraftObjectFile, RefusesWhatLiesOutsideTheFile) {
  GraftFile file;
  file.two.file_offset = ~0ull;
  EXPECT_EQ(error_of(file, "two"), Errc::BadFormat);
  file = {};
  file.names = 77;
  EXPECT_EQ(error_of(file, "one"), Errc::BadFormat);
  file = {};
  file.one.name = 50;
  EXPECT_EQ(error_of(file, "one"), Errc::BadFormat);
  file = {};
  file.strings.size = 12;  // ends within the name
  EXPECT_EQ(error_of(file, "one"), Errc::BadFormat);
  const Bytes whole = GraftFile{}.bytes();
  for (std::size_t size = 0; size < 0x630; ++size) {
    const auto object = ObjectFile::open(std::span{whole}.first(size));
    if (!object) continue;
    const auto found = object->find("two");
    EXPECT_TRUE(found || found.error() == Errc::BadFormat);
  }
}

}  // namespace
}  // namespace xok::graft
