// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A garbage collector's write barrier: which pages of the heap were written since it last looked?
// Twice, both without the kernel knowing what a collector is:
//
//   by faults      all pages are made read-only in one call; the first write to a page comes to our
//                  own handler, which notes the page and makes it writable again. The set is there
//                  at once, and the collector could act before the write.
//   by dirty bits  the bits are cleared in one call; the processor sets them as it writes; we read
//                  them in our own page table, without a call. No write is slowed down.
#include "apps/examples/example.hpp"

namespace {

using namespace xok;
using namespace xok::example;

constexpr std::uint64_t kPages = 128;
constexpr std::uint64_t kHeap = 0x100'0000'0000;
constexpr std::uint64_t kEnd = kHeap + kPages * kPageSize;
constexpr std::uint64_t kWriteFault = 2;  // bit of the processor's error code

struct PageSet {
  bool has[kPages];

  [[nodiscard]] std::uint64_t size() const {
    std::uint64_t n = 0;
    for (const bool page : has) n += page ? 1 : 0;
    return n;
  }
  bool operator==(const PageSet&) const = default;
};

PageSet g_faulted;
std::uint64_t g_faults = 0;

volatile std::uint64_t& word(std::uint64_t n) {
  return reinterpret_cast<volatile std::uint64_t*>(kHeap)[n];
}

/// The program that the collector serves: reads everywhere, writes here and there, and some pages
/// often. Returns the pages that it wrote; a write that was lost stops it.
PageSet mutate(std::uint64_t seed) {
  PageSet written{};
  for (std::uint64_t i = 0; i < 5000; i++) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    const std::uint64_t n = (seed >> 33) % (kPages * kPageSize / 8);
    if (i % 100 != 0) {
      seed += word(n) & 1;
      continue;
    }
    word(n) = seed;
    if (word(n) != seed) stop(false);
    written.has[n * 8 / kPageSize] = true;
  }
  return written;
}

void change(std::uint64_t va, std::uint64_t pages, std::uint64_t add, std::uint64_t remove) {
  must(sys::pte_modify_range(va, pages, add, remove, kRoot, kSelf), "pte_modify_range");
}

PageSet dirty_pages() {
  PageSet dirty{};
  for (std::uint64_t i = 0; i < kPages; i++) {
    const std::uint64_t at = pte_address(kHeap + i * kPageSize);
    dirty.has[i] = (*reinterpret_cast<const volatile std::uint64_t*>(at) & kPteDirty) != 0;
  }
  return dirty;
}

}  // namespace

extern "C" void xok::rt::rt_fault(Registers* /*registers*/) {
  const FaultSave& fault = self().fault;
  const std::uint64_t va = page_floor(fault.address);
  if (fault.vector != static_cast<std::uint64_t>(FaultVector::PageFault) ||
      (fault.error & kWriteFault) == 0 || va < kHeap || va >= kEnd)
    stop(false);
  g_faulted.has[(va - kHeap) / kPageSize] = true;
  g_faults++;
  change(va, 1, kPteWritable, 0);
}

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  take_upcalls();
  for (std::uint64_t va = kHeap; va < kEnd; va += kPageSize) new_page<std::uint64_t>(va);
  const volatile Env& me = rt::env_record(rt::env_id());
  bool good = true;
  for (std::uint64_t round = 1; round <= 4; round++) {
    g_faulted = {};
    const std::uint64_t faults = g_faults;
    change(kHeap, kPages, 0, kPteWritable);
    const PageSet written = mutate(round);
    good = good && g_faulted == written && g_faults - faults == written.size();

    change(kHeap, kPages, kPteWritable, kPteDirty);
    const PageSet written_then = mutate(round + 100);
    const std::uint64_t calls = me.calls;
    const PageSet dirty = dirty_pages();
    good = good && me.calls == calls && dirty == written_then;

    print("round ");
    print(round);
    print(": pages written ");
    print(written.size());
    print(", by faults ");
    print(g_faulted.size());
    print("; pages written ");
    print(written_then.size());
    print(", by dirty bits ");
    print(dirty.size());
    print("\n");
  }
  print(good ? "both barriers saw every page that was written, and no other\n"
             : "a page was missed\n");
  stop(good);
}
