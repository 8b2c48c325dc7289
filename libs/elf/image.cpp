// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/elf/image.hpp"

#include "base/byte_order.hpp"
#include "base/checked.hpp"
#include "base/units.hpp"
#include "libs/elf/format.hpp"

namespace xok::elf {
namespace {

constexpr std::uint64_t kMaxTlsAlignment = 1 << 20;

bool is_power_of_two(std::uint64_t x) { return x != 0 && (x & (x - 1)) == 0; }

/// Collects what the program headers say, one by one; `finish` checks what concerns several.
class Collector {
 public:
  Collector(const Header& header, Limits limits) : header_{header}, limits_{limits} {
    image_.type = header.type;
    image_.entry = header.entry;
    image_.program_header_count = header.program_headers.size / sizeof(ProgramHeader);
    image_.executable_stack = true;
  }

  Result<> add(const ProgramHeader& entry) {
    switch (entry.type) {
      case kPtLoad:
        return add_load(entry);
      case kPtInterp:
        return add_interpreter(entry);
      case kPtTls:
        return add_tls(entry);
      case kPtDynamic:
        if (image_.dynamic) return fail(Errc::BadFormat);
        image_.dynamic = MemoryRange{entry.address, entry.memory_size};
        return {};
      case kPtPhdr:
        image_.program_headers = entry.address;
        return {};
      case kPtGnuStack:
        image_.executable_stack = (entry.flags & kFlagExecute) != 0;
        return {};
      default:
        return {};
    }
  }

  Result<Image> finish() {
    if (image_.load_count == 0) return fail(Errc::BadFormat);
    const bool is_library = image_.type == Type::Dynamic && image_.entry == 0;
    const Segment* start = holder({image_.entry, 1});
    if (!is_library && (start == nullptr || !start->executable)) return fail(Errc::BadFormat);
    if (image_.dynamic && holder(*image_.dynamic) == nullptr) return fail(Errc::BadFormat);
    const FileRange table = header_.program_headers;
    if (!image_.program_headers) {
      image_.program_headers = address_of(table);
    } else if (holder({*image_.program_headers, table.size}) == nullptr) {
      return fail(Errc::BadFormat);
    }
    return image_;
  }

 private:
  /// What segments and PT_TLS have in common.
  Result<> check_range(const ProgramHeader& entry) const {
    if (!range_fits(entry.file_offset, entry.file_size, header_.file_size) ||
        entry.file_size > entry.memory_size)
      return fail(Errc::BadFormat);
    if (entry.alignment > 1 && !is_power_of_two(entry.alignment)) return fail(Errc::BadFormat);
    const auto end = checked_add(entry.address, entry.memory_size);
    if (!end) return fail(Errc::BadFormat);
    const bool fixed = image_.type == Type::Executable;
    const std::uint64_t limit = fixed ? limits_.end : limits_.end - limits_.lowest;
    if (*end > limit || (fixed && entry.address < limits_.lowest)) return fail(Errc::TooBig);
    return {};
  }

  Result<> add_load(const ProgramHeader& entry) {
    if (entry.memory_size == 0 && entry.file_size == 0) return {};
    XOK_TRY(check_range(entry));
    const std::uint64_t apart = entry.address - entry.file_offset;  // modulo 2^64 is what we want
    if (apart % kPageSize != 0) return fail(Errc::BadFormat);
    if (entry.alignment > 1 && (apart & (entry.alignment - 1)) != 0) return fail(Errc::BadFormat);
    if (image_.load_count == kMaxSegments) return fail(Errc::TooBig);
    if (image_.load_count > 0 && page_floor(entry.address) < image_.end_page())
      return fail(Errc::BadFormat);
    image_.loads[image_.load_count++] = {entry.address,
                                         entry.memory_size,
                                         {entry.file_offset, entry.file_size},
                                         (entry.flags & kFlagRead) != 0,
                                         (entry.flags & kFlagWrite) != 0,
                                         (entry.flags & kFlagExecute) != 0};
    return {};
  }

  Result<> add_interpreter(const ProgramHeader& entry) {
    if (image_.interpreter || entry.file_size == 0 ||
        !range_fits(entry.file_offset, entry.file_size, header_.file_size))
      return fail(Errc::BadFormat);
    if (entry.file_size > kMaxInterpreter + 1) return fail(Errc::TooBig);
    image_.interpreter = FileRange{entry.file_offset, entry.file_size};
    return {};
  }

  Result<> add_tls(const ProgramHeader& entry) {
    if (image_.thread_local_storage) return fail(Errc::BadFormat);
    XOK_TRY(check_range(entry));
    if (entry.alignment > kMaxTlsAlignment) return fail(Errc::BadFormat);
    image_.thread_local_storage = ThreadLocal{entry.address,
                                              entry.memory_size,
                                              {entry.file_offset, entry.file_size},
                                              entry.alignment > 1 ? entry.alignment : 1};
    return {};
  }

  /// The segment that holds the whole range in memory, or null.
  const Segment* holder(MemoryRange range) const {
    for (const Segment& segment : image_.segments())
      if (range.address >= segment.address &&
          range_fits(range.address - segment.address, range.size, segment.memory_size))
        return &segment;
    return nullptr;
  }

  /// Where the range of the file is loaded.
  std::optional<std::uint64_t> address_of(FileRange range) const {
    for (const Segment& segment : image_.segments())
      if (range.offset >= segment.file.offset &&
          range_fits(range.offset - segment.file.offset, range.size, segment.file.size))
        return segment.address + (range.offset - segment.file.offset);
    return std::nullopt;
  }

  const Header& header_;
  Limits limits_;
  Image image_{};
};

}  // namespace

std::uint64_t Image::first_page() const { return page_floor(loads[0].address); }

// Cannot overflow: segments end at or below a page-aligned limit.
std::uint64_t Image::end_page() const { return page_ceil(loads[load_count - 1].end()); }

Result<Header> parse_header(std::span<const std::byte> start, std::uint64_t file_size) {
  if (start.size() < kHeaderSize || file_size < kHeaderSize) return fail(Errc::BadFormat);
  const auto header = load<FileHeader>(start.data());
  for (std::size_t i = 0; i < 7; ++i)
    if (header.ident[i] != kIdent[i]) return fail(Errc::BadFormat);
  if (header.ident[7] != kOsAbiSystemV && header.ident[7] != kOsAbiLinux)
    return fail(Errc::NotSupported);
  if (header.machine != kMachineX86_64) return fail(Errc::NotSupported);
  if (header.type != kTypeExecutable && header.type != kTypeDynamic)
    return fail(Errc::NotSupported);
  if (header.version != 1 || header.header_size != kHeaderSize ||
      header.program_header_size != sizeof(ProgramHeader) || header.program_header_count == 0)
    return fail(Errc::BadFormat);
  if (header.program_header_count > kMaxProgramHeaders) return fail(Errc::TooBig);
  const std::uint64_t table_size = header.program_header_count * sizeof(ProgramHeader);
  if (!range_fits(header.program_headers, table_size, file_size)) return fail(Errc::BadFormat);
  const Type type = header.type == kTypeExecutable ? Type::Executable : Type::Dynamic;
  return Header{type, header.entry, file_size, {header.program_headers, table_size}};
}

Result<Image> parse_program_headers(const Header& header, std::span<const std::byte> bytes,
                                    Limits limits) {
  if (limits.lowest % kPageSize != 0 || limits.end % kPageSize != 0 || limits.lowest > limits.end)
    return fail(Errc::BadArgument);
  if (bytes.size() != header.program_headers.size || bytes.size() % sizeof(ProgramHeader) != 0)
    return fail(Errc::BadFormat);
  Collector collector{header, limits};
  for (; !bytes.empty(); bytes = bytes.subspan(sizeof(ProgramHeader)))
    XOK_TRY(collector.add(load<ProgramHeader>(bytes.data())));
  return collector.finish();
}

Result<Image> parse(std::span<const std::byte> file, Limits limits) {
  const Header header = XOK_TRY(parse_header(file, file.size()));
  const FileRange table = header.program_headers;
  return parse_program_headers(header, file.subspan(table.offset, table.size), limits);
}

Result<std::string_view> interpreter_path(std::span<const std::byte> bytes) {
  if (bytes.size() < 2 || bytes.back() != std::byte{0}) return fail(Errc::BadFormat);
  const auto path = bytes.first(bytes.size() - 1);
  for (const std::byte c : path)
    if (c == std::byte{0}) return fail(Errc::BadFormat);
  return std::string_view{reinterpret_cast<const char*>(path.data()), path.size()};
}

}  // namespace xok::elf
