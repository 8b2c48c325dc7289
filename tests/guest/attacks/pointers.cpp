// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// S2: every argument of every call, with every bad value of its kind. Calls and kinds come from
// abi/syscalls.def: a call that is added is tried without a line here.
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

/// A kind of argument: what is harmless, and what is bad.
struct Kind {
  std::uint64_t harmless;
  const std::uint64_t* bad;
  std::size_t count;
};

constexpr std::uint64_t kBuffer = 0x50'0000'0000;    // two pages, nothing behind them
constexpr std::uint64_t kReadOnly = 0x50'4000'0000;  // one page, nothing behind it
constexpr std::uint64_t kNowhere = 0x50'8000'0000;

constexpr std::uint64_t kAddresses[] = {0,
                                        ~std::uint64_t{0},
                                        ~std::uint64_t{7},
                                        kUserTop,
                                        kUserTop - 8,
                                        kUserTop - kPageSize,
                                        kExposedBase,
                                        kPageTableWindow,
                                        0x7fff'ffff'ffff,
                                        0x7fff'ffff'fff8,
                                        0x8000'0000'0000,
                                        0xffff'7fff'ffff'fff8,
                                        0xffff'8000'0000'0000,
                                        0xffff'ffff'8010'0000,
                                        kNowhere,
                                        kBuffer + 2 * kPageSize - 8,
                                        kBuffer + 2 * kPageSize - 1,
                                        kReadOnly,
                                        kReadOnly + kPageSize - 8};
constexpr std::uint64_t kCounts[] = {~std::uint64_t{0},
                                     std::uint64_t{1} << 63,
                                     std::uint64_t{1} << 61,
                                     std::uint64_t{1} << 52,
                                     std::uint64_t{1} << 32,
                                     0xffff'ffff,
                                     65536,
                                     513,
                                     65,
                                     0};
constexpr std::uint64_t kSlots[] = {1, 23, 24, 255, std::uint64_t{1} << 32, ~std::uint64_t{0}};
constexpr std::uint64_t kTargets[] = {1,
                                      1023,
                                      0xffff'ffff,
                                      std::uint64_t{24} << 32 | 1,
                                      std::uint64_t{0xffff'ffff} << 32 | 2,
                                      ~std::uint64_t{0}};
constexpr std::uint64_t kEnvIds[] = {
    1, 1023, 1024, 0xffff'ffff, std::uint64_t{1} << 32, ~std::uint64_t{0}};
constexpr std::uint64_t kWords[] = {0,
                                    1,
                                    0x88,
                                    0x8000'0000'0000'0001,
                                    ~std::uint64_t{0},
                                    0x000f'ffff'ffff'f001,
                                    std::uint64_t{1} << 63};

namespace kind {
template <std::size_t N>
constexpr Kind of(std::uint64_t harmless, const std::uint64_t (&bad)[N]) {
  return {harmless, bad, N};
}
struct CapSlot {
  static constexpr Kind kKind = of(0, kSlots);
};
struct Target {
  static constexpr Kind kKind = of(0, kTargets);
};
struct EnvId {
  static constexpr Kind kKind = of(0xfff, kEnvIds);
};
struct UserAddr {
  static constexpr Kind kKind = of(kBuffer, kAddresses);
};
struct Count {
  static constexpr Kind kKind = of(1, kCounts);
};
struct EnvFlags {
  static constexpr Kind kKind = of(0, kWords);
};
struct YieldFlags {
  static constexpr Kind kKind = of(0, kWords);
};
struct CapBits {
  static constexpr Kind kKind = of(0, kWords);
};
struct Pte {
  static constexpr Kind kKind = of(0, kWords);
};
struct PteBits {
  static constexpr Kind kKind = of(0, kWords);
};
struct Word {
  static constexpr Kind kKind = of(0, kWords);
};
struct ReplyTo {
  static constexpr Kind kKind = of(0xfff, kTargets);
};
struct RegionId {
  static constexpr Kind kKind = of(0xfff, kWords);
};
struct PageIndex {
  static constexpr Kind kKind = of(1, kWords);
};

template <class... Arguments>
struct List {
  static constexpr std::size_t kCount = sizeof...(Arguments);
  static constexpr Kind kKinds[6] = {Arguments::kKind...};
};
template <class>
struct Signature;
template <class... Arguments>
struct Signature<void(Arguments...)> : List<Arguments...> {};
enum UserMemory { NoUserMemory, MayCopyUser };
}  // namespace kind

struct Described {
  std::uint64_t number;
  const char* name;
  bool copies;
  std::size_t count;
  const Kind* kinds;
};

namespace kind {
constexpr Described kCalls[] = {
#define XOK_SYSCALL(number, name, user_memory, arguments)                        \
  {number, #name, user_memory == MayCopyUser, Signature<void arguments>::kCount, \
   Signature<void arguments>::kKinds},
#include "abi/syscalls.def"
#undef XOK_SYSCALL
};
}  // namespace kind

std::int64_t raw(std::uint64_t number, const std::uint64_t* a) {
  std::int64_t result = static_cast<std::int64_t>(kSyscallBase | number);
  register std::uint64_t r10 __asm__("r10") = a[3];
  register std::uint64_t r8 __asm__("r8") = a[4];
  register std::uint64_t r9 __asm__("r9") = a[5];
  std::uint64_t rdi = a[0];
  std::uint64_t rsi = a[1];
  std::uint64_t rdx = a[2];
  __asm__ volatile("syscall"
                   : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
                   :
                   : "rcx", "r11", "memory");
  return result;
}

volatile std::uint64_t g_made, g_call, g_argument;
volatile std::uint64_t g_strange, g_strange_call;
volatile std::uint64_t g_pointers_accepted, g_accepted_call;

/// What ends the attacker itself is not tried.
bool suicide(const Described& call, const std::uint64_t* a) {
  using enum SyscallNumber;
  if (call.number == static_cast<std::uint64_t>(env_free))
    return (a[0] & 0xffff'ffff) == 0 || (a[0] & 0xffff'ffff) == rt::env_id();
  return false;
}

/// Whether a value is an address that no call may copy from or to.
bool is_bad_everywhere(std::uint64_t a) { return a >= kUserTop || a == kNowhere || a == 0; }

void prepare() {
  for (std::uint64_t i = 0; i < 2; i++)
    if (load_entry(kBuffer + i * kPageSize) == 0)
      sys::pte_insert(0, kData, kBuffer + i * kPageSize, kSelf);
  if (load_entry(kReadOnly) == 0) sys::pte_insert(0, kData & ~kPteWritable, kReadOnly, kSelf);
}

void every_argument(std::uint64_t) {
  for (const Described& call : kind::kCalls) {
    for (std::size_t which = 0; which < call.count; which++) {
      const Kind& kind = call.kinds[which];
      for (std::size_t i = 0; i < kind.count; i++) {
        prepare();
        std::uint64_t a[6] = {};
        for (std::size_t k = 0; k < call.count; k++) a[k] = call.kinds[k].harmless;
        a[which] = kind.bad[i];
        if (suicide(call, a)) continue;
        g_call = call.number;
        g_argument = which;
        const std::int64_t result = raw(call.number, a);
        g_made = g_made + 1;
        if (result < -static_cast<std::int64_t>(Errc::Last)) {
          g_strange = g_strange + 1;
          g_strange_call = call.number;
        }
        const bool pointer = kind.bad == kAddresses && call.copies;
        // pte_insert_range's va is unmapped, not copied; an empty list is no access.
        const bool copied = !(call.number == 0x11 && which == 3);
        if (pointer && copied && result >= 0 && is_bad_everywhere(kind.bad[i])) {
          g_pointers_accepted = g_pointers_accepted + 1;
          g_accepted_call = call.number << 8 | which;
        }
      }
    }
  }
}

void attacks(Checks& t, const Victim& victim) {
  {
    Attacker a{every_argument};
    t.holds("S2 the attacker comes to its end", a.run(40));
    if (!a.finished()) {
      print("call ");
      print_number(static_cast<std::int64_t>(g_call));
      print(" argument ");
      print_number(static_cast<std::int64_t>(g_argument));
      print("\n");
    }
  }
  t.holds("S2 many arguments were tried", g_made > 500);
  t.equal("S2 results that are no documented error", static_cast<std::int64_t>(g_strange), 0);
  t.equal("S2 bad pointers that were accepted", static_cast<std::int64_t>(g_pointers_accepted), 0);
  if (g_pointers_accepted != 0) print_number(static_cast<std::int64_t>(g_accepted_call));
  end_those([&](EnvId id) { return id != victim.id; });
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(judge(attacks))
