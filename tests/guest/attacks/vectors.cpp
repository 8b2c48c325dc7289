// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// M8 for the processor: what an environment leaves in floating-point, vector and segment registers
// is never another's to read, and comes back to its owner unchanged. Every component of the XSAVE
// state that the kernel has enabled is filled, MXCSR on its own.
#include <array>
#include <cstring>

#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

constexpr std::uint64_t kFsBase = 0x12'3456'7000;
constexpr std::uint64_t kFresh = 0x50'0000'0000;
constexpr std::uint32_t kUserSelector = 0x23;

struct Component {
  const char* name;
  unsigned bit;  ///< in XCR0
};
constexpr Component kComponents[] = {{"x87", 0},       {"SSE", 1},      {"AVX", 2}, {"opmask", 5},
                                     {"ZMM_Hi256", 6}, {"Hi16_ZMM", 7}, {"PKRU", 9}};
constexpr unsigned kMxcsrBit = 63;  ///< of g_leaked: MXCSR is of SSE and AVX

// The standard form of the area: SDM volume 1, 13.4.
constexpr std::size_t kMxcsr = 24, kX87Registers = 32, kXmm = 160, kLegacyEnd = 416, kHeader = 512;
constexpr std::uint16_t kCleanControl = 0x37f;
constexpr std::uint32_t kCleanMxcsr = 0x1f80;

struct alignas(64) Area {
  std::array<std::byte, 4096> bytes;

  template <class T>
  [[nodiscard]] T at(std::size_t offset) const {
    T value;
    std::memcpy(&value, &bytes[offset], sizeof value);
    return value;
  }
  template <class T>
  void set(std::size_t offset, T value) {
    std::memcpy(&bytes[offset], &value, sizeof value);
  }
  [[nodiscard]] bool zero(std::size_t from, std::size_t to) const {
    while (from < to && bytes[from] == std::byte{0}) from++;
    return from >= to;
  }
};

Area g_patterns[2], g_loaded[2], g_later[2], g_seen;
volatile std::uint64_t g_leaked, g_wrong[2], g_rounds[2], g_stop, g_fs_seen, g_selectors_seen;

std::uint64_t enabled() {
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}
void save(Area& area) { __asm__ volatile("xsave64 %0" : "+m"(area) : "a"(~0u), "d"(~0u)); }
void load(const Area& area) { __asm__ volatile("xrstor64 %0" : : "m"(area), "a"(~0u), "d"(~0u)); }

struct Extent {
  std::size_t begin, end;
};
Extent extent_of(unsigned bit) {
  if (bit == 0) return {kX87Registers, kXmm};
  if (bit == 1) return {kXmm, kLegacyEnd};
  std::uint32_t eax = 0xd, ebx = 0, ecx = bit, edx = 0;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return {ebx, ebx + eax};
}

/// A state in which no enabled byte is as in a new environment, as far as it is data.
void make_pattern(Area& area, std::uint8_t seed) {
  area = {};
  area.set<std::uint16_t>(0, 0xb7f);   // control: rounding up, all masked
  area.set<std::uint16_t>(2, 0x4500);  // status: condition codes
  area.set<std::uint8_t>(4, 0xff);     // all registers in use
  area.set<std::uint16_t>(6, 0x2d9);   // last opcode, and where it and its operand were
  area.set<std::uint64_t>(8, 0x1234'5678'9000);
  area.set<std::uint64_t>(16, 0x2345'6789'a000);
  area.set<std::uint32_t>(kMxcsr, kCleanMxcsr | 0x603f);
  area.set<std::uint64_t>(kHeader, enabled());
  for (const Component& c : kComponents) {
    if ((enabled() >> c.bit & 1) == 0) continue;
    const Extent extent = extent_of(c.bit);
    for (std::size_t i = extent.begin; i < extent.end; i++)
      if (c.bit != 0 || i % 16 < 10)
        area.bytes[i] = static_cast<std::byte>((seed ^ (i * 7 % 251)) | 1);
  }
}

/// The first thing a new environment does: looks at what it finds.
void look(std::uint64_t) {
  std::uint32_t ds = 0, es = 0, fs = 0, gs = 0;
  __asm__ volatile("mov %%ds, %0\n\tmov %%es, %1\n\tmov %%fs, %2\n\tmov %%gs, %3"
                   : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
  g_selectors_seen = ds | es | fs | gs;
  g_fs_seen = rt::fs_base();
  g_seen = {};
  save(g_seen);
  const std::uint64_t used = g_seen.at<std::uint64_t>(kHeader);
  std::uint64_t leaked = 0;
  for (const Component& c : kComponents) {
    if ((enabled() & used) >> c.bit == 0) continue;
    const Extent extent = extent_of(c.bit);
    if ((used >> c.bit & 1) != 0 && !g_seen.zero(extent.begin, extent.end))
      leaked |= std::uint64_t{1} << c.bit;
  }
  const bool x87_clean = g_seen.at<std::uint16_t>(0) == kCleanControl && g_seen.zero(2, kMxcsr);
  if ((used & 1) != 0 && !x87_clean) leaked |= 1;
  if (g_seen.at<std::uint32_t>(kMxcsr) != kCleanMxcsr) leaked |= std::uint64_t{1} << kMxcsrBit;
  g_leaked = leaked;
}

void fill(std::uint64_t n) {
  load(g_patterns[n]);
  __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%fs" : : "r"(kUserSelector));
  rt::set_fs_base(kFsBase + n);
  save(g_loaded[n]);
}

/// Computes, calls, faults and is switched away from, with a state of its own throughout.
void keep(std::uint64_t n) {
  fill(n);
  const std::uint64_t place = kFresh + n * kPageSize;
  while (g_stop == 0) {
    sys::pte_insert(0, kData, place, kSelf);  // the kernel clears a page, perhaps by a vector
    if (XOK_PROBE("ud2") != 6) g_wrong[n] = g_wrong[n] | 4;
    sys::null_call();
    for (int i = 0; i < 100'000; i++) __asm__ volatile("" : : : "memory");
    if (g_rounds[n] % 2 == 0) sys::yield(kSelf, 0);
    save(g_later[n]);
    if (std::memcmp(&g_later[n], &g_loaded[n], sizeof(Area)) != 0) g_wrong[n] = g_wrong[n] | 1;
    if (rt::fs_base() != kFsBase + n) g_wrong[n] = g_wrong[n] | 2;
    g_rounds[n] = g_rounds[n] + 1;
  }
}

bool loaded_whole(std::size_t n) {
  const Area &wanted = g_patterns[n], &got = g_loaded[n];
  bool whole = got.at<std::uint64_t>(kHeader) == enabled() &&
               got.at<std::uint16_t>(0) == wanted.at<std::uint16_t>(0) &&
               got.at<std::uint32_t>(kMxcsr) == wanted.at<std::uint32_t>(kMxcsr);
  for (const Component& c : kComponents) {
    if ((enabled() >> c.bit & 1) == 0) continue;
    const Extent e = extent_of(c.bit);
    whole = whole && std::memcmp(&got.bytes[e.begin], &wanted.bytes[e.begin], e.end - e.begin) == 0;
  }
  return whole;
}

/// One line for each component. `what` has a place for the name at its end.
void report(Checks& t, std::string_view what) {
  std::array<char, 80> name{};
  what.copy(name.data(), what.size());
  for (const Component& c : kComponents) {
    const std::string_view component{c.name};
    component.copy(&name[what.size()], component.size());
    if ((enabled() >> c.bit & 1) != 0)
      t.equal({name.data(), what.size() + component.size()},
              static_cast<std::int64_t>(g_leaked >> c.bit & 1), 0);
  }
  constexpr std::string_view kMxcsrName{"MXCSR"};
  kMxcsrName.copy(&name[what.size()], kMxcsrName.size());
  t.equal({name.data(), what.size() + kMxcsrName.size()},
          static_cast<std::int64_t>(g_leaked >> kMxcsrBit & 1), 0);
}

void neighbours(Checks& t) {
  g_stop = 0;
  Attacker a{keep, 0}, b{keep, 1};
  sys::slice_alloc(kRoot, 0, kAnyPosition, a.id);
  sys::slice_alloc(kRoot, 0, kAnyPosition, b.id);
  for (int i = 0; i < 10'000 && (g_rounds[0] < 40 || g_rounds[1] < 40); i++) rt::yield(a.id);
  t.holds("M8 every enabled component is filled", loaded_whole(0) && loaded_whole(1));
  {
    g_leaked = ~std::uint64_t{0};
    Attacker reader{look};
    t.holds("M8 the reader beside them comes to its end", reader.run());
    report(t, "M8 leaks of a neighbour, ");
    t.equal("M8 leaks of a neighbour, fs base", static_cast<std::int64_t>(g_fs_seen), 0);
    t.equal("M8 leaks of a neighbour, selectors", static_cast<std::int64_t>(g_selectors_seen), 0);
  }
  g_stop = 1;
  t.holds("M8 the neighbours come to their end", a.run() && b.run());
  t.equal("M8 their own state comes back", static_cast<std::int64_t>(g_wrong[0] | g_wrong[1]), 0);
}

void the_dead(Checks& t) {
  g_leaked = ~std::uint64_t{0};
  {
    Attacker a{fill, 0};
    t.holds("M8 a state is left behind", a.run());
  }
  Attacker reader{look};
  t.holds("M8 the reader after it comes to its end", reader.run());
  report(t, "M8 leaks of the dead, ");
  t.equal("M8 leaks of the dead, fs base", static_cast<std::int64_t>(g_fs_seen), 0);
  t.equal("M8 leaks of the dead, selectors", static_cast<std::int64_t>(g_selectors_seen), 0);
}

void attacks(Checks& t, const Victim& /*victim*/) {
  std::uint64_t known = 0;
  for (const Component& c : kComponents) known |= std::uint64_t{1} << c.bit;
  t.equal("M8 components that are enabled and not looked at",
          static_cast<std::int64_t>(enabled() & ~known), 0);
  make_pattern(g_patterns[0], 0xa5);
  make_pattern(g_patterns[1], 0x3c);
  neighbours(t);
  the_dead(t);
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(judge(attacks))
