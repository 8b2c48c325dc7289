// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "abi/errors.hpp"
#include "abi/exposed.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"

/// What a guest test needs: it runs as the first environment, with the root capability in slot 0,
/// and prints PASS and FAIL lines on the serial port.
namespace xok::guest {

inline constexpr std::uint64_t kRoot = 0;

inline void print(std::string_view text) {
  while (!text.empty()) {
    const std::int64_t n =
        sys::console_write(kRoot, 0, reinterpret_cast<std::uint64_t>(text.data()), text.size());
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
}

inline void print_number(std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  print({digits, static_cast<std::size_t>(end - digits)});
}

/// A test's name as one word.
inline void print_name(std::string_view name) {
  for (const char c : name) {
    const char shown = c == ' ' ? '-' : c;
    print({&shown, 1});
  }
}

/// Counts what passed and failed; `finish` prints the last line and ends the machine.
class Checks {
 public:
  void equal(std::string_view name, std::int64_t got, std::int64_t wanted) {
    if (got == wanted) {
      passed_++;
      print("PASS ");
      print_name(name);
    } else {
      failed_++;
      print("FAIL ");
      print_name(name);
      print(": got ");
      print_number(got);
      print(", wanted ");
      print_number(wanted);
    }
    print("\n");
  }
  /// For what this machine has not got.
  void skipped(std::string_view name, std::string_view why) {
    print("SKIP ");
    print_name(name);
    print(": ");
    print(why);
    print("\n");
  }
  void refused(std::string_view name, std::int64_t got, Errc error) {
    equal(name, got, -static_cast<std::int64_t>(error));
  }
  void holds(std::string_view name, bool condition) { equal(name, condition ? 1 : 0, 1); }

  [[noreturn]] void finish() {
    if (failed_ == 0) {
      print("ALL ");
      print_number(passed_);
      print(" PASSED\n");
    }
    sys::machine_stop(kRoot, failed_ == 0 ? kStopClean : kStopFailure);
    for (;;) sys::yield(kSelf, 0);
  }

 private:
  std::int64_t passed_ = 0;
  std::int64_t failed_ = 0;
};

/// Points gs at the first environment's Uenv, as the run-time expects.
inline void set_up_self() {
  auto& uenv = *reinterpret_cast<Uenv*>(kInitUenvAddress);
  uenv.library[rt::kSelfWord] = kInitUenvAddress;
  uenv.library[rt::kEnvIdWord] = reinterpret_cast<const volatile Env*>(kExposedEnvs)[1].id;
  rt::set_gs_base(kInitUenvAddress);
}

}  // namespace xok::guest

/// Where the program begins: with this call, which does not return.
#define XOK_GUEST_TEST(call)                                              \
  extern "C" [[noreturn]] void rt_start(std::uint64_t, std::uint64_t) {   \
    using namespace xok::guest; /* NOLINT(google-build-using-namespace)*/ \
    call;                                                                 \
  }
