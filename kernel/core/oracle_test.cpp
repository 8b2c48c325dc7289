// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>

#include "kernel/core/testing/driver.hpp"
#include "kernel/core/testing/settings.hpp"

/// The oracle: whatever environments call, in whatever order, nobody ever reaches a page or gets a
/// capability that no capability of its own (or of who made or granted it) gives.
///
/// XOK_ORACLE_SEED    run this one sequence and show its trace
/// XOK_ORACLE_COUNT   how many sequences (default 2000), from seed XOK_ORACLE_FROM (default 1)
/// XOK_ORACLE_SPARSE  1: judge one step of 64 only, for long runs (tests/long_run.sh)
namespace xok::kernel::testing {
namespace {

constexpr unsigned kSteps = 220;

enum class UserMemory : std::uint8_t { Stays, IsRewritten };

std::string run_sequence(std::uint64_t seed, Driver::Watch watch, UserMemory memory,
                         std::string& trace) {
  std::mt19937_64 random{seed};
  Driver driver{[&](std::uint64_t n) { return n == 0 ? 0 : random() % n; }, watch};
  if (memory == UserMemory::IsRewritten) driver.rewrite_what_is_read();
  std::string wrong = driver.run(kSteps);
  if (wrong.empty()) wrong = driver.finish();
  trace = driver.trace();
  return wrong;
}

/// Every error that a call returns to its caller at once, but what needs rarer luck: Closed (a call
/// of a broken method).
void expect_every_error() {
  for (const Errc e : {Errc::BadArgument, Errc::BadCapability, Errc::Denied, Errc::NoMemory,
                       Errc::NoSpace, Errc::NotFound, Errc::Exists, Errc::Busy, Errc::Fault,
                       Errc::BadEnv, Errc::TooBig, Errc::Overlap, Errc::BadFormat,
                       Errc::NotSupported, Errc::WouldBlock, Errc::NoSuchCall, Errc::TimedOut}) {
    std::uint64_t times = 0;
    for (const auto& errors : Driver::failed) times += errors[static_cast<std::size_t>(e)];
    EXPECT_GT(times, 0u) << "error " << static_cast<unsigned>(e) << " never happened";
  }
}

TEST(Oracle, NoSequenceOfCallsReachesWhatNoCapabilityGrants) {
  const std::uint64_t only = setting("XOK_ORACLE_SEED", 0);
  const std::uint64_t from = only != 0 ? only : setting("XOK_ORACLE_FROM", 1);
  const std::uint64_t count = only != 0 ? 1 : setting("XOK_ORACLE_COUNT", 2000);
  const auto watch = only == 0 && setting("XOK_ORACLE_SPARSE", 0) != 0 ? Driver::Watch::Sparsely
                                                                       : Driver::Watch::Everything;
  for (std::uint64_t seed = from; seed < from + count; seed++) {
    std::string trace;
    const std::string wrong = run_sequence(seed, watch, UserMemory::Stays, trace);
    if (only != 0) std::fputs(trace.c_str(), stderr);
    ASSERT_EQ(wrong, "") << "replay: XOK_ORACLE_SEED=" << seed << " ./core_oracle_test";
  }
  std::printf("%llu calls\n", static_cast<unsigned long long>(Driver::calls()));
  if (only != 0 || count < 1000) return;
  expect_every_error();
  for (std::uint64_t n = 0; n < kSyscallNumbers; n++) {
    if (syscall_name(n).empty()) continue;
    EXPECT_GT(Driver::succeeded[n], 0u) << syscall_name(n) << " never succeeded";
    std::printf("%-18s ok %7lu  errors", std::string{syscall_name(n)}.c_str(),
                Driver::succeeded[n]);
    for (std::size_t e = 1; e < 32; e++) {
      if (Driver::failed[n][e] != 0) std::printf("  %zu:%lu", e, Driver::failed[n][e]);
    }
    std::printf("\n");
  }
}

/// S1, the attack by a second thread: it always comes between.
TEST(Oracle, NorDoesOneWhoseArgumentsAreRewrittenAsSoonAsTheyAreRead) {
  const std::uint64_t only = setting("XOK_REWRITTEN_SEED", 0);
  const std::uint64_t from = only != 0 ? only : 1;
  const std::uint64_t count = only != 0 ? 1 : setting("XOK_REWRITTEN_COUNT", 500);
  for (std::uint64_t seed = from; seed < from + count; seed++) {
    std::string trace;
    const std::string wrong =
        run_sequence(seed, Driver::Watch::Everything, UserMemory::IsRewritten, trace);
    if (only != 0) std::fputs(trace.c_str(), stderr);
    ASSERT_EQ(wrong, "") << "replay: XOK_REWRITTEN_SEED=" << seed << " ./core_oracle_test";
  }
}

}  // namespace
}  // namespace xok::kernel::testing
