// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <expected>

#include "base/result.hpp"

namespace xok::exos {

/// Every way a file-system operation can fail. One meaning each; `exos/linux` translates them into
/// errno (named beside each) in one function.
enum class FsError : std::uint8_t {
  BadArgument =
      1,          ///< EINVAL: an argument is outside its range, or a directory would contain itself
  NotFound,       ///< ENOENT: a component does not exist, or its directory has been removed
  Exists,         ///< EEXIST: the name is taken and must not be
  NotADirectory,  ///< ENOTDIR: a directory is needed and this is something else
  IsADirectory,   ///< EISDIR: anything but a directory is needed
  NotEmpty,       ///< ENOTEMPTY: the directory to be removed or replaced has entries
  Loop,           ///< ELOOP: more than 40 symbolic links, or one where none may be followed
  NameTooLong,    ///< ENAMETOOLONG: a component above 255 bytes or a path above 4095
  CrossDevice,    ///< EXDEV: the two names are on different mounts
  ReadOnly,       ///< EROFS: the mount is read-only
  AccessDenied,   ///< EACCES: the permission bits refuse the access
  NotPermitted,   ///< EPERM: only the owner or root may, or this kind of file does not allow it
  NoSpace,        ///< ENOSPC: the quota or the page source is exhausted
  FileTooBig,     ///< EFBIG: the file would exceed 1 TB
  TooManyLinks,   ///< EMLINK: the inode already has the largest number of links
  Busy,           ///< EBUSY: a mount point, a root directory, or a mount with open files
  BadFormat,      ///< EINVAL: bytes to be parsed break their format
  NotSupported,   ///< EOPNOTSUPP: a well-formed request this file system does not serve
  BeyondEnd,      ///< ENXIO, or SIGBUS for a mapping: the offset is at or past the end of file
  NoBuffer,       ///< ERANGE: the result does not fit the caller's buffer
  Last = NoBuffer,
};

/// A value, or why there is none. `XOK_TRY` works on it.
template <class T = void>
using FsResult = std::expected<T, FsError>;

/// Shorthand for `return fs_fail(FsError::NotFound);`.
constexpr std::unexpected<FsError> fs_fail(FsError error) { return std::unexpected{error}; }

}  // namespace xok::exos
