// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

TEST(Boot, FirstEnvironmentRunsWithTheRootCapability) {
  TestBed bed;
  EXPECT_EQ(bed.current(), 1u);
  EXPECT_EQ(bed.self().capabilities[0], kRootCapability);
  EXPECT_EQ(bed.machine.context(1).rip, 0x20'0000u);
  EXPECT_EQ(bed.machine.context(1).rsp, kInitStackTop);
  EXPECT_EQ(bed.machine.context(1).rdi, kInitBundleAddress);
  EXPECT_EQ(bed.call(null_call), 0);
  EXPECT_EQ(bed.sweep(), "");
}

TEST(Boot, SpawnAndSwitch) {
  TestBed bed;
  const EnvId child = bed.spawn();
  EXPECT_EQ(bed.sweep(), "");
  bed.run(child);
  EXPECT_EQ(bed.current_id(), child);
  EXPECT_EQ(bed.call(env_free, kSelf), 0);
  EXPECT_EQ(bed.current(), 1u);
  EXPECT_EQ(bed.sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
