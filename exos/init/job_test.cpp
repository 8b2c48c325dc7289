// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/init/job.hpp"

#include <gtest/gtest.h>

#include <string>

namespace xok::exos {
namespace {

Job parsed(const std::string& text) {
  static std::string keep;
  keep = text;
  Job job;
  parse_job(keep, job);
  return job;
}

TEST(Job, NothingMeansAShellWithTheWebServer) {
  const Job job = parsed("");
  EXPECT_EQ(job.mode, JobMode::Shell);
  EXPECT_TRUE(job.cheetah);
  EXPECT_EQ(job.argument_count, 0u);
}

TEST(Job, ArgumentsKeepTheirOrderAndTheirEqualsSigns) {
  using namespace std::string_literals;
  const Job job = parsed("MODE=batch\0ARG=/bin/sh\0ARG=-c\0ARG=a=b\0ENV=PATH=/bin\0"s);
  EXPECT_EQ(job.mode, JobMode::Batch);
  EXPECT_FALSE(job.cheetah);
  ASSERT_EQ(job.argument_count, 3u);
  EXPECT_EQ(job.arguments[2], "a=b");
  EXPECT_EQ(job.environment[0], "PATH=/bin");
}

TEST(Job, LinesWithoutAnEndOrAKeyAreLeftOut) {
  using namespace std::string_literals;
  const Job job = parsed("nonsense\0WHAT=ever\0NET=none\0ARG=cut"s);
  EXPECT_EQ(job.network, "none");
  EXPECT_EQ(job.argument_count, 0u);
}

TEST(Job, MoreStringsThanThereIsRoomForAreLeftOut) {
  std::string text;
  for (int i = 0; i < 1000; i++) text += std::string("ARG=x\0", 6);
  EXPECT_EQ(parsed(text).argument_count, Job::kMaxStrings);
}

}  // namespace
}  // namespace xok::exos
