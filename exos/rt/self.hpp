// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

#include "abi/env.hpp"
#include "abi/exposed.hpp"

/// The running environment's own Uenv, reached through gs: whoever starts an environment points its
/// gs base at its Uenv and stores the Uenv's address in `library[kSelfWord]`.
namespace xok::rt {

/// Words of Uenv::library that the run-time uses. The rest belongs to the libOS above.
enum LibraryWord : std::size_t {
  kSelfWord = 0,        ///< address of this Uenv
  kStackTopWord = 1,    ///< where the foreign-call entry switches to
  kForeignRspWord = 2,  ///< scratch of the foreign-call entry
  kResumeRipWord = 3,   ///< scratch of resume()
  kResumeRspWord = 4,
  kEnvIdWord = 5,  ///< this environment's EnvId
  kFirstFreeWord = 8,
};

/// Where wait.cpp keeps what the kernel's predicate is.
inline constexpr std::size_t kLastPredicateWord = 360;
inline constexpr std::size_t kLastPredicateWords = 24;

inline constexpr std::size_t library_offset(std::size_t word) {
  return offsetof(Uenv, library) + word * 8;
}

inline Uenv& self() {
  Uenv* out;
  __asm__("mov %%gs:%c1, %0" : "=r"(out) : "i"(library_offset(kSelfWord)));
  return *out;
}

inline void set_gs_base(std::uint64_t base) { __asm__ volatile("wrgsbase %0" : : "r"(base)); }
inline void set_fs_base(std::uint64_t base) { __asm__ volatile("wrfsbase %0" : : "r"(base)); }
inline std::uint64_t fs_base() {
  std::uint64_t out;
  __asm__ volatile("rdfsbase %0" : "=r"(out));
  return out;
}

inline EnvId env_id() { return static_cast<EnvId>(self().library[kEnvIdWord]); }

/// The exposed record of any environment id.
inline const volatile Env& env_record(EnvId id) {
  return reinterpret_cast<const volatile Env*>(kExposedEnvs)[env_index(id)];
}
inline const volatile PageInfo& page_record(std::uint64_t page) {
  return reinterpret_cast<const volatile PageInfo*>(kExposedPages)[page];
}
inline const volatile Account& account_record(std::uint32_t account) {
  return static_cast<const volatile Account*>(system_info().accounts.data())[account];
}

inline std::uint64_t cycles() {
  std::uint32_t low;
  std::uint32_t high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return std::uint64_t{high} << 32 | low;
}

/// Nanoseconds since boot at a cycle-counter value.
inline std::uint64_t cycles_to_ns(std::uint64_t count) {
  const SystemInfo& info = system_info();
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{count - info.tsc_boot} * info.tsc_to_ns_multiplier) >>
                                    info.tsc_to_ns_shift);
}
inline std::uint64_t monotonic_ns() { return cycles_to_ns(cycles()); }
inline std::uint64_t wall_ns() { return system_info().boot_wall_ns + monotonic_ns(); }

/// The cycle-counter value at `ns` nanoseconds since boot (saturating).
inline std::uint64_t ns_to_cycles(std::uint64_t ns) {
  const SystemInfo& info = system_info();
  const std::uint64_t seconds = ns / kNanosecondsPerSecond;
  if (info.tsc_hz != 0 && seconds > (~std::uint64_t{0} >> 1) / info.tsc_hz)
    return ~std::uint64_t{0};
  // Rounded up, so that a deadline in cycles never lies before the one in ns.
  return info.tsc_boot + seconds * info.tsc_hz +
         ns % kNanosecondsPerSecond * (info.tsc_hz / 1000) / 1'000'000 + 1;
}

}  // namespace xok::rt
