// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Rename. Three commits, chosen after all checks:
//
//   move      no target: a new entry is made first (the only step that needs memory), the old goes
//   replace   the target's entry takes the source's inode, the source's entry goes
//   exchange  the two entries swap inodes
//
// In each the moved directories' `..`, and both parents' link counts, follow.
#include <utility>

#include "exos/fs/memory_fs.hpp"
#include "exos/fs/names.hpp"

namespace xok::exos {

namespace {

bool is_directory(const Inode& inode) { return inode.type == FileType::Directory; }

/// Whether `directory` is `ancestor` or below it.
bool is_inside(const Inode& directory, const Inode& ancestor) {
  const Inode* at = &directory;
  while (at != &ancestor && at->parent != at) at = at->parent;
  return at == &ancestor;
}

FsResult<void> check_replace(const Inode& source, const Inode& target) {
  if (is_directory(target) && !is_directory(source)) return fs_fail(FsError::IsADirectory);
  if (!is_directory(target) && is_directory(source)) return fs_fail(FsError::NotADirectory);
  if (is_directory(target) && target.size != 0) return fs_fail(FsError::NotEmpty);
  return {};
}

}  // namespace

FsResult<void> MemoryFs::rename(Inode& old_directory, std::string_view old_name,
                                Inode& new_directory, std::string_view new_name, RenameMode mode) {
  XOK_TRY(check_name(old_name));
  XOK_TRY(check_name(new_name));
  DirEntry* source = find(old_directory, old_name, hash_name(old_name, old_directory.number));
  if (source == nullptr || new_directory.links == 0) return fs_fail(FsError::NotFound);
  DirEntry* target = find(new_directory, new_name, hash_name(new_name, new_directory.number));
  if (mode == RenameMode::NoReplace && target != nullptr) return fs_fail(FsError::Exists);
  if (mode == RenameMode::Exchange && target == nullptr) return fs_fail(FsError::NotFound);
  if (target != nullptr && target->inode == source->inode) return {};
  if (source->inode->covered_by != 0) return fs_fail(FsError::Busy);
  if (target != nullptr && target->inode->covered_by != 0) return fs_fail(FsError::Busy);
  if (is_directory(*source->inode) && is_inside(new_directory, *source->inode)) {
    return fs_fail(FsError::BadArgument);
  }
  if (mode == RenameMode::Exchange) {
    const bool inverted = is_directory(*target->inode) && is_inside(old_directory, *target->inode);
    return inverted ? fs_fail(FsError::BadArgument) : exchange(*source, *target);
  }
  if (target != nullptr) return replace(*source, *target);
  return move(*source, new_directory, new_name);
}

FsResult<void> MemoryFs::exchange(DirEntry& a, DirEntry& b) {
  Inode& in_a = *a.inode;
  Inode& in_b = *b.inode;
  // One comes as the other goes: a full parent has room only if it also loses a directory.
  const bool one_way = is_directory(in_a) != is_directory(in_b) && a.directory != b.directory;
  const Inode& gaining = is_directory(in_a) ? *b.directory : *a.directory;
  if (one_way && gaining.links >= kMaxLinks) return fs_fail(FsError::TooManyLinks);
  std::swap(a.inode, b.inode);
  in_a.entry = &b;
  in_b.entry = &a;
  move_parent(in_a, *a.directory, *b.directory);
  move_parent(in_b, *b.directory, *a.directory);
  in_a.changed_ns = in_b.changed_ns = now_ns_;
  touch(*a.directory);
  touch(*b.directory);
  return {};
}

FsResult<void> MemoryFs::replace(DirEntry& source, DirEntry& target) {
  Inode& moved = *source.inode;
  Inode& victim = *target.inode;
  Inode& from = *source.directory;
  Inode& to = *target.directory;
  XOK_TRY(check_replace(moved, victim));
  forget_name(victim, target);
  target.inode = &moved;
  moved.entry = &target;
  remove_entry(source);
  move_parent(moved, from, to);
  moved.changed_ns = victim.changed_ns = now_ns_;
  touch(from);
  touch(to);
  if (is_directory(victim)) {
    victim.links = 0;
    --to.links;
    hold(to);  // `..` of the removed directory; drop_if_unused gives it back
  } else {
    --victim.links;
  }
  drop_if_unused(victim);
  return {};
}

FsResult<void> MemoryFs::move(DirEntry& source, Inode& directory, std::string_view name) {
  Inode& moved = *source.inode;
  Inode& from = *source.directory;
  if (is_directory(moved) && &from != &directory && directory.links >= kMaxLinks) {
    return fs_fail(FsError::TooManyLinks);
  }
  XOK_TRY(add_entry(directory, name, hash_name(name, directory.number), moved));
  remove_entry(source);
  move_parent(moved, from, directory);
  moved.changed_ns = now_ns_;
  touch(from);
  return {};
}

void MemoryFs::move_parent(Inode& inode, Inode& from, Inode& to) {
  if (!is_directory(inode)) return;
  inode.parent = &to;
  --from.links;
  ++to.links;
}

}  // namespace xok::exos
