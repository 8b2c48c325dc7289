// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "kernel/core/lock.hpp"
#include "kernel/core/testing/fingerprint.hpp"
#include "kernel/core/testing/hold_ups.hpp"
#include "kernel/core/testing/model.hpp"

/// four processors allocate, free, grant, revoke and map the same few pages, each held up now
/// and then wherever another one could come between. Afterwards no page is lost or owned twice
/// (the invariant sweep), and all of it is as if one call had been made after the other: the calls
/// are made again on a new machine, in the order in which they had the kernel's lock, in lock step
/// with the abstract model; each has the same result, and the two machines end alike.
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint32_t kThreads = 4;
constexpr std::uint64_t kPages = 220;
constexpr std::uint64_t kFirstFrame = 150;  // free at the start; the frames all fight for
constexpr std::uint64_t kFrames = 8;
constexpr std::uint64_t kAddress = 0x60'0000;  // four pages in each space, in one table
constexpr std::size_t kStepsEach = 4'000;

/// One call, as it had the lock.
struct Entry {
  std::uint32_t processor;
  EnvId caller;
  SyscallNumber number;
  std::array<std::uint64_t, 6> words;
  std::int64_t result;
};

/// A machine of four processors. Each runs an environment with a name of its own, {1, n}; in slot
/// 1 each has the name of its neighbour, with which it may reach and map what is the neighbour's.
struct World {
  TestBed bed{kPages, kThreads};
  std::array<EnvId, kThreads> who{};

  World() {
    bed.call(cap_forge, 0, 8, Capability::make({1}).bits(), 0);
    for (std::uint8_t n = 0; n < kThreads; n++) {
      bed.call(cap_forge, 0, n + 1u, Capability::make({1, n}).bits(), 0);
      if (n > 0) who[n] = bed.spawn(n + 1u, false, 0x7000'0000, n);
    }
    who[0] = bed.current_id();
    for (std::uint8_t n = 1; n < kThreads; n++) {
      const auto other = static_cast<std::uint8_t>(n % (kThreads - 1) + 1);
      bed.call(cap_forge, 0, 1, Capability::make({1, other}).bits(), make_target(0, who[n]));
    }
    for (std::uint32_t n = 1; n < kThreads; n++) {
      bed.use(n);
      bed.wake();
    }
    for (FakeProcessor& processor : bed.machine.processors) processor.kicked = false;
    bed.use(0);
  }
};

class Race {
 public:
  explicit Race(std::uint64_t seed) : seed_{seed} { log_.reserve(kThreads * kStepsEach); }

  void run() {
    world_.bed.machine.threads = true;
    {
      const HoldUps hold_ups{world_.bed.machine};
      at_lock_point_ = at_lock_point;
      at_lock_point = [](LockPoint point) {
        if (point == LockPoint::Taken && now_ != nullptr) now_->enter();
        at_lock_point_(point);
      };
      std::vector<std::thread> threads;
      for (std::uint32_t n = 0; n < kThreads; n++) threads.emplace_back([this, n] { be(n); });
      for (std::thread& thread : threads) thread.join();
    }
    world_.bed.machine.threads = false;
    world_.bed.use(0);
  }
  World& world() { return world_; }
  [[nodiscard]] const std::vector<Entry>& log() const { return log_; }

 private:
  /// A call that a processor is making.
  struct Now {
    std::vector<Entry>* log;
    Entry entry;
    std::size_t place = 0;

    /// With the lock held.
    void enter() {
      place = log->size();
      log->push_back(entry);
    }
  };

  void be(std::uint32_t number) {
    FakeMachine& machine = world_.bed.machine;
    world_.bed.use(number);
    std::mt19937_64 random{seed_ * kThreads + number};
    for (std::size_t i = 0; i < kStepsEach; i++) {
      machine.answer();
      if (random() % 4 == 0) {  // as a program: through the TLB, without the kernel
        machine.user_store(kAddress + random() % 4 * kPageSize + random() % 64 * 8, random());
        continue;
      }
      Now now{.log = &log_, .entry = choose(number, random)};
      now_ = &now;
      const std::int64_t result = world_.bed.kernel->system_call(
          world_.bed.cpus[number], static_cast<std::uint64_t>(now.entry.number), now.entry.words);
      now_ = nullptr;
      log_[now.place].result = result;  // room was reserved: entries stay where they are
      note(now.entry, result);
    }
    done_++;
    while (done_ != kThreads) machine.answer();
  }

  /// What was made may be ended again, by anybody.
  void note(const Entry& entry, std::int64_t result) {
    if (entry.number == env_alloc && result > 0)
      children_[static_cast<std::size_t>(result) % children_.size()] = static_cast<EnvId>(result);
  }

  Entry choose(std::uint32_t number, std::mt19937_64& random) {
    const auto pick = [&](std::uint64_t n) { return random() % n; };
    const std::uint64_t va = kAddress + pick(4) * kPageSize;
    const std::uint64_t frame = kFirstFrame + pick(kFrames);
    const std::uint64_t slot = pick(3);
    const EnvId other = world_.who[pick(kThreads)];
    const std::uint64_t target = pick(3) == 0 ? make_target(pick(3), other) : 0;
    const std::uint64_t guard = Capability::make({1, static_cast<std::uint8_t>(pick(kThreads))},
                                                 pick(4) == 0 ? Permission::Write : Permission::All)
                                    .bits();
    const auto call = [&](SyscallNumber what, std::array<std::uint64_t, 6> words) {
      return Entry{number, world_.who[number], what, words, 0};
    };
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
        return call(pte_insert, {slot, this_page(frame, pick(2) == 0), va, target});
      case 3:
        return call(pte_insert, {slot, fresh_page(), va, target});
      case 4:
      case 5:
        return call(pte_insert, {0, 0, va, target});
      case 6:
        return pick(2) == 0 ? call(pte_modify_range, {kAddress, 4, kPteWritable, 0, slot, target})
                            : call(pte_modify_range, {kAddress, 4, 0, kPteWritable, slot, target});
      case 7:
        return call(page_set_acl, {slot, frame, 1, pick(3) == 0 ? 0 : guard});
      case 8:
        return call(page_set_acl, {slot, frame, 0, guard});
      case 9:
        return pick(2) == 0 ? call(cap_forge, {slot, 2, guard, target})
                            : call(cap_release, {2, target});
      case 10:
        return call(env_alloc, {0, 0, 0x7000'0000});
      default:
        return call(env_free, {make_target(0, children_[pick(children_.size())])});
    }
  }

  static inline thread_local Now* now_ = nullptr;
  static inline void (*at_lock_point_)(LockPoint) = nullptr;

  std::uint64_t seed_;
  World world_;
  std::vector<Entry> log_;
  std::array<std::atomic<EnvId>, 6> children_{1, 1, 1, 1, 1, 1};
  std::atomic<std::uint32_t> done_ = 0;
};

/// The same calls one after the other. "" or where it came out otherwise.
std::string again(const std::vector<Entry>& log, World& world,
                  std::map<SyscallNumber, std::uint64_t>& succeeded) {
  Model model{world.bed};
  for (std::size_t i = 0; i < log.size(); i++) {
    const Entry& e = log[i];
    world.bed.use(e.processor);
    const std::int64_t result = world.bed.raw_call(static_cast<std::uint64_t>(e.number), e.words);
    const std::string name{syscall_name(static_cast<std::uint64_t>(e.number))};
    const std::string where = "call " + std::to_string(i) + ", " + name + ": ";
    if (result != e.result)
      return where + std::to_string(e.result) + " at once, " + std::to_string(result) + " in turn";
    const std::string wrong = model.step(e.caller, e.number, e.words, result);
    if (!wrong.empty()) return where + wrong;
    succeeded[e.number] += result >= 0 ? 1 : 0;
  }
  world.bed.use(0);
  return "";
}

TEST(Races, OnTheSamePagesAreAsOneCallAfterTheOther) {
  for (std::uint64_t seed = 1; seed <= 3; seed++) {
    Race race{seed};
    race.run();
    EXPECT_EQ(race.world().bed.sweep(), "");
    World sequential;
    std::map<SyscallNumber, std::uint64_t> succeeded;
    ASSERT_EQ(again(race.log(), sequential, succeeded), "") << "seed " << seed;
    for (const auto& [number, times] : succeeded)
      EXPECT_GT(times, 10u) << syscall_name(static_cast<std::uint64_t>(number));
    EXPECT_EQ(fingerprint(race.world().bed, Contents::OfPageTables),
              fingerprint(sequential.bed, Contents::OfPageTables));
    race.world().bed.end_all();
    EXPECT_EQ(race.world().bed.sweep(), "");
    EXPECT_EQ(race.world().bed.machine.info().environments, 0u);
  }
}

}  // namespace
}  // namespace xok::kernel::testing
