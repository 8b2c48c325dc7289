// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The newc format: entries of
//
//   header  6 bytes of magic, 13 fields of 8 hexadecimal digits
//   name    `name size` bytes, NUL included; zeros up to a multiple of 4
//   data    `file size` bytes; zeros up to a multiple of 4
//
// up to one named TRAILER!!!. Offsets count from the archive's start.
#include <algorithm>
#include <array>

#include "base/checked.hpp"
#include "base/units.hpp"
#include "exos/fs/archive.hpp"

namespace xok::exos {

namespace {

constexpr std::size_t kMagicLength = 6;
constexpr std::size_t kFieldLength = 8;
constexpr std::size_t kFieldCount = 13;
constexpr std::size_t kHeaderLength = kMagicLength + kFieldCount * kFieldLength;
constexpr std::size_t kMaxNameField = kMaxPath + 1 + kPageSize;  // with alignment NULs
constexpr std::string_view kTrailer = "TRAILER!!!";

/// The header's fields, in order.
enum Field : std::size_t {
  kNumber,
  kMode,
  kUid,
  kGid,
  kLinks,
  kModified,
  kFileSize,
  kDeviceMajor,
  kDeviceMinor,
  kNodeMajor,
  kNodeMinor,
  kNameSize,
  kCheck,
};

constexpr std::size_t align4(std::size_t offset) { return (offset + 3) & ~std::size_t{3}; }

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_zero(std::byte byte) { return byte == std::byte{0}; }

std::optional<std::uint32_t> hex_digit(std::byte byte) {
  const auto character = static_cast<unsigned char>(byte);
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return std::nullopt;
}

std::optional<FileType> type_of(std::uint32_t mode) {
  switch (const auto type = static_cast<FileType>(mode >> 12); type) {
    case FileType::Fifo:
    case FileType::CharDevice:
    case FileType::Directory:
    case FileType::BlockDevice:
    case FileType::Regular:
    case FileType::Symlink:
    case FileType::Socket:
      return type;
  }
  return std::nullopt;
}

/// Linux' dev_t: 12 bits of major in the middle, 20 of minor around it (makedev(3)).
std::uint64_t device_number(std::uint64_t major, std::uint64_t minor) {
  return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~std::uint64_t{0xff}) << 12 |
         (major & ~std::uint64_t{0xfff}) << 32;
}

/// Components: none too long, none `..`.
bool is_safe_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxPath) return false;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= path.size(); ++at) {
    if (at < path.size() && path[at] != '/') continue;
    const std::string_view component{path.data() + begin, at - begin};
    if (component == ".." || component.size() > kMaxName) return false;
    begin = at + 1;
  }
  return true;
}

/// Whether an entry of this type may have this content.
bool content_fits(FileType type, std::span<const std::byte> data) {
  if (type == FileType::Regular) return data.size() <= kMaxFileSize;
  if (type != FileType::Symlink) return data.empty();
  return !data.empty() && data.size() <= kMaxPath && std::ranges::none_of(data, is_zero);
}

std::uint32_t byte_sum(std::span<const std::byte> data) {
  std::uint32_t sum = 0;
  for (const std::byte byte : data) sum += static_cast<std::uint32_t>(byte);
  return sum;
}

}  // namespace

FsResult<std::uint32_t> ArchiveReader::field(std::size_t index) const {
  std::uint32_t value = 0;
  for (const std::byte byte :
       archive_.subspan(at_ + kMagicLength + index * kFieldLength, kFieldLength)) {
    const auto digit = hex_digit(byte);
    if (!digit) return fs_fail(FsError::BadFormat);
    value = value << 4 | *digit;
  }
  return value;
}

FsResult<std::optional<ArchiveEntry>> ArchiveReader::next() {
  while (at_ < archive_.size() && is_zero(archive_[at_])) ++at_;
  if (at_ % 4 != 0 || !range_fits(at_, kHeaderLength, archive_.size())) {
    return fs_fail(FsError::BadFormat);
  }
  const std::string_view magic = text_of(archive_.subspan(at_, kMagicLength));
  if (magic != "070701" && magic != "070702") return fs_fail(FsError::BadFormat);
  std::array<std::uint32_t, kFieldCount> fields;
  for (std::size_t i = 0; i < kFieldCount; ++i) fields[i] = XOK_TRY(field(i));

  const std::size_t name_at = at_ + kHeaderLength;
  const std::size_t name_size = fields[kNameSize];
  if (name_size > kMaxNameField || !range_fits(name_at, name_size, archive_.size())) {
    return fs_fail(FsError::BadFormat);
  }
  const auto name_field = archive_.subspan(name_at, name_size);
  const auto name_end = std::ranges::find_if(name_field, is_zero);
  if (name_end == name_field.end() || !std::all_of(name_end, name_field.end(), is_zero)) {
    return fs_fail(FsError::BadFormat);
  }
  const std::string_view name =
      text_of(name_field.first(static_cast<std::size_t>(name_end - name_field.begin())));
  if (name == kTrailer) return std::nullopt;

  const std::size_t data_at = align4(name_at + name_size);
  const std::size_t size = fields[kFileSize];
  const auto type = type_of(fields[kMode]);
  if (!is_safe_path(name) || !type || !range_fits(data_at, size, archive_.size())) {
    return fs_fail(FsError::BadFormat);
  }
  const auto data = archive_.subspan(data_at, size);
  const bool checked = magic == "070702";
  if (!content_fits(*type, data) || (checked && byte_sum(data) != fields[kCheck])) {
    return fs_fail(FsError::BadFormat);
  }
  at_ = std::min(align4(data_at + size), archive_.size());
  return ArchiveEntry{
      .name = name,
      .type = *type,
      .permissions = static_cast<std::uint16_t>(fields[kMode] & kPermissionBits),
      .uid = fields[kUid],
      .gid = fields[kGid],
      .links = fields[kLinks],
      .modified_s = fields[kModified],
      .number = fields[kNumber],
      .source_device = std::uint64_t{fields[kDeviceMajor]} << 32 | fields[kDeviceMinor],
      .device = device_number(fields[kNodeMajor], fields[kNodeMinor]),
      .data = data};
}

}  // namespace xok::exos
