// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <algorithm>

#include "libs/xn/volume.hpp"

/// The inductive step: a change of a structure is made when what it owns afterwards is what it
/// owned before, plus or minus what was named.
///
///   page      |......[== window of partition 3 ==].......|     as it is, seen by everybody
///                        ^ ranges
///   scratch_  |......[== the same, changed     ==]       |     as it would become
///
/// `owns` runs over the window in the page and in the scratch copy. Partitions whose windows the
/// ranges miss see the same bytes as before, so they own the same. Only when all is proven are the
/// ranges copied to the page.
namespace xok::xn {
namespace {

bool meets(const Window& window, const Modifications& changes) {
  return std::ranges::any_of(changes.ranges, [&](const XnRange& range) {
    return window.meets(range.offset, range.length);
  });
}

}  // namespace

Result<> Volume::check_ranges(const Modifications& changes) {
  if (changes.ranges.size() > kXnMaxRanges) return fail(Errc::TooBig);
  std::size_t total = 0;
  for (const XnRange& range : changes.ranges) {
    if (range.length == 0 || std::size_t{range.offset} + range.length > kBlockSize)
      return fail(Errc::BadArgument);
    total += range.length;
  }
  if (total != changes.data.size()) return fail(Errc::BadArgument);
  return {};
}

void Volume::apply(std::byte* page, const Modifications& changes) {
  const std::byte* from = changes.data.data();
  for (const XnRange& range : changes.ranges) {
    __builtin_memcpy(page + range.offset, from, range.length);
    from += range.length;
  }
}

void Volume::overlay(const Window& window, const std::byte* page, const Modifications& changes) {
  __builtin_memcpy(scratch_.data() + window.first, page + window.first,
                   static_cast<std::size_t>(window.end - window.first));
  const std::byte* from = changes.data.data();
  for (const XnRange& range : changes.ranges) {
    const std::size_t first = std::max<std::size_t>(range.offset, window.first);
    const std::size_t end =
        std::min<std::size_t>(std::size_t{range.offset} + range.length, window.end);
    if (first < end)
      __builtin_memcpy(scratch_.data() + first, from + (first - range.offset), end - first);
    from += range.length;
  }
}

Result<> Volume::check_partitions(BlockNumber block, const Type& type, const std::byte* page,
                                  const Modifications& changes, const XnExtent* added,
                                  const XnExtent* removed) {
  const bool sized = type.has(XnFunction::Size);
  std::size_t old_size = kBlockSize;
  std::size_t new_size = kBlockSize;
  if (sized) {
    overlay(type.size_window, page, changes);
    old_size = XOK_TRY(runner_.size(type, page));
    new_size = XOK_TRY(runner_.size(type, scratch_.data()));
  }
  bool claimed = added == nullptr && removed == nullptr;
  for (std::size_t p = 0; p < type.partitions; ++p) {
    const Window& window = type.owns_window[p];
    const bool appears = (window.end <= old_size) != (window.end <= new_size);
    if (!appears && !meets(window, changes)) continue;
    overlay(window, page, changes);
    XOK_TRY(owned(block, type, p, page, before_));
    XOK_TRY(runner_.owns(type, p, scratch_.data(), after_));
    if (differs_by(before_.all(), after_.all(), nullptr, nullptr)) continue;
    // One partition, and no other, shows the blocks that were named.
    if (claimed || !differs_by(before_.all(), after_.all(), added, removed))
      return fail(Errc::WrongOwns);
    claimed = true;
  }
  if (!claimed) return fail(Errc::WrongOwns);
  return {};
}

Result<> Volume::check_count(const Type& type, const std::byte* page, const Modifications& changes,
                             Counting counting) {
  using Kind = Counting::Kind;
  if (!type.has(XnFunction::RefCount)) {
    if (counting.kind != Kind::Same) return fail(Errc::WrongType);
    return {};
  }
  if (counting.kind == Kind::Same && !meets(type.count_window, changes)) return {};
  overlay(type.count_window, page, changes);
  const std::uint64_t before = XOK_TRY(runner_.reference_count(type, page));
  const std::uint64_t after = XOK_TRY(runner_.reference_count(type, scratch_.data()));
  std::uint64_t wanted = before;
  if (counting.kind == Kind::Up) wanted = before + 1;
  if (counting.kind == Kind::Down) wanted = before - 1;
  if (counting.kind == Kind::To) wanted = counting.to;
  if (after != wanted) return fail(Errc::WrongOwns);
  return {};
}

Result<> Volume::check_change(const XnBuffer& buffer, const Modifications& changes,
                              const XnExtent* added, const XnExtent* removed, Counting counting) {
  XOK_TRY(check_ranges(changes));
  const Type& type = *usable_type(buffer.member);
  if (buffer.member != buffer.type && meets(usable_type(buffer.type)->select_window, changes))
    return fail(Errc::WrongType);
  const std::byte* page = bytes_of(buffer);
  XOK_TRY(check_partitions(buffer.block, type, page, changes, added, removed));
  return check_count(type, page, changes, counting);
}

Result<bool> Volume::owns_nothing(BlockNumber block, const Type& type, const std::byte* page) {
  for (std::size_t p = 0; p < type.partitions; ++p) {
    XOK_TRY(owned(block, type, p, page, before_));
    if (before_.count != 0) return false;
  }
  return true;
}

Result<> Volume::owned_by(XnBuffer& parent, const XnExtent& extent) {
  const Type* type = XOK_TRY(structure_type(parent));
  for (std::size_t p = 0; p < type->partitions; ++p) {
    XOK_TRY(owned(parent.block, *type, p, bytes_of(parent), before_));
    for (const XnExtent& owned : before_.all()) {
      if (!contains(owned, extent)) continue;
      if (find_void(parent.block, extent) != nullptr) return fail(Errc::BadFormat);
      return {};
    }
  }
  return fail(Errc::WrongOwns);
}

}  // namespace xok::xn
