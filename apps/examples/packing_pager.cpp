// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A pager that compresses pages instead of writing them anywhere.
//
// A program works on kHeapPages pages, and its maker lets it have kLimit (env_set_quota). Its own
// fault handler makes room: it packs the page that came first into memory it keeps for that, gives
// the frame back to the kernel, and unpacks the page when it is touched again. Halfway its maker
// asks for kAsked pages back (pages_request); the program chooses which, and lives with less.
#include "apps/examples/example.hpp"
#include "apps/examples/page_packer.hpp"
#include "exos/rt/lock.hpp"

namespace {

using namespace xok;
using namespace xok::example;

constexpr std::uint64_t kHeapPages = 256, kLimit = 64, kAsked = 8, kRounds = 6;
constexpr std::uint64_t kHeap = 0x100'0000'0000;
constexpr std::uint64_t kStore = kHeap + kHeapPages * kPageSize;  // packed pages, same page table
constexpr std::uint64_t kGrainWords = 16, kGrains = 64 * kPageWords / kGrainWords;
constexpr std::uint64_t kTables = 3, kReserve = 2;  // of the limit: page tables, room to evict
constexpr std::uint64_t kReport = 0x110'0000'0000;

struct Report {
  std::uint64_t rounds, wrong, faults, packed, given, store_pages, done;
};

struct Kept {  // a page of the heap that is not there
  std::uint32_t grain, words;
};
Kept g_kept[kHeapPages];                     // words 0: never touched, or resident
std::uint64_t g_order[kHeapPages], g_first;  // resident pages, in the order they came
std::uint64_t g_resident, g_store_pages, g_budget;
bool g_used[kGrains];
std::uint64_t g_scratch[kPageWords];
volatile Report& g_report = *reinterpret_cast<volatile Report*>(kReport);

std::uint64_t grains(std::uint64_t words) { return (words + kGrainWords - 1) / kGrainWords; }
std::uint64_t* stored(std::uint64_t grain) {
  return reinterpret_cast<std::uint64_t*>(kStore) + grain * kGrainWords;
}
void set_used(std::uint64_t grain, std::uint64_t n, bool used) {
  for (std::uint64_t i = 0; i < n; i++) g_used[grain + i] = used;
}

/// First fit among the grains of the store, which grows by what is missing (out of the reserve,
/// until the page that goes there has given its frame back). kGrains: there is no room.
std::uint64_t find_room(std::uint64_t n) {
  std::uint64_t run = 0;
  for (std::uint64_t i = 0; i < kGrains; i++) {
    run = g_used[i] ? 0 : run + 1;
    if (run < n) continue;
    while (g_store_pages * kPageWords < (i + 1) * kGrainWords) {
      if (sys::pte_insert(0, kData, kStore + g_store_pages * kPageSize, kSelf) < 0) return kGrains;
      g_store_pages++;
    }
    return i + 1 - n;
  }
  return kGrains;
}

/// Packs the page that came first, and gives its frame to the kernel.
bool evict() {
  if (g_resident == 0) return false;
  const std::uint64_t page = g_order[g_first % kHeapPages];
  const std::uint64_t va = kHeap + page * kPageSize;
  const std::size_t words = pack_page(reinterpret_cast<const std::uint64_t*>(va), g_scratch);
  const std::uint64_t grain = find_room(grains(words));
  if (grain == kGrains) return false;
  sys::pte_insert(0, 0, va, kSelf);
  g_first++;
  g_resident--;
  set_used(grain, grains(words), true);
  std::memcpy(stored(grain), g_scratch, words * 8);
  g_kept[page] = {static_cast<std::uint32_t>(grain), static_cast<std::uint32_t>(words)};
  g_report.packed = g_report.packed + 1;
  return true;
}

std::uint64_t value(std::uint64_t page, std::uint64_t word, std::uint64_t round) {
  const std::uint64_t mixed = (page * 0x1'0001 + word) * 0x9e37'79b9'7f4a'7c15;
  if (page % 16 == 5) return (mixed ^ mixed >> 29) * 0xbf58'476d'1ce4'e5b9 + round;  // packs badly
  return (page << 32) + (round << 20) + word / 128 * word;
}

/// The program: every page in some order, again and again; what it wrote last is still there.
void work(std::uint64_t) {
  g_budget = kLimit - kTables - kReserve;
  for (std::uint64_t round = 0; round < kRounds; round++) {
    for (std::uint64_t i = 0; i < kHeapPages; i++) {
      const std::uint64_t page = i * 37 % kHeapPages;
      auto* const words = reinterpret_cast<volatile std::uint64_t*>(kHeap + page * kPageSize);
      for (std::uint64_t k = 0; k < kPageWords; k++) {
        if (words[k] != (round == 0 ? 0 : value(page, k, round - 1)))
          g_report.wrong = g_report.wrong + 1;
        words[k] = value(page, k, round);
      }
    }
    g_report.rounds = round + 1;
  }
  g_report.store_pages = g_store_pages;
  g_report.done = 1;
  for (;;) sys::yield(kSelf, 0);
}

}  // namespace

extern "C" void xok::rt::rt_fault(Registers* /*registers*/) {
  const CriticalSection section;  // no request for pages in the middle of this
  const std::uint64_t page = (self().fault.address - kHeap) / kPageSize;
  if (page >= kHeapPages) sys::env_free(kSelf);
  const std::uint64_t va = kHeap + page * kPageSize;
  while (g_resident + g_store_pages >= g_budget)
    if (!evict()) sys::env_free(kSelf);
  if (sys::pte_insert(0, kData, va, kSelf) < 0) sys::env_free(kSelf);
  g_order[(g_first + g_resident++) % kHeapPages] = page;
  Kept& kept = g_kept[page];
  if (kept.words != 0) {
    unpack_page(stored(kept.grain), kept.words, reinterpret_cast<std::uint64_t*>(va));
    set_used(kept.grain, grains(kept.words), false);
    kept.words = 0;
  }
  g_report.faults = g_report.faults + 1;
}

/// The maker wants pages: fewer for us from now on.
extern "C" void xok::rt::rt_pages(Registers* /*registers*/) {
  g_budget -= self().pages_wanted;
  while (g_resident + g_store_pages > g_budget)
    if (!evict()) sys::env_free(kSelf);
  g_report.given = g_report.given + self().pages_wanted;
}

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  take_upcalls();
  new_page<Report>(kReport);
  const Program pager = start(kRoot, work, 0);
  share(kReport, pager, kData);
  must(sys::env_set_quota(pager.target, kLimit, 0), "env_set_quota");
  const volatile Account& account = rt::account_record(rt::env_record(pager.id).account);
  std::uint64_t most = 0;
  std::uint64_t left = 0;
  const auto run_until = [&](auto&& reached) {
    while (!reached() && pager.alive()) {
      sys::yield(pager.id, 0);
      if (account.used > most) most = account.used;
    }
  };
  run_until([] { return g_report.rounds >= kRounds / 2; });
  must(sys::pages_request(pager.target, kAsked, rt::cycles() + system_info().tsc_hz),
       "pages_request");
  run_until([] { return g_report.given > 0; });
  const bool settled = sys::pages_repossess(pager.target) == 0;
  run_until([&] { return left = account.used, g_report.done != 0; });

  const bool good = g_report.done == 1 && g_report.wrong == 0 && g_report.given == kAsked &&
                    settled && pager.uenv->revocation.vector_count == 0 && most <= kLimit &&
                    left <= kLimit - kAsked;
  const auto line = [](std::string_view name, std::uint64_t number) {
    print(name);
    print(number);
    print("\n");
  };
  line("pages worked on: ", kHeapPages);
  line("pages it may have: ", kLimit);
  line("pages it had at most: ", most);
  line("pages it had at the end: ", left);
  line("of these, packed pages: ", g_report.store_pages);
  line("pages asked back: ", kAsked);
  line("pages given: ", g_report.given);
  line("faults: ", g_report.faults);
  line("pages packed: ", g_report.packed);
  line("words wrong: ", g_report.wrong);
  stop(good);
}
