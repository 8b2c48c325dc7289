// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"

/// What is needed to start a program: where each part of an ELF64 x86-64 file goes. Files are not
/// trusted; whatever these functions return has been checked and can be used without a thought.
/// The kernel loads its first environment with this, ExOS every program.
///
/// Whole file in memory:    parse(file, limits)
/// File read piece by piece: parse_header(first 64 bytes, file size), read the program headers it
/// points to, parse_program_headers(header, those bytes, limits).
namespace xok::elf {

/// The size of the file header: what `parse_header` wants to see.
inline constexpr std::size_t kHeaderSize = 64;
/// The most program headers, and the most non-empty PT_LOAD among them.
inline constexpr std::size_t kMaxProgramHeaders = 128;
inline constexpr std::size_t kMaxSegments = 16;
/// The longest path of an interpreter, without its NUL.
inline constexpr std::size_t kMaxInterpreter = 4095;

enum class Type : std::uint8_t {
  Executable,  ///< ET_EXEC: addresses are absolute
  Dynamic,     ///< ET_DYN: shared object or position-independent program; addresses are relative
};

/// Where a program may lie: addresses in [lowest, end). `lowest` and `end` are page-aligned. A
/// Dynamic image must be no longer than that; the caller then chooses where it goes.
struct Limits {
  std::uint64_t lowest;
  std::uint64_t end;
};

/// Bytes of the file. Always inside it.
struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// The checked file header.
struct Header {
  Type type;
  std::uint64_t entry;        ///< not yet checked; see Image
  std::uint64_t file_size;    ///< as given by the caller
  FileRange program_headers;  ///< 1 to kMaxProgramHeaders of 56 bytes each
};

/// A PT_LOAD: memory_size bytes at `address`, of which the first file.size come from the file and
/// the rest are zero. `address` and `file.offset` are equal modulo the page size. Not empty.
struct Segment {
  std::uint64_t address;
  std::uint64_t memory_size;
  FileRange file;
  bool readable, writable, executable;

  std::uint64_t end() const { return address + memory_size; }
};

/// PT_TLS: the initial content of each thread's variables. Both sizes and the place are checked
/// like a segment's; `alignment` is a power of two, at least 1 and at most 2^20.
struct ThreadLocal {
  std::uint64_t address;
  std::uint64_t memory_size;
  FileRange file;
  std::uint64_t alignment;
};

/// A part of memory inside one of the segments.
struct MemoryRange {
  std::uint64_t address;
  std::uint64_t size;
};

/// The checked program headers. About 1 KB.
struct Image {
  Type type;
  /// Executable: inside an executable segment. Dynamic: likewise, or 0 (a library).
  std::uint64_t entry;
  std::size_t program_header_count;
  /// Where the program headers will be in memory (AT_PHDR): from PT_PHDR, else from the segment
  /// whose file part holds them. Nothing if they are not loaded.
  std::optional<std::uint64_t> program_headers;
  std::optional<FileRange> interpreter;  ///< PT_INTERP; see interpreter_path
  std::optional<ThreadLocal> thread_local_storage;
  std::optional<MemoryRange> dynamic;  ///< PT_DYNAMIC
  /// PT_GNU_STACK asks for it, or is absent (which by the ABI means the same).
  bool executable_stack;

  /// By ascending address; no two share a page, none is outside the limits. At least one.
  std::span<const Segment> segments() const { return std::span{loads}.first(load_count); }
  /// Page-aligned bounds of all segments together.
  std::uint64_t first_page() const;
  std::uint64_t end_page() const;

  std::array<Segment, kMaxSegments> loads;
  std::size_t load_count;
};

/// Checks the file header.
///
/// start      the beginning of the file, at least kHeaderSize bytes of it
/// file_size  of the whole file, in bytes
/// Errors   BadFormat     not ELF64 little-endian version 1; sizes or offsets that contradict the
///                        format or the file's size; fewer than kHeaderSize bytes; no program
///                        header
///          NotSupported  another machine, another system's ABI, or a type that is neither EXEC nor
///                        DYN
///          TooBig        more than kMaxProgramHeaders
/// Context  any; takes no lock, allocates nothing (so for all of this file)
/// Source   System V ABI, ELF header
Result<Header> parse_header(std::span<const std::byte> start, std::uint64_t file_size);

/// Checks the program headers.
///
/// bytes   exactly the range `header.program_headers` of the file
/// limits  where segments may lie
/// Errors  BadFormat    a range outside the file or memory's end; more bytes in the file than in
///                      memory; bad alignment, or address and offset that differ modulo the page
///                      size or the alignment; segments out of order or sharing a page; none at
///                      all; an entry, PT_PHDR or PT_DYNAMIC outside the segments; two PT_INTERP,
///                      PT_TLS or PT_DYNAMIC; PT_INTERP empty; `bytes` of a wrong length
///         BadArgument  `limits` are not page-aligned or in the wrong order
///         TooBig       a segment or PT_TLS outside the limits (Dynamic: too long for them), more
///                      than kMaxSegments, PT_INTERP longer than kMaxInterpreter + 1
/// Cost    O(headers)
/// Source  System V ABI, program loading. differs: page sharing between segments is refused, since
///         one page has one set of rights
Result<Image> parse_program_headers(const Header& header, std::span<const std::byte> bytes,
                                    Limits limits);

/// Both at once, for a file that is wholly in memory. Errors: those of both.
Result<Image> parse(std::span<const std::byte> file, Limits limits);

/// The interpreter's path.
///
/// bytes   exactly the range `image.interpreter` of the file
/// Errors  BadFormat  empty, no NUL at the end, or a NUL before it
Result<std::string_view> interpreter_path(std::span<const std::byte> bytes);

}  // namespace xok::elf
