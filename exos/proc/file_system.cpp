// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/proc/file_system.hpp"

#include "exos/arena.hpp"
#include "exos/proc/process.hpp"
#include "exos/proc/process_source.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"

namespace xok::exos {

Vfs file_system() {
  return {shared().vfs, arena(), &process_source(), static_cast<std::int64_t>(rt::wall_ns())};
}

Caller caller(const Credentials& credentials) {
  return {.credentials = credentials, .root = process().root};
}

}  // namespace xok::exos
