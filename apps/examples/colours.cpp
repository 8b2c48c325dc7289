// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Page colouring: an application decides which physical pages its arrays lie in.
//
// Pages whose numbers are equal modulo kColours compete for the same places of a physically indexed
// cache. The exposed page table says which pages are free, and any of them can be asked for by its
// number; so two arrays that are used together get colours apart, and a buffer that is only passed
// through is kept to one. Whether it worked is read in the exposed tables, without a call.
#include "apps/examples/example.hpp"

namespace {

using namespace xok;
using namespace xok::example;

constexpr std::uint64_t kColours = 64;  // cache size / ways / page size: 4 MiB with 16 ways
constexpr std::uint64_t kPages = 16;    // of each array

constexpr std::uint64_t colour_of(std::uint64_t page) { return page % kColours; }

/// An array's pages have the colours `first`, `first + step`, ...
struct Array {
  std::string_view name;
  std::uint64_t va, first, step;

  [[nodiscard]] std::uint64_t colour(std::uint64_t i) const {
    return (first + i * step) % kColours;
  }
};
constexpr Array kArrays[] = {
    {"source: colours 0 to 15", 0x100'0000'0000, 0, 1},
    {"target: colours 16 to 31", 0x110'0000'0000, 16, 1},
    {"stream: colour 63 alone", 0x120'0000'0000, 63, 0},
};
constexpr std::uint64_t kPlain = 0x130'0000'0000;  // an array in whatever pages the kernel gives

/// Maps a free page of that colour at `va`. Whether there was one.
bool take(std::uint64_t colour, std::uint64_t va) {
  for (std::uint64_t page = colour; page < system_info().page_count; page += kColours) {
    if (rt::page_record(page).status != PageStatus::Free) continue;
    // Somebody else may have taken it since we looked: then the next one.
    if (sys::pte_insert(kRoot, page << kPageShift | kData, va, kSelf) >= 0) return true;
  }
  return false;
}

/// The page that is mapped at `va`, out of our own page table.
std::uint64_t page_at(std::uint64_t va) {
  const std::uint64_t entry = *reinterpret_cast<const volatile std::uint64_t*>(pte_address(va));
  return (entry & kPtePageMask) >> kPageShift;
}

/// How many colours an array's pages have together.
std::uint64_t colours_used(std::uint64_t va) {
  std::uint64_t seen = 0;  // one bit for each
  for (std::uint64_t i = 0; i < kPages; i++)
    seen |= std::uint64_t{1} << colour_of(page_at(va + i * kPageSize));
  std::uint64_t n = 0;
  for (; seen != 0; seen &= seen - 1) n++;
  return n;
}

/// Whether the array lies where it should, in pages that are its own.
bool is_coloured(const Array& array) {
  bool good = true;
  for (std::uint64_t i = 0; i < kPages; i++) {
    const std::uint64_t page = page_at(array.va + i * kPageSize);
    const volatile PageInfo& info = rt::page_record(page);
    good = good && colour_of(page) == array.colour(i) && info.status == PageStatus::User &&
           info.mappings == 1;
  }
  return good;
}

void print_line(std::string_view name, std::uint64_t va) {
  print(name);
  print("; colours used: ");
  print(colours_used(va));
  print("; pages:");
  for (std::uint64_t i = 0; i < kPages; i++) {
    print(" ");
    print(page_at(va + i * kPageSize));
  }
  print("\n");
}

}  // namespace

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  take_upcalls();
  bool good = true;
  for (const Array& array : kArrays)
    for (std::uint64_t i = 0; i < kPages; i++)
      good = good && take(array.colour(i), array.va + i * kPageSize);
  for (std::uint64_t i = 0; i < kPages; i++) new_page<std::uint64_t>(kPlain + i * kPageSize);

  const volatile Env& me = rt::env_record(rt::env_id());
  const std::uint64_t calls = me.calls;
  for (const Array& array : kArrays) good = good && is_coloured(array);
  good = good && me.calls == calls;  // we only looked
  for (const Array& array : kArrays) print_line(array.name, array.va);
  print_line("plain: as the kernel gives them", kPlain);
  print(good ? "each page has its colour\n" : "a page has the wrong colour\n");
  stop(good);
}
