// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "apps/cheetah/file_store.hpp"
#include "exos/fs/vfs.hpp"
#include "exos/proc/file_system.hpp"

namespace xok::cheetah {

/// The files below /www in ExOS' file system, seen as the user www-data: where that user may not
/// read, neither may the Web. /www is also the root for symbolic links, absolute ones too: nothing
/// outside it can be reached. Only regular files of memory file systems are opened: /proc mounted
/// inside, fifos and devices are refused.
///
/// An open file is held, so that it outlives its name; its bytes go to the network from the file
/// system's own pages. Between `pieces` and `sent` the file-system lock is held: a page that is
/// being sent cannot be cut off and become another file's.
///
/// A file's version changes when its inode's number, size or times do. Writes through a shared
/// mapping change none of them: see ChecksumCache.
///
/// Context  one environment, which holds no other lock. Not to be in memory that fork copies while
///          files are open. Zero bytes are a valid object
class ExosFiles final : public FileStore {
 public:
  /// Cost  not measured alone; of the order of the walk (Vfs::walk). Budget: 1000
  FoundFile find(std::string_view path) override;
  /// Cost  not measured alone. Budget: 300 instructions for each page
  std::size_t pieces(std::uint32_t handle, std::uint64_t offset, std::uint32_t length,
                     std::span<net::PayloadPiece> out) override;
  void sent() override { sending_.reset(); }
  void release(std::uint32_t handle) override;

 private:
  static constexpr std::size_t kFiles = 1024;
  static constexpr std::size_t kProbes = 8;

  /// A file that is open, or was: then it is kept to know its version again.
  struct File {
    exos::Vnode node;          ///< held while `references` is not 0
    std::uint64_t number = 0;  ///< of the inode: never reused; 0: the place is free
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    std::uint64_t version = 0;
    std::uint32_t mount = 0;
    std::uint32_t references = 0;
  };

  bool find_root(exos::Vfs& fs);
  FoundFile open(exos::Vfs& fs, const exos::Vnode& node);
  File* place_for(const exos::Attributes& file);

  exos::Vnode root_;  ///< /www, held; looked up again once a second
  std::uint64_t root_second_ = 0;
  std::uint64_t last_version_ = 0;
  std::optional<exos::FileSystemLock> sending_;
  std::array<File, kFiles> files_{};
};

}  // namespace xok::cheetah
