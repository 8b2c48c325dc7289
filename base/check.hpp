// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

namespace xok {

/// Stops everything: one of our own invariants is broken. Never reachable from user, disk or wire
/// input. Each program links its own `check_failed_stop` (host: abort; kernel: dump and power off;
/// libOS: end the environment).
[[noreturn]] void check_failed(const char* expression, const char* file, int line,
                               std::uint64_t a = 0, std::uint64_t b = 0);

using CheckHandler = void (*)(const char* expression, const char* file, int line, std::uint64_t a,
                              std::uint64_t b);

/// Installs what `check_failed` does. The handler must not return; if it does, we trap.
void set_check_handler(CheckHandler handler);

}  // namespace xok

/// Asserts an invariant of our own code, in every build. Up to two values are shown on failure.
#define XOK_CHECK(condition, ...)                                                     \
  do {                                                                                \
    if (!(condition)) [[unlikely]]                                                    \
      ::xok::check_failed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
