// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The sample grafts as their authors compile them: what they own, what they read, what they cost.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "abi/graft.h"
#include "libs/graft/object_file.hpp"
#include "libs/graft/test_code.hpp"
#include "libs/graft/test_engines.hpp"

namespace xok::graft {
namespace {

using Block = std::array<std::byte, 4096>;

struct Sample {
  Sample(const std::string& file, std::string_view name) {
    std::ifstream in{XOK_GRAFT_SAMPLES "/" + file + ".bpf.o", std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    bytes.resize(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    const auto object = ObjectFile::open(bytes);
    EXPECT_TRUE(object) << file;
    const auto graft = object->find(name);
    EXPECT_TRUE(graft) << name;
    slots.resize(graft->code.size() / 8);
    Refusal refusal;
    const auto checked = Program::from(graft->code, {}, slots, &refusal);
    EXPECT_TRUE(checked) << refusal.reason;
    program = *checked;
  }
  std::vector<std::byte> bytes;
  std::vector<Program::Slot> slots;
  std::optional<Program> program;
};

struct Owned {
  xok_u64 first;
  xok_u32 count;
  xok_u32 type;
  bool operator==(const Owned&) const = default;
};

struct GraftSamples : testing::TestWithParam<Engine> {
  GraftSamples() {
    EXPECT_TRUE(memory.set_input(0, block, map));
    EXPECT_TRUE(memory.set_output(output));
  }

  void put(std::size_t offset, std::uint64_t value, std::size_t width = 8) {
    std::memcpy(&block[offset], &value, width);
  }

  Outcome run(const Sample& sample, std::uint64_t partition = 0) {
    map = {};
    steps = 100'000;
    return run_on(GetParam(), *sample.program, memory,
                  {Memory::input_address(0), block.size(), Memory::kOutputAddress, partition},
                  steps, Reads::Recorded);
  }
  std::vector<Owned> owned(const Sample& sample, std::uint64_t partition = 0) {
    const Outcome count = run(sample, partition);
    EXPECT_TRUE(count);
    std::vector<Owned> out(count.value_or(0));
    if (!out.empty()) std::memcpy(out.data(), output.data(), out.size() * sizeof(Owned));
    return out;
  }
  std::size_t bytes_read() const {
    return static_cast<std::size_t>(std::count(map.begin(), map.end(), std::byte{1}));
  }

  Memory memory;
  Block block{};
  Block map{};
  std::array<std::byte, 8192> output{};
  std::uint64_t steps = 0;
};

TEST_P(GraftSamples, AnIndirectBlockOwnsWhatItsPointersName) {
  const Sample owns{"indirect.c", "owns"};
  EXPECT_TRUE(owned(owns).empty());
  EXPECT_EQ(bytes_read(), 4096u);
  put(8 * 3, 1000);
  put(8 * 511, 7);
  EXPECT_EQ(owned(owns), (std::vector<Owned>{{1000, 1, 7}, {7, 1, 7}}));
  for (std::size_t i = 0; i < 512; ++i) put(8 * i, 5000 + i);
  EXPECT_EQ(owned(owns).size(), 512u);
  EXPECT_LT(100'000 - steps, 512u * 20);
}

TEST_P(GraftSamples, APartitionReadsOnlyItsPointer) {
  const Sample owns{"indirect.c", "owns_partition"};
  put(8 * 3, 1000);
  EXPECT_EQ(owned(owns, 3), (std::vector<Owned>{{1000, 1, 7}}));
  EXPECT_EQ(bytes_read(), 8u);
  EXPECT_EQ(map[8 * 3], std::byte{1});
  EXPECT_TRUE(owned(owns, 4).empty());
  EXPECT_TRUE(owned(owns, 512).empty());
  EXPECT_EQ(bytes_read(), 0u);
}

TEST_P(GraftSamples, ADirectoryOwnsTheRunsOfItsEntries) {
  const Sample owns{"directory.cpp", "owns"};
  const Sample partition{"directory.cpp", "owns_partition"};
  constexpr std::size_t kRuns = 112;
  constexpr std::size_t kIndirect = 240;
  put(256 * 2, 'a', 1);
  put(256 * 2 + kRuns, 900);
  put(256 * 2 + kRuns + 8, 4, 4);
  put(256 * 2 + kIndirect, 77);
  put(256 * 5 + kRuns, 1234);  // of an entry without a name
  const std::vector<Owned> expected = {{900, 4, 7}, {77, 1, 8}};
  EXPECT_EQ(owned(owns), expected);
  EXPECT_EQ(owned(partition, 2), expected);
  for (std::size_t i = 0; i < block.size(); ++i)
    EXPECT_TRUE(map[i] == std::byte{0} || i / 256 == 2) << i;
  EXPECT_TRUE(owned(partition, 5).empty());
  EXPECT_TRUE(owned(partition, 16).empty());
}

TEST_P(GraftSamples, AFunctionOfAGraftIsCalled) {
  const Sample count{"directory.cpp", "count_name"};
  std::memcpy(&block[0], "name", 4);
  std::memcpy(&block[256 * 7], "name", 4);
  std::memcpy(&block[256 * 8], "names", 5);
  EXPECT_EQ(run(count, 0), 2);
  EXPECT_EQ(run(count, 8), 1);
  EXPECT_EQ(run(count, 1), 13) << "empty names";
}

TEST_P(GraftSamples, AnOutputThatIsTooSmallStopsTheRun) {
  const Sample owns{"indirect.c", "owns"};
  for (std::size_t i = 0; i < 512; ++i) put(8 * i, 5000 + i);
  ASSERT_TRUE(memory.set_output(std::span{output}.first(511 * sizeof(Owned))));
  EXPECT_EQ(run(owns).error(), Stop::BadWrite);
}

const auto kEngineName = [](const auto& info) { return std::string{name_of(info.param)}; };
INSTANTIATE_TEST_SUITE_P(On, GraftSamples, testing::ValuesIn(kAllEngines), kEngineName);

}  // namespace
}  // namespace xok::graft
