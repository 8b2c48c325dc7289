// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "libs/graft/differential.hpp"
#include "libs/graft/listing.hpp"

/// Interpreter and compiled code against the reference, on random programs.
///
/// XOK_GRAFT_SEED   run this one program and show it
/// XOK_GRAFT_COUNT  how many programs (default 10000), from seed XOK_GRAFT_FROM (default 1)
namespace xok::graft {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

void show(const code::Code& code) {
  for (std::size_t at = 0; at < code.size(); at += slots_of(code, at))
    std::fprintf(stderr, "%5zu  %s\n", at, text_of(code, at).c_str());
}

TEST(GraftRandom, AllEnginesDoWhatTheReferenceDoes) {
  const std::uint64_t only = setting("XOK_GRAFT_SEED", 0);
  const std::uint64_t from = only != 0 ? only : setting("XOK_GRAFT_FROM", 1);
  const std::uint64_t count = only != 0 ? 1 : setting("XOK_GRAFT_COUNT", 10000);
  std::uint64_t ends[5] = {};
  for (std::uint64_t seed = from; seed < from + count; ++seed) {
    std::mt19937_64 random{seed};
    const Pick pick = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    const code::Code code = RandomProgram{pick}.make();
    if (only != 0) show(code);
    const code::Loaded loaded{code, kDifferentialHelpers};
    const std::string replay = "replay: XOK_GRAFT_SEED=" + std::to_string(seed) +
                               " ./graft_test --gtest_filter=GraftRandom.*";
    ASSERT_TRUE(loaded.program) << loaded.refusal.instruction << ": " << loaded.refusal.reason
                                << "\n"
                                << replay;
    int how = 0;
    const std::string wrong =
        differences(*loaded.program, std::as_bytes(std::span{code}), World{pick}, &how);
    ASSERT_EQ(wrong, "") << replay;
    ++ends[how];
  }
  std::printf("exit %lu, out of steps %lu, bad read %lu, bad write %lu, helper failed %lu\n",
              ends[0], ends[1], ends[2], ends[3], ends[4]);
  for (const std::uint64_t times : ends)
    EXPECT_TRUE(times > count / 100 || count < 1000) << "the programs are too much alike";
}

}  // namespace
}  // namespace xok::graft
