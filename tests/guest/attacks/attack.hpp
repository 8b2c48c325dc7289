// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/rt/registers.hpp"
#include "exos/rt/wait.hpp"
#include "tests/guest/counts.hpp"

/// Attacks: an environment that holds nothing but a name of its own does its worst; then a victim
/// and the kernel are looked at. Attackers are functions of the test's own image, which is mapped
/// in them too, so that they report in plain variables.
///
/// A program is a function that starts attackers one after another, and the frame:
///   void attacks(Checks& t, const Victim& victim) {
///     Attacker a{function, argument};
///     a.run();
///     t.equal("C1 ...", g_accepted, 0);
///   }
///   XOK_GUEST_TEST(judge(attacks))
namespace xok::guest {

inline constexpr std::uint64_t kData = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;
inline constexpr std::uint64_t kImage = 0x40'0000, kImageEnd = 0x60'0000;
inline constexpr std::uint64_t kStack = 0x41'0000'0000;  ///< attacker's, 8 pages
inline constexpr std::uint64_t kFaultStack = 0x41'0001'0000;
inline constexpr std::uint64_t kChildUenv = 0x42'0000'0000;
inline constexpr std::uint64_t kView = 0x43'0000'0000;  ///< where the test looks at others' pages
inline constexpr std::uint64_t kAttackerCap = 1, kVictimCap = 2;
inline constexpr Capability kAttackerName = Capability::make({77});
inline constexpr Capability kVictimName = Capability::make({50});

/// What the fault handler of attackers does: notes the vector, goes on at `g_resume`.
inline volatile std::uint64_t g_resume = 0;
inline volatile std::uint64_t g_vector = 0;
inline constexpr std::uint64_t kNoFault = ~std::uint64_t{0};

extern "C" void rt_fault_entry();
extern "C" void rt_foreign_entry();

/// Runs instructions that may fault; the vector, or kNoFault. Registers but rbx, rbp, rsp may go.
#define XOK_PROBE(text)                                                                            \
  __extension__({                                                                                  \
    ::xok::guest::g_vector = ::xok::guest::kNoFault;                                               \
    __asm__ volatile("lea 77f(%%rip), %%rax\n\tmov %%rax, %0\n\txor %%eax, %%eax\n\t" text "\n77:" \
                     : "=m"(::xok::guest::g_resume)                                                \
                     :                                                                             \
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",         \
                       "memory", "cc");                                                            \
    std::uint64_t{::xok::guest::g_vector};                                                         \
  })

inline std::uint64_t load_entry(std::uint64_t va) {
  const auto at = [](std::uint64_t address) {
    return *reinterpret_cast<const volatile std::uint64_t*>(address);
  };
  if ((at(pml4e_address(va)) & 1) == 0 || (at(pdpte_address(va)) & 1) == 0) return 0;
  const std::uint64_t directory = at(pde_address(va));
  if ((directory & 1) == 0) return 0;
  return (directory & kPteLarge) != 0 ? directory : at(pte_address(va));
}

/// Shows a physical page at kView; 0: its bytes are gone.
inline volatile std::uint64_t* view(std::uint64_t page) {
  const std::int64_t n = sys::pte_insert(kRoot, page << kPageShift | kData, kView, kSelf);
  return n < 0 ? nullptr : reinterpret_cast<volatile std::uint64_t*>(kView);
}
inline void unview() { sys::pte_insert(kRoot, 0, kView, kSelf); }

/// An environment with a page of secrets, which nobody runs.
class Victim {
 public:
  static constexpr std::uint64_t kSecret = 0x5ec2'e75e'c2e7'5ec2;

  Victim() {
    sys::cap_forge(kRoot, kAttackerCap, kAttackerName.bits(), kSelf);
    sys::cap_forge(kRoot, kVictimCap, kVictimName.bits(), kSelf);
    id = static_cast<EnvId>(sys::env_alloc(kVictimCap, 0, kChildUenv));
    page = static_cast<std::uint64_t>(
        sys::pte_insert(kVictimCap, kData, kStack, make_target(kRoot, id)));
    volatile std::uint64_t* const words = view(page);
    for (std::size_t i = 0; i < kPageSize / 8; i++) words[i] = kSecret + i;
    unview();
    hash_ = hash();
  }
  /// Whether its record, its capabilities and its page are as they were.
  [[nodiscard]] bool unharmed() const { return hash() == hash_; }

  EnvId id = 0;
  std::uint64_t page = 0;

 private:
  [[nodiscard]] std::uint64_t hash() const {
    std::uint64_t h = 0xcbf2'9ce4'8422'2325;
    const auto add = [&](std::uint64_t word) { h = (h ^ word) * 0x100'0000'01b3; };
    const volatile Env& e = rt::env_record(id);
    add(e.id), add(static_cast<std::uint64_t>(e.status)), add(e.uenv_page), add(e.table_page);
    add(e.mapped_pages), add(e.table_pages), add(e.account), add(e.pages_wanted);
    for (std::size_t i = 0; i < kCapabilitySlots; i++) {
      add(const_cast<const Env&>(e).capabilities[i].bits());
    }
    const volatile PageInfo& p = rt::page_record(page);
    add(p.mappings), add(p.writers), add(p.pins);
    const volatile std::uint64_t* const words = view(page);
    for (std::size_t i = 0; i < kPageSize / 8; i++) add(words[i]);
    unview();
    return h;
  }
  std::uint64_t hash_ = 0;
};

/// An environment that runs `function(argument)` of this image under a name of its own.
class Attacker {
 public:
  using Function = void (*)(std::uint64_t);

  explicit Attacker(Function function, std::uint64_t argument = 0,
                    std::uint64_t cap = kAttackerCap) {
    id = static_cast<EnvId>(sys::env_alloc(cap, 0, kChildUenv));
    target = make_target(kRoot, id);
    for (std::uint64_t va = kImage; va < kImageEnd; va += kPageSize) {
      const std::uint64_t entry = load_entry(va);
      if ((entry & kPtePresent) != 0) sys::pte_insert(kRoot, entry, va, target);
    }
    for (std::uint64_t i = 0; i < 8; i++)
      sys::pte_insert(cap, kData, kStack + i * kPageSize, target);
    sys::pte_insert(cap, kData, kFaultStack, target);
    Uenv& u = uenv();
    u.library[rt::kSelfWord] = kChildUenv;
    u.library[rt::kEnvIdWord] = id;
    u.fault_entry = reinterpret_cast<std::uint64_t>(&rt_fault_entry);
    u.fault_stack = kFaultStack + kPageSize;
    Context c{};
    c.rip = reinterpret_cast<std::uint64_t>(&start);
    c.rsp = kStack + 8 * kPageSize - 8;
    c.rdi = reinterpret_cast<std::uint64_t>(function);
    c.rsi = argument;
    c.rflags = 0x202;
    c.gs_base = kChildUenv;
    sys::env_set_context(target, reinterpret_cast<std::uint64_t>(&c));
  }
  Attacker(const Attacker&) = delete;
  Attacker& operator=(const Attacker&) = delete;
  ~Attacker() {
    sys::pte_insert(kRoot, 0, kUenvView, kSelf);
    sys::env_free(target);
  }

  /// Its Uenv, to be prepared or looked at by the test.
  Uenv& uenv() {
    const std::uint64_t page = rt::env_record(id).uenv_page;
    sys::pte_insert(kRoot, page << kPageShift | kData, kUenvView, kSelf);
    return *reinterpret_cast<Uenv*>(kUenvView);
  }
  [[nodiscard]] bool gone() const {
    return rt::env_record(id).id != id || rt::env_record(id).status == EnvStatus::Dead;
  }
  /// Gives it time until it has returned, died, or `seconds` have passed. Whether it returned.
  bool run(std::uint64_t seconds = 20) {
    const std::uint64_t end = rt::monotonic_ns() + seconds * kNanosecondsPerSecond;
    sys::slice_alloc(kRoot, 0, kAnyPosition, id);
    while (!finished() && !gone() && rt::monotonic_ns() < end) rt::yield(id);
    return finished();
  }
  /// The same for one that is not expected to return: until it has been given the processor a few
  /// times, longer than a slice in all, or is gone.
  void run_briefly() {
    constexpr std::uint64_t kTimes = 3, kLongEnough = 25'000'000;
    sys::slice_alloc(kRoot, 0, kAnyPosition, id);
    const volatile Env& record = rt::env_record(id);
    const std::uint64_t switches = record.switches + kTimes;
    const std::uint64_t end = rt::monotonic_ns() + kLongEnough;
    while (!gone() && (record.switches < switches || rt::monotonic_ns() < end)) rt::yield(id);
  }
  bool finished() { return !gone() && uenv().library[kDoneWord] != 0; }

  EnvId id = 0;
  std::uint64_t target = 0;

 private:
  static constexpr std::uint64_t kUenvView = 0x43'0000'1000;
  static constexpr std::size_t kDoneWord = rt::kFirstFreeWord;

  [[noreturn]] static void start(Function function, std::uint64_t argument) {
    function(argument);
    rt::self().library[kDoneWord] = 1;
    for (;;) sys::yield(kSelf, 0);
  }
};

/// Makes the test's own tables and its predicate's page, so that counts come out even.
inline void settle() {
  sys::pte_insert(kRoot, kData, kView, kSelf);
  unview();
  have_predicate();
}

/// The frame of a program: makes the victim, counts, runs the attacks, and looks at both again.
/// `prepare`: what the test needs that stays, before anything is counted.
[[noreturn]] inline void judge(
    void (&attacks)(Checks&, const Victim&), void (&prepare)() = *+[] {}) {
  set_up_self();
  settle();
  prepare();
  Checks t;
  const Victim victim;
  const Counts before;
  attacks(t, victim);
  t.holds("the victim is unharmed", victim.unharmed());
  t.holds("the kernel's counts are as before", back_to(before));
  t.finish();
}

}  // namespace xok::guest

/// Faults of attackers: see g_resume. Without one it would not return.
#define XOK_ATTACK_FAULT_HANDLER                                   \
  extern "C" void rt_fault(xok::rt::Registers* registers) {        \
    xok::guest::g_vector = xok::rt::self().fault.vector;           \
    if (xok::guest::g_resume == 0) xok::sys::env_free(xok::kSelf); \
    registers->rip = xok::guest::g_resume;                         \
    registers->rflags = 0x202;                                     \
  }
