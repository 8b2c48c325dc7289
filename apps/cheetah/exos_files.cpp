// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/cheetah/exos_files.hpp"

#include <algorithm>

#include "exos/rt/self.hpp"

namespace xok::cheetah {
namespace {

using exos::Vfs;
using exos::Vnode;
using Kind = FoundFile::Kind;

constexpr std::string_view kRoot = "/www";
/// www-data in Debian, and in our /etc/passwd.
constexpr exos::Credentials kWhoServes{.uid = 33, .gid = 33, .groups = {}};
constexpr std::int64_t kSecondNs = 1'000'000'000;

/// Times before 1970 are rounded down, too.
http::Seconds seconds_of(std::int64_t ns) { return ns / kSecondNs - (ns % kSecondNs < 0 ? 1 : 0); }

}  // namespace

/// Finds /www, which may be made late, moved and replaced.
bool ExosFiles::find_root(Vfs& fs) {
  const std::uint64_t second = rt::monotonic_ns() / static_cast<std::uint64_t>(kSecondNs) + 1;
  if (second == root_second_) return root_.valid();
  root_second_ = second;
  const exos::Caller who{.credentials = kWhoServes, .root = fs.root()};
  const auto found = fs.walk(who, who.root, kRoot, exos::Follow::Always);
  const bool usable = found.has_value() && fs.type(*found) == exos::FileType::Directory;
  if (usable && *found == root_) return true;
  if (usable) fs.hold(*found);
  if (root_.valid()) fs.release(root_);
  root_ = usable ? *found : Vnode{};
  return usable;
}

FoundFile ExosFiles::find(std::string_view path) {
  const exos::FileSystemLock lock;
  Vfs fs = exos::file_system();
  if (!find_root(fs)) return {.kind = Kind::Missing};
  const exos::Caller who{.credentials = kWhoServes, .root = root_};
  const auto node = fs.walk(who, root_, path, exos::Follow::Always);
  if (!node.has_value()) {
    const bool refused = node.error() == exos::FsError::AccessDenied;
    return {.kind = refused ? Kind::Forbidden : Kind::Missing};
  }
  return open(fs, *node);
}

FoundFile ExosFiles::open(Vfs& fs, const Vnode& node) {
  if (node.mount->kind != exos::FsKind::Memory) return {.kind = Kind::Forbidden};
  const exos::Attributes now = fs.attributes(node);
  if (now.type == exos::FileType::Directory) return {.kind = Kind::Directory};
  if (now.type != exos::FileType::Regular ||
      !fs.check_access(kWhoServes, node, exos::kAccessRead).has_value())
    return {.kind = Kind::Forbidden};
  File* const file = place_for(now);
  if (file == nullptr) return {.kind = Kind::Exhausted};
  const bool same = file->number == now.number && file->mount == now.mount_id;
  if (!same || file->size != now.size || file->modified_ns != now.modified_ns ||
      file->changed_ns != now.changed_ns) {
    file->number = now.number;
    file->mount = now.mount_id;
    file->size = now.size;
    file->modified_ns = now.modified_ns;
    file->changed_ns = now.changed_ns;
    file->version = ++last_version_;
  }
  file->node = node;
  if (file->references++ == 0) fs.hold(node);
  return {.kind = Kind::Regular,
          .handle = static_cast<std::uint32_t>(file - files_.data()),
          .size = now.size,
          .version = file->version,
          .modified = seconds_of(now.modified_ns)};
}

/// The file's place, or one to take: free, or else that of the version seen first of those that
/// nobody has open. Null: all that it could have are open.
ExosFiles::File* ExosFiles::place_for(const exos::Attributes& file) {
  const std::uint64_t hash =
      (file.number + (std::uint64_t{file.mount_id} << 32)) * std::uint64_t{0x9E37'79B9'7F4A'7C15};
  File* place = nullptr;
  for (std::size_t i = 0; i < kProbes; ++i) {
    File& each = files_[((hash >> 32) + i) % kFiles];
    if (each.number == file.number && each.mount == file.mount_id) return &each;
    if (each.references != 0) continue;
    if (place == nullptr || each.version < place->version) place = &each;
  }
  return place;
}

std::size_t ExosFiles::pieces(std::uint32_t handle, std::uint64_t offset, std::uint32_t length,
                              std::span<net::PayloadPiece> out) {
  sending_.emplace();
  Vfs fs = exos::file_system();
  const Vnode& node = files_[handle].node;
  const std::uint64_t size = fs.attributes(node).size;
  if (offset >= size) return 0;
  std::uint64_t left = std::min<std::uint64_t>(length, size - offset);
  std::size_t count = 0;
  while (left != 0 && count < out.size()) {
    const auto page = fs.page_at(node, offset / kPageSize, exos::PageUse::Read);
    if (!page.has_value()) break;
    const std::uint64_t in_page = offset % kPageSize;
    const auto run = static_cast<std::uint32_t>(std::min(left, kPageSize - in_page));
    out[count++] = {.data = static_cast<const std::uint8_t*>(page->address) + in_page,
                    .length = run};
    offset += run;
    left -= run;
  }
  return count;
}

void ExosFiles::release(std::uint32_t handle) {
  File& file = files_[handle];
  if (--file.references != 0) return;
  const exos::FileSystemLock lock;
  exos::file_system().release(file.node);
}

}  // namespace xok::cheetah
