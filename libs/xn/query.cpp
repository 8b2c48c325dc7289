// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <algorithm>

#include "libs/xn/volume.hpp"

/// Navigation that needs to know no file system: what is there, and who owns it.
namespace xok::xn {

Result<XnBuffer> Volume::read_attribute(BlockNumber block) const {
  const XnBuffer* buffer = registry_.find(block);
  if (buffer == nullptr) return fail(Errc::NotFound);
  return *buffer;
}

Result<BlockNumber> Volume::find_free(BlockNumber hint, std::uint32_t count) const {
  if (!open_) return fail(Errc::BadArgument);
  const auto found = used_.find_clear(layout_.data_start(), hint, count);
  if (!found) return fail(Errc::NoSpace);
  return *found;
}

Result<std::uint64_t> Volume::reference_count(BlockNumber block) {
  XnBuffer* buffer = registry_.find(block);
  if (!open_ || buffer == nullptr) return fail(Errc::NotFound);
  const Type* type = XOK_TRY(structure_type(*buffer));
  if (!type->has(XnFunction::RefCount)) return fail(Errc::WrongType);
  return runner_.reference_count(*type, bytes_of(*buffer));
}

Result<std::size_t> Volume::partition_count(BlockNumber block) {
  XnBuffer* buffer = registry_.find(block);
  if (!open_ || buffer == nullptr) return fail(Errc::NotFound);
  const Type* type = XOK_TRY(structure_type(*buffer));
  return std::size_t{type->partitions};
}

Result<std::size_t> Volume::enumerate(const Caller& caller, BlockNumber block,
                                      std::size_t partition, std::span<XnExtent> out) {
  if (!open_) return fail(Errc::BadArgument);
  XnBuffer* buffer = registry_.find(block);
  if (buffer == nullptr) return fail(Errc::NotFound);
  const Type* type = XOK_TRY(structure_type(*buffer));
  if (partition >= type->partitions) return fail(Errc::BadArgument);
  XOK_TRY(ask(caller, *buffer, XnOperation::Read, {block, 1, buffer->type}, {}));
  XOK_TRY(owned(block, *type, partition, bytes_of(*buffer), before_));
  if (before_.count > out.size()) return fail(Errc::TooBig);
  std::ranges::copy(before_.all(), out.begin());
  return before_.count;
}

}  // namespace xok::xn
