// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/recovery.hpp"

#include <algorithm>

namespace xok::xn {

Result<> Recovery::run() {
  const std::size_t room = v_.memory_.counts.size();
  if (room == 0 || (room & (room - 1)) != 0) return fail(Errc::NoMemory);
  std::ranges::fill(v_.memory_.counts, CountItem{});
  v_.used_.clear_all();
  v_.used_.set(0, v_.layout_.data_start());
  // First the roots, so that no stray pointer to one of them counts.
  const WalkItem catalogue{};
  for (const Root& root : v_.memory_.roots)
    if (root.block != 0)
      XOK_TRY(claim_block(catalogue, root.block, *v_.usable_type(root.type), root.type));
  while (depth_ > 0) {
    const WalkItem item = v_.memory_.walk[--depth_];
    XOK_TRY(visit(item));
  }
  return check_counts();
}

Result<> Recovery::visit(const WalkItem& item) {
  if (!v_.read_block(item.block)) {
    v_.log(XnTrouble::Unreadable, item.type, item.block, 0, 0);
    return {};
  }
  const Type* type = v_.usable_type(item.type);
  if (type->kind == XnTypeKind::Union) {
    const auto member = v_.runner_.select(*type, v_.block_.data());
    if (!member) {
      v_.log(XnTrouble::FunctionFailed, item.type, item.block, 0, 0);
      return {};
    }
    type = v_.usable_type(*member);
    if (type == nullptr) return {};  // nothing yet
  }
  if (type->has(XnFunction::RefCount)) {
    const auto count = v_.runner_.reference_count(*type, v_.block_.data());
    if (CountItem* noted = counted(item.block); noted != nullptr && count) noted->claimed = *count;
    if (!count) v_.log(XnTrouble::FunctionFailed, item.type, item.block, 0, 0);
  }
  for (std::size_t p = 0; p < type->partitions; ++p) {
    if (!v_.runner_.owns(*type, p, v_.block_.data(), v_.before_)) {
      v_.log(XnTrouble::FunctionFailed, item.type, item.block, 0, p);
      XOK_TRY(v_.add_void(item.block, 0, static_cast<std::uint32_t>(p)));
      continue;
    }
    for (const XnExtent& extent : v_.before_.all()) XOK_TRY(claim(item, extent));
  }
  return {};
}

Result<> Recovery::claim(const WalkItem& parent, const XnExtent& extent) {
  if (!v_.in_data(extent)) {
    v_.log(XnTrouble::OutOfRange, extent.type, extent.block, parent.block, extent.count);
    return v_.add_void(parent.block, extent.block, extent.count);
  }
  const Type* type = v_.usable_type(extent.type);
  if (type == nullptr) {
    v_.log(XnTrouble::BadType, extent.type, extent.block, parent.block, extent.count);
    return v_.add_void(parent.block, extent.block, extent.count);
  }
  if (type->kind == XnTypeKind::Data && !v_.used_.any(extent.block, extent.count)) {
    v_.used_.set(extent.block, extent.count);
    return {};
  }
  for (BlockNumber b = extent.block; b < extent.block + extent.count; ++b)
    XOK_TRY(claim_block(parent, b, *type, extent.type));
  return {};
}

Result<> Recovery::claim_block(const WalkItem& parent, BlockNumber block, const Type& type,
                               XnTypeId id) {
  if (v_.used_.test(block)) {
    CountItem* noted = counted(block);
    if (noted != nullptr && noted->type == id && counts_pointers(block, type)) {
      ++noted->found;
      return {};
    }
    const bool conflict = noted != nullptr && noted->type != id;
    v_.log(conflict ? XnTrouble::TypeConflict : XnTrouble::OwnedTwice, id, block, parent.block, 0);
    return v_.add_void(parent.block, block, 1);
  }
  v_.used_.set(block);
  if (type.kind == XnTypeKind::Data) return {};
  XOK_TRY(push(block, id));
  return note_count(block, id);
}

/// Whether a block that has a second pointer is of a type that counts them: of a union, the member
/// that it is.
bool Recovery::counts_pointers(BlockNumber block, const Type& type) {
  if (type.kind != XnTypeKind::Union) return type.has(XnFunction::RefCount);
  if (!v_.disk_.read_now(block, v_.scratch_)) return false;
  const auto member = v_.runner_.select(type, v_.scratch_.data());
  const Type* is = member ? v_.usable_type(*member) : nullptr;
  return is != nullptr && is->has(XnFunction::RefCount);
}

Result<> Recovery::push(BlockNumber block, XnTypeId id) {
  if (depth_ == v_.memory_.walk.size()) return fail(Errc::NoMemory);
  v_.memory_.walk[depth_++] = {block, id, 0};
  return {};
}

/// The block's entry in the hash table of counted blocks; nullptr: it counts nothing.
CountItem* Recovery::counted(BlockNumber block) {
  const std::span<CountItem> table = v_.memory_.counts;
  for (std::size_t i = block * 0x9e3779b97f4a7c15 >> 32;; ++i) {
    CountItem& item = table[i & (table.size() - 1)];
    if (item.block == block) return &item;
    if (item.block == 0) return nullptr;
  }
}

/// A first pointer to a block that counts its pointers, or may do so once it is known which member
/// of a union it is.
Result<> Recovery::note_count(BlockNumber block, XnTypeId id) {
  const Type* type = v_.usable_type(id);
  bool counts = type->has(XnFunction::RefCount);
  for (const XnTypeId member : std::span{type->member}.first(type->members))
    counts = counts || v_.usable_type(member)->has(XnFunction::RefCount);
  if (!counts) return {};
  const std::span<CountItem> table = v_.memory_.counts;
  if (++counted_ >= table.size()) return fail(Errc::NoMemory);  // one stays empty
  std::size_t i = block * 0x9e3779b97f4a7c15 >> 32;
  while (table[i & (table.size() - 1)].block != 0) ++i;
  table[i & (table.size() - 1)] = {block, id, 1, 1};
  return {};
}

Result<> Recovery::check_counts() {
  for (const CountItem& item : v_.memory_.counts) {
    if (item.block == 0 || item.claimed == item.found) continue;
    const bool low = item.claimed < item.found;
    v_.log(low ? XnTrouble::CountTooLow : XnTrouble::CountTooHigh, item.type, item.block, 0,
           item.found);
    XOK_TRY(v_.add_void(0, item.block, item.found));
  }
  return {};
}

}  // namespace xok::xn
