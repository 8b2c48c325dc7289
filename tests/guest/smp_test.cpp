// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Several processors: environments and threads on each of them, some that end elsewhere, and waking
// across processors.
#include "tests/guest/others.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kIncrements = 200'000;

Word g_sum, g_finished, g_ball, g_echo;
std::array<Word, kOthers> g_ran_on;

[[noreturn]] void finish() {
  g_finished.add(1);
  for (;;) sys::yield(kSelf, 0);
}

void count_up(std::uint64_t processor) {
  for (std::uint64_t i = 0; i < kIncrements; i++) g_sum.add(1);
  g_ran_on[processor].store(rt::env_record(rt::env_id()).processor + 1);
  finish();
}

void threads_everywhere(Checks& t, std::uint64_t processors, bool share) {
  std::array<EnvId, kOthers> ids{};
  g_sum.store(0);
  g_finished.store(0);
  for (Word& word : g_ran_on) word.store(0);
  for (std::uint64_t n = 1; n < processors; n++) ids[n] = start(n, count_up, share);
  for (std::uint64_t i = 0; i < kIncrements; i++) g_sum.add(1);
  t.holds("all of them finish", soon([&] { return g_finished.load() == processors - 1; }));
  bool placed = true;
  for (std::uint64_t n = 1; n < processors; n++) placed = placed && g_ran_on[n].load() == n + 1;
  t.holds("each on the processor of its slice", placed);
  t.equal("no increment is lost", static_cast<std::int64_t>(g_sum.load()),
          static_cast<std::int64_t>(processors * kIncrements));
  for (std::uint64_t n = 1; n < processors; n++) end(ids[n]);
}

void echo(std::uint64_t /*processor*/) {
  std::uint64_t seen = 0;
  for (;;) {
    rt::WaitSet set;
    set.watch_value(g_ball.value, seen);
    if (g_ball.load() == seen) set.sleep();
    seen = g_ball.load();
    g_echo.store(seen);
  }
}

/// How long the sleeper takes to answer on average, in ns; 0: not at all.
std::uint64_t rally(std::uint64_t first, std::uint64_t count, bool call) {
  const std::uint64_t begin = rt::monotonic_ns();
  for (std::uint64_t i = first; i < first + count; i++) {
    g_ball.store(i);
    if (call) sys::null_call();
    if (!soon([&] { return g_echo.load() == i; })) return 0;
  }
  return (rt::monotonic_ns() - begin) / count + 1;
}

void wake_up(Checks& t) {
  const EnvId sleeper = start(1, echo, true);
  constexpr std::uint64_t kCount = 500;
  const std::uint64_t silent = rally(1, kCount, false);
  t.holds("a sleeper elsewhere sees a word written without a call", silent != 0);
  const std::uint64_t called = rally(1 + kCount, kCount, true);
  t.holds("and one written before a call", called != 0);
  print("wakeup across processors: silent ");
  print_number(static_cast<std::int64_t>(silent / 1000));
  print(" us, with a call ");
  print_number(static_cast<std::int64_t>(called / 1000));
  print(" us\n");
  // The same when we sleep as well: every processor is idle, then.
  const std::uint64_t before = g_echo.load();
  g_ball.store(before + 1);
  rt::sleep_until(rt::monotonic_ns() + 5'000'000);
  t.holds("and when the writer goes to sleep", soon([&] { return g_echo.load() == before + 1; }));
  end(sleeper);
}

void spin(std::uint64_t /*processor*/) {
  for (;;) g_written.add(1);
}

void end_elsewhere(Checks& t) {
  const std::uint64_t free_before = system_info().free_pages;
  std::int64_t ended = 0;
  for (int i = 0; i < 300; i++) {
    const bool share = i % 3 == 0;
    const EnvId id = start(1 + static_cast<std::uint64_t>(i) % 2, spin, share);
    if (!written_again()) break;
    const std::uint64_t target = make_target(kRoot, id);
    if (i == 0) {
      Context context{};
      const auto address = reinterpret_cast<std::uint64_t>(&context);
      t.refused("registers of one that runs elsewhere cannot be set",
                sys::env_set_context(target, address), Errc::Busy);
      t.refused("nor read", sys::env_get_context(target, address), Errc::Busy);
    }
    if (end(id) != 0) break;
    const std::uint64_t seen = g_written.load();
    for (int k = 0; k < 100; k++) __builtin_ia32_pause();
    if (g_written.load() != seen || sys::env_free(target) == 0) break;
    ended++;
  }
  t.equal("an environment that runs elsewhere ends at once", ended, 300);
  t.equal("and every page is back", static_cast<std::int64_t>(system_info().free_pages),
          static_cast<std::int64_t>(free_before));
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  const std::uint64_t processors = system_info().processors;
  t.holds("all processors have started", processors == 4);
  t.refused("a slice of one that is not there", sys::slice_alloc(kRoot, processors, 0, kSelf),
            Errc::BadArgument);
  make_tables({kUenvViews, kUenvs});
  threads_everywhere(t, processors, true);
  threads_everywhere(t, processors, false);
  wake_up(t);
  end_elsewhere(t);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
