// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Path resolution. Nothing is copied: `rest_` is what remains of the text being read, and when a
// symbolic link interrupts it, the remainder waits in `pending_`. A link's text lives in the file
// system, which the lock keeps still; the texts that /proc makes up (`self`) are kept in `made_up_`
// and read to their end before another can be met.
//
// A remainder is only kept if a component is left in it. So the component at hand is the path's
// last exactly if nothing is left of the current text and nothing is pending.
#include <array>
#include <cstring>

#include "exos/fs/names.hpp"
#include "exos/fs/vfs_dispatch.hpp"

namespace xok::exos {

class PathWalker {
 public:
  PathWalker(const Vfs& vfs, const Caller& caller, const Vnode& start, std::string_view path,
             Follow follow)
      : vfs_{vfs}, caller_{caller}, follow_{follow}, at_{start} {
    read_text(path);
  }

  /// Walks to the end. Afterwards `found` and `result` tell what is there.
  FsResult<void> run();
  [[nodiscard]] const Vnode& found() const { return found_; }
  [[nodiscard]] Walked result() const;

 private:
  /// A remainder; not a string_view, whose constructor would clear all forty.
  struct Remainder {
    const char* data;
    std::size_t size;
  };

  void read_text(std::string_view text);
  void skip_slashes();
  void take_component();
  FsResult<void> check_search() const;
  FsResult<void> look_up();
  FsResult<void> look_up_elsewhere();
  [[nodiscard]] bool follows_link() const;
  FsResult<bool> enter_link();
  FsResult<void> end_at(LastComponent kind);

  const Vfs& vfs_;
  const Caller& caller_;
  Follow follow_;
  Vnode at_;               ///< the directory that `rest_` begins in
  std::string_view rest_;  ///< never begins with a slash
  std::string_view name_;  ///< the component at hand
  bool last_ = false;      ///< whether the path ends with it
  Vnode found_;            ///< what it names; invalid: nothing
  FileType type_{};        ///< of `found_`
  LastComponent kind_ = LastComponent::Root;
  bool needs_directory_ = false;
  unsigned depth_ = 0;
  unsigned links_ = 0;
  std::array<char, 48> made_up_;
  std::array<Remainder, kMaxSymlinks> pending_;
};

FsResult<void> PathWalker::run() {
  for (;;) {
    if (rest_.empty()) [[unlikely]] {
      name_ = {};
      found_ = at_;
      if (depth_ == 0) return end_at(LastComponent::Root);
      --depth_;
      rest_ = {pending_[depth_].data, pending_[depth_].size};
      continue;
    }
    take_component();
    XOK_TRY(check_search());
    if (name_.front() == '.' && (name_ == "." || name_ == "..")) {
      const bool up = name_.size() == 2;
      found_ = up ? vfs_.parent_of(at_, caller_.root) : at_;
      if (last_) return end_at(up ? LastComponent::DotDot : LastComponent::Dot);
      at_ = found_;
      continue;
    }
    XOK_TRY(look_up());
    if (!found_.valid()) [[unlikely]] {
      return last_ ? end_at(LastComponent::Normal) : fs_fail(FsError::NotFound);
    }
    if (type_ == FileType::Symlink && follows_link()) {
      const bool arrived = XOK_TRY(enter_link());
      if (!arrived) continue;
      if (last_) return end_at(LastComponent::Root);
    } else if (last_) {
      return end_at(LastComponent::Normal);
    } else {
      at_ = found_;
    }
  }
}

/// Goes on with a path or a link's text, from the root if it is absolute.
void PathWalker::read_text(std::string_view text) {
  rest_ = text;
  if (text.front() == '/') at_ = caller_.root;
  skip_slashes();
}

void PathWalker::skip_slashes() {
  while (!rest_.empty() && rest_.front() == '/') rest_.remove_prefix(1);
}

void PathWalker::take_component() {
  name_ = {rest_.data(), component_length(rest_)};
  rest_.remove_prefix(name_.size());
  const bool slash = !rest_.empty();
  skip_slashes();
  last_ = rest_.empty() && depth_ == 0;
  if (last_ && slash) needs_directory_ = true;
}

FsResult<void> PathWalker::check_search() const {
  const Protection protection = VfsDispatch::in_memory(at_)
                                    ? VfsDispatch::protection(VfsDispatch::inode(at_))
                                    : vfs_.protection(at_);
  if (protection.type != FileType::Directory) return fs_fail(FsError::NotADirectory);
  if (!may_access(caller_.credentials, protection, kAccessExecute)) {
    return fs_fail(FsError::AccessDenied);
  }
  return {};
}

/// Sets `found_` and `type_` to what `name_` is in `at_`.
FsResult<void> PathWalker::look_up() {
  found_ = {};
  if (name_.size() > kMaxName) return fs_fail(FsError::NameTooLong);
  if (!VfsDispatch::in_memory(at_)) [[unlikely]]
    return look_up_elsewhere();
  const Inode& directory = VfsDispatch::inode(at_);
  const MemoryFsState& fs = *at_.mount->memory;
  const DirEntry* entry = find_entry(fs.buckets, fs.bucket_count - 1, directory, name_,
                                     hash_name(name_, directory.number));
  if (entry == nullptr) return {};
  found_ = VfsDispatch::vnode(at_.mount, *entry->inode);
  type_ = entry->inode->type;
  // Only directories are covered, and only by directories.
  if (entry->inode->covered_by != 0) [[unlikely]]
    found_ = vfs_.covering(found_);
  return {};
}

FsResult<void> PathWalker::look_up_elsewhere() {
  const ProcFs fs = VfsDispatch::proc(vfs_);
  const auto node = fs.lookup(ProcNode::unpack(at_.node), name_);
  if (!node && node.error() != FsError::NotFound) return fs_fail(node.error());
  if (!node) return {};
  found_ = VfsDispatch::vnode(at_.mount, *node);
  type_ = fs.type(*node);
  return {};
}

bool PathWalker::follows_link() const {
  if (!last_ || follow_ == Follow::Always) return true;
  return follow_ == Follow::ExceptLast && needs_directory_;
}

/// Goes on in the text of the link `found_`, or straight to the file behind a link of /proc.
/// Returns  whether `at_` and `found_` are now what the link names (else its text is to be read)
FsResult<bool> PathWalker::enter_link() {
  if (++links_ > kMaxSymlinks) return fs_fail(FsError::Loop);
  if (!VfsDispatch::in_memory(found_) && ProcFs::is_direct_link(ProcNode::unpack(found_.node))) {
    XOK_TRY(vfs_.check_inspect(caller_.credentials, found_));
    at_ = found_ = VfsDispatch::proc(vfs_).link_target(ProcNode::unpack(found_.node));
    if (!at_.valid()) return fs_fail(FsError::NotFound);
    name_ = {};
    type_ = vfs_.type(at_);
    return true;
  }
  const std::string_view text = XOK_TRY(vfs_.read_link(caller_.credentials, found_, made_up_));
  if (!rest_.empty()) pending_[depth_++] = {rest_.data(), rest_.size()};
  read_text(text);
  return false;
}

/// The walk is over. A slash at the end asks for a directory, unless the caller sees to that.
FsResult<void> PathWalker::end_at(LastComponent kind) {
  kind_ = kind;
  if (!needs_directory_ || follow_ == Follow::Never || !found_.valid()) return {};
  if (vfs_.type(found_) != FileType::Directory) return fs_fail(FsError::NotADirectory);
  return {};
}

Walked PathWalker::result() const {
  return {.directory = at_,
          .name = name_,
          .last = kind_,
          .needs_directory = needs_directory_,
          .node = found_};
}

namespace {

FsResult<void> check_path(std::string_view path) {
  if (path.empty()) return fs_fail(FsError::NotFound);
  if (path.size() > kMaxPath) return fs_fail(FsError::NameTooLong);
  return {};
}

}  // namespace

FsResult<Walked> Vfs::walk_to_last(const Caller& caller, const Vnode& start, std::string_view path,
                                   Follow follow) const {
  XOK_TRY(check_path(path));
  PathWalker walker{*this, caller, start, path, follow};
  XOK_TRY(walker.run());
  return walker.result();
}

FsResult<Vnode> Vfs::walk(const Caller& caller, const Vnode& start, std::string_view path,
                          Follow follow) const {
  XOK_TRY(check_path(path));
  PathWalker walker{*this, caller, start, path, follow};
  XOK_TRY(walker.run());
  if (!walker.found().valid()) return fs_fail(FsError::NotFound);
  return walker.found();
}

Vnode Vfs::parent_of(const Vnode& directory, const Vnode& root) const {
  Vnode at = directory;
  while (at != root && is_mount_root(at) && at.mount->covered.valid()) at = at.mount->covered;
  if (at == root) return root;
  return VfsDispatch::on(
      *this, at,
      [&](MemoryFs, Inode& inode) { return covering(VfsDispatch::vnode(at.mount, *inode.parent)); },
      [&](ProcFs fs, ProcNode node) { return VfsDispatch::vnode(at.mount, fs.parent(node)); });
}

FsResult<std::string_view> Vfs::path_of(const Vnode& node, const Vnode& root,
                                        std::span<char> buffer) const {
  std::size_t begin = buffer.size();
  const auto prepend = [&](std::string_view text) {
    if (text.size() > begin) return false;
    begin -= text.size();
    std::memcpy(buffer.data() + begin, text.data(), text.size());
    return true;
  };
  Vnode at = node;
  while (at != root) {
    if (is_mount_root(at)) {
      if (!at.mount->covered.valid()) return fs_fail(FsError::NotFound);
      at = at.mount->covered;
      continue;
    }
    std::array<char, 16> number;
    std::string_view name;
    Vnode directory;
    if (VfsDispatch::in_memory(at)) {
      const DirEntry* entry = VfsDispatch::inode(at).entry;
      if (entry == nullptr) return fs_fail(FsError::NotFound);
      name = entry->name();
      directory = VfsDispatch::vnode(at.mount, *entry->directory);
    } else {
      const ProcFs fs = VfsDispatch::proc(*this);
      name = fs.name_of(ProcNode::unpack(at.node), number);
      directory = VfsDispatch::vnode(at.mount, fs.parent(ProcNode::unpack(at.node)));
    }
    if (!prepend(name) || !prepend("/")) return fs_fail(FsError::NoBuffer);
    at = directory;
  }
  if (begin == buffer.size() && !prepend("/")) return fs_fail(FsError::NoBuffer);
  return std::string_view{buffer.data() + begin, buffer.size() - begin};
}

}  // namespace xok::exos
