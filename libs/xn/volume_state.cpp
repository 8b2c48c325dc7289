// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "base/checked.hpp"
#include "libs/xn/volume.hpp"

/// What all operations use: finding blocks and types, asking `acl`, the log.
namespace xok::xn {

bool Volume::in_data(const XnExtent& extent) const {
  return extent.count != 0 && extent.block >= layout_.data_start() &&
         range_fits<std::uint64_t>(extent.block, extent.count, layout_.blocks);
}

const Type* Volume::usable_type(XnTypeId id) const {
  if (id == 0 || id > memory_.types.size()) return nullptr;
  const Type& type = memory_.types[id - 1];
  return type.kind == XnTypeKind::None ? nullptr : &type;
}

Result<XnBuffer*> Volume::settled(const Caller& caller, BlockNumber block) {
  XnBuffer* buffer = registry_.find(block);
  if (buffer == nullptr) return fail(Errc::NotFound);
  if (buffer->is_any(bit(XnFlag::ComingIn) | bit(XnFlag::GoingOut))) return fail(Errc::Busy);
  if (buffer->locker != 0 && buffer->locker != caller.id) return fail(Errc::Busy);
  return buffer;
}

Result<const Type*> Volume::structure_type(XnBuffer& buffer) {
  if (buffer.is(XnFlag::UnknownType)) return fail(Errc::WrongType);
  if (!buffer.is(XnFlag::Present)) return fail(Errc::NotFound);
  const Type* type = usable_type(buffer.type);
  if (type == nullptr || type->kind == XnTypeKind::Data) return fail(Errc::WrongType);
  if (type->kind == XnTypeKind::Union) {
    if (buffer.member == 0) buffer.member = XOK_TRY(runner_.select(*type, bytes_of(buffer)));
    type = usable_type(buffer.member);
    if (type == nullptr) return fail(Errc::WrongType);
  }
  buffer.member = buffer.member == 0 ? buffer.type : buffer.member;
  return type;
}

Result<XnBuffer*> Volume::structure(const Caller& caller, BlockNumber block) {
  XnBuffer* buffer = XOK_TRY(settled(caller, block));
  (void)XOK_TRY(structure_type(*buffer));
  return buffer;
}

Result<> Volume::ask(const Caller& caller, const XnBuffer& structure, XnOperation operation,
                     const XnExtent& extent, const Modifications& changes) {
  if (caller.credentials.size() > kXnMaxCredentials) return fail(Errc::TooBig);
  const Type* type = usable_type(structure.member == 0 ? structure.type : structure.member);
  if (type == nullptr) return fail(Errc::WrongType);
  request_.operation = operation;
  request_.range_count = static_cast<std::uint32_t>(changes.ranges.size());
  request_.block = structure.block;
  request_.extent = extent;
  request_.time_ns = clock_.now_ns();
  request_.caller = caller.id;
  request_.ranges = {};
  for (std::size_t i = 0; i < changes.ranges.size(); ++i) request_.ranges[i] = changes.ranges[i];
  return runner_.allowed(*type, bytes_of(structure), request_, changes.data, caller.credentials);
}

Result<> Volume::ask_for(const Caller& caller, XnBuffer& buffer, XnOperation structure_operation,
                         XnOperation data_operation, const Modifications& changes) {
  const Type* type = usable_type(buffer.type);
  if (type == nullptr) return fail(Errc::WrongType);
  const XnExtent self{buffer.block, 1, buffer.type};
  if (type->kind != XnTypeKind::Data)
    return ask(caller, buffer, structure_operation, self, changes);
  XnBuffer* parent = registry_.find(buffer.parent);
  if (parent == nullptr) return fail(Errc::NotFound);
  (void)XOK_TRY(structure_type(*parent));
  return ask(caller, *parent, data_operation, self, changes);
}

void Volume::dirty(XnBuffer& buffer) {
  buffer.set(XnFlag::Dirty);
  registry_.settle(buffer);
}

void Volume::forget_page(XnBuffer& buffer) {
  if (buffer.page != 0) pages_.release(PageNumber{buffer.page});
  buffer.page = 0;
}

void Volume::drop(XnBuffer& buffer) {
  forget_page(buffer);
  registry_.remove(buffer);
}

void Volume::log(XnTrouble trouble, XnTypeId type, BlockNumber block, BlockNumber parent,
                 std::uint64_t detail) {
  if (log_count_ == memory_.log.size()) {
    ++log_lost_;
    return;
  }
  memory_.log[log_count_++] = {trouble, type, block, parent, detail};
}

const VoidEdge* Volume::find_void(BlockNumber parent, const XnExtent& extent) const {
  for (const VoidEdge& edge : memory_.voids.first(void_count_)) {
    const std::uint64_t blocks = parent == 0 ? 1 : edge.count;
    if (edge.parent == parent && edge.block != 0 &&
        overlap(edge.block, blocks, extent.block, extent.count))
      return &edge;
  }
  return nullptr;
}

Result<> Volume::add_void(BlockNumber parent, BlockNumber block, std::uint32_t count) {
  if (void_count_ == memory_.voids.size()) return fail(Errc::NoSpace);
  memory_.voids[void_count_++] = {parent, block, count};
  return {};
}

/// What a partition owns; nothing, if recovery found that its function fails on what is there.
Result<> Volume::owned(BlockNumber block, const Type& type, std::size_t p, const std::byte* bytes,
                       Owned& out) {
  const auto run = runner_.owns(type, p, bytes, out);
  if (run || find_failing(block, p) == nullptr) return run;
  out.count = 0;
  return {};
}

const VoidEdge* Volume::find_failing(BlockNumber block, std::size_t p) const {
  for (const VoidEdge& edge : memory_.voids.first(void_count_))
    if (edge.parent == block && edge.block == 0 && edge.count == p) return &edge;
  return nullptr;
}

void Volume::remove_void(const VoidEdge& edge) {
  const auto index = static_cast<std::size_t>(&edge - memory_.voids.data());
  memory_.voids[index] = memory_.voids[--void_count_];
}

}  // namespace xok::xn
