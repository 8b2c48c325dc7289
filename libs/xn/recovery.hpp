// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "libs/xn/volume.hpp"

namespace xok::xn {

/// Rebuilds a volume's free map by walking from its persistent roots over what their `owns`
/// functions say, after an unclean stop. What is wrong is logged; a pointer that cannot count goes
/// into the table of void edges, so that nobody reaches a block through it.
///
/// The first pointer to a block, in the order of the walk, is the one that counts. Nothing on disk
/// is changed: repair is the file systems' (`Volume::free` takes void pointers out,
/// `Volume::repair_count` sets counts). The walk needs no more memory than given, and ends,
/// whatever the disk holds: each block is visited once.
///
/// Source  thesis 4.5
class Recovery {
 public:
  explicit Recovery(Volume& volume) : v_{volume} {}
  /// Errors  NoMemory  more blocks waiting, or more counted blocks, than there is room for
  ///         NoSpace   more void edges than there is room for
  Result<> run();

 private:
  Result<> visit(const WalkItem& item);
  Result<> claim(const WalkItem& parent, const XnExtent& extent);
  Result<> claim_block(const WalkItem& parent, BlockNumber block, const Type& type, XnTypeId id);
  bool counts_pointers(BlockNumber block, const Type& type);
  Result<> push(BlockNumber block, XnTypeId id);
  CountItem* counted(BlockNumber block);
  Result<> note_count(BlockNumber block, XnTypeId type);
  Result<> check_counts();

  Volume& v_;
  std::size_t depth_ = 0;
  std::size_t counted_ = 0;
};

}  // namespace xok::xn
