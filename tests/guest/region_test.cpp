// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Software regions on the real kernel: two programs that cannot map each other's memory share 24
// bytes, one may write them, the other only read.
#include "exos/rt/region.hpp"

#include "tests/guest/child.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kWriterSlot = 1;
constexpr std::uint64_t kReaderSlot = 2;
constexpr std::uint64_t kBadPointers[] = {
    0, 0x20'0000'0000, 0xffff'ffff'8000'0000, 0x8000'0000'0000, ~std::uint64_t{0}, kUserTop};

struct Shared {
  std::uint64_t first, second, third;
};

volatile RegionId g_region = 0;
volatile std::uint64_t g_seen = 0;
volatile std::int64_t g_write = 0;
volatile std::uint64_t g_torn = 0;
volatile std::uint64_t g_reads = 0;
volatile std::uint64_t g_done = 0;

[[noreturn]] void reader() {
  const rt::Region<Shared> region{0, g_region};
  const auto value = region.read();
  g_seen = value.has_value() ? value->second : 0;
  const auto written = region.write({1, 2, 3});
  g_write = written.has_value() ? 0 : static_cast<std::int64_t>(written.error());
  g_done = 1;
  for (;;) {  // all three words are always those of one write
    const auto now = region.read();
    if (!now.has_value() || now->first != now->second || now->second != now->third)
      g_torn = g_torn + 1;
    g_reads = g_reads + 1;
  }
}

[[gnu::noinline]] void sharing(Checks& t) {
  auto made = rt::Region<Shared>::create(kWriterSlot, Capability::make({51}, Permission::None));
  t.holds("a region is made", made.has_value());
  const rt::Region<Shared> region = *made;
  g_region = region.id();
  t.holds("all of it is written", region.write({77, 0, 77}).has_value());
  t.holds("one member is written", region.write(&Shared::second, 77).has_value());
  t.equal("and read", static_cast<std::int64_t>(region.read()->second), 77);
  Child child = make_child(0, Space::Own, reader, kReaderSlot);
  sys::slice_alloc(kRoot, 0, kAnyPosition, child.id);
  while (g_done == 0 && is_alive(child.id)) sys::yield(child.id, 0);
  t.equal("the other program reads it", static_cast<std::int64_t>(g_seen), 77);
  t.equal("but may not write it", g_write, static_cast<std::int64_t>(Errc::Denied));
  const std::uint64_t end = rt::monotonic_ns() + 100'000'000;
  for (std::uint64_t i = 0; rt::monotonic_ns() < end; i++) {
    (void)region.write({i, i, i});
    if (i % 1000 == 0) sys::yield(child.id, 0);
  }
  t.holds("it read while we wrote", g_reads > 100);
  t.equal("and never half a write", static_cast<std::int64_t>(g_torn), 0);
  end_child(child);
  t.holds("the region is deleted", region.remove().has_value());
  t.holds("and gone", !region.read().has_value());
}

[[gnu::noinline]] void s2_pointers(Checks& t) {
  const auto made = rt::Region<Shared>::create(kWriterSlot);
  for (const std::uint64_t bad : kBadPointers) {
    t.refused("S2 region_read to a bad pointer",
              sys::region_read(kWriterSlot, made->id(), 0, bad, 8), Errc::Fault);
    t.refused("S2 region_write from a bad pointer",
              sys::region_write(kWriterSlot, made->id(), 0, bad, 8), Errc::Fault);
    t.refused("S2 a length beyond the region",
              sys::region_read(kWriterSlot, made->id(), 8, kInitUenvAddress, bad | 64),
              Errc::BadArgument);
  }
  (void)made->remove();
}

[[gnu::noinline]] void q1_exhaustion(Checks& t) {
  const std::uint64_t free_before = system_info().free_pages;
  std::uint64_t count = 0;
  RegionId ids[64];
  std::int64_t id = 0;
  while (count < 64 && (id = sys::region_create(kWriterSlot, 4096, 0)) > 0)
    ids[count++] = static_cast<RegionId>(id);
  t.holds("Q1 there is a quota of region memory", count > 0 && count < 64);
  t.equal("Q1 and it says so", id, -static_cast<std::int64_t>(Errc::NoSpace));
  while (count > 0) sys::region_delete(kWriterSlot, ids[--count]);
  t.equal("Q1 every page is back", static_cast<std::int64_t>(system_info().free_pages),
          static_cast<std::int64_t>(free_before));
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  sys::cap_forge(kRoot, kWriterSlot, Capability::make({50}).bits(), kSelf);
  sys::cap_forge(kRoot, kReaderSlot, Capability::make({51}).bits(), kSelf);
  sharing(t);
  s2_pointers(t);
  q1_exhaustion(t);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
