// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Operations that create, remove or move names. Order of checks, as in Linux: where the path leads,
// whether the name exists, the mount's mode, permission to change the directory, the sticky bit;
// then the file system's own.
#include "exos/fs/vfs_dispatch.hpp"

namespace xok::exos {

namespace {

/// Whether what a walk found is the root of another mount than the directory it was found in.
bool crosses_mount(const Walked& walked) {
  return walked.node.valid() && walked.node.mount != walked.directory.mount;
}

}  // namespace

FsResult<void> Vfs::check_writable(const Vnode& node) {
  if (!VfsDispatch::in_memory(node)) return fs_fail(FsError::NotPermitted);
  if (node.mount->mode == MountMode::ReadOnly) return fs_fail(FsError::ReadOnly);
  return {};
}

/// Whether names may be entered in, or taken from, `directory`.
FsResult<void> Vfs::check_entry_change(const Credentials& who, const Vnode& directory) const {
  return check_access(who, directory, kAccessWrite | kAccessExecute);
}

/// In a sticky directory only the owner of the file or of the directory removes a name.
FsResult<void> Vfs::check_removal(const Credentials& who, const Vnode& directory,
                                  const Vnode& victim) const {
  XOK_TRY(check_entry_change(who, directory));
  const Protection in = protection(directory);
  if ((in.permissions & kSticky) == 0 || who.is_root() || who.uid == in.uid) return {};
  if (who.uid == protection(victim).uid) return {};
  return fs_fail(FsError::NotPermitted);
}

/// Walks to a name that is to be made: its directory, after all checks.
FsResult<Walked> Vfs::walk_to_new(const Caller& caller, const Vnode& start, std::string_view path,
                                  FileType type) const {
  const Walked walked = XOK_TRY(walk_to_last(caller, start, path, Follow::Never));
  if (walked.node.valid()) return fs_fail(FsError::Exists);
  if (walked.needs_directory && type != FileType::Directory) return fs_fail(FsError::NotFound);
  XOK_TRY(check_entry_change(caller.credentials, walked.directory));
  return walked;
}

/// A new inode's owner, and what a set-gid directory hands down.
NewInode Vfs::inherit(const Credentials& who, const Vnode& directory, NewInode what) const {
  const Protection in = protection(directory);
  what.uid = who.uid;
  what.gid = who.gid;
  if ((in.permissions & kSetGid) == 0) return what;
  what.gid = in.gid;
  if (what.type == FileType::Directory) what.permissions |= kSetGid;
  return what;
}

FsResult<Vnode> Vfs::make_node(const Caller& caller, const Vnode& start, std::string_view path,
                               FileType type, std::uint16_t permissions, std::uint64_t device) {
  const Walked at = XOK_TRY(walk_to_new(caller, start, path, type));
  const bool is_device = type == FileType::CharDevice || type == FileType::BlockDevice;
  if (is_device && !caller.credentials.is_root()) return fs_fail(FsError::NotPermitted);
  const NewInode what =
      inherit(caller.credentials, at.directory,
              {.type = type, .permissions = permissions, .device = is_device ? device : 0});
  Inode* inode = XOK_TRY(VfsDispatch::memory(*this, at.directory)
                             .create(VfsDispatch::inode(at.directory), at.name, what));
  return VfsDispatch::vnode(at.directory.mount, *inode);
}

FsResult<Vnode> Vfs::make_symlink(const Caller& caller, const Vnode& start, std::string_view path,
                                  std::string_view target) {
  const Walked at = XOK_TRY(walk_to_new(caller, start, path, FileType::Symlink));
  const NewInode owner = inherit(caller.credentials, at.directory, {.type = FileType::Symlink});
  Inode* inode = XOK_TRY(
      VfsDispatch::memory(*this, at.directory)
          .create_symlink(VfsDispatch::inode(at.directory), at.name, target, owner.uid, owner.gid));
  return VfsDispatch::vnode(at.directory.mount, *inode);
}

FsResult<void> Vfs::link(const Caller& caller, const Vnode& file, const Vnode& start,
                         std::string_view path) {
  if (type(file) == FileType::Directory) return fs_fail(FsError::NotPermitted);
  const Walked at = XOK_TRY(walk_to_new(caller, start, path, type(file)));
  if (at.directory.mount != file.mount) return fs_fail(FsError::CrossDevice);
  return VfsDispatch::memory(*this, file)
      .link(VfsDispatch::inode(file), VfsDispatch::inode(at.directory), at.name);
}

FsResult<void> Vfs::unlink(const Caller& caller, const Vnode& start, std::string_view path) {
  const Walked at = XOK_TRY(walk_to_last(caller, start, path, Follow::Never));
  if (at.last != LastComponent::Normal) return fs_fail(FsError::IsADirectory);
  if (!at.node.valid()) return fs_fail(FsError::NotFound);
  XOK_TRY(check_removal(caller.credentials, at.directory, at.node));
  if (type(at.node) == FileType::Directory) return fs_fail(FsError::IsADirectory);
  if (at.needs_directory) return fs_fail(FsError::NotADirectory);
  return VfsDispatch::memory(*this, at.directory).unlink(VfsDispatch::inode(at.directory), at.name);
}

FsResult<void> Vfs::remove_directory(const Caller& caller, const Vnode& start,
                                     std::string_view path) {
  const Walked at = XOK_TRY(walk_to_last(caller, start, path, Follow::Never));
  if (at.last == LastComponent::Dot) return fs_fail(FsError::BadArgument);
  if (at.last == LastComponent::DotDot) return fs_fail(FsError::NotEmpty);
  if (at.last == LastComponent::Root) return fs_fail(FsError::Busy);
  if (!at.node.valid()) return fs_fail(FsError::NotFound);
  XOK_TRY(check_removal(caller.credentials, at.directory, at.node));
  if (crosses_mount(at)) return fs_fail(FsError::Busy);
  return VfsDispatch::memory(*this, at.directory)
      .remove_directory(VfsDispatch::inode(at.directory), at.name);
}

FsResult<void> Vfs::rename(const Caller& caller, const Vnode& old_start, std::string_view old_path,
                           const Vnode& new_start, std::string_view new_path, RenameMode mode) {
  const Credentials& who = caller.credentials;
  const Walked from = XOK_TRY(walk_to_last(caller, old_start, old_path, Follow::Never));
  const Walked to = XOK_TRY(walk_to_last(caller, new_start, new_path, Follow::Never));
  const bool named = from.last == LastComponent::Normal && to.last == LastComponent::Normal;
  if (from.directory.mount != to.directory.mount) return fs_fail(FsError::CrossDevice);
  if (!named) return fs_fail(FsError::Busy);
  if (!from.node.valid()) return fs_fail(FsError::NotFound);
  if (to.node.valid() && mode == RenameMode::NoReplace) return fs_fail(FsError::Exists);
  if (!to.node.valid() && mode == RenameMode::Exchange) return fs_fail(FsError::NotFound);

  const bool moves_directory = type(from.node) == FileType::Directory;
  const bool brings_directory =
      mode == RenameMode::Exchange && type(to.node) == FileType::Directory;
  if (from.needs_directory && !moves_directory) return fs_fail(FsError::NotADirectory);
  if (to.needs_directory && !moves_directory && !brings_directory) {
    return fs_fail(FsError::NotADirectory);
  }
  XOK_TRY(check_removal(who, from.directory, from.node));
  XOK_TRY(check_entry_change(who, to.directory));
  if (to.node.valid()) XOK_TRY(check_removal(who, to.directory, to.node));
  if (crosses_mount(from) || crosses_mount(to)) return fs_fail(FsError::Busy);
  // A directory that gets another parent has its `..` written.
  if (from.directory != to.directory) {
    if (moves_directory) XOK_TRY(check_access(who, from.node, kAccessWrite));
    if (brings_directory) XOK_TRY(check_access(who, to.node, kAccessWrite));
  }
  return VfsDispatch::memory(*this, from.directory)
      .rename(VfsDispatch::inode(from.directory), from.name, VfsDispatch::inode(to.directory),
              to.name, mode);
}

}  // namespace xok::exos
