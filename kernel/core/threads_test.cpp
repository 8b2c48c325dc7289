// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "kernel/core/testing/hold_ups.hpp"
#include "kernel/core/testing/test_bed.hpp"

/// One kernel entered by several processors at once, each a thread. Built with ThreadSanitizer
/// (preset host-tsan) it finds what the kernel's lock does not order; without, it still finds stale
/// translations and lost answers.
///
/// User memory needs no lock, as on the machine: a thread reads and writes it through its
/// processor's TLB between calls. That a page is zeroed for its next owner only after everybody has
/// forgotten it is then a matter of order, which the sanitizer checks.
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint32_t kThreads = 4;
constexpr std::uint64_t kShared = 0x60'0000;  // where the threads of the space have pages

class Storm {
 public:
  explicit Storm(std::uint64_t steps) : steps_{steps} {
    for (std::uint32_t n = 1; n < kThreads; n++) {
      const bool share = n % 2 == 1;
      bed_.spawn(0, share, 0x7000'0000 + n * kPageSize, n);
    }
    bed_.machine.threads = true;
  }

  void run() {
    std::vector<std::thread> threads;
    for (std::uint32_t n = 0; n < kThreads; n++) threads.emplace_back([this, n] { be(n); });
    for (std::thread& thread : threads) thread.join();
    bed_.machine.threads = false;
    for (FakeProcessor& processor : bed_.machine.processors) processor.kicked = false;
    bed_.use(0);
  }
  TestBed& bed() { return bed_; }

 private:
  std::int64_t call(Cpu& cpu, SyscallNumber number, std::array<std::uint64_t, 6> words) {
    return bed_.kernel->system_call(cpu, static_cast<std::uint64_t>(number), words);
  }

  /// A processor's life until all have made their steps: whoever is done still answers.
  void be(std::uint32_t number) {
    FakeMachine& machine = bed_.machine;
    bed_.use(number);
    Cpu& cpu = bed_.cpus[number];
    std::mt19937_64 random{number};
    for (std::uint64_t i = 0; i < steps_; i++) {
      machine.answer();
      if (machine.mine().seized != seized_[number]) {  // out of user code: into the kernel
        seized_[number] = machine.mine().seized;
        bed_.kernel->wake(cpu);
      }
      if (cpu.current == kNoEnv) {
        bed_.kernel->wake(cpu);
        continue;
      }
      step(cpu, random);
    }
    done_++;
    while (done_ != kThreads) machine.answer();
  }

  void step(Cpu& cpu, std::mt19937_64& random) {
    const std::uint64_t va = kShared + random() % 4 * kPageSize;
    switch (random() % 12) {
      case 0:
      case 1:
        call(cpu, pte_insert, {0, fresh_page(), va, 0});
        break;
      case 2:
        call(cpu, pte_insert, {0, 0, va, 0});
        break;
      case 3:
        call(cpu, pte_modify_range, {va, 3, 0, kPteWritable, 0, 0});
        break;
      case 4:
        call(cpu, yield, {0, 0});
        break;
      case 5:
        bed_.machine.clock += 3'000'000;
        bed_.kernel->timer(cpu);
        break;
      case 6:
        end_or_start(cpu, random);
        break;
      default:
        use_memory(va, random());
    }
  }

  /// Somebody who may be running elsewhere ends, or a new one starts somewhere.
  void end_or_start(Cpu& cpu, std::mt19937_64& random) {
    std::atomic<EnvId>& place = children_[random() % children_.size()];
    if (const EnvId child = place.exchange(0); child != 0) {
      call(cpu, env_free, {make_target(0, child)});
      return;
    }
    const bool share = random() % 2 == 0;
    const std::uint64_t uenv = 0x7100'0000 + random() % 64 * kPageSize;
    const std::int64_t made = call(cpu, env_alloc, {0, share ? kShareAddressSpace : 0, uenv});
    if (made <= 0) return;
    const auto child = static_cast<EnvId>(made);
    const std::uint64_t target = make_target(0, child);
    if (!share) call(cpu, pte_insert, {0, fresh_page(), kScratch, target});
    const Context context{};
    const std::uint64_t place_for_it = kScratch + 1024 + cpu.number * 256;
    if (bed_.machine.user_write(place_for_it, &context, sizeof context))
      call(cpu, env_set_context, {target, place_for_it});
    call(cpu, slice_alloc, {0, random() % kThreads, kAnyPosition, child});
    place = child;
  }

  /// As a program would: words that only atomic instructions touch.
  void use_memory(std::uint64_t va, std::uint64_t value) {
    bed_.machine.user_store(va + 8 * (value % 64), value);
  }

  TestBed bed_{400, kThreads};
  std::uint64_t steps_;
  std::array<std::uint64_t, kThreads> seized_{};
  std::array<std::atomic<EnvId>, 6> children_{};
  std::atomic<std::uint32_t> done_ = 0;
};

TEST(Threads, OneKernelServesProcessorsThatEnterAtOnce) {
  Storm storm{40'000};
  storm.run();
  EXPECT_EQ(storm.bed().sweep(), "");
  storm.bed().end_all();
  EXPECT_EQ(storm.bed().machine.info().environments, 0u);
  EXPECT_EQ(storm.bed().sweep(), "");
}

/// the same with processors that are held up wherever another one could come between.
TEST(Threads, NorDoesItMatterWhereAProcessorIsHeldUp) {
  Storm storm{20'000};
  {
    const HoldUps hold_ups{storm.bed().machine};
    storm.run();
  }
  EXPECT_EQ(storm.bed().sweep(), "");
  storm.bed().end_all();
  EXPECT_EQ(storm.bed().machine.info().environments, 0u);
  EXPECT_EQ(storm.bed().sweep(), "");
}

}  // namespace
}  // namespace xok::kernel::testing
