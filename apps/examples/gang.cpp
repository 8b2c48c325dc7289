// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Gang scheduling: the members of a gang, programs that talk to each other all the time, run at the
// same time, one on each processor.
//
// Two gangs share the processors. A gang's slices lie at the same position of each processor's
// vector. The kernel walks each vector by itself; a pacemaker at position 0 of each keeps them in
// step: all yield to position 1 at the same times, which they read from the cycle counter. First
// processor 1 has the gangs the wrong way round; then their slices are exchanged, and the
// difference is counted. With one processor the members have adjacent slices instead.
//
// A leader writes a number, the others repeat it. They have run together when three numbers went
// round while, by the exposed table, none of them was given its processor anew. That takes a host
// that runs all processors at once, or QEMU's -icount, which runs them in step.
#include <algorithm>

#include "apps/examples/example.hpp"

namespace {

using namespace xok;
using namespace xok::example;

constexpr std::uint64_t kGangs = 2, kMostMembers = 4, kRotations = 50, kTrips = 3;
constexpr std::uint64_t kPeriodMs = 22;  // two slices, and 2 ms for the pacemaker

struct alignas(64) Word {
  std::uint64_t value;
  [[nodiscard]] std::uint64_t load() const { return __atomic_load_n(&value, __ATOMIC_ACQUIRE); }
  void store(std::uint64_t to) { __atomic_store_n(&value, to, __ATOMIC_RELEASE); }
  void add(std::uint64_t n) { __atomic_fetch_add(&value, n, __ATOMIC_ACQ_REL); }
};
struct Gang {
  Word ball;                // the leader's number
  Word echo[kMostMembers];  // what the others have repeated
  Word together;            // turns of the leader in which it saw all of them run
  EnvId id[kMostMembers];
};
struct Shared {
  Gang gangs[kGangs];
  std::uint64_t members, processors;
};
constexpr std::uint64_t kShared = 0x100'0000'0000;
Shared& g_shared = *reinterpret_cast<Shared*>(kShared);

/// How often an environment has been given a processor.
std::uint64_t turns_of(EnvId id) { return rt::env_record(id).switches; }

/// Member 1 and up: `who` is gang * kMostMembers + member.
void follow(std::uint64_t who) {
  Gang& gang = g_shared.gangs[who / kMostMembers];
  for (;; __builtin_ia32_pause()) gang.echo[who % kMostMembers].store(gang.ball.load());
}

/// Member 0.
void lead(std::uint64_t who) {
  Gang& gang = g_shared.gangs[who / kMostMembers];
  std::uint64_t seen[kMostMembers] = {};
  std::uint64_t trips = 0;
  for (std::uint64_t n = 1;; n++) {
    gang.ball.store(n);
    for (std::uint64_t m = 1; m < g_shared.members; m++)
      while (gang.echo[m].load() != n) __builtin_ia32_pause();
    bool same_turns = true;
    for (std::uint64_t m = 0; m < g_shared.members; m++) {
      const std::uint64_t turns = turns_of(gang.id[m]);
      same_turns = same_turns && turns == seen[m];
      seen[m] = turns;
    }
    trips = same_turns ? trips + 1 : 0;
    if (trips == kTrips) gang.together.add(1);
  }
}

/// A pacemaker's turn: ends at a time that is the same for all processors. Whoever is too early to
/// wait that long in one turn is early again next time, but less.
void keep_pace() {
  const std::uint64_t period = system_info().tsc_hz / 1000 * kPeriodMs;
  std::uint64_t turn = 0;
  do {
    turn = turns_of(rt::env_id());
    const std::uint64_t next = (rt::cycles() / period + 1) * period;
    while (rt::cycles() < next && turns_of(rt::env_id()) == turn) __builtin_ia32_pause();
  } while (turns_of(rt::env_id()) != turn);
  sys::yield(kSelf, 0);
}
void pacemaker(std::uint64_t) {
  for (;;) keep_pace();
}

/// Makes the gangs; member m of gang g has position 1 + g of processor m, or the next free one of
/// the only processor.
void make_gangs() {
  for (std::uint64_t g = 0; g < kGangs; g++) {
    for (std::uint64_t m = 0; m < g_shared.members; m++) {
      const Program member = start(kRoot, m == 0 ? lead : follow, g * kMostMembers + m);
      share(kShared, member, kData);
      g_shared.gangs[g].id[m] = member.id;
      const bool alone = g_shared.processors == 1;
      must(sys::slice_alloc(kRoot, alone ? 0 : m, alone ? kAnyPosition : 1 + g, member.id),
           "slice_alloc");
    }
  }
  for (std::uint64_t p = 1; p < g_shared.processors; p++) {
    const Program pace = start(kRoot, pacemaker, 0);
    share(kShared, pace, kData);
    must(sys::slice_alloc(kRoot, p, 0, pace.id), "slice_alloc");
  }
}

/// Gives the positions of both gangs on processor 1 to `first` and the other.
void place(std::uint64_t first) {
  for (std::uint64_t g = 0; g < kGangs; g++)
    must(sys::slice_transfer(kRoot, 1, 1 + g, g_shared.gangs[g ^ first].id[1]), "slice_transfer");
}

struct Count {
  std::uint64_t turns, together;
};
Count count() {
  Count sum{};
  for (const Gang& gang : g_shared.gangs) {
    sum.turns += turns_of(gang.id[0]);
    sum.together += gang.together.load();
  }
  return sum;
}

/// Lets kRotations go by: the leaders' turns, and those in which their gang was together.
Count run(std::string_view how) {
  const Count before = count();
  for (std::uint64_t i = 0; i < kRotations; i++) {
    if (g_shared.processors > 1) {
      keep_pace();
    } else {
      sys::yield(kSelf, 0);
    }
  }
  const Count after = count();
  const Count result{after.turns - before.turns, after.together - before.together};
  print(how);
  print("; turns: ");
  print(result.turns);
  print(", of these together: ");
  print(result.together);
  print("\n");
  return result;
}

/// How many turns each member has had since they were `before`; 0 if not all as many.
std::uint64_t turns_of_each(const std::uint64_t (&before)[kGangs][kMostMembers]) {
  const std::uint64_t turns = turns_of(g_shared.gangs[0].id[0]) - before[0][0];
  for (std::uint64_t g = 0; g < kGangs; g++)
    for (std::uint64_t m = 0; m < g_shared.members; m++)
      if (turns_of(g_shared.gangs[g].id[m]) - before[g][m] != turns) return 0;
  return turns;
}

}  // namespace

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  take_upcalls();
  new_page<Shared>(kShared);
  g_shared.processors = std::min<std::uint64_t>(system_info().processors, kMostMembers);
  g_shared.members = std::max<std::uint64_t>(g_shared.processors, 2);
  make_gangs();
  bool good = false;
  if (g_shared.processors == 1) {
    std::uint64_t before[kGangs][kMostMembers] = {};
    for (std::uint64_t g = 0; g < kGangs; g++)
      for (std::uint64_t m = 0; m < g_shared.members; m++)
        before[g][m] = turns_of(g_shared.gangs[g].id[m]);
    run("adjacent slices of one processor");
    good = turns_of_each(before) >= kRotations;
  } else {
    place(1);
    const Count apart = run("apart");
    place(0);
    const Count gang = run("same positions");
    good = gang.together > gang.turns / 2 && gang.together > apart.together;
  }
  print(good ? "as it should be\n" : "not as it should be\n");
  stop(good);
}
