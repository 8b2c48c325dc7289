// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/fs/vfs.hpp"
#include "exos/rt/lock.hpp"
#include "exos/shared.hpp"

namespace xok::exos {

/// Holds the lock of files and file systems.
class FileSystemLock {
 public:
  FileSystemLock() : locked_{shared().file_lock} {}

 private:
  rt::Locked locked_;
};

/// The file systems as this process sees them. Hold a FileSystemLock across each use.
Vfs file_system();

/// This process as the caller of path operations.
Caller caller(const Credentials& credentials);

}  // namespace xok::exos
