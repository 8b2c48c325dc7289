// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Opening, attributes and data of files.
#include "exos/fs/vfs_dispatch.hpp"

namespace xok::exos {

namespace {

/// Nodes whose writes go elsewhere: a read-only mount does not refuse them.
bool leads_elsewhere(FileType type) {
  return type == FileType::CharDevice || type == FileType::BlockDevice || type == FileType::Fifo ||
         type == FileType::Socket;
}

}  // namespace

// --- Opening -------------------------------------------------------------------------------------

FsResult<Opened> Vfs::open(const Caller& caller, const Vnode& start, std::string_view path,
                           const OpenRequest& request) {
  const bool stays = request.no_follow || (request.create && request.exclusive);
  const Walked walked =
      XOK_TRY(walk_to_last(caller, start, path, stays ? Follow::ExceptLast : Follow::Always));
  if (request.create && walked.needs_directory) return fs_fail(FsError::IsADirectory);
  if (walked.node.valid()) return open_existing(caller, walked, request);
  if (!request.create) return fs_fail(FsError::NotFound);
  return open_new(caller, walked, request);
}

FsResult<Opened> Vfs::open_existing(const Caller& caller, const Walked& walked,
                                    const OpenRequest& request) {
  if (request.create && request.exclusive) return fs_fail(FsError::Exists);
  const FileType kind = type(walked.node);
  if (request.directory && kind != FileType::Directory) return fs_fail(FsError::NotADirectory);
  if (kind == FileType::Symlink) return fs_fail(FsError::Loop);
  const bool changes = request.write || request.truncate;
  if (kind == FileType::Directory && (changes || request.create)) {
    return fs_fail(FsError::IsADirectory);
  }
  unsigned wanted = kAccessExists;
  if (request.read) wanted |= kAccessRead;
  if (changes) wanted |= kAccessWrite;
  XOK_TRY(check_access(caller.credentials, walked.node, wanted));
  if (request.truncate && kind == FileType::Regular) {
    XOK_TRY(resize(caller.credentials, walked.node, 0));
  }
  hold(walked.node);
  return Opened{.node = walked.node, .created = false};
}

FsResult<Opened> Vfs::open_new(const Caller& caller, const Walked& walked,
                               const OpenRequest& request) {
  if (request.directory) return fs_fail(FsError::BadArgument);
  XOK_TRY(check_entry_change(caller.credentials, walked.directory));
  const NewInode what = inherit(caller.credentials, walked.directory,
                                {.type = FileType::Regular, .permissions = request.permissions});
  Inode* inode = XOK_TRY(VfsDispatch::memory(*this, walked.directory)
                             .create(VfsDispatch::inode(walked.directory), walked.name, what));
  const Vnode node = VfsDispatch::vnode(walked.directory.mount, *inode);
  hold(node);
  return Opened{.node = node, .created = true};
}

FsResult<Vnode> Vfs::create_unnamed(const Vnode& place, const NewInode& what) {
  XOK_TRY(check_writable(place));
  Inode* inode = XOK_TRY(VfsDispatch::memory(*this, place).create_unnamed(what));
  return VfsDispatch::vnode(place.mount, *inode);
}

void Vfs::hold(const Vnode& node) {
  if (VfsDispatch::in_memory(node)) {
    VfsDispatch::memory(*this, node).hold(VfsDispatch::inode(node));
  } else {
    ++node.mount->references;
  }
}

void Vfs::release(const Vnode& node) {
  if (VfsDispatch::in_memory(node)) {
    VfsDispatch::memory(*this, node).release(VfsDispatch::inode(node));
  } else {
    --node.mount->references;
  }
}

void** Vfs::attached(const Vnode& node) const {
  return VfsDispatch::in_memory(node) ? &VfsDispatch::inode(node).attached : nullptr;
}

// --- Attributes ----------------------------------------------------------------------------------

FileType Vfs::type(const Vnode& node) const {
  return VfsDispatch::on(
      *this, node, [](MemoryFs, const Inode& inode) { return inode.type; },
      [](ProcFs fs, ProcNode file) { return fs.type(file); });
}

Protection Vfs::protection(const Vnode& node) const {
  if (VfsDispatch::in_memory(node)) return VfsDispatch::protection(VfsDispatch::inode(node));
  const Attributes all = VfsDispatch::proc(*this).attributes(ProcNode::unpack(node.node));
  return {all.type, all.permissions, all.uid, all.gid};
}

Attributes Vfs::attributes(const Vnode& node) const {
  Attributes out = VfsDispatch::on(
      *this, node, [](MemoryFs, const Inode& inode) { return MemoryFs::attributes(inode); },
      [](ProcFs fs, ProcNode file) { return fs.attributes(file); });
  out.mount_id = node.mount->id;
  return out;
}

FsResult<void> Vfs::check_access(const Credentials& who, const Vnode& node, unsigned wanted) const {
  const Protection file = protection(node);
  const bool writes = (wanted & kAccessWrite) != 0 && !leads_elsewhere(file.type);
  if (writes && node.mount->mode == MountMode::ReadOnly) return fs_fail(FsError::ReadOnly);
  if (!may_access(who, file, wanted)) return fs_fail(FsError::AccessDenied);
  if (writes) return check_writable(node);
  return {};
}

/// Whether `who` may look through a link of /proc into the process it belongs to.
FsResult<void> Vfs::check_inspect(const Credentials& who, const Vnode& link) const {
  if (who.is_root() || who.uid == protection(link).uid) return {};
  return fs_fail(FsError::AccessDenied);
}

FsResult<std::string_view> Vfs::read_link(const Credentials& who, const Vnode& node,
                                          std::span<char> buffer) const {
  if (VfsDispatch::in_memory(node)) return MemoryFs::read_link(VfsDispatch::inode(node));
  const ProcNode link = ProcNode::unpack(node.node);
  if (ProcFs::is_direct_link(link)) XOK_TRY(check_inspect(who, node));
  return VfsDispatch::proc(*this).read_link(link, buffer);
}

FsResult<std::optional<DirectoryItem>> Vfs::next_entry(const Vnode& directory, std::uint64_t cursor,
                                                       std::span<char> buffer) const {
  if (type(directory) != FileType::Directory) return fs_fail(FsError::NotADirectory);
  if (buffer.size() < kMaxName) return fs_fail(FsError::NoBuffer);
  return VfsDispatch::on(
      *this, directory,
      [&](MemoryFs fs, const Inode& inode) { return fs.next_entry(inode, cursor); },
      [&](ProcFs fs, ProcNode node) { return fs.next_entry(node, cursor, buffer); });
}

FsResult<void> Vfs::set_permissions(const Credentials& who, const Vnode& node,
                                    std::uint16_t permissions) {
  XOK_TRY(check_writable(node));
  Inode& inode = VfsDispatch::inode(node);
  if (!who.is_root() && who.uid != inode.uid) return fs_fail(FsError::NotPermitted);
  if (inode.type == FileType::Symlink) return fs_fail(FsError::NotSupported);
  const bool foreign = !who.is_root() && !who.in_group(inode.gid);
  const auto kept = static_cast<std::uint16_t>(foreign ? permissions & ~kSetGid : permissions);
  VfsDispatch::memory(*this, node).set_permissions(inode, kept);
  return {};
}

FsResult<void> Vfs::set_owner(const Credentials& who, const Vnode& node,
                              std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid) {
  XOK_TRY(check_writable(node));
  Inode& inode = VfsDispatch::inode(node);
  const std::uint32_t new_uid = uid.value_or(inode.uid);
  const std::uint32_t new_gid = gid.value_or(inode.gid);
  if (!who.is_root()) {
    const bool owner = who.uid == inode.uid;
    if (uid && (!owner || new_uid != inode.uid)) return fs_fail(FsError::NotPermitted);
    const bool group_allowed = owner && (who.in_group(new_gid) || new_gid == inode.gid);
    if (gid && !group_allowed) return fs_fail(FsError::NotPermitted);
  }
  MemoryFs fs = VfsDispatch::memory(*this, node);
  fs.set_owner(inode, new_uid, new_gid);
  if (inode.type == FileType::Regular) {
    unsigned kept = inode.permissions & ~unsigned{kSetUid};
    if ((kept & kGroupExecute) != 0) kept &= ~unsigned{kSetGid};
    fs.set_permissions(inode, static_cast<std::uint16_t>(kept));
  }
  return {};
}

FsResult<void> Vfs::set_times(const Credentials& who, const Vnode& node, TimeChange accessed,
                              TimeChange modified) {
  using Kind = TimeChange::Kind;
  if (accessed.kind == Kind::Keep && modified.kind == Kind::Keep) return {};
  XOK_TRY(check_writable(node));
  Inode& inode = VfsDispatch::inode(node);
  if (!who.is_root() && who.uid != inode.uid) {
    const bool to_now = accessed.kind == Kind::Now && modified.kind == Kind::Now;
    if (!to_now) return fs_fail(FsError::NotPermitted);
    XOK_TRY(check_access(who, node, kAccessWrite));
  }
  const auto chosen = [this](const TimeChange& change, std::int64_t old_ns) {
    if (change.kind == Kind::Keep) return old_ns;
    return change.kind == Kind::Now ? now_ns_ : change.time_ns;
  };
  VfsDispatch::memory(*this, node)
      .set_times(inode, chosen(accessed, inode.accessed_ns), chosen(modified, inode.modified_ns));
  return {};
}

Statistics Vfs::statistics(const Vnode& node) const {
  return VfsDispatch::on(
      *this, node, [](MemoryFs fs, const Inode&) { return fs.statistics(); },
      [](ProcFs, ProcNode) { return ProcFs::statistics(); });
}

// --- Data ----------------------------------------------------------------------------------------

FsResult<std::size_t> Vfs::read(const Vnode& file, std::uint64_t offset, std::span<std::byte> out,
                                GeneratedText* text) const {
  return VfsDispatch::on(
      *this, file, [&](MemoryFs fs, Inode& inode) { return fs.read(inode, offset, out); },
      [&](ProcFs fs, ProcNode node) { return fs.read(node, offset, out, text); });
}

FsResult<std::size_t> Vfs::write(const Credentials& who, const Vnode& file, std::uint64_t offset,
                                 std::span<const std::byte> data) {
  XOK_TRY(check_writable(file));
  const std::size_t written =
      XOK_TRY(VfsDispatch::memory(*this, file).write(VfsDispatch::inode(file), offset, data));
  if (written > 0) drop_privileges(who, file);
  return written;
}

FsResult<void> Vfs::resize(const Credentials& who, const Vnode& file, std::uint64_t size) {
  XOK_TRY(check_writable(file));
  XOK_TRY(VfsDispatch::memory(*this, file).resize(VfsDispatch::inode(file), size));
  drop_privileges(who, file);
  return {};
}

/// Changed content must not run with the rights that were given to the old.
void Vfs::drop_privileges(const Credentials& who, const Vnode& file) {
  Inode& inode = VfsDispatch::inode(file);
  unsigned dropped = inode.permissions & kSetUid;
  if ((inode.permissions & kGroupExecute) != 0) dropped |= inode.permissions & kSetGid;
  if (dropped == 0 || who.is_root()) return;
  VfsDispatch::memory(*this, file)
      .set_permissions(inode, static_cast<std::uint16_t>(inode.permissions & ~dropped));
}

FsResult<void> Vfs::preallocate(const Vnode& file, std::uint64_t offset, std::uint64_t length,
                                SizeChange size_change) {
  XOK_TRY(check_writable(file));
  return VfsDispatch::memory(*this, file)
      .preallocate(VfsDispatch::inode(file), offset, length, size_change);
}

FsResult<void> Vfs::punch_hole(const Vnode& file, std::uint64_t offset, std::uint64_t length) {
  XOK_TRY(check_writable(file));
  return VfsDispatch::memory(*this, file).punch_hole(VfsDispatch::inode(file), offset, length);
}

FsResult<std::uint64_t> Vfs::seek_data(const Vnode& file, std::uint64_t offset) const {
  if (!VfsDispatch::in_memory(file)) return fs_fail(FsError::NotSupported);
  return MemoryFs::seek_data(VfsDispatch::inode(file), offset);
}

FsResult<std::uint64_t> Vfs::seek_hole(const Vnode& file, std::uint64_t offset) const {
  if (!VfsDispatch::in_memory(file)) return fs_fail(FsError::NotSupported);
  return MemoryFs::seek_hole(VfsDispatch::inode(file), offset);
}

FsResult<FilePage> Vfs::page_at(const Vnode& file, std::uint64_t index, PageUse use) {
  if (!VfsDispatch::in_memory(file)) return fs_fail(FsError::NotSupported);
  return VfsDispatch::memory(*this, file).page_at(VfsDispatch::inode(file), index, use);
}

}  // namespace xok::exos
