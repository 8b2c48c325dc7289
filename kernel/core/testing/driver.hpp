// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernel/core/testing/judge.hpp"
#include "kernel/core/testing/test_bed.hpp"

namespace xok::kernel::testing {

/// Makes random calls against a kernel, good and bad ones mixed, as up to 8 environments that hold
/// different capabilities, on one to three processors; judges each step by the oracle and sweeps
/// the invariants now and then. The choices come from outside: a seeded generator, or a fuzzer's
/// bytes.
class Driver {
 public:
  /// `choose(n)` gives a number below n.
  using Choose = std::function<std::uint64_t(std::uint64_t)>;
  /// Sparsely: one step of 64 is judged, the invariants are swept at the end of a run, and no trace
  /// is kept: for long runs. The steps are the same.
  enum class Watch : std::uint8_t { Everything, Sparsely };
  explicit Driver(Choose choose, Watch watch = Watch::Everything);

  /// From now on whatever the kernel copies from user memory is other than before when it looks
  /// again: numbers of pages and calls, capabilities, anything.
  void rewrite_what_is_read();

  /// Makes up to `steps` steps. "" or what went wrong; `trace()` then says how it came to it.
  std::string run(unsigned steps);
  /// Ends everything and compares the counts with those at the start. "" or what is lost.
  std::string finish();
  [[nodiscard]] std::string trace() const;

  /// How often each call number succeeded, and each failed, in all runs of this process.
  static std::array<std::uint64_t, kSyscallNumbers> succeeded;
  static std::array<std::array<std::uint64_t, 32>, kSyscallNumbers> failed;
  /// How many calls those were.
  static std::uint64_t calls();

 private:
  static constexpr std::uint64_t kAnySlot = 7;

  static constexpr std::uint64_t kSparsely = 64;

  void found_families();
  void log(const auto& line) {
    if (watch_ == Watch::Everything) trace_.push_back(line());
  }
  void pick_processor();
  std::string step();
  std::string random_call();
  std::string batch_text(const std::array<std::uint64_t, 6>& arguments);
  std::string judged(Step step, const std::function<std::int64_t()>& action);
  using PageBytes = std::array<std::byte, kPageSize>;
  std::vector<PageBytes> contents_of_new_pages(const Step& step);
  std::uint64_t dirty_new_page(const Snapshot& before, const Snapshot& after, const Step& step,
                               const std::vector<PageBytes>& contents);
  std::array<std::uint64_t, 6> arguments_for(SyscallNumber number);
  SyscallNumber pick_number();

  bool one_in(std::uint64_t n) { return choose_(n) == 0; }
  std::uint64_t slot();
  std::uint64_t target();
  EnvId env_id();
  EnvId resting();
  std::uint64_t address();
  std::uint64_t buffer();
  std::uint64_t entry();
  std::uint64_t page_number();
  std::uint64_t capability();
  std::uint64_t small_count();
  void prepare_for_revocation();
  MethodId method();
  std::uint64_t region();
  std::uint64_t processor();
  void fill_buffer(SyscallNumber number);
  void prepare_for_transfers(volatile IpcArea& area);

  Choose choose_;
  Watch watch_;
  std::uint64_t steps_ = 0;
  std::uint64_t pages_;
  std::uint32_t processors_;
  TestBed bed_;
  std::uint64_t free_at_start_ = 0;
  std::uint64_t kernel_at_start_ = 0;
  std::vector<EnvId> known_;
  std::vector<std::string> trace_;
};

}  // namespace xok::kernel::testing
