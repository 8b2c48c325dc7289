// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "libs/xn/test_disk.hpp"

/// The states a disk can be in when the power goes, from a recording of what was done to it.
namespace xok::xn::test {

struct CrashOptions {
  bool durable = false;       ///< a completed write is durable
  std::size_t all_up_to = 8;  ///< writes in flight of which all subsets are built
  std::size_t samples = 32;   ///< subsets beyond that
  std::size_t torn = 2;       ///< tears of each write in flight
};

/// Calls `check(image, prefix)` for the states after each prefix of the events: what is durable by
/// then, and any subset of the other writes that were submitted by then; and with one of these
/// torn between sectors. Returns how many states.
template <class Check>
std::size_t each_crash_state(const std::vector<Block>& start, const std::vector<DiskEvent>& events,
                             const CrashOptions& options, std::mt19937_64& random, Check&& check) {
  using Kind = DiskEvent::Kind;
  std::size_t states = 0;
  std::vector<Block> base = start;
  std::vector<const DiskEvent*> flying;  // submitted, not yet durable
  std::set<std::size_t> completed;
  std::map<std::size_t, std::set<std::size_t>> covered;  // by a flush: completed before it
  const auto land = [&](const std::set<std::size_t>& ids) {
    std::erase_if(flying, [&](const DiskEvent* w) {
      if (!ids.contains(w->id)) return false;
      base[w->block] = *w->bytes;
      return true;
    });
  };
  for (std::size_t prefix = 0; prefix <= events.size(); ++prefix) {
    if (prefix > 0) {
      const DiskEvent& e = events[prefix - 1];
      if (e.kind == Kind::Submit) flying.push_back(&e);
      if (e.kind == Kind::Complete) completed.insert(e.id);
      if (e.kind == Kind::FlushSubmit) covered[e.id] = completed;
      if (e.kind == Kind::FlushComplete) land(covered[e.id]);
      if (e.kind == Kind::Complete && options.durable) land({e.id});
      // Without a new write or less in flight, the states are those of the prefix before.
      if (e.kind == Kind::FlushSubmit || (e.kind == Kind::Complete && !options.durable)) continue;
    }
    const std::size_t n = flying.size();
    std::vector<Block> image = base;
    const auto build = [&](std::uint64_t subset) {
      for (const DiskEvent* w : flying) image[w->block] = base[w->block];
      for (std::size_t i = 0; i < n; ++i)
        if ((subset >> (i % 64) & 1) != 0) image[flying[i]->block] = *flying[i]->bytes;
    };
    const bool all = n <= options.all_up_to;
    const std::uint64_t count = all ? std::uint64_t{1} << n : options.samples;
    for (std::uint64_t i = 0; i < count; ++i) {
      build(all ? i : i == 0 ? ~std::uint64_t{0} : random());
      check(image, prefix);
      ++states;
    }
    for (const DiskEvent* w : flying) {
      for (std::size_t t = 0; t < options.torn; ++t) {
        build(random());
        const std::uint64_t mask = random();
        for (std::size_t s = 0; s < kBlockSize / kSectorSize; ++s)
          if ((mask >> s & 1) != 0)
            std::memcpy(image[w->block].data() + s * kSectorSize,
                        w->bytes->data() + s * kSectorSize, kSectorSize);
        check(image, prefix);
        ++states;
      }
    }
  }
  return states;
}

}  // namespace xok::xn::test
