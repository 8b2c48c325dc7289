// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/elf/symbols.hpp"

#include <gtest/gtest.h>

#include "libs/elf/test_file.hpp"

namespace xok::elf {
namespace {

/// A file with two functions, `boot` [0x1000, 0x1010) and `trap` at 0x1020 of unknown size.
struct SymbolFile {
  SectionHeader symbols{1, kSectionSymbols, 0, 0, 0x400, 72, 2, 0, 8, 24};
  SectionHeader strings{9, kSectionStrings, 0, 0, 0x500, 14, 0, 0, 1, 0};
  std::uint16_t count = 3;

  test::Bytes bytes() const {
    test::File file;
    file.header.section_headers = 0x200;
    file.header.section_header_count = count;
    auto out = file.bytes();
    test::put(out, 0x240, symbols);
    test::put(out, 0x280, strings);
    test::put(out, 0x400, SymbolEntry{6, 1, 0, 1, 0x1000, 0x100});  // a variable
    test::put(out, 0x418, SymbolEntry{1, 0x12, 0, 1, 0x1000, 0x10});
    test::put(out, 0x430, SymbolEntry{6, 0x12, 0, 1, 0x1020, 0});
    test::put_text(out, 0x500, std::string_view{"\0boot\0trap\0etc\0", 15});
    return out;
  }
  Errc error() const {
    const auto file = bytes();
    const auto found = Symbols::find(file);
    return found ? Errc{} : found.error();
  }
};

TEST(ElfSymbols, FindsTheFunctionThatHoldsAnAddress) {
  SymbolFile file;
  file.strings.size = 15;
  const auto bytes = file.bytes();
  const auto symbols = *Symbols::find(bytes);
  const auto at = [&](std::uint64_t a) { return symbols.at(a).value_or(Symbols::Match{}); };
  EXPECT_EQ(at(0x1000).name, "boot");
  EXPECT_EQ(at(0x100f).offset, 15u);
  EXPECT_FALSE(symbols.at(0x1010).has_value());
  EXPECT_EQ(at(0x1020).name, "trap");
  EXPECT_FALSE(symbols.at(0x1021).has_value());
  EXPECT_FALSE(symbols.at(0).has_value());
}

TEST(ElfSymbols, RefusesTablesOutsideTheFile) {
  const auto broken = [](auto change) {
    SymbolFile file;
    file.strings.size = 15;
    change(file);
    return file.error();
  };
  EXPECT_EQ(broken([](SymbolFile&) {}), Errc{});
  EXPECT_EQ(broken([](SymbolFile& f) { f.count = 0; }), Errc::NotFound);
  EXPECT_EQ(broken([](SymbolFile& f) { f.symbols.type = 1; }), Errc::NotFound);
  EXPECT_EQ(broken([](SymbolFile& f) { f.count = 0x1000; }), Errc::BadFormat);
  EXPECT_EQ(broken([](SymbolFile& f) { f.symbols.file_offset = ~0ull; }), Errc::BadFormat);
  EXPECT_EQ(broken([](SymbolFile& f) { f.symbols.size = 71; }), Errc::BadFormat);
  EXPECT_EQ(broken([](SymbolFile& f) { f.symbols.entry_size = 0; }), Errc::BadFormat);
  EXPECT_EQ(broken([](SymbolFile& f) { f.symbols.link = 3; }), Errc::BadFormat);
  EXPECT_EQ(broken([](SymbolFile& f) { f.symbols.link = 1; }), Errc::BadFormat);
  EXPECT_EQ(broken([](SymbolFile& f) { f.strings.size = 14; }), Errc::BadFormat) << "no last NUL";
  EXPECT_EQ(broken([](SymbolFile& f) { f.strings.size = 0; }), Errc::BadFormat);
  EXPECT_EQ(Symbols::find({}).error(), Errc::BadFormat);
  EXPECT_EQ(Symbols::find(test::Bytes(64)).error(), Errc::BadFormat);
}

}  // namespace
}  // namespace xok::elf
