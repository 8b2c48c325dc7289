// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The mount table as text: proc_pid_mounts(5), proc_pid_mountinfo(5).
#include "exos/fs/proc_fs.hpp"

namespace xok::exos {

namespace {

std::string_view kind_name(FsKind kind) { return kind == FsKind::Proc ? "proc" : "tmpfs"; }
std::string_view mode_name(MountMode mode) { return mode == MountMode::ReadOnly ? "ro" : "rw"; }

/// Space, tab, newline and backslash would break the columns: as `\ooo`.
void put_escaped(std::string_view text, TextWindow& out) {
  for (const char character : text) {
    if (character == ' ' || character == '\t' || character == '\n' || character == '\\') {
      out.put('\\').octal(static_cast<unsigned char>(character), 3);
    } else {
      out.put(character);
    }
  }
}

void put_place(const Vfs& vfs, const Mount& mount, TextWindow& out) {
  if (!mount.covered.valid()) {
    out.put('/');
    return;
  }
  char buffer[kMaxPath + 1];
  const auto path = vfs.path_of(mount.covered, vfs.root(), buffer);
  put_escaped(path ? *path : std::string_view{"/(too-long)"}, out);
}

}  // namespace

void write_mounts(const Vfs& vfs, TextWindow& text) {
  for (const Mount& mount : vfs.mounts()) {
    if (mount.kind == FsKind::None) continue;
    put_escaped(mount.source.data(), text);
    text.put(' ');
    put_place(vfs, mount, text);
    text.put(' ').put(kind_name(mount.kind)).put(' ').put(mode_name(mount.mode));
    text.put(",relatime 0 0\n");
  }
}

void write_mount_info(const Vfs& vfs, TextWindow& text) {
  for (const Mount& mount : vfs.mounts()) {
    if (mount.kind == FsKind::None) continue;
    const std::uint32_t parent = mount.covered.valid() ? mount.covered.mount->id : mount.id;
    text.number(mount.id).put(' ').number(parent).put(" 0:").number(mount.id).put(" / ");
    put_place(vfs, mount, text);
    text.put(' ').put(mode_name(mount.mode)).put(",relatime - ");
    text.put(kind_name(mount.kind)).put(' ');
    put_escaped(mount.source.data(), text);
    text.put(' ').put(mode_name(mount.mode)).put('\n');
  }
}

}  // namespace xok::exos
