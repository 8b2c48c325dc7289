// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "exos/fs/test_pages.hpp"
#include "exos/fs/vfs.hpp"

namespace xok::exos {

/// A Vfs with a memory file system as its root; at the end nothing may be held and no page out.
class VfsFixture : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'700'000'000'000'000'000;

  void SetUp() override {
    memory_ = MemoryFs::create(pages_, {.pages = 10'000, .inodes = 10'000}, kNow).value();
    root_ = vfs().mount_root(*memory_, "rootfs").value();
  }
  void TearDown() override {
    for (std::size_t i = kMaxMounts; i-- > 1;) {
      Mount& mount = state_.mounts[i];
      if (mount.kind == FsKind::None) continue;
      const std::uint64_t node = mount.kind == FsKind::Memory
                                     ? reinterpret_cast<std::uint64_t>(mount.memory->root)
                                     : ProcRoot;
      EXPECT_TRUE(vfs().unmount({.mount = &mount, .node = node}).has_value()) << "mount " << i;
    }
    EXPECT_TRUE(MemoryFs::destroy(memory_, pages_).has_value()) << "a file is still held";
  }

  Vfs vfs(std::int64_t now_ns = kNow) { return {state_, pages_, processes_, now_ns}; }
  Caller as_root() { return {.credentials = root_user_, .root = root_}; }
  Caller as_user() { return {.credentials = user_, .root = root_}; }

  FsResult<Vnode> walk(std::string_view path, Follow follow = Follow::Always) {
    return vfs().walk(as_root(), root_, path, follow);
  }
  Vnode at(std::string_view path) { return walk(path, Follow::ExceptLast).value(); }
  Attributes stat(std::string_view path) { return vfs().attributes(at(path)); }

  FsResult<Vnode> make(std::string_view path, FileType type, std::uint16_t permissions = 0755) {
    return vfs().make_node(as_root(), root_, path, type, permissions, 0);
  }
  void mkdir(std::string_view path, std::uint16_t permissions = 0755) {
    EXPECT_TRUE(make(path, FileType::Directory, permissions).has_value()) << path;
  }
  void touch(std::string_view path, std::uint16_t permissions = 0644) {
    EXPECT_TRUE(make(path, FileType::Regular, permissions).has_value()) << path;
  }
  void symlink(std::string_view target, std::string_view path) {
    EXPECT_TRUE(vfs().make_symlink(as_root(), root_, path, target).has_value()) << path;
  }
  void chown(std::string_view path, std::uint32_t uid, std::uint32_t gid) {
    EXPECT_TRUE(vfs().set_owner(root_user_, at(path), uid, gid).has_value());
  }
  /// The error of an open; `created` files and found ones are released at once.
  FsResult<bool> open(const Caller& caller, std::string_view path, const OpenRequest& request) {
    const Opened opened = XOK_TRY(vfs().open(caller, root_, path, request));
    vfs().release(opened.node);
    return opened.created;
  }
  std::string path_of(const Vnode& node, const Vnode& root) {
    std::array<char, kMaxPath + 1> buffer;
    const auto path = vfs().path_of(node, root, buffer);
    return path ? std::string{*path} : "(none)";
  }

  static constexpr std::uint64_t ProcRoot = 1;
  static constexpr std::array<std::uint32_t, 2> kGroups = {200, 201};
  TestPages pages_;
  VfsState state_;
  ProcSource* processes_ = nullptr;
  MemoryFsState* memory_ = nullptr;
  Vnode root_;
  Credentials root_user_{};
  Credentials user_{.uid = 100, .gid = 100, .groups = kGroups};
};

}  // namespace xok::exos
