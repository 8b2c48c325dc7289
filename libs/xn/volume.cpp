// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/volume.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "libs/xn/recovery.hpp"

/// A volume's life.
///
///   format   superblock (clean) over empty catalogues and a free map with only XN's own blocks
///   init     read and check all of it; clean and the map's checksum right: take the map, else
///            recover. Then mark the superblock unclean, and make that durable, before anything
///            else is written
///   shutdown write the map, flush, mark the superblock clean, flush
namespace xok::xn {
namespace {

/// The free map's bytes of block `i`.
void map_bytes(const BlockMap& used, const BlockMap& temporary, std::uint64_t i, BlockBytes out) {
  constexpr std::size_t kWords = kBlockSize / 8;
  std::ranges::fill(out, std::byte{0});
  const std::size_t first = static_cast<std::size_t>(i) * kWords;
  for (std::size_t w = 0; w < kWords && first + w < used.words().size(); ++w) {
    const std::uint64_t word = used.words()[first + w] & ~temporary.words()[first + w];
    __builtin_memcpy(out.data() + w * 8, &word, 8);
  }
}

}  // namespace

Result<> Volume::read_block(BlockNumber block) { return disk_.read_now(block, block_); }
Result<> Volume::write_block(BlockNumber block) { return disk_.write_now(block, block_); }

Result<> Volume::format(Disk& disk, const FormatOptions& options, BlockBytes block) {
  const Layout layout{disk.blocks(), options.type_blocks, options.root_blocks, options.code_blocks};
  if (!layout.sane()) return fail(Errc::BadArgument);
  std::ranges::fill(block, std::byte{0});
  // The superblock goes last: until then, the disk has none.
  XOK_TRY(disk.write_now(0, block));
  XOK_TRY(disk.flush_now());
  for (BlockNumber b = layout.types_start(); b < layout.map_start(); ++b)
    XOK_TRY(disk.write_now(b, block));
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < layout.map_blocks(); ++i) {
    std::ranges::fill(block, std::byte{0});
    for (std::uint64_t bit = 0; bit < kBlockSize * 8; ++bit) {
      if (i * kBlockSize * 8 + bit >= layout.data_start()) break;
      block[bit / 8] |= std::byte{1} << (bit % 8);
    }
    sum = checksum(block, sum);
    XOK_TRY(disk.write_now(layout.map_start() + i, block));
  }
  XOK_TRY(disk.flush_now());
  const Superblock super = make_superblock(layout, 1, 0, sum);
  std::ranges::fill(block, std::byte{0});
  __builtin_memcpy(block.data(), &super, sizeof super);
  XOK_TRY(disk.write_now(0, block));
  return disk.flush_now();
}

Result<bool> Volume::load_map(const Superblock& super) {
  std::uint64_t sum = 0;
  const std::span<std::uint64_t> words = used_.words();
  constexpr std::size_t kWords = kBlockSize / 8;
  for (std::uint64_t i = 0; i < layout_.map_blocks(); ++i) {
    XOK_TRY(read_block(layout_.map_start() + i));
    sum = checksum(block_, sum);
    for (std::size_t w = 0; w < kWords; ++w) {
      const std::size_t at = static_cast<std::size_t>(i) * kWords + w;
      if (at < words.size()) __builtin_memcpy(&words[at], block_.data() + w * 8, 8);
    }
  }
  // A map that has free what cannot be free is not believed, whatever its checksum.
  bool good = sum == super.map_checksum && used_.all(0, layout_.data_start());
  if (layout_.blocks % 64 != 0) good = good && words.back() >> (layout_.blocks % 64) == 0;
  for (const Root& root : memory_.roots)
    if (root.block != 0) good = good && used_.test(root.block);
  return good;
}

Result<std::uint64_t> Volume::store_map() {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < layout_.map_blocks(); ++i) {
    map_bytes(used_, temporary_, i, block_);
    sum = checksum(block_, sum);
    XOK_TRY(write_block(layout_.map_start() + i));
  }
  return sum;
}

Result<> Volume::write_superblock(std::uint32_t clean, std::uint64_t map_checksum) {
  const Superblock super = make_superblock(layout_, clean, generation_, map_checksum);
  block_ = {};
  __builtin_memcpy(block_.data(), &super, sizeof super);
  XOK_TRY(write_block(0));
  return disk_.flush_now();
}

Result<> Volume::prepare_memory() {
  const std::size_t words = BlockMap::words_for(layout_.blocks);
  if (memory_.used.size() < words || memory_.temporary.size() < words ||
      memory_.uninitialised.size() < words)
    return fail(Errc::NoMemory);
  used_ = BlockMap{memory_.used.first(words), layout_.blocks};
  temporary_ = BlockMap{memory_.temporary.first(words), layout_.blocks};
  uninitialised_ = BlockMap{memory_.uninitialised.first(words), layout_.blocks};
  registry_ = Registry{memory_.buffers, memory_.heads};
  will_free_ = WillFree{memory_.will_free};
  std::ranges::fill(memory_.roots, Root{});
  for (Type& type : memory_.types) type = Type{};
  if (code_ != nullptr) code_->clear();
  free_slots_ = memory_.slots;
  free_transfer_ = kXnNone;
  in_flight_ = 0;
  for (std::size_t i = memory_.transfers.size(); i-- > 0;) {
    // Generations go on, so that a completion from before is not taken for one of now.
    memory_.transfers[i].active = false;
    memory_.transfers[i].next_free = free_transfer_;
    free_transfer_ = static_cast<std::uint32_t>(i);
  }
  log_count_ = log_lost_ = void_count_ = 0;
  code_used_ = 0;
  epoch_ = 1;
  flushing_ = 0;
  return {};
}

Result<> Volume::init(const Capability& guard) {
  if (open_) return fail(Errc::Busy);
  XOK_TRY(read_block(0));
  const Superblock super = XOK_TRY(parse_superblock(block_));
  layout_ = layout_of(super);
  if (layout_.blocks > disk_.blocks()) return fail(Errc::BadFormat);
  XOK_TRY(prepare_memory());
  guard_ = guard;
  generation_ = super.generation;
  XOK_TRY(load_types());
  XOK_TRY(load_roots());
  bool trusted = false;
  if (super.clean != 0) {
    trusted = XOK_TRY(load_map(super));
    if (!trusted) log(XnTrouble::MapDamaged, 0, 0, 0, 0);
  } else {
    log(XnTrouble::Unclean, 0, 0, 0, 0);
  }
  if (!trusted) XOK_TRY(Recovery{*this}.run());
  ++generation_;
  XOK_TRY(write_superblock(0, 0));
  open_ = true;
  return {};
}

Result<> Volume::shutdown(const Caller& caller) {
  if (!open_) return fail(Errc::BadArgument);
  (void)XOK_TRY(require(caller, guard_, Permission::Write));
  if (in_flight_ != 0) return fail(Errc::Busy);
  for (const XnBuffer& b : registry_.records()) {
    if (b.block == 0 || b.is(XnFlag::Temporary)) continue;
    if (b.users != 0 || b.locker != 0 || b.is(XnFlag::Dirty) ||
        (b.is(XnFlag::Uninitialised) && b.first_epoch == 0))
      return fail(Errc::Busy);
  }
  // All is written. Made durable, no pointer to a freed block is left on the disk.
  XOK_TRY(disk_.flush_now());
  while (XnBuffer* b = registry_.first_unflushed()) {
    made_durable(*b, epoch_);
    registry_.settle(*b);
  }
  XOK_CHECK(will_free_.blocks() == 0);
  const std::uint64_t sum = XOK_TRY(store_map());
  XOK_TRY(disk_.flush_now());
  if (void_count_ == 0) XOK_TRY(write_superblock(1, sum));
  open_ = false;
  for (const XnBuffer& b : registry_.records())
    if (b.block != 0) drop(*registry_.find(b.block));
  return {};
}

XnInfo Volume::info() const {
  XnInfo out{};
  if (!open_) return out;
  out.version = kXnVersion;
  out.damaged = static_cast<std::uint32_t>(void_count_);
  out.blocks = layout_.blocks;
  out.first_data_block = layout_.data_start();
  out.free_blocks = layout_.blocks - used_.count();
  out.will_free_blocks = will_free_.blocks();
  out.temporary_blocks = temporary_.count();
  out.cached = registry_.used();
  out.generation = generation_;
  for (const XnBuffer& b : registry_.records())
    if (b.block != 0 && b.is(XnFlag::Dirty)) ++out.dirty;
  for (const Type& type : memory_.types)
    if (type.known) ++out.types;
  for (const Root& root : memory_.roots)
    if (root.block != 0) ++out.roots;
  out.max_types = static_cast<std::uint32_t>(
      std::min<std::size_t>(memory_.types.size(), layout_.type_blocks * kTypesPerBlock));
  out.max_roots = static_cast<std::uint32_t>(memory_.roots.size());
  return out;
}

}  // namespace xok::xn
