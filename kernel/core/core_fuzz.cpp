// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "kernel/core/testing/driver.hpp"

/// Bytes are the choices of a sequence of calls. Property: the oracle (testing/judge.hpp) and
/// the invariant sweep hold throughout, and when all environments have ended everything is free
/// again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using xok::kernel::testing::Driver;
  std::size_t at = 0;
  const auto choose = [&](std::uint64_t n) -> std::uint64_t {
    if (n <= 1) return 0;
    std::uint64_t value = 0;
    for (std::uint64_t left = n - 1; left > 0 && at < size; left >>= 8)
      value = value << 8 | data[at++];
    return value % n;
  };
  Driver driver{choose};
  std::string wrong;
  while (wrong.empty() && at < size) wrong = driver.run(8);
  if (wrong.empty()) wrong = driver.finish();
  if (wrong.empty()) return 0;
  std::fprintf(stderr, "%s%s\n", driver.trace().c_str(), wrong.c_str());
  std::abort();
}
