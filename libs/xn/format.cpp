// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/format.hpp"

#include "base/byte_order.hpp"

namespace xok::xn {
namespace {

bool all_zero(std::span<const std::byte> bytes) {
  for (const std::byte b : bytes)
    if (b != std::byte{0}) return false;
  return true;
}

template <class Record>
std::uint64_t record_checksum(const Record& record) {
  return checksum(std::as_bytes(std::span{&record, 1}).first(offsetof(Record, checksum)));
}

template <class Record>
Record record_at(ConstBlockBytes block, std::size_t index) {
  return load<Record>(block.data() + index * sizeof(Record));
}

template <class Record>
void store(BlockBytes block, std::size_t index, Record& record) {
  record.checksum = record_checksum(record);
  __builtin_memcpy(block.data() + index * sizeof record, &record, sizeof record);
}

bool good_name(const std::array<char, kXnNameSize>& name) {
  const std::string_view text = name_of(name);
  if (text.empty() || text.size() == kXnNameSize) return false;
  for (const char c : text)
    if (c <= ' ' || c > '~') return false;
  return all_zero(std::as_bytes(std::span{name}).subspan(text.size()));
}

bool good_code(const TypeRecord& r) {
  std::uint64_t bytes = 0;
  for (const std::uint32_t length : r.code_bytes) {
    if (length % 8 != 0) return false;
    bytes += length;
  }
  return r.code_blocks == (bytes + kBlockSize - 1) / kBlockSize &&
         r.code_blocks <= kMaxCodeBlocks && r.code_block <= kMaxCodeBlocks;
}

}  // namespace

bool Layout::sane() const {
  return blocks <= kMaxBlocks && type_blocks >= 1 && type_blocks <= kMaxTypeBlocks &&
         root_blocks >= 1 && root_blocks <= kMaxRootBlocks && code_blocks >= 1 &&
         code_blocks <= kMaxCodeBlocks && data_start() < blocks;
}

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) {
  // FNV-1a over words, with a rotation so that the upper bits reach the lower ones. Each step is
  // a bijection of the state: two inputs that differ in one word never agree.
  std::uint64_t h = 0xcbf29ce484222325 ^ seed;
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    h = (h ^ load<std::uint64_t>(bytes.data() + i)) * 0x100000001b3;
    h = h << 29 | h >> 35;
  }
  return h;
}

Superblock make_superblock(const Layout& layout, std::uint32_t clean, std::uint64_t generation,
                           std::uint64_t map_checksum) {
  Superblock s{};
  s.magic = kSuperblockMagic;
  s.version = kXnVersion;
  s.clean = clean;
  s.blocks = layout.blocks;
  s.type_blocks = layout.type_blocks;
  s.root_blocks = layout.root_blocks;
  s.code_blocks = layout.code_blocks;
  s.generation = generation;
  s.map_checksum = map_checksum;
  s.checksum = record_checksum(s);
  return s;
}

Layout layout_of(const Superblock& super) {
  return {super.blocks, super.type_blocks, super.root_blocks, super.code_blocks};
}

Result<Superblock> parse_superblock(ConstBlockBytes block) {
  const auto super = load<Superblock>(block.data());
  if (super.magic != kSuperblockMagic) return fail(Errc::BadFormat);
  if (super.version != kXnVersion) return fail(Errc::NotSupported);
  if (super.checksum != record_checksum(super) || super.clean > 1 || super.reserved != 0 ||
      !all_zero(super.zero) || !all_zero(block.subspan<kSectorSize>()) || !layout_of(super).sane())
    return fail(Errc::BadFormat);
  return super;
}

Result<bool> parse_type(ConstBlockBytes block, std::size_t index, TypeRecord& out) {
  const auto r = record_at<TypeRecord>(block, index);
  if (all_zero(std::as_bytes(std::span{&r, 1}))) return false;
  if (r.magic != kTypeMagic || r.checksum != record_checksum(r) || r.kind > XnTypeKind::Union ||
      r.partitions > kXnMaxPartitions || r.members > kXnMaxMembers || r.max_owned > kXnMaxOwned ||
      !good_name(r.name) || !r.owner.valid() || !all_zero(r.zero) || r.windows.reserved != 0 ||
      !good_code(r))
    return fail(Errc::BadFormat);
  out = r;
  return true;
}

Result<bool> parse_root(ConstBlockBytes block, std::size_t index, RootRecord& out) {
  const auto r = record_at<RootRecord>(block, index);
  if (all_zero(std::as_bytes(std::span{&r, 1}))) return false;
  if (r.magic != kRootMagic || r.checksum != record_checksum(r) || r.type == 0 ||
      !good_name(r.name) || !r.owner.valid() || !all_zero(r.zero))
    return fail(Errc::BadFormat);
  out = r;
  return true;
}

void store_type(BlockBytes block, std::size_t index, TypeRecord record) {
  record.magic = kTypeMagic;
  store(block, index, record);
}

void store_root(BlockBytes block, std::size_t index, RootRecord record) {
  record.magic = kRootMagic;
  store(block, index, record);
}

void clear_root(BlockBytes block, std::size_t index) {
  __builtin_memset(block.data() + index * sizeof(RootRecord), 0, sizeof(RootRecord));
}

Result<std::array<char, kXnNameSize>> make_name(std::string_view name) {
  std::array<char, kXnNameSize> out{};
  if (name.size() >= kXnNameSize) return fail(Errc::TooBig);
  if (!name.empty()) __builtin_memcpy(out.data(), name.data(), name.size());
  if (!good_name(out)) return fail(Errc::BadArgument);
  return out;
}

std::string_view name_of(const std::array<char, kXnNameSize>& name) {
  std::size_t length = 0;
  while (length < name.size() && name[length] != '\0') ++length;
  return {name.data(), length};
}

}  // namespace xok::xn
