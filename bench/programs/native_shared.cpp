// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What it costs to share 64 bytes with programs that are not trusted (exos/rt/record.hpp), beside
// the same bytes in plain memory under the lock that programs use which trust each other.
#include "bench/programs/native.hpp"
#include "exos/rt/lock.hpp"
#include "exos/rt/record.hpp"

namespace xok::bench {
namespace {

constexpr std::int64_t kRounds = 10'000;
constexpr std::size_t kWords = 8;

struct State {
  std::uint64_t words[kWords];
};
/// Two comparisons: as much as a state with an index and a length in it needs.
struct IsState {
  bool operator()(const State& s) const { return s.words[0] < 1'000'000 && s.words[1] <= kWords; }
};
using Shared = rt::Record<State, 2, 64>;

Shared g_record;
struct {
  rt::SharedLock lock;
  State state;
} g_plain;

bool read_record() {
  const rt::RecordReader<Shared, IsState> reader{g_record};
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < kRounds; i++) {
    const auto now = reader.read();
    if (!now.has_value()) return false;
    sum += now->words[1];
  }
  return sum == 0;
}

bool update_record() {
  rt::RecordWriter<Shared, IsState> writer{g_record, 1};
  for (std::int64_t i = 0; i < kRounds; i++) {
    if (!writer.update([](State& s) { s.words[0]++; }).has_value()) return false;
  }
  return writer.read().has_value();
}

bool read_plain() {
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < kRounds; i++) {
    const rt::Locked locked{g_plain.lock};
    const State copy = g_plain.state;
    __asm__ volatile("" : : "m"(copy));
    sum += copy.words[1];
  }
  return sum == 0;
}

bool update_plain() {
  for (std::int64_t i = 0; i < kRounds; i++) {
    const rt::Locked locked{g_plain.lock};
    g_plain.state.words[0]++;
  }
  return g_plain.state.words[0] != 0;
}

void begin_again() { g_record = {}; }

constexpr Test kTests[] = {
    {"record_read", begin_again, read_record, kRounds},
    {"record_update", begin_again, update_record, kRounds},
    {"plain_read", nullptr, read_plain, kRounds},
    {"plain_update", nullptr, update_plain, kRounds},
};

[[noreturn]] void run() {
  set_up_self();
  measure_all(kTests);
}

}  // namespace
}  // namespace xok::bench

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  xok::bench::run();
}
