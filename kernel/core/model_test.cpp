// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "kernel/core/testing/model.hpp"
#include "kernel/core/testing/settings.hpp"

/// The kernel and the abstract model (testing/model.hpp) in lock step: random calls by environments
/// that hold different capabilities; after each one the result and the whole state are as the model
/// says.
///
/// XOK_MODEL_SEED    run this one sequence and show its calls
/// XOK_MODEL_COUNT   how many sequences (default 200), from seed XOK_MODEL_FROM (default 1)
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr unsigned kSteps = 300;
constexpr std::uint64_t kPages = 110;  // few, so that memory runs out
constexpr std::size_t kMostEnvironments = 9;

constexpr SyscallNumber kCalls[] = {
    cap_forge,  cap_acquire, cap_acquire,      cap_release,      pte_insert,       pte_insert,
    pte_insert, pte_insert,  pte_insert_range, pte_insert_range, pte_modify_range, page_set_acl,
    env_alloc,  env_free,    slice_alloc,      slice_free,       slice_transfer};
constexpr std::uint64_t kAddresses[] = {
    kScratch,         kScratch + 0x1000,  0x5f'f000,
    0x60'0000,        0x7000'0000,        0x7000'1000,
    0x80'0000'0000,   kUserTop - 0x1000,  kInitStackTop - 0x1000,
    kInitUenvAddress, kInitBundleAddress, kUserTop - 0x40'0000};
constexpr std::uint64_t kBadAddresses[] = {kUserTop, kScratch + 8, ~0ull, kExposedBase + 0x1000,
                                           0xffff'8000'0000'0000};

constexpr std::uint64_t kDone = kScratch;
constexpr std::uint64_t kEntries = kScratch + 256;
constexpr std::size_t kRange = 9;

class LockStep {
 public:
  explicit LockStep(std::uint64_t seed)
      : random_{seed}, bed_{kPages, static_cast<std::uint32_t>(1 + pick(2))} {
    for (std::uint8_t i = 1; i <= 3; i++) {
      bed_.call(cap_forge, 0, i, Capability::make({1, i}).bits(), 0);
      const EnvId id = bed_.spawn(i);
      const auto reader = Capability::make({1, i}, Permission::Allocate);  // writes nothing
      bed_.call(cap_forge, 0, 1, reader.bits(), make_target(i, id));
    }
    bed_.call(cap_forge, 0, 4, Capability::make({1}).bits(), 0);
    bed_.spawn(4);
  }

  /// "" or where the two differ.
  std::string run() {
    Model model{bed_};
    for (unsigned i = 0; i < kSteps; i++) {
      if (one_in(8)) {
        bed_.call(yield, one_in(3) ? 0 : env_id(model), 0);
        log("yield");
      }
      if (bed_.current() == kNoEnv) return bed_.sweep();  // nobody has a slice
      if (one_in(3)) offer(model);
      std::string wrong = call(model);
      if (wrong.empty() && i % 32 == 0) wrong = bed_.sweep();
      if (!wrong.empty()) return wrong;
    }
    return bed_.sweep();
  }
  [[nodiscard]] const std::string& trace() const { return trace_; }

  /// How often which call ended how, in all sequences of this process.
  static inline std::map<std::pair<SyscallNumber, std::int64_t>, std::uint64_t> outcomes;

 private:
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return pick(n) == 0; }
  void log(const std::string& line) { trace_ += line + "\n"; }

  std::uint64_t slot() { return one_in(25) ? pick(40) : one_in(2) ? 0 : pick(6); }
  EnvId env_id(const Model& model) {
    if (one_in(20)) return static_cast<EnvId>(pick(1 << 14));
    auto at = model.environments().begin();
    std::advance(at, pick(model.environments().size()));
    return at->first;
  }
  std::uint64_t target(const Model& model) {
    return one_in(2) ? 0 : make_target(slot(), env_id(model));
  }
  std::uint64_t address() {
    if (one_in(15)) return kBadAddresses[pick(std::size(kBadAddresses))];
    return kAddresses[pick(std::size(kAddresses))];
  }
  std::uint64_t entry() {
    if (one_in(12)) return random_();
    if (one_in(8)) return one_in(2) ? 0 : random_() & ~kPtePresent;
    if (one_in(3)) return fresh_page(one_in(2));
    return this_page(pick(kPages + 2), one_in(2)) | (one_in(2) ? kPteNoExecute : 0);
  }
  std::uint64_t capability() {
    if (one_in(3)) return bed_.self().capabilities[pick(5)].bits();
    if (one_in(20)) return random_();
    Capability c = Capability::make({1, 1, 1});
    c.header = static_cast<std::uint8_t>((one_in(2) ? 7 : pick(8)) | (one_in(10) ? 0u : 8u) |
                                         (one_in(20) ? 16u : 0u) | pick(4) << 5);
    c.name[1] = static_cast<std::uint8_t>(pick(4));
    c.name[2] = static_cast<std::uint8_t>(pick(3));
    return c.bits();
  }
  std::uint64_t bits() {
    return random_() &
           (one_in(10) ? ~0ull : kPteWritable | kPteDirty | kPteSoftware | kPteNoExecute);
  }
  std::uint64_t processor() { return pick(one_in(20) ? 9 : 2); }
  std::uint64_t position() { return one_in(20) ? 1020 + pick(9) : pick(9); }

  std::array<std::uint64_t, 6> arguments(SyscallNumber number, const Model& model) {
    switch (number) {
      case cap_forge:
        return {slot(), slot(), capability(), target(model)};
      case cap_acquire:
        return {slot(), env_id(model)};
      case cap_release:
        return {slot(), target(model)};
      case pte_insert:
        return {slot(), entry(), address(), target(model)};
      case pte_insert_range:
        return {slot(),    kEntries, one_in(30) ? 513 + pick(9) : pick(kRange + 1),
                address(), kDone,    target(model)};
      case pte_modify_range:
        return {address(), one_in(20) ? pick(600) : pick(5), bits(), bits(), slot(), target(model)};
      case page_set_acl:
        return {slot(), pick(kPages + 2), one_in(9) ? pick(600) : pick(2), capability()};
      case env_alloc:
        return {slot(), one_in(9) ? pick(4) : pick(2), address()};
      case env_free:
        return {target(model)};
      case slice_alloc:
        return {slot(), processor(), one_in(3) ? kAnyPosition : position(), env_id(model)};
      default:
        return {slot(), processor(), position(), env_id(model)};
    }
  }

  /// Writes what it offers into its Uenv, as a program does.
  void offer(Model& model) {
    const std::uint64_t from = one_in(3) ? slot() : 0;
    const Model::Offer offered{env_id(model), from, capability()};
    volatile Uenv& uenv = bed_.machine.uenv(bed_.current());
    uenv.grant_to = offered.to;
    uenv.grant_slot = offered.slot;
    uenv.grant = offered.grant;
    model.offer(bed_.current_id(), offered);
    log("offer of " + std::to_string(bed_.current_id()) + " to " + std::to_string(offered.to));
  }

  /// A range from the caller's scratch page, if it has that.
  std::string call_range(Model& model) {
    const EnvId caller = bed_.current_id();
    Model::Range range{{}, kDone, one_in(4) ? pick(kRange + 1) : 0};
    while (range.entries.size() < kRange) range.entries.push_back(one_in(2) ? alike() : entry());
    if (!bed_.machine.user_write(kDone, &range.done, 8) ||
        !bed_.machine.user_write(kEntries, range.entries.data(), 8 * kRange))
      return "";
    const auto words = arguments(pte_insert_range, model);
    const std::int64_t result = bed_.raw_call(static_cast<std::uint64_t>(pte_insert_range), words);
    std::string line = std::to_string(caller) + " pte_insert_range of";
    for (const std::uint64_t word : range.entries) line += " " + std::to_string(word);
    for (const std::uint64_t word : words) line += ", " + std::to_string(word);
    log(line + " = " + std::to_string(result));
    outcomes[{pte_insert_range, result < 0 ? result : 0}]++;
    return model.step_range(caller, words, range, result);
  }
  /// An entry like those before it: a page of the caller's own.
  std::uint64_t alike() {
    Translation there;
    const bool mine = bed_.machine.walk(bed_.self().table_page, kScratch, there);
    return mine ? this_page(there.page, one_in(2)) : 0;
  }

  std::string call(Model& model) {
    SyscallNumber number = kCalls[pick(std::size(kCalls))];
    if (number == env_alloc && model.environments().size() >= kMostEnvironments) number = env_free;
    if (number == pte_insert_range) return call_range(model);
    const EnvId caller = bed_.current_id();
    const auto words = arguments(number, model);
    if (number == env_free) {
      const auto id = static_cast<EnvId>(words[0]);
      const bool self = id == 0 || id == caller;
      if (env_index(self ? caller : id) == 1 || (self && !one_in(10))) return "";  // it stops all
    }
    std::string line = std::to_string(caller) + " ";
    line += syscall_name(static_cast<std::uint64_t>(number));
    for (const std::uint64_t word : words) line += " " + std::to_string(word);
    const std::int64_t result = bed_.raw_call(static_cast<std::uint64_t>(number), words);
    const bool gone = bed_.env(caller).id != caller;
    log(line + (gone ? " ended itself" : " = " + std::to_string(result)));
    outcomes[{number, result < 0 ? result : 0}]++;
    return model.step(caller, number, words, gone ? std::nullopt : std::optional{result});
  }

  std::mt19937_64 random_;
  TestBed bed_;
  std::string trace_;
};

TEST(Model, TheKernelDoesWhatItsDocumentationSays) {
  const std::uint64_t only = setting("XOK_MODEL_SEED", 0);
  const std::uint64_t from = only != 0 ? only : setting("XOK_MODEL_FROM", 1);
  const std::uint64_t count = only != 0 ? 1 : setting("XOK_MODEL_COUNT", 200);
  for (std::uint64_t seed = from; seed < from + count; seed++) {
    LockStep pair{seed};
    const std::string wrong = pair.run();
    if (only != 0) std::fputs(pair.trace().c_str(), stderr);
    const std::size_t last = pair.trace().find_last_of('\n', pair.trace().size() - 2);
    ASSERT_EQ(wrong, "") << pair.trace().substr(last == std::string::npos ? 0 : last + 1)
                         << "replay: XOK_MODEL_SEED=" << seed << " ./core_model_test";
  }
}

/// Sequences that only fail would agree about nothing of interest.
TEST(Model, EveryCallOfTheModelSucceedsAndFailsInMoreThanOneWay) {
  if (setting("XOK_MODEL_SEED", 0) != 0) GTEST_SKIP();
  ASSERT_FALSE(LockStep::outcomes.empty());
  for (const SyscallNumber number : kCalls) {
    std::size_t errors = 0;
    for (const auto& [outcome, times] : LockStep::outcomes)
      errors += outcome.first == number && outcome.second < 0 ? 1 : 0;
    const std::string_view name = syscall_name(static_cast<std::uint64_t>(number));
    EXPECT_GT((LockStep::outcomes[{number, 0}]), 50u) << name;
    EXPECT_GE(errors, 2u) << name;
  }
}

}  // namespace
}  // namespace xok::kernel::testing
