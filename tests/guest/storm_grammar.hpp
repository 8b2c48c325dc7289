// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "abi/exposed.hpp"
#include "abi/method.hpp"
#include "abi/syscalls.hpp"

/// What the callers of storm_smp_test.cpp choose from: kinds of arguments, out of the call table,
/// and values of each kind that often mean something.
namespace xok::guest {

// In a caller's address space.
inline constexpr std::uint64_t kCode = 0x40'0000'0000;
inline constexpr std::uint64_t kStack = 0x41'0000'0000;
inline constexpr std::uint64_t kCallerUenv = 0x42'0000'0000;
inline constexpr std::uint64_t kState = 0x43'0000'0000;    // a State
inline constexpr std::uint64_t kGrammar = 0x44'0000'0000;  // a Grammar

inline constexpr std::size_t kNumbers = 128;
inline constexpr std::size_t kValues = 16;

enum Kind : std::uint8_t {
  kNone,
  kCapSlot,
  kTarget,
  kEnvId,
  kUserAddr,
  kCount,
  kEnvFlags,
  kYieldFlags,
  kCapBits,
  kPte,
  kPteBits,
  kWord,
  kReplyTo,
  kRegionId,
  kPageIndex,
  kMethodAddr,  // a UserAddr of method_define
  kKinds = 32
};

/// What all callers choose from.
struct Grammar {
  std::uint8_t kinds[kNumbers][8];
  std::uint8_t numbers[kNumbers];  ///< the calls that exist, in turn
  std::uint8_t unused[kPageSize - kNumbers * 9];
  std::uint64_t values[kKinds][kValues];
};
static_assert(sizeof(Grammar) == 2 * kPageSize && offsetof(Grammar, numbers) == 1024 &&
              offsetof(Grammar, values) == 4096);

namespace kind {
#define XOK_STORM_KIND(name)               \
  struct name {                            \
    static constexpr Kind kKind = k##name; \
  };
XOK_STORM_KIND(CapSlot)
XOK_STORM_KIND(Target)
XOK_STORM_KIND(EnvId)
XOK_STORM_KIND(UserAddr)
XOK_STORM_KIND(Count)
XOK_STORM_KIND(EnvFlags)
XOK_STORM_KIND(YieldFlags)
XOK_STORM_KIND(CapBits)
XOK_STORM_KIND(Pte)
XOK_STORM_KIND(PteBits)
XOK_STORM_KIND(Word)
XOK_STORM_KIND(ReplyTo)
XOK_STORM_KIND(RegionId)
XOK_STORM_KIND(PageIndex)
#undef XOK_STORM_KIND

template <class>
struct Signature;
template <class... Arguments>
struct Signature<void(Arguments...)> {
  static constexpr std::array<Kind, 8> kKinds{Arguments::kKind...};
};

struct Described {
  std::uint64_t number;
  std::string_view name;
  std::array<Kind, 8> kinds;
};
inline constexpr Described kTable[] = {
#define XOK_SYSCALL(number, name, user_memory, arguments) \
  {number, #name, Signature<void arguments>::kKinds},
#include "abi/syscalls.def"
#undef XOK_SYSCALL
};
}  // namespace kind

inline void fill(std::uint64_t (&values)[kValues], std::initializer_list<std::uint64_t> some) {
  for (std::size_t i = 0; i < kValues; i++) values[i] = some.begin()[i % some.size()];
}

inline void write_grammar(Grammar& g) {
  std::size_t at = 0;
  for (std::uint8_t& number : g.numbers) {
    // It ends callers: enough of it comes by chance.
    if (kind::kTable[at].name == "env_free") at++;
    number = static_cast<std::uint8_t>(kind::kTable[at].number);
    at = (at + 1) % std::size(kind::kTable);
  }
  for (const kind::Described& call : kind::kTable) {
    for (std::size_t i = 0; i < 8; i++) g.kinds[call.number][i] = call.kinds[i];
  }
  constexpr std::uint64_t kMethod = kMethodBase;
  for (std::uint8_t& kind : g.kinds[static_cast<std::size_t>(SyscallNumber::method_define)])
    if (kind == kUserAddr) kind = kMethodAddr;
  fill(g.values[kMethodAddr], {kMethod, kMethod + 8, kMethod + kPageSize});
  fill(g.values[kCapSlot], {0, 0, 0, 1, 0, 2, 0, 3, 23, 24});
  fill(g.values[kUserAddr],
       {kStack, kStack + 8, kStack + kPageSize, kState + 64, kState + 64, kMethod, kMethod + 8,
        kMethod + kPageSize, kStack + (2 << 20), std::uint64_t{0x46} << 32,
        std::uint64_t{0x46} << 32, kStack - kPageSize, kUserTop, kExposedBase, 0,
        kStack + kPageSize - 8});
  fill(g.values[kCount], {0, 1, 1, 1, 2, 2, 3, 4, 8, 16, 32, 64, 512, kAnyPosition, 4096, 5});
  fill(g.values[kEnvFlags], {0, 0, 0, kShareAddressSpace});
  fill(g.values[kYieldFlags], {0, 0, 0, 0, 0, 0, 0, kYieldSleep});
  const std::uint64_t mine = Capability::make({77, 77}).bits();
  fill(g.values[kCapBits],
       {mine, mine, Capability::make({77, 77, 1}).bits(), Capability::make({77, 77, 2}).bits(),
        Capability::make({77, 77}, Permission::Write).bits(), 0, kRootCapability.bits()});
  fill(g.values[kPteBits], {kPteWritable, kPteWritable, 0, kPteDirty, kPteNoExecute, kPteSoftware});
  fill(g.values[kWord], {0, 1, kStack, kState + 64});
  fill(g.values[kRegionId], {0, 1, 1024, 1025});
}

}  // namespace xok::guest
