// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fs/vfs.hpp"

#include "exos/fs/test_vfs.hpp"

namespace xok::exos {
namespace {

using VfsTest = VfsFixture;

// --- Opening -------------------------------------------------------------------------------------

TEST_F(VfsTest, OpenFindsOrCreates) {
  EXPECT_EQ(open(as_root(), "/f", {.read = true}).error(), FsError::NotFound);
  EXPECT_EQ(open(as_root(), "/f", {.write = true, .create = true, .permissions = 0640}), true);
  EXPECT_EQ(stat("/f").mode(), 0100640U);
  EXPECT_EQ(open(as_root(), "/f", {.write = true, .create = true}), false);
  EXPECT_EQ(open(as_root(), "/f", {.create = true, .exclusive = true}).error(), FsError::Exists);
  EXPECT_EQ(open(as_root(), "/none/f", {.create = true}).error(), FsError::NotFound);
  EXPECT_EQ(open(as_root(), "/new/", {.create = true}).error(), FsError::IsADirectory);
  EXPECT_EQ(open(as_root(), "/new", {.create = true, .directory = true}).error(),
            FsError::BadArgument);
}

TEST_F(VfsTest, OpenedFilesAreHeld) {
  const Opened opened = *vfs().open(as_root(), root_, "/f", {.write = true, .create = true});
  ASSERT_TRUE(vfs().unlink(as_root(), root_, "/f").has_value());
  EXPECT_EQ(vfs().write(root_user_, opened.node, 0, std::as_bytes(std::span{"abc", 3})), 3U);
  EXPECT_EQ(vfs().attributes(opened.node).links, 0U);
  vfs().release(opened.node);
}

TEST_F(VfsTest, DirectoriesAreOpenedToReadOnly) {
  mkdir("/d");
  touch("/f");
  EXPECT_EQ(open(as_root(), "/d", {.read = true}), false);
  EXPECT_EQ(open(as_root(), "/d/", {.read = true, .directory = true}), false);
  EXPECT_EQ(open(as_root(), "/d", {.write = true}).error(), FsError::IsADirectory);
  EXPECT_EQ(open(as_root(), "/d", {.read = true, .create = true}).error(), FsError::IsADirectory);
  EXPECT_EQ(open(as_root(), "/f", {.read = true, .directory = true}).error(),
            FsError::NotADirectory);
}

TEST_F(VfsTest, OpenTreatsLinksAsAsked) {
  symlink("target", "/link");
  EXPECT_EQ(open(as_root(), "/link", {.read = true, .no_follow = true}).error(), FsError::Loop);
  EXPECT_EQ(open(as_root(), "/link", {.directory = true, .no_follow = true}).error(),
            FsError::NotADirectory);
  EXPECT_EQ(open(as_root(), "/link", {.create = true, .exclusive = true}).error(), FsError::Exists);
  EXPECT_EQ(open(as_root(), "/link", {.read = true}).error(), FsError::NotFound);
  EXPECT_EQ(open(as_root(), "/link", {.write = true, .create = true}), true);
  EXPECT_EQ(stat("/target").type, FileType::Regular);
}

TEST_F(VfsTest, OpenChecksTheBitsAskedFor) {
  touch("/secret", 0600);
  touch("/readable", 0644);
  mkdir("/d", 0755);
  EXPECT_EQ(open(as_user(), "/secret", {.read = true}).error(), FsError::AccessDenied);
  EXPECT_EQ(open(as_user(), "/readable", {.read = true}), false);
  EXPECT_EQ(open(as_user(), "/readable", {.read = true, .write = true}).error(),
            FsError::AccessDenied);
  EXPECT_EQ(open(as_user(), "/readable", {.read = true, .truncate = true}).error(),
            FsError::AccessDenied);
  EXPECT_EQ(open(as_user(), "/d/new", {.create = true}).error(), FsError::AccessDenied);
  EXPECT_EQ(open(as_root(), "/secret", {.read = true, .write = true}), false);
}

TEST_F(VfsTest, TruncateOnOpenEmptiesTheFile) {
  touch("/f");
  const Vnode f = at("/f");
  (void)vfs().write(root_user_, f, 0, std::as_bytes(std::span{"abc", 3}));
  EXPECT_EQ(open(as_root(), "/f", {.write = true, .truncate = true}), false);
  EXPECT_EQ(stat("/f").size, 0U);
}

TEST_F(VfsTest, UnnamedFilesCarryTheFdLayersState) {
  const Vnode pipe = *vfs().create_unnamed(root_, {.type = FileType::Fifo, .permissions = 0600});
  void** slot = vfs().attached(pipe);
  ASSERT_NE(slot, nullptr);
  EXPECT_EQ(*slot, nullptr);
  *slot = this;
  EXPECT_EQ(*vfs().attached(pipe), this);
  EXPECT_EQ(path_of(pipe, root_), "(none)");
  vfs().release(pipe);
}

// --- Names ---------------------------------------------------------------------------------------

TEST_F(VfsTest, MakingNodesChecksNameAndRight) {
  touch("/f");
  mkdir("/d", 0755);
  symlink("nowhere", "/dangling");
  EXPECT_EQ(make("/f", FileType::Directory).error(), FsError::Exists);
  EXPECT_EQ(make("/", FileType::Directory).error(), FsError::Exists);
  EXPECT_EQ(make("/d/.", FileType::Directory).error(), FsError::Exists);
  EXPECT_EQ(make("/d/..", FileType::Directory).error(), FsError::Exists);
  EXPECT_EQ(make("/dangling", FileType::Directory).error(), FsError::Exists);
  EXPECT_EQ(make("/dangling/", FileType::Directory).error(), FsError::Exists);
  EXPECT_EQ(make("/new/", FileType::Regular).error(), FsError::NotFound);
  EXPECT_TRUE(make("/new/", FileType::Directory).has_value());
  EXPECT_EQ(vfs().make_symlink(as_root(), root_, "/x/", "t").error(), FsError::NotFound);
  EXPECT_EQ(vfs().make_symlink(as_root(), root_, "/x", "").error(), FsError::BadArgument);
  EXPECT_EQ(vfs().make_node(as_user(), root_, "/d/x", FileType::Fifo, 0600, 0).error(),
            FsError::AccessDenied);
  mkdir("/open", 0777);
  EXPECT_EQ(vfs().make_node(as_user(), root_, "/open/x", FileType::CharDevice, 0600, 1).error(),
            FsError::NotPermitted);
  EXPECT_TRUE(vfs().make_node(as_user(), root_, "/open/s", FileType::Socket, 0600, 7).has_value());
  EXPECT_EQ(stat("/open/s").device, 0U);
  EXPECT_EQ(stat("/open/s").uid, 100U);
  EXPECT_EQ(stat("/open/s").gid, 100U);
}

TEST_F(VfsTest, SetGidDirectoriesHandDownTheirGroup) {
  mkdir("/g", 02777);
  chown("/g", 0, 77);
  ASSERT_EQ(stat("/g").permissions, 02777);
  EXPECT_TRUE(vfs().make_node(as_user(), root_, "/g/d", FileType::Directory, 0755, 0).has_value());
  EXPECT_EQ(stat("/g/d").gid, 77U);
  EXPECT_EQ(stat("/g/d").permissions, 02755);
  EXPECT_EQ(open(as_user(), "/g/d/f", {.create = true, .permissions = 0644}), true);
  EXPECT_EQ(stat("/g/d/f").gid, 77U);
  EXPECT_EQ(stat("/g/d/f").permissions, 0644);
  ASSERT_TRUE(vfs().make_symlink(as_user(), root_, "/g/l", "x").has_value());
  EXPECT_EQ(stat("/g/l").gid, 77U);
}

TEST_F(VfsTest, HardLinksAreMadeByVnode) {
  touch("/f");
  mkdir("/d");
  EXPECT_TRUE(vfs().link(as_root(), at("/f"), at("/d"), "g").has_value());
  EXPECT_EQ(at("/d/g"), at("/f"));
  EXPECT_EQ(vfs().link(as_root(), at("/d"), root_, "/e").error(), FsError::NotPermitted);
  EXPECT_EQ(vfs().link(as_root(), at("/f"), root_, "/d").error(), FsError::Exists);
  EXPECT_EQ(vfs().link(as_root(), at("/f"), root_, "/e/").error(), FsError::NotFound);
  EXPECT_EQ(vfs().link(as_user(), at("/f"), root_, "/e").error(), FsError::AccessDenied);
}

TEST_F(VfsTest, RemovalFollowsThePathsEnd) {
  touch("/f");
  mkdir("/d");
  touch("/d/x");
  symlink("d", "/l");
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/").error(), FsError::IsADirectory);
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/d/.").error(), FsError::IsADirectory);
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/d").error(), FsError::IsADirectory);
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/f/").error(), FsError::NotADirectory);
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/l/").error(), FsError::NotADirectory);
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/none").error(), FsError::NotFound);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/").error(), FsError::Busy);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/d/.").error(), FsError::BadArgument);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/d/..").error(), FsError::NotEmpty);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/d").error(), FsError::NotEmpty);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/f").error(), FsError::NotADirectory);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/l/").error(), FsError::NotADirectory);
  EXPECT_EQ(vfs().remove_directory(as_root(), root_, "/none").error(), FsError::NotFound);
  EXPECT_TRUE(vfs().unlink(as_root(), root_, "/l").has_value());
  EXPECT_TRUE(vfs().unlink(as_root(), root_, "/d/x").has_value());
  EXPECT_TRUE(vfs().remove_directory(as_root(), root_, "/d/").has_value());
}

TEST_F(VfsTest, StickyDirectoriesProtectOthersFiles) {
  mkdir("/tmp", 01777);
  touch("/tmp/roots", 0666);
  touch("/tmp/mine");
  chown("/tmp/mine", 100, 100);
  EXPECT_EQ(vfs().unlink(as_user(), root_, "/tmp/roots").error(), FsError::NotPermitted);
  EXPECT_EQ(
      vfs().rename(as_user(), root_, "/tmp/roots", root_, "/tmp/x", RenameMode::Replace).error(),
      FsError::NotPermitted);
  EXPECT_EQ(
      vfs().rename(as_user(), root_, "/tmp/mine", root_, "/tmp/roots", RenameMode::Replace).error(),
      FsError::NotPermitted);
  EXPECT_TRUE(vfs()
                  .rename(as_user(), root_, "/tmp/mine", root_, "/tmp/own", RenameMode::Replace)
                  .has_value());
  EXPECT_TRUE(vfs().unlink(as_user(), root_, "/tmp/own").has_value());
  mkdir("/tmp/d");
  EXPECT_EQ(vfs().remove_directory(as_user(), root_, "/tmp/d").error(), FsError::NotPermitted);
  chown("/tmp", 100, 100);
  EXPECT_TRUE(vfs().unlink(as_user(), root_, "/tmp/roots").has_value());
}

TEST_F(VfsTest, RenameChecksEndsAndRights) {
  const auto rename = [&](const Caller& who, std::string_view from, std::string_view to,
                          RenameMode mode = RenameMode::Replace) {
    const auto done = vfs().rename(who, root_, from, root_, to, mode);
    return done ? std::optional<FsError>{} : done.error();
  };
  mkdir("/d");
  mkdir("/e");
  touch("/f");
  touch("/g");
  EXPECT_EQ(rename(as_root(), "/d/.", "/x"), FsError::Busy);
  EXPECT_EQ(rename(as_root(), "/d", "/e/.."), FsError::Busy);
  EXPECT_EQ(rename(as_root(), "/", "/x"), FsError::Busy);
  EXPECT_EQ(rename(as_root(), "/f/", "/x"), FsError::NotADirectory);
  EXPECT_EQ(rename(as_root(), "/f", "/x/"), FsError::NotADirectory);
  EXPECT_EQ(rename(as_root(), "/none", "/x"), FsError::NotFound);
  EXPECT_EQ(rename(as_root(), "/f", "/none/x"), FsError::NotFound);
  EXPECT_EQ(rename(as_root(), "/f", "/g", RenameMode::NoReplace), FsError::Exists);
  EXPECT_EQ(rename(as_root(), "/f", "/x", RenameMode::Exchange), FsError::NotFound);
  EXPECT_EQ(rename(as_root(), "/d", "/d/x"), FsError::BadArgument);
  EXPECT_EQ(rename(as_root(), "/f", "/d"), FsError::IsADirectory);
  EXPECT_EQ(rename(as_root(), "/d", "/f"), FsError::NotADirectory);
  EXPECT_EQ(rename(as_user(), "/f", "/x"), FsError::AccessDenied);
  EXPECT_EQ(rename(as_root(), "/d/", "/moved/"), std::nullopt);
  EXPECT_EQ(rename(as_root(), "/f", "/moved", RenameMode::Exchange), std::nullopt);
  EXPECT_EQ(stat("/f").type, FileType::Directory);
  EXPECT_EQ(rename(as_root(), "/moved", "/g"), std::nullopt);
  // Moving a directory elsewhere writes its `..`: its own write bit counts.
  mkdir("/p", 0777);
  mkdir("/q", 0777);
  mkdir("/p/sub", 0555);
  chown("/p/sub", 100, 100);
  EXPECT_EQ(rename(as_user(), "/p/sub", "/q/sub"), FsError::AccessDenied);
  EXPECT_EQ(rename(as_user(), "/p/sub", "/p/sub2"), std::nullopt);
}

// --- Attributes ----------------------------------------------------------------------------------

TEST_F(VfsTest, AccessGoesByOwnerGroupOthersAndRoot) {
  touch("/f", 0640);
  chown("/f", 50, 200);
  const Vnode f = at("/f");
  EXPECT_TRUE(vfs().check_access(user_, f, kAccessRead).has_value());
  EXPECT_EQ(vfs().check_access(user_, f, kAccessWrite).error(), FsError::AccessDenied);
  EXPECT_TRUE(vfs().check_access(user_, f, kAccessExists).has_value());
  EXPECT_TRUE(vfs().check_access(root_user_, f, kAccessRead | kAccessWrite).has_value());
  EXPECT_EQ(vfs().check_access(root_user_, f, kAccessExecute).error(), FsError::AccessDenied);
  ASSERT_TRUE(vfs().set_permissions(root_user_, f, 0641).has_value());
  EXPECT_TRUE(vfs().check_access(root_user_, f, kAccessExecute).has_value());
  EXPECT_EQ(vfs().check_access(user_, f, kAccessExecute).error(), FsError::AccessDenied);
  const Credentials stranger{.uid = 9, .gid = 9, .groups = {}};
  EXPECT_TRUE(vfs().check_access(stranger, f, kAccessExecute).has_value());
  EXPECT_EQ(vfs().check_access(stranger, f, kAccessRead).error(), FsError::AccessDenied);
}

TEST_F(VfsTest, ChmodIsForTheOwner) {
  touch("/f");
  symlink("f", "/l");
  const Vnode f = at("/f");
  EXPECT_EQ(vfs().set_permissions(user_, f, 0777).error(), FsError::NotPermitted);
  chown("/f", 100, 300);
  EXPECT_TRUE(vfs().set_permissions(user_, f, 06755).has_value());
  EXPECT_EQ(stat("/f").permissions, 04755) << "set-gid of a foreign group";
  chown("/f", 100, 201);
  EXPECT_EQ(stat("/f").permissions, 0755) << "chown clears set-uid";
  EXPECT_TRUE(vfs().set_permissions(user_, f, 06755).has_value());
  EXPECT_EQ(stat("/f").permissions, 06755);
  EXPECT_EQ(vfs().set_permissions(root_user_, at("/l"), 0).error(), FsError::NotSupported);
}

TEST_F(VfsTest, ChownIsForRootButGroupsForTheOwner) {
  touch("/f");
  const Vnode f = at("/f");
  EXPECT_EQ(vfs().set_owner(user_, f, 100, std::nullopt).error(), FsError::NotPermitted);
  EXPECT_EQ(vfs().set_owner(user_, f, std::nullopt, 200).error(), FsError::NotPermitted);
  chown("/f", 100, 100);
  EXPECT_TRUE(vfs().set_owner(user_, f, std::nullopt, 200).has_value());
  EXPECT_TRUE(vfs().set_owner(user_, f, 100, 201).has_value());
  EXPECT_EQ(vfs().set_owner(user_, f, std::nullopt, 300).error(), FsError::NotPermitted);
  EXPECT_EQ(vfs().set_owner(user_, f, 0, std::nullopt).error(), FsError::NotPermitted);
  EXPECT_EQ(stat("/f").gid, 201U);
}

TEST_F(VfsTest, WritingByOthersThanRootDropsSetUid) {
  touch("/f", 0777);
  const Vnode f = at("/f");
  const auto byte = std::as_bytes(std::span{"x", 1});
  ASSERT_TRUE(vfs().set_permissions(root_user_, f, 06777).has_value());
  EXPECT_TRUE(vfs().write(root_user_, f, 0, byte).has_value());
  EXPECT_EQ(stat("/f").permissions, 06777);
  EXPECT_TRUE(vfs().write(user_, f, 0, byte).has_value());
  EXPECT_EQ(stat("/f").permissions, 0777);
  ASSERT_TRUE(vfs().set_permissions(root_user_, f, 04777).has_value());
  EXPECT_TRUE(vfs().resize(user_, f, 0).has_value());
  EXPECT_EQ(stat("/f").permissions, 0777);
}

TEST_F(VfsTest, TimesAreForTheOwnerButNowForWriters) {
  using Kind = TimeChange::Kind;
  touch("/f", 0666);
  touch("/g", 0644);
  const TimeChange now{Kind::Now, 0};
  const TimeChange set{Kind::Set, 5};
  const TimeChange keep{};
  EXPECT_TRUE(vfs(kNow + 9).set_times(user_, at("/f"), now, now).has_value());
  EXPECT_EQ(stat("/f").modified_ns, kNow + 9);
  EXPECT_EQ(vfs().set_times(user_, at("/f"), now, keep).error(), FsError::NotPermitted);
  EXPECT_EQ(vfs().set_times(user_, at("/f"), set, set).error(), FsError::NotPermitted);
  EXPECT_EQ(vfs().set_times(user_, at("/g"), now, now).error(), FsError::AccessDenied);
  EXPECT_TRUE(vfs().set_times(user_, at("/g"), keep, keep).has_value());
  EXPECT_TRUE(vfs(kNow + 20).set_times(root_user_, at("/f"), set, keep).has_value());
  EXPECT_EQ(stat("/f").accessed_ns, 5);
  EXPECT_EQ(stat("/f").modified_ns, kNow + 9);
  EXPECT_EQ(stat("/f").changed_ns, kNow + 20);
}

TEST_F(VfsTest, ListingNeedsADirectoryAndABuffer) {
  touch("/f");
  std::array<char, kMaxName> buffer;
  std::array<char, kMaxName - 1> small;
  EXPECT_EQ(vfs().next_entry(at("/f"), 0, buffer).error(), FsError::NotADirectory);
  EXPECT_EQ(vfs().next_entry(root_, 0, small).error(), FsError::NoBuffer);
  EXPECT_EQ((*vfs().next_entry(root_, 2, buffer))->name, "f");
  EXPECT_EQ(vfs().read_link(root_user_, at("/f"), buffer).error(), FsError::BadArgument);
}

}  // namespace
}  // namespace xok::exos
