// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "base/check.hpp"

namespace xok {
namespace {
CheckHandler g_handler = nullptr;
}

void set_check_handler(CheckHandler handler) { g_handler = handler; }

void check_failed(const char* expression, const char* file, int line, std::uint64_t a,
                  std::uint64_t b) {
  if (g_handler != nullptr) g_handler(expression, file, line, a, b);
  __builtin_trap();
}

}  // namespace xok
