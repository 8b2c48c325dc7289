// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/test_crash.hpp"

#include <cstdlib>

#include "libs/xn/test_tree.hpp"

/// Random operations, recorded; each state that the disk can be in after a loss of power at any
/// point is recovered and judged:
///   - the volume opens, and its free map is what a walk that knows nothing of XN finds in use
///   - no block has two owners, no pointer leads outside
///   - no block shows what somebody else, or nobody, wrote
///   - what was synced, and not touched since, is there; also what was only renamed or linked
///   - no count of references is below the number of pointers
namespace xok::xn::test {
namespace {

class Judge {
 public:
  explicit Judge(std::size_t blocks) : machine_{blocks} {}

  std::string judge(const std::vector<Block>& image, BlockNumber top, const RandomTree& tree,
                    std::size_t prefix) {
    machine_.volume = std::make_unique<Volume>(
        Services{machine_.disk, machine_.pages, machine_.clock, machine_.completions},
        machine_.memory.view());
    machine_.disk.image() = image;
    if (const auto opened = machine_.init(); !opened)
      return "init: error " + std::to_string(static_cast<int>(opened.error()));
    for (const XnLogEntry& entry : machine_.volume->log())
      if (const std::string text = allowed(entry, tree); !text.empty()) return text;
    const std::vector<VoidEdge> voids = {
        machine_.memory.voids.begin(),
        machine_.memory.voids.begin() + machine_.volume->info().damaged};
    const Found found = Walk{image, voids}.from(top);
    if (!found.wrong.empty()) return found.wrong;
    const XnInfo info = machine_.volume->info();
    for (BlockNumber b = info.first_data_block; b < info.blocks; ++b)
      if (machine_.volume->used_map().test(b) != found.blocks.contains(b))
        return "the free map is wrong for " + std::to_string(b);
    return synced(found, tree, prefix);
  }

 private:
  static std::string allowed(const XnLogEntry& entry, const RandomTree& tree) {
    switch (entry.trouble) {
      case XnTrouble::Unclean:
        return "";
      case XnTrouble::OwnedTwice:
      case XnTrouble::CountTooLow:
        // A pointer that is being moved may be in both places, one of which counts; a counted
        // block then has one pointer too many.
        return tree.moves ? "" : "owned twice";
      case XnTrouble::CountTooHigh:
        return tree.links ? "" : "counted too high";
      default:
        return "trouble " + std::to_string(static_cast<int>(entry.trouble));
    }
  }
  static std::string synced(const Found& found, const RandomTree& tree, std::size_t prefix) {
    const RandomTree::Synced* last = nullptr;
    for (const auto& s : tree.synced)
      if (s.at <= prefix) last = &s;
    if (last == nullptr) return "";
    for (const auto& [id, stamps] : last->files) {
      const auto touched = last->touched.find(id);
      if (touched != last->touched.end() && touched->second < prefix) continue;
      const auto file = found.files.find(id);
      if (file == found.files.end()) return "file lost: " + std::to_string(id);
      if (file->second != stamps) return "other contents of file " + std::to_string(id);
    }
    return "";
  }

  Machine machine_;
};

std::size_t seeds() {
  const char* more = std::getenv("XOK_CRASH_SEEDS");  // NOLINT(concurrency-mt-unsafe)
  return more == nullptr ? 6 : static_cast<std::size_t>(std::atol(more));
}

std::uint64_t first_seed() {
  const char* first = std::getenv("XOK_CRASH_FIRST");  // NOLINT(concurrency-mt-unsafe)
  return first == nullptr ? 1 : static_cast<std::uint64_t>(std::atol(first));
}

struct Mode {
  const char* name;
  bool durable, moves, links;
};

class XnCrash : public testing::TestWithParam<Mode> {};

TEST_P(XnCrash, EveryStateObeysTheRules) {
  const Mode mode = GetParam();
  std::size_t states = 0;
  std::size_t operations = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + seeds(); ++seed) {
    Machine m{96, mode.durable};
    m.start();
    RandomTree tree{m, seed};
    tree.moves = mode.moves;
    tree.links = mode.links;
    const std::vector<Block> start = m.disk.image();
    m.disk.recording = true;
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 15; ++i) tree.step();
      if (round % 2 == 1) tree.sync();
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
    operations += tree.done;
    Judge judge{96};
    std::mt19937_64 random{seed};
    CrashOptions options;
    options.durable = mode.durable;
    std::string first;
    states += each_crash_state(start, m.disk.events, options, random,
                               [&](const std::vector<Block>& image, std::size_t prefix) {
                                 if (!first.empty()) return;
                                 first = judge.judge(image, m.top, tree, prefix);
                                 if (!first.empty())
                                   first += " after event " + std::to_string(prefix);
                               });
    ASSERT_TRUE(first.empty()) << "seed " << seed << ": " << first;
  }
  RecordProperty("states", static_cast<int>(states));
  std::printf("%zu operations, %zu states\n", operations, states);
}

INSTANTIATE_TEST_SUITE_P(Modes, XnCrash,
                         testing::Values(Mode{"Plain", false, false, false},
                                         Mode{"NoCache", true, false, false},
                                         Mode{"Links", false, false, true},
                                         Mode{"Moves", false, true, false},
                                         Mode{"All", false, true, true}),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace xok::xn::test
