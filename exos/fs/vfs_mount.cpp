// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The mount table. Entry 0 is the root mount. A covered directory is always in a memory file
// system; its inode notes the covering entry, so crossing a mount point costs one load, and it is
// held, so it cannot go away.
#include <algorithm>

#include "exos/fs/vfs_dispatch.hpp"

namespace xok::exos {

Vnode Vfs::root_of(Mount& mount) const {
  if (mount.kind == FsKind::Memory) return VfsDispatch::vnode(&mount, *mount.memory->root);
  return VfsDispatch::vnode(&mount, ProcFs::root());
}

bool Vfs::is_mount_root(const Vnode& node) const { return node == root_of(*node.mount); }

Vnode Vfs::root() const {
  Mount& first = state_->mounts[0];
  return first.kind == FsKind::None ? Vnode{} : root_of(first);
}

/// The directory that shows where `node` is: the root of what is mounted there, or itself.
Vnode Vfs::covering(const Vnode& node) const {
  Vnode at = node;
  while (VfsDispatch::in_memory(at) && VfsDispatch::inode(at).covered_by != 0) {
    at = root_of(state_->mounts[VfsDispatch::inode(at).covered_by - 1]);
  }
  return at;
}

/// Enters `candidate` in the table; `directory` is invalid for the root mount.
FsResult<Vnode> Vfs::attach(const Vnode& directory, const Mount& candidate,
                            std::string_view source) {
  if (directory.valid()) {
    if (type(directory) != FileType::Directory) return fs_fail(FsError::NotADirectory);
    if (!VfsDispatch::in_memory(directory)) return fs_fail(FsError::NotSupported);
    if (VfsDispatch::inode(directory).covered_by != 0) return fs_fail(FsError::Busy);
  }
  const auto place = std::ranges::find(state_->mounts, FsKind::None, &Mount::kind);
  if (place == state_->mounts.end()) return fs_fail(FsError::NoSpace);
  *place = candidate;
  place->id = state_->next_mount_id++;
  place->covered = directory;
  const std::size_t length = std::min(source.size(), place->source.size() - 1);
  std::copy_n(source.begin(), length, place->source.begin());
  if (directory.valid()) {
    VfsDispatch::inode(directory).covered_by =
        static_cast<std::uint32_t>(place - state_->mounts.begin()) + 1;
    hold(directory);
  }
  return root_of(*place);
}

FsResult<Vnode> Vfs::mount_root(MemoryFsState& memory, std::string_view source) {
  if (root().valid()) return fs_fail(FsError::Busy);
  Mount mount;
  mount.kind = FsKind::Memory;
  mount.memory = &memory;
  return attach({}, mount, source);
}

FsResult<Vnode> Vfs::mount_memory(const Vnode& directory, MemoryFsState& memory,
                                  std::string_view source, MountMode mode) {
  Mount mount;
  mount.kind = FsKind::Memory;
  mount.mode = mode;
  mount.memory = &memory;
  return attach(directory, mount, source);
}

FsResult<Vnode> Vfs::mount_new_memory(const Vnode& directory, MemoryFs::Limits limits,
                                      std::string_view source, MountMode mode) {
  MemoryFsState* memory = XOK_TRY(MemoryFs::create(*pages_, limits, now_ns_));
  auto mounted = mount_memory(directory, *memory, source, mode);
  if (!mounted) (void)MemoryFs::destroy(memory, *pages_);
  return mounted;
}

FsResult<Vnode> Vfs::mount_proc(const Vnode& directory, std::string_view source) {
  Mount mount;
  mount.kind = FsKind::Proc;
  return attach(directory, mount, source);
}

FsResult<Mount*> Vfs::mount_at(const Vnode& mount_root) {
  if (!is_mount_root(mount_root)) return fs_fail(FsError::BadArgument);
  return mount_root.mount;
}

FsResult<void> Vfs::unmount(const Vnode& mount_root) {
  Mount* mount = XOK_TRY(mount_at(mount_root));
  if (!mount->covered.valid()) return fs_fail(FsError::Busy);
  for (const Mount& other : state_->mounts) {
    if (other.kind != FsKind::None && other.covered.mount == mount) return fs_fail(FsError::Busy);
  }
  if (mount->references != 0) return fs_fail(FsError::Busy);
  if (mount->kind == FsKind::Memory) XOK_TRY(MemoryFs::destroy(mount->memory, *pages_));
  const Vnode covered = mount->covered;
  *mount = Mount{};
  VfsDispatch::inode(covered).covered_by = 0;
  release(covered);
  return {};
}

FsResult<void> Vfs::set_mount_mode(const Vnode& mount_root, MountMode mode) {
  Mount* mount = XOK_TRY(mount_at(mount_root));
  mount->mode = mode;
  return {};
}

}  // namespace xok::exos
