// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <expected>

#include "abi/errors.hpp"
#include "exos/fs/fs_error.hpp"

namespace xok::exos {

/// Why a file operation failed: one of ours or one of the file system's. exos/linux translates both
/// into errno in one function.
class Error {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): errors of both kinds travel through XOK_TRY.
  constexpr Error(Errc error) : value_{static_cast<std::uint16_t>(error)} {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Error(FsError error)
      : value_{static_cast<std::uint16_t>(kFileSystem | static_cast<std::uint16_t>(error))} {}

  [[nodiscard]] constexpr bool from_file_system() const { return (value_ & kFileSystem) != 0; }
  [[nodiscard]] constexpr Errc code() const { return static_cast<Errc>(value_); }
  [[nodiscard]] constexpr FsError file_system_code() const {
    return static_cast<FsError>(value_ & 0xff);
  }
  constexpr bool operator==(const Error&) const = default;

 private:
  static constexpr std::uint16_t kFileSystem = 0x100;
  std::uint16_t value_;
};

template <class T = void>
using Outcome = std::expected<T, Error>;

}  // namespace xok::exos
