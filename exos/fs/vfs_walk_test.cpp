// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fs/test_vfs.hpp"

namespace xok::exos {
namespace {

struct WalkTest : VfsFixture {
  void SetUp() override {
    VfsFixture::SetUp();
    mkdir("/usr");
    mkdir("/usr/bin");
    touch("/usr/bin/sh");
    symlink("usr/bin", "/bin");
    symlink("/usr/bin/sh", "/sh");
  }
};

TEST_F(WalkTest, SlashesAndDotsAreAbsorbed) {
  const Vnode sh = at("/usr/bin/sh");
  EXPECT_EQ(walk("//usr///bin/./sh"), sh);
  EXPECT_EQ(walk("/usr/../usr/bin/../bin/sh"), sh);
  EXPECT_EQ(walk("/.."), root_);
  EXPECT_EQ(walk("/../../.."), root_);
  EXPECT_EQ(walk("///"), root_);
  EXPECT_EQ(walk("."), root_);
  EXPECT_EQ(vfs().walk(as_root(), at("/usr"), "bin/sh", Follow::Always), sh);
  EXPECT_EQ(vfs().walk(as_root(), at("/usr/bin"), "..", Follow::Always), at("/usr"));
}

TEST_F(WalkTest, MissingAndWrongComponentsAreTold) {
  EXPECT_EQ(walk("").error(), FsError::NotFound);
  EXPECT_EQ(walk("/none").error(), FsError::NotFound);
  EXPECT_EQ(walk("/none/x").error(), FsError::NotFound);
  EXPECT_EQ(walk("/usr/bin/sh/x").error(), FsError::NotADirectory);
  EXPECT_EQ(walk("/usr/bin/sh/").error(), FsError::NotADirectory);
  EXPECT_EQ(walk("/usr/bin/sh/.").error(), FsError::NotADirectory);
  EXPECT_EQ(walk("/usr/bin/sh/..").error(), FsError::NotADirectory);
  EXPECT_EQ(walk("/" + std::string(256, 'x')).error(), FsError::NameTooLong);
  EXPECT_EQ(walk("/" + std::string(255, 'x')).error(), FsError::NotFound);
  EXPECT_EQ(walk(std::string(4095, '/')), root_);
  EXPECT_EQ(walk(std::string(4096, '/')).error(), FsError::NameTooLong);
}

TEST_F(WalkTest, SymbolicLinksAreFollowed) {
  EXPECT_EQ(walk("/bin/sh"), at("/usr/bin/sh"));
  EXPECT_EQ(walk("/sh"), at("/usr/bin/sh"));
  EXPECT_EQ(vfs().type(at("/sh")), FileType::Symlink);
  EXPECT_EQ(walk("/bin/", Follow::ExceptLast), at("/usr/bin"));
  EXPECT_EQ(vfs().type(*walk("/bin/", Follow::Never)), FileType::Symlink);
  EXPECT_EQ(walk("/sh/", Follow::ExceptLast).error(), FsError::NotADirectory);
  symlink("../sh", "/usr/up");
  EXPECT_EQ(walk("/usr/up"), at("/usr/bin/sh"));
  symlink("/", "/usr/top");
  EXPECT_EQ(walk("/usr/top"), root_);
  EXPECT_EQ(walk("/usr/top/bin/../top/usr"), at("/usr"));
  symlink("nothing", "/dangling");
  EXPECT_EQ(walk("/dangling").error(), FsError::NotFound);
  symlink("usr/bin/sh/", "/slash");
  EXPECT_EQ(walk("/slash").error(), FsError::NotADirectory);
  symlink("usr/", "/slashed");
  EXPECT_EQ(walk("/slashed/bin"), at("/usr/bin"));
}

TEST_F(WalkTest, FortyLinksAreFollowedAndNoMore) {
  symlink("/usr", "/l0");
  for (int i = 1; i <= 40; ++i) {
    symlink("l" + std::to_string(i - 1), "/l" + std::to_string(i));
  }
  EXPECT_EQ(walk("/l39"), at("/usr"));
  EXPECT_EQ(walk("/l39/bin/sh"), at("/usr/bin/sh"));
  EXPECT_EQ(walk("/l40").error(), FsError::Loop);
  EXPECT_EQ(walk("/l39/../sh").error(), FsError::Loop);
  symlink("self", "/self");
  EXPECT_EQ(walk("/self").error(), FsError::Loop);
  // Each level leaves a remainder behind: all forty are kept.
  mkdir("/d");
  symlink(".", "/d/n0");
  for (int i = 1; i < 40; ++i) {
    symlink("n" + std::to_string(i - 1) + "/.", "/d/n" + std::to_string(i));
  }
  EXPECT_EQ(walk("/d/n39/../usr"), at("/usr"));
}

TEST_F(WalkTest, NobodyLeavesHisRoot) {
  mkdir("/jail");
  mkdir("/jail/etc");
  symlink("/etc", "/jail/absolute");
  symlink("../../../usr", "/jail/escape");
  const Vnode jail = at("/jail");
  const Caller caller{.credentials = root_user_, .root = jail};
  EXPECT_EQ(vfs().walk(caller, jail, "/etc", Follow::Always), at("/jail/etc"));
  EXPECT_EQ(vfs().walk(caller, jail, "/../../etc", Follow::Always), at("/jail/etc"));
  EXPECT_EQ(vfs().walk(caller, jail, "/absolute", Follow::Always), at("/jail/etc"));
  EXPECT_EQ(vfs().walk(caller, jail, "/escape", Follow::Always).error(), FsError::NotFound);
  EXPECT_EQ(path_of(at("/jail/etc"), jail), "/etc");
  EXPECT_EQ(path_of(jail, jail), "/");
  EXPECT_EQ(path_of(at("/usr"), jail), "(none)");
}

TEST_F(WalkTest, SearchNeedsPermission) {
  mkdir("/private", 0700);
  touch("/private/f");
  mkdir("/group", 0710);
  touch("/group/f");
  chown("/group", 0, 201);
  EXPECT_EQ(vfs().walk(as_user(), root_, "/private/f", Follow::Always).error(),
            FsError::AccessDenied);
  EXPECT_EQ(vfs().walk(as_user(), root_, "/private/", Follow::Always), at("/private"));
  EXPECT_EQ(vfs().walk(as_user(), root_, "/private/..", Follow::Always).error(),
            FsError::AccessDenied);
  EXPECT_EQ(vfs().walk(as_user(), root_, "/group/f", Follow::Always), at("/group/f"));
  // The owner's bits decide for the owner, however much others may.
  mkdir("/odd", 0077);
  touch("/odd/f");
  chown("/odd", 100, 100);
  EXPECT_EQ(vfs().walk(as_user(), root_, "/odd/f", Follow::Always).error(), FsError::AccessDenied);
}

TEST_F(WalkTest, PathsAreFoundFromTheFile) {
  EXPECT_EQ(path_of(root_, root_), "/");
  EXPECT_EQ(path_of(at("/usr/bin"), root_), "/usr/bin");
  EXPECT_EQ(path_of(at("/usr/bin/sh"), root_), "/usr/bin/sh");
  std::array<char, 5> small;
  EXPECT_EQ(vfs().path_of(at("/usr/bin"), root_, small).error(), FsError::NoBuffer);
  std::array<char, 0> none;
  EXPECT_EQ(vfs().path_of(root_, root_, none).error(), FsError::NoBuffer);
  const Vnode sh = at("/usr/bin/sh");
  vfs().hold(sh);
  ASSERT_TRUE(vfs().unlink(as_root(), root_, "/usr/bin/sh").has_value());
  EXPECT_EQ(path_of(sh, root_), "(none)");
  vfs().release(sh);
}

// --- Mounts --------------------------------------------------------------------------------------

TEST_F(WalkTest, MountsHideADirectoryAndAreCrossedBothWays) {
  mkdir("/tmp");
  touch("/tmp/hidden");
  const Vnode below = at("/tmp");
  const auto tmp =
      vfs().mount_new_memory(below, {.pages = 100, .inodes = 50}, "tmpfs", MountMode::ReadWrite);
  ASSERT_TRUE(tmp.has_value());
  EXPECT_EQ(walk("/tmp"), *tmp);
  EXPECT_EQ(walk("/tmp/hidden").error(), FsError::NotFound);
  mkdir("/tmp/d");
  EXPECT_EQ(walk("/tmp/d/../../usr"), at("/usr"));
  EXPECT_EQ(walk("/tmp/.."), root_);
  EXPECT_EQ(path_of(at("/tmp/d"), root_), "/tmp/d");
  EXPECT_NE(stat("/tmp").mount_id, stat("/").mount_id);
  EXPECT_EQ(vfs().statistics(*tmp).total_pages, 100U);
  // A mount on the mount.
  const auto second =
      vfs().mount_new_memory(*tmp, {.pages = 100, .inodes = 50}, "tmpfs", MountMode::ReadWrite);
  EXPECT_EQ(walk("/tmp"), *second);
  EXPECT_EQ(walk("/tmp/.."), root_);
  EXPECT_EQ(vfs().unmount(*tmp).error(), FsError::Busy);
  EXPECT_TRUE(vfs().unmount(*second).has_value());
  EXPECT_TRUE(vfs().unmount(*tmp).has_value());
  EXPECT_EQ(walk("/tmp"), below);
}

TEST_F(WalkTest, MountPointsAreGuarded) {
  mkdir("/tmp");
  const Vnode below = at("/tmp");
  const MemoryFs::Limits limits{.pages = 50, .inodes = 10};
  const Vnode tmp = *vfs().mount_new_memory(below, limits, "tmpfs", MountMode::ReadWrite);
  EXPECT_EQ(vfs().mount_new_memory(below, limits, "t", MountMode::ReadWrite).error(),
            FsError::Busy);
  EXPECT_EQ(vfs().mount_proc(at("/sh"), "p").error(), FsError::NotADirectory);
  EXPECT_EQ(vfs().mount_root(*memory_, "again").error(), FsError::Busy);
  EXPECT_EQ(vfs()
                .mount_new_memory(at("/usr"), {.pages = 1, .inodes = 1}, "t", MountMode::ReadWrite)
                .error(),
            FsError::NoSpace);
  EXPECT_EQ(vfs().unmount(at("/usr")).error(), FsError::BadArgument);
  EXPECT_EQ(vfs().unmount(root_).error(), FsError::Busy);
  EXPECT_EQ(vfs().set_mount_mode(at("/usr"), MountMode::ReadOnly).error(), FsError::BadArgument);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/tmp").error(), FsError::Busy);
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/tmp").error(), FsError::IsADirectory);
  EXPECT_EQ(vfs().rename(as_root(), root_, "/tmp", root_, "/t", RenameMode::Replace).error(),
            FsError::Busy);
  touch("/tmp/f");
  EXPECT_EQ(vfs().rename(as_root(), root_, "/tmp/f", root_, "/f", RenameMode::Replace).error(),
            FsError::CrossDevice);
  EXPECT_EQ(vfs().link(as_root(), at("/tmp/f"), root_, "/f").error(), FsError::CrossDevice);
  const Vnode held = at("/tmp/f");
  vfs().hold(held);
  EXPECT_EQ(vfs().unmount(tmp).error(), FsError::Busy);
  vfs().release(held);
  ASSERT_TRUE(vfs().unmount(tmp).has_value());
  for (std::size_t i = 1; i < kMaxMounts; ++i) {
    mkdir("/m" + std::to_string(i));
    EXPECT_TRUE(vfs().mount_proc(at("/m" + std::to_string(i)), "proc").has_value());
  }
  EXPECT_EQ(vfs().mount_proc(at("/usr"), "proc").error(), FsError::NoSpace);
  EXPECT_EQ(vfs().mount_proc(at("/m1"), "proc").error(), FsError::NotSupported);
}

TEST_F(WalkTest, AReadOnlyMountRefusesEveryChange) {
  mkdir("/ro");
  const Vnode ro = *vfs().mount_new_memory(at("/ro"), {.pages = 50, .inodes = 10}, "tmpfs",
                                           MountMode::ReadWrite);
  touch("/ro/f");
  mkdir("/ro/d");
  ASSERT_TRUE(make("/ro/tty", FileType::CharDevice, 0666).has_value());
  ASSERT_TRUE(vfs().set_mount_mode(ro, MountMode::ReadOnly).has_value());
  const Vnode f = at("/ro/f");
  EXPECT_EQ(make("/ro/x", FileType::Regular).error(), FsError::ReadOnly);
  EXPECT_EQ(make("/ro/f", FileType::Regular).error(), FsError::Exists);
  EXPECT_EQ(vfs().make_symlink(as_root(), root_, "/ro/x", "t").error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/ro/f").error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/ro/d").error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().rename(as_root(), ro, "f", ro, "g", RenameMode::Replace).error(),
            FsError::ReadOnly);
  EXPECT_EQ(vfs().set_permissions(root_user_, f, 0).error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().set_owner(root_user_, f, 1, 1).error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().set_times(root_user_, f, {TimeChange::Kind::Now, 0}, {}).error(),
            FsError::ReadOnly);
  EXPECT_EQ(vfs().write(root_user_, f, 0, {}).error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().resize(root_user_, f, 0).error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().preallocate(f, 0, 1, SizeChange::Keep).error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().punch_hole(f, 0, 1).error(), FsError::ReadOnly);
  EXPECT_EQ(vfs().create_unnamed(ro, {}).error(), FsError::ReadOnly);
  EXPECT_EQ(open(as_root(), "/ro/f", {.write = true}).error(), FsError::ReadOnly);
  EXPECT_EQ(open(as_root(), "/ro/n", {.write = true, .create = true}).error(), FsError::ReadOnly);
  EXPECT_EQ(open(as_root(), "/ro/f", {.read = true}), false);
  EXPECT_EQ(open(as_root(), "/ro/tty", {.read = true, .write = true}), false);
}

}  // namespace
}  // namespace xok::exos
