// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// M9, Q1 to Q3: a hog that ignores requests for pages and a citizen that answers them; tables
// exhausted; the largest requests.
#include "abi/packet_ring.hpp"
#include "abi/wakeup.hpp"
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {

/// A page that was taken is replaced; whoever attacks otherwise goes on at g_resume.
extern "C" void rt_fault(Registers* registers) {
  guest::g_vector = self().fault.vector;
  if (self().fault.vector == 14 && guest::g_resume == 0) {
    const std::uint64_t va = self().fault.address & ~std::uint64_t{kPageSize - 1};
    if (sys::pte_insert(0, guest::kData, va, kSelf) > 0) return;
    sys::env_free(kSelf);
  }
  registers->rip = guest::g_resume;
}

}  // namespace xok::rt

/// The upcall that asks for pages: all registers kept, then back to where it was.
/// Uenv offsets: see the static_asserts below.
__asm__(R"(
        .text
        .globl asked_entry
asked_entry:
        push %gs:912
        push %rax
        push %rcx
        push %rdx
        push %rsi
        push %rdi
        push %r8
        push %r9
        push %r10
        push %r11
        cld
        call asked
        pop %r11
        pop %r10
        pop %r9
        pop %r8
        pop %rdi
        pop %rsi
        pop %rdx
        pop %rcx
        pop %rax
        movq $0, %gs:920
        popfq
        mov %gs:904, %rsp
        jmp *%gs:896
)");
extern "C" void asked_entry();

namespace xok::guest {
namespace {

static_assert(offsetof(Uenv, revocation.save.rip) == 896);
static_assert(offsetof(Uenv, revocation.save.rsp) == 904);
static_assert(offsetof(Uenv, revocation.save.rflags) == 912);
static_assert(offsetof(Uenv, revocation.active) == 920);

constexpr std::uint64_t kVa = 0x50'0000'0000;
constexpr std::uint64_t kVector = 0x52'0000'0000;
constexpr std::uint64_t kPages = 100;
constexpr std::uint64_t kAskedStack = kFaultStack + 16 * kPageSize;

volatile std::uint64_t g_rounds, g_stop, g_asked, g_given, g_bad, g_first_bad;
volatile std::uint64_t g_allocated, g_rings, g_slices, g_environments, g_extended;

void map_pages(std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; i++) sys::pte_insert(0, kData, kVa + i * kPageSize, kSelf);
  sys::pte_insert(0, kData, kVector, kSelf);
  Revocation& r = rt::self().revocation;
  r.vector = kVector;
  r.vector_slots = kPageSize / sizeof(Repossessed);
}

/// Uses its pages round and round and looks at no request.
void hog(std::uint64_t) {
  map_pages(kPages);
  while (g_stop == 0) {
    for (std::uint64_t i = 0; i < kPages; i++)
      *reinterpret_cast<volatile std::uint64_t*>(kVa + i * kPageSize) = i + 1;
    g_rounds = g_rounds + 1;
    sys::yield(kSelf, 0);
  }
}

/// Its pages hold their numbers; those it gives are those it needs least: the odd ones.
extern "C" void asked() {
  g_asked = g_asked + 1;
  std::uint64_t left = rt::self().pages_wanted;
  for (std::uint64_t i = 1; i < kPages && left > 0; i += 2, left--) {
    if (sys::pte_insert(0, 0, kVa + i * kPageSize, kSelf) == 0) g_given = g_given + 1;
  }
}
void citizen(std::uint64_t) {
  map_pages(kPages);
  for (std::uint64_t i = 0; i < kPages; i++)
    *reinterpret_cast<volatile std::uint64_t*>(kVa + i * kPageSize) = i + 1;
  sys::pte_insert(0, kData, kAskedStack, kSelf);
  Revocation& r = rt::self().revocation;
  r.stack = kAskedStack + kPageSize;
  r.entry = reinterpret_cast<std::uint64_t>(&asked_entry);
  while (g_stop == 0) {
    g_rounds = g_rounds + 1;
    sys::yield(kSelf, 0);
  }
  for (std::uint64_t i = 0; i < kPages; i += 2) {
    if (*reinterpret_cast<volatile std::uint64_t*>(kVa + i * kPageSize) == i + 1) continue;
    g_bad = g_bad + 1;
    g_first_bad = i;
  }
}

/// Lets the other run until it has made more rounds.
void let_run(const Attacker& a) {
  const std::uint64_t seen = g_rounds;
  const std::uint64_t end = rt::monotonic_ns() + 5 * kNanosecondsPerSecond;
  while (g_rounds < seen + 3 && !a.gone() && rt::monotonic_ns() < end) rt::yield(a.id);
}

void begin(Attacker& a) {
  g_rounds = 0;
  g_stop = 0;
  sys::slice_alloc(kRoot, 0, kAnyPosition, a.id);
  let_run(a);
}

void a_hog(Checks& t) {
  Attacker a{hog};
  begin(a);
  const std::uint64_t due = rt::cycles() + system_info().tsc_hz / 20;
  t.equal("M9 pages are asked for", sys::pages_request(a.target, 30, due), 0);
  t.refused("M9 a stranger may not ask", sys::pages_request(make_target(kVictimCap, a.id), 1, 0),
            Errc::Denied);
  let_run(a);
  t.refused("M9 nothing is taken before the deadline", sys::pages_repossess(a.target),
            Errc::WouldBlock);
  rt::sleep_until(rt::monotonic_ns() + 60'000'000);
  t.equal("M9 it ignored the request", static_cast<std::int64_t>(rt::env_record(a.id).pages_wanted),
          30);
  // Nobody else runs between: the end of our slice is deferred.
  rt::self().critical_depth = 1;
  const std::uint64_t free = system_info().free_pages;
  const std::int64_t taken = sys::pages_repossess(a.target);
  const std::uint64_t freed = system_info().free_pages - free;
  rt::self().critical_depth = 0;
  t.equal("M9 exactly what was asked for is taken", taken, 30);
  t.equal("M9 and free", static_cast<std::int64_t>(freed), 30);
  t.equal("M9 each is recorded", static_cast<std::int64_t>(a.uenv().revocation.vector_count), 30);
  t.refused("M9 once", sys::pages_repossess(a.target), Errc::NotFound);
  let_run(a);
  t.holds("M9 the hog goes on", !a.gone() && g_rounds > 4);
  t.holds("M9 and is guaranteed its minimum",
          sys::pages_request(a.target, kMaxRequest, 0) == 0 && sys::pages_repossess(a.target) > 0 &&
              rt::env_record(a.id).mapped_pages >= rt::env_record(a.id).guaranteed);
  let_run(a);
  t.holds("M9 and goes on even then", !a.gone());
  g_stop = 1;
  t.holds("M9 to its own end", a.run());
}

void a_citizen(Checks& t) {
  Attacker a{citizen};
  begin(a);
  sys::pages_request(a.target, 30, rt::cycles() + system_info().tsc_hz);
  let_run(a);
  t.equal("a good citizen is asked once", static_cast<std::int64_t>(g_asked), 1);
  t.equal("it gives what was asked for", static_cast<std::int64_t>(g_given), 30);
  t.equal("nothing is taken from it", sys::pages_repossess(a.target), 0);
  t.equal("the request is settled", static_cast<std::int64_t>(a.uenv().pages_wanted), 0);
  g_stop = 1;
  t.holds("it comes to its end", a.run());
  t.equal("what it chose to keep is whole", static_cast<std::int64_t>(g_bad), 0);
  t.equal("its vector stayed empty", static_cast<std::int64_t>(a.uenv().revocation.vector_count),
          0);
}

/// Q1: as much of everything as it is given.
void exhaust(std::uint64_t) {
  std::int64_t page = 0;
  for (std::uint64_t i = 0; (page = sys::pte_insert(0, kData, kVa + i * kPageSize, kSelf)) > 0;
       i++) {
    g_allocated = g_allocated + 1;
    if (i % 50 == 7 && sys::page_acl_resize(0, static_cast<std::uint64_t>(page), 100) == 0)
      g_extended = g_extended + 1;
  }
  for (std::uint64_t i = 1; i < 256; i++)  // tables only
    if (sys::pte_insert(0, 2, i << 39, kSelf) < 0) break;
  while (sys::ring_create(kVa, 2) >= 0) g_rings = g_rings + 1;
  while (sys::slice_alloc(0, 0, kAnyPosition, kSelf) >= 0) g_slices = g_slices + 1;
  while (sys::env_alloc(0, 0, kChildUenv) > 0) g_environments = g_environments + 1;
}

void exhaustion(Checks& t, const Victim& victim) {
  const std::uint64_t free = system_info().free_pages;
  Attacker a{exhaust};
  const std::uint64_t own = free - system_info().free_pages;
  t.equal("Q1 a limit is set", sys::env_set_quota(a.target, 400, 16), 0);
  t.holds("Q1 the attacker comes to its end", a.run());
  t.holds("Q1 it got no more than its limit", free - system_info().free_pages <= 400 + own);
  t.holds("Q1 and nearly that", g_allocated > 300);
  t.holds("Q1 ACLs were extended at its cost", g_extended > 0);
  t.holds("Q1 rings end at its quota", g_rings > 0 && g_rings < kMaxRings);
  t.holds("Q1 slices end at its quota", g_slices > 0 && g_slices < kSlicesPerProcessor / 2);
  // The others still get what they ask for.
  t.holds("Q1 the victim gets a page",
          sys::pte_insert(kVictimCap, kData, kVa, make_target(kRoot, victim.id)) > 0);
  sys::pte_insert(kVictimCap, 0, kVa, make_target(kRoot, victim.id));
  t.holds("Q1 and the test an environment", [] {
    const std::int64_t made = sys::env_alloc(kRoot, 0, kChildUenv);
    return made > 0 && sys::env_free(make_target(kRoot, static_cast<EnvId>(made))) == 0;
  }());
}

/// Q3: the largest request of the calls that do much, in microseconds: printed, judged generously.
template <class Call>
void timed(Checks& t, const char* name, const Call& call) {
  const std::uint64_t begin_ns = rt::monotonic_ns();
  const std::int64_t result = call();
  const std::uint64_t us = (rt::monotonic_ns() - begin_ns) / 1000;
  print(name);
  print(": ");
  print_number(static_cast<std::int64_t>(us));
  print(" us\n");
  t.holds(name, result >= 0 && us < 1'000'000);
}

void largest(Checks& t) {
  static std::uint64_t entries[kMaxRange];
  std::uint64_t done = 0;
  for (std::uint64_t& e : entries) e = kData;
  const auto list = reinterpret_cast<std::uint64_t>(entries);
  const auto count = reinterpret_cast<std::uint64_t>(&done);
  sys::pte_insert(kRoot, 2, kVa, kSelf);
  timed(t, "Q3 512 fresh pages",
        [&] { return sys::pte_insert_range(kRoot, list, kMaxRange, kVa, count, kSelf); });
  timed(t, "Q3 512 entries modified",
        [] { return sys::pte_modify_range(kVa, kMaxRange, 0, kPteWritable, kRoot, kSelf); });
  std::uint64_t run = 512;
  while (run + 512 <= system_info().page_count) {
    std::uint64_t i = 0;
    while (i < 512 && rt::page_record(run + i).status == PageStatus::Free) i++;
    if (i == 512) break;
    run += 512;
  }
  timed(t, "Q3 a large page", [&] {
    return sys::large_insert(kRoot, run << kPageShift | kData | kPteLarge, kVector, kSelf);
  });
  timed(t, "Q3 a large page unmapped", [] { return sys::large_insert(kRoot, 0, kVector, kSelf); });
  for (std::uint64_t& e : entries) e = 0;
  done = 0;
  timed(t, "Q3 512 pages unmapped",
        [&] { return sys::pte_insert_range(kRoot, list, kMaxRange, kVa, count, kSelf); });
  const std::int64_t made = sys::env_alloc(kRoot, 0, kChildUenv);
  const std::uint64_t target = make_target(kRoot, static_cast<EnvId>(made));
  for (std::uint64_t& e : entries) e = kData;
  for (std::uint64_t i = 0; i < 16; i++) {
    done = 0;
    sys::pte_insert_range(kRoot, list, kMaxRange, kVa + (i << 30), count, target);
  }
  sys::pages_request(target, kMaxRequest, 0);
  timed(t, "Q3 512 pages taken back", [&] { return sys::pages_repossess(target); });
  timed(t, "Q3 an environment with 8192 pages ends", [&] { return sys::env_free(target); });
  sys::pte_insert(kRoot, 0, kVa, kSelf);
}

[[noreturn]] void run() {
  set_up_self();
  settle();
  Checks t;
  const Victim victim;
  sys::pte_insert(kVictimCap, kData, kVa, make_target(kRoot, victim.id));  // its tables
  sys::pte_insert(kVictimCap, 0, kVa, make_target(kRoot, victim.id));
  const Victim* const watched = &victim;
  const Counts before;
  a_hog(t);
  t.holds("M9 leaves nothing", back_to(before));
  a_citizen(t);
  t.holds("the citizen leaves nothing", back_to(before));
  exhaustion(t, *watched);
  // The attacker's children outlive it: its maker ends them.
  for (std::uint32_t i = 2; i < kMaxEnvironments; i++) {
    const EnvId id = reinterpret_cast<const volatile Env*>(kExposedEnvs)[i].id;
    if (id != 0 && id != victim.id) sys::env_free(make_target(kRoot, id));
  }
  t.holds("Q1 everything is back", back_to(before));
  largest(t);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
