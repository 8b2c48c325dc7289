// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libs/http/request.hpp"
#include "libs/net/payload.hpp"

namespace xok::cheetah {

/// What a path names.
struct FoundFile {
  enum class Kind : std::uint8_t {
    Missing,    ///< nothing that may be known of: 404
    Forbidden,  ///< something that may not be read, or is neither file nor directory: 403
    Directory,
    Regular,    ///< open: `release` the handle
    Exhausted,  ///< too many files are open: 503
  };
  Kind kind = Kind::Missing;
  std::uint32_t handle = 0;    ///< Regular: for `pieces` and `release`
  std::uint64_t size = 0;      ///< Regular: bytes
  std::uint64_t version = 0;   ///< Regular: names this content of this file, never reused, not 0
  http::Seconds modified = 0;  ///< Regular
};

/// Where the server's files come from: ExOS' file systems in the guest, a map in tests.
class FileStore {
 public:
  FileStore() = default;
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;

  /// Looks a file up, and opens it if it is a regular one. Each success counts: a handle is good
  /// until it has been released as often as it was found.
  ///
  /// path  absolute and normal, as http::Request::path()
  virtual FoundFile find(std::string_view path) = 0;

  /// Names the bytes [offset, offset + length) of an open file where they lie, in order, as at most
  /// `out.size()` runs. They stay as they are until `sent`.
  ///
  /// length   at least 1
  /// Returns  the runs written. Fewer bytes than asked for although `out` has room: the file has
  ///          become shorter
  virtual std::size_t pieces(std::uint32_t handle, std::uint64_t offset, std::uint32_t length,
                             std::span<net::PayloadPiece> out) = 0;

  /// What `pieces` has named since the last call has been sent. Harmless without such a call.
  virtual void sent() = 0;

  /// Gives a handle back.
  virtual void release(std::uint32_t handle) = 0;

 protected:
  ~FileStore() = default;
};

}  // namespace xok::cheetah
