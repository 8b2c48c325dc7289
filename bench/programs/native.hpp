// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "bench/programs/marks.hpp"
#include "exos/rt/registers.hpp"
#include "tests/guest/child.hpp"

/// What a measuring program for the bare machine needs. It is the first environment, holds the root
/// capability, and prints what bench/programs/micro.cpp prints on Linux.
namespace xok::bench {

using namespace guest;

inline constexpr int kRepetitions = 11;

struct Test {
  const char* name;
  void (*prepare)();  ///< before each repetition, not counted; nullptr: nothing to do
  bool (*run)();      ///< all operations; whether each did what it must
  std::int64_t operations;
};

/// One warm-up, then kRepetitions pairs of markers with nothing printed between them.
inline bool measure(const Test& test) {
  bool good = true;
  for (int i = 0; i <= kRepetitions && good; i++) {
    if (test.prepare != nullptr) test.prepare();
    if (i == 0) {
      good = test.run();
      continue;
    }
    XOK_BENCH_MARK(1);
    good = test.run();
    XOK_BENCH_MARK(2);
  }
  print(good ? "BENCH " : "BENCH-FAILED ");
  print(test.name);
  if (good) {
    print(" ");
    print_number(test.operations);
    print(" ");
    print_number(kRepetitions);
    print("\n");
  } else {
    print(" a call did not do what it must\n");
  }
  return good;
}

/// Measures all, up to the first that fails, and switches the machine off.
template <std::size_t kCount>
[[noreturn]] void measure_all(const Test (&tests)[kCount]) {
  bool good = true;
  for (const Test& test : tests) good = good && measure(test);
  sys::machine_stop(kRoot, kStopClean);
  for (;;) sys::yield(kSelf, 0);
}

/// Sends the first environment's page faults to rt::rt_fault, on a stack of its own.
inline void handle_faults() {
  alignas(16) static std::uint8_t stack[8192];
  Uenv& uenv = rt::self();
  uenv.fault_stack = reinterpret_cast<std::uint64_t>(stack) + sizeof stack;
  uenv.fault_entry = reinterpret_cast<std::uint64_t>(&rt::rt_fault_entry);
}

/// A write of two bytes of code, so that a handler can step over it.
inline void write_to(std::uint64_t address) {
  __asm__ volatile("movb %%al, (%%rbx)" : : "b"(address), "a"(1) : "memory");
}
inline constexpr std::uint64_t kWriteBytes = 2;

}  // namespace xok::bench
