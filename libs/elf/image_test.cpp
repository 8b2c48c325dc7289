// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/elf/image.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "libs/elf/test_file.hpp"

namespace xok::elf {
namespace {

using test::Bytes;
using test::File;

constexpr Limits kUser{0x10000, 0x7fff'ffff'f000};

Errc error_of(const Bytes& file, Limits limits = kUser) {
  const auto image = parse(file, limits);
  return image ? Errc{} : image.error();
}

/// The error after one change to a good file.
template <class Change>
Errc broken(Change change) {
  File file;
  change(file);
  return error_of(file.bytes());
}

TEST(ElfImage, ReadsAnExecutable) {
  File file;
  file.more = {{kPtGnuStack, kFlagRead | kFlagWrite, 0, 0, 0, 0, 0, 16},
               {kPtTls, kFlagRead, 0x1000, 0x402000, 0, 0x10, 0x40, 32},
               {kPtDynamic, kFlagRead, 0x1020, 0x402020, 0, 0x20, 0x20, 8}};
  const auto image = parse(file.bytes(), kUser);
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(image->type, Type::Executable);
  EXPECT_EQ(image->entry, 0x400200u);
  EXPECT_EQ(image->program_header_count, 5u);
  EXPECT_EQ(image->program_headers, 0x400040u);
  EXPECT_FALSE(image->executable_stack);
  EXPECT_FALSE(image->interpreter.has_value());
  ASSERT_EQ(image->segments().size(), 2u);
  const Segment& data = image->segments()[1];
  EXPECT_EQ(data.address, 0x402000u);
  EXPECT_EQ(data.memory_size, 0x300u);
  EXPECT_EQ(data.file.offset, 0x1000u);
  EXPECT_EQ(data.file.size, 0x80u);
  EXPECT_TRUE(data.readable && data.writable && !data.executable);
  EXPECT_EQ(image->first_page(), 0x400000u);
  EXPECT_EQ(image->end_page(), 0x403000u);
  const auto tls = image->thread_local_storage.value_or(ThreadLocal{});
  EXPECT_EQ(tls.alignment, 32u);
  EXPECT_EQ(tls.memory_size, 0x40u);
  EXPECT_EQ(image->dynamic.value_or(MemoryRange{}).address, 0x402020u);
}

TEST(ElfImage, ReadsAFilePieceByPiece) {
  const Bytes file = File{}.bytes();
  const auto header = parse_header(std::span{file}.first(kHeaderSize), 0x2000);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->program_headers.offset, 64u);
  EXPECT_EQ(header->program_headers.size, 112u);
  EXPECT_TRUE(parse_program_headers(*header, std::span{file}.subspan(64, 112), kUser).has_value());
  EXPECT_EQ(parse_program_headers(*header, std::span{file}.subspan(64, 111), kUser).error(),
            Errc::BadFormat);
  EXPECT_EQ(parse_header(std::span{file}.first(kHeaderSize), 100).error(), Errc::BadFormat);
  const auto shorter = parse_header(std::span{file}.first(kHeaderSize), 0x1000);
  EXPECT_EQ(parse_program_headers(*shorter, std::span{file}.subspan(64, 112), kUser).error(),
            Errc::BadFormat)
      << "the data lies behind the end";
}

TEST(ElfImage, ReadsThisVeryProgram) {
  std::ifstream stream{"/proc/self/exe", std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (text.empty()) GTEST_SKIP() << "no /proc";
  const auto file = std::as_bytes(std::span{text});
  const auto image = parse(file, kUser);
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(image->type, Type::Dynamic);
  EXPECT_EQ(image->program_headers, 64u);
  EXPECT_TRUE(image->dynamic.has_value());
  const FileRange range = image->interpreter.value_or(FileRange{});
  const auto path = interpreter_path(file.subspan(range.offset, range.size));
  ASSERT_TRUE(path.has_value());
  EXPECT_TRUE(path->starts_with("/lib")) << *path;
}

TEST(ElfImage, RefusesABadFileHeader) {
  EXPECT_EQ(error_of(File{}.bytes()), Errc{});
  EXPECT_EQ(error_of({}), Errc::BadFormat);
  EXPECT_EQ(error_of(Bytes(63)), Errc::BadFormat);
  for (std::size_t i = 0; i < 7; ++i)
    EXPECT_EQ(broken([&](File& f) { f.header.ident[i] = 9; }), Errc::BadFormat) << i;
  EXPECT_EQ(broken([](File& f) { f.header.ident[7] = 9; }), Errc::NotSupported);
  EXPECT_EQ(broken([](File& f) { f.header.ident[7] = kOsAbiLinux; }), Errc{});
  EXPECT_EQ(broken([](File& f) { f.header.machine = 3; }), Errc::NotSupported);
  EXPECT_EQ(broken([](File& f) { f.header.type = 1; }), Errc::NotSupported);
  EXPECT_EQ(broken([](File& f) { f.header.type = 4; }), Errc::NotSupported);
  EXPECT_EQ(broken([](File& f) { f.header.version = 0; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.header.header_size = 52; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.header.program_header_size = 32; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.header.program_header_count = 129; }), Errc::TooBig);
  EXPECT_EQ(broken([](File& f) { f.header.program_headers = 0x2000; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.header.program_headers = ~0ull; }), Errc::BadFormat);
  Bytes none = File{}.bytes();
  none[56] = std::byte{0};
  EXPECT_EQ(error_of(none), Errc::BadFormat);
}

TEST(ElfImage, RefusesSegmentsOutsideTheFileOrMemory) {
  EXPECT_EQ(broken([](File& f) { f.data.file_offset = 0x2000; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.file_offset = ~0xfffull; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.file_size = 0x301; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.file_size = f.data.memory_size = 0x1001; }),
            Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.memory_size = ~0ull; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.memory_size = kUser.end; }), Errc::TooBig);
  EXPECT_EQ(broken([](File& f) { f.data.address = 0xffff'8000'0000'0000; }), Errc::TooBig);
  EXPECT_EQ(broken([](File& f) { f.data.address = ~0xfffull; }), Errc::TooBig);
  EXPECT_EQ(broken([](File& f) { f.text.address = 0xf000; }), Errc::TooBig);
  EXPECT_EQ(broken([](File& f) { f.data.memory_size = kUser.end - f.data.address; }), Errc{});
  EXPECT_EQ(broken([](File& f) { f.data.memory_size = kUser.end - f.data.address + 1; }),
            Errc::TooBig);
}

TEST(ElfImage, RefusesBadAlignment) {
  EXPECT_EQ(broken([](File& f) { f.data.alignment = 0x1800; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.alignment = 0x2000; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.alignment = 0; }), Errc{});
  EXPECT_EQ(broken([](File& f) { f.data.alignment = 1; }), Errc{});
  EXPECT_EQ(broken([](File& f) { f.data.address += 8, f.data.alignment = 8; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.address += 8, f.data.file_offset += 8; }), Errc{});
}

TEST(ElfImage, RefusesSegmentsThatMeetOrComeInTheWrongOrder) {
  EXPECT_EQ(broken([](File& f) { f.data.address = 0x400000; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.data.address = 0x401000; }), Errc{});
  EXPECT_EQ(broken([](File& f) { f.text.memory_size = 0x1001, f.data.address = 0x401000; }),
            Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { std::swap(f.text, f.data); }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) {
              f.text.file_size = f.text.memory_size = 0x800;
              f.data.address = 0x400800, f.data.file_offset = 0x800;
            }),
            Errc::BadFormat)
      << "two in one page";
}

TEST(ElfImage, BoundsTheNumberOfSegments) {
  File file;
  for (std::uint64_t i = 2; i < kMaxSegments; ++i)
    file.more.push_back({kPtLoad, kFlagRead, 0, 0x500000 + i * 0x1000, 0, 0, 8, 0x1000});
  EXPECT_EQ(error_of(file.bytes()), Errc{});
  file.more.push_back({kPtLoad, kFlagRead, 0, 0x900000, 0, 0, 0, 0x1000});
  EXPECT_EQ(error_of(file.bytes()), Errc{}) << "an empty one does not count";
  file.more.back().memory_size = 1;
  EXPECT_EQ(error_of(file.bytes()), Errc::TooBig);
  EXPECT_EQ(broken([](File& f) { f.text.type = f.data.type = 0; }), Errc::BadFormat) << "none";
}

TEST(ElfImage, ChecksTheEntry) {
  EXPECT_EQ(broken([](File& f) { f.header.entry = 0; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.header.entry = 0x401000; }), Errc::BadFormat);
  EXPECT_EQ(broken([](File& f) { f.header.entry = 0x402000; }), Errc::BadFormat) << "data";
  EXPECT_EQ(broken([](File& f) { f.header.entry = ~0ull; }), Errc::BadFormat);
  const auto library = [](File& f) { f.header.type = kTypeDynamic, f.header.entry = 0; };
  EXPECT_EQ(broken(library), Errc{});
}

TEST(ElfImage, ADynamicImageMustFitBetweenTheLimits) {
  File file;
  file.header.type = kTypeDynamic;
  file.text.address = 0;
  file.header.entry = 0x200;
  file.data.address = 0x2000;
  EXPECT_EQ(error_of(file.bytes(), {0x10000, 0x13000}), Errc{});
  EXPECT_EQ(error_of(file.bytes(), {0x10000, 0x12000}), Errc::TooBig);
  EXPECT_EQ(error_of(file.bytes(), {0x10001, 0x13000}), Errc::BadArgument);
  EXPECT_EQ(error_of(file.bytes(), {0x10000, 0x13001}), Errc::BadArgument);
  EXPECT_EQ(error_of(file.bytes(), {0x13000, 0x10000}), Errc::BadArgument);
}

TEST(ElfImage, FindsTheProgramHeadersInMemory) {
  File file;
  file.more = {{kPtPhdr, kFlagRead, 64, 0x400040, 0, 168, 168, 8}};
  EXPECT_EQ(parse(file.bytes(), kUser)->program_headers, 0x400040u);
  file.more[0].address = 0x500000;
  EXPECT_EQ(error_of(file.bytes()), Errc::BadFormat);
  file.more[0].address = 0x400fff;
  EXPECT_EQ(error_of(file.bytes()), Errc::BadFormat);
  File elsewhere;
  elsewhere.text.file_offset = 0x1000;
  EXPECT_FALSE(parse(elsewhere.bytes(), kUser)->program_headers.has_value());
}

TEST(ElfImage, ChecksTheOtherHeaders) {
  const auto with = [](std::vector<ProgramHeader> more) {
    File file;
    file.more = std::move(more);
    return error_of(file.bytes());
  };
  const ProgramHeader interpreter{kPtInterp, kFlagRead, 0x300, 0x400300, 0, 28, 28, 1};
  EXPECT_EQ(with({interpreter}), Errc{});
  EXPECT_EQ(with({interpreter, interpreter}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtInterp, kFlagRead, 0x300, 0, 0, 0, 0, 1}}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtInterp, kFlagRead, 0x1fff, 0, 0, 2, 2, 1}}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtInterp, kFlagRead, 0, 0, 0, 4096, 4096, 1}}), Errc{});
  EXPECT_EQ(with({{kPtInterp, kFlagRead, 0, 0, 0, 4097, 4097, 1}}), Errc::TooBig);

  const ProgramHeader tls{kPtTls, kFlagRead, 0x1000, 0x402000, 0, 8, 16, 8};
  EXPECT_EQ(with({tls}), Errc{});
  EXPECT_EQ(with({tls, tls}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtTls, kFlagRead, 0x1000, 0x402000, 0, 17, 16, 8}}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtTls, kFlagRead, 0x1fff, 0x402000, 0, 2, 16, 8}}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtTls, kFlagRead, 0x1000, 0x402000, 0, 8, 16, 24}}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtTls, kFlagRead, 0x1000, 0x402000, 0, 8, 16, 1 << 21}}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtTls, kFlagRead, 0x1000, kUser.end, 0, 8, 16, 8}}), Errc::TooBig);

  const ProgramHeader dynamic{kPtDynamic, kFlagRead, 0x1000, 0x402000, 0, 16, 16, 8};
  EXPECT_EQ(with({dynamic, dynamic}), Errc::BadFormat);
  EXPECT_EQ(with({{kPtDynamic, kFlagRead, 0x1000, 0x4022f8, 0, 16, 16, 8}}), Errc::BadFormat);
}

TEST(ElfImage, TheStackIsExecutableUnlessTheFileSaysOtherwise) {
  File file;
  EXPECT_TRUE(parse(file.bytes(), kUser)->executable_stack);
  file.more = {{kPtGnuStack, kFlagRead | kFlagWrite, 0, 0, 0, 0, 0, 16}};
  EXPECT_FALSE(parse(file.bytes(), kUser)->executable_stack);
  file.more[0].flags |= kFlagExecute;
  EXPECT_TRUE(parse(file.bytes(), kUser)->executable_stack);
}

TEST(ElfImage, AnInterpreterPathEndsAtItsOnlyNul) {
  const auto path = [](std::string_view text) {
    return interpreter_path(std::as_bytes(std::span{text}));
  };
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(*path("/lib/ld.so\0"sv), "/lib/ld.so");
  EXPECT_EQ(path("/lib/ld.so"sv).error(), Errc::BadFormat);
  EXPECT_EQ(path("/lib\0/ld.so\0"sv).error(), Errc::BadFormat);
  EXPECT_EQ(path("\0"sv).error(), Errc::BadFormat);
  EXPECT_EQ(path(""sv).error(), Errc::BadFormat);
}

}  // namespace
}  // namespace xok::elf
