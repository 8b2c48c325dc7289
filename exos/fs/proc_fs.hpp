// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "exos/fs/proc_node.hpp"
#include "exos/fs/proc_source.hpp"
#include "exos/fs/text_window.hpp"
#include "exos/fs/vfs.hpp"

namespace xok::exos {

/// /proc: files made on the spot out of what a `ProcSource` tells, in Linux' formats (proc(5)), for
/// ps, top, free, uptime, pidof, killall, mount, lsof, fuser, netstat and their like. Read-only.
///
/// A handle, built per call. Without a source it is an empty directory. A text is generated anew
/// for each read and only the wanted part kept: no buffer, any length.
/// Source: own; the formats are those of Linux 6.
class ProcFs {
 public:
  ProcFs(ProcSource* source, const Vfs& vfs) : source_{source}, vfs_{&vfs} {}

  static ProcNode root() { return {}; }

  /// Errors  NotFound (no such name; the process or descriptor is gone); NotADirectory
  FsResult<ProcNode> lookup(ProcNode directory, std::string_view name) const;
  [[nodiscard]] ProcNode parent(ProcNode node) const;
  /// The node's name in its parent; numbers are written into `buffer`.
  [[nodiscard]] std::string_view name_of(ProcNode node, std::span<char, 16> buffer) const;
  /// As MemoryFs::next_entry: processes come in order of their pid, once.
  [[nodiscard]] std::optional<DirectoryItem> next_entry(ProcNode directory, std::uint64_t cursor,
                                                        std::span<char> buffer) const;

  [[nodiscard]] FileType type(ProcNode node) const;
  [[nodiscard]] Attributes attributes(ProcNode node) const;
  static Statistics statistics();

  /// What `readlink` shows. Errors  BadArgument (no link); NotFound; NoBuffer
  FsResult<std::string_view> read_link(ProcNode link, std::span<char> buffer) const;
  /// Whether the link leads straight to a file rather than by its text; and the file, invalid if
  /// there is none to be opened.
  static bool is_direct_link(ProcNode node);
  [[nodiscard]] Vnode link_target(ProcNode link) const;

  /// See Vfs::read. Errors  IsADirectory; BadArgument (a link); NotFound (the process is gone)
  FsResult<std::size_t> read(ProcNode file, std::uint64_t offset, std::span<std::byte> out,
                             GeneratedText* text) const;

 private:
  FsResult<void> generate(ProcNode file, TextWindow& text) const;
  [[nodiscard]] bool exists(int pid) const;
  FsResult<ProcNode> lookup_number(ProcNode directory, std::string_view name) const;
  [[nodiscard]] std::optional<int> next_number(ProcNode directory, int after) const;

  ProcSource* source_;
  const Vfs* vfs_;
};

/// The texts of one process' files, of the system's, and of /proc/net's.
void write_process_text(ProcFile file, const ProcessInfo& process, TextWindow& text);
void write_maps(ProcSource& source, int pid, TextWindow& text);
void write_system_text(ProcFile file, ProcSource& source, TextWindow& text);
void write_net_text(ProcFile file, ProcSource& source, TextWindow& text);
/// `mounts` and `mountinfo`: paths as seen from the root of all.
void write_mounts(const Vfs& vfs, TextWindow& text);
void write_mount_info(const Vfs& vfs, TextWindow& text);

}  // namespace xok::exos
