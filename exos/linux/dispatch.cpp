// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Where a program's system call arrives: a table of implementations, indexed by Linux' number. An
// unknown call returns ENOSYS; it never stops the program.
// Budget: 20 instructions from rt_foreign_entry to the implementation and back, tracing off.
#include <array>

#include <cstddef>

#include "exos/linux/call.hpp"
#include "exos/linux/quick_calls.h"
#include "exos/linux/tracing.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/registers.hpp"
#include "exos/shared.hpp"

namespace xok::exos::linux_abi {
namespace {

constexpr std::size_t kTableSize = QUICK_TABLE_SIZE;

std::int64_t no_such_call(const Arguments& /*a*/) { return -kENOSYS; }

using Handler = std::int64_t (*)(const Arguments& a);

constexpr std::array<Handler, kTableSize> kTable = [] {
  std::array<Handler, kTableSize> table{};
  table.fill(&no_such_call);
#define XOK_IMPLEMENTED(name) table[static_cast<std::size_t>(Call::name)] = &call_##name;
#include "exos/linux/implemented.def"
#undef XOK_IMPLEMENTED
  return table;
}();

/// The calls that quick_calls.S answers; calls_*.cpp has the same answers for traced programs.
constexpr std::array<std::uint16_t, kTableSize> kQuickWords = [] {
  std::array<std::uint16_t, kTableSize> table{};
  const auto set = [&table](Call call, std::size_t offset) {
    table[static_cast<std::size_t>(call)] = static_cast<std::uint16_t>(1 + offset);
  };
  set(Call::getpid, offsetof(Proc, pid));
  set(Call::gettid, offsetof(Proc, pid));
  set(Call::getppid, offsetof(Proc, parent));
  set(Call::getpgrp, offsetof(Proc, group));
  set(Call::getuid, offsetof(Proc, uid));
  set(Call::geteuid, offsetof(Proc, euid));
  set(Call::getgid, offsetof(Proc, gid));
  set(Call::getegid, offsetof(Proc, egid));
  return table;
}();
static_assert(offsetof(Process, proc) == 0);

}  // namespace

extern "C" [[gnu::visibility("hidden")]] constinit const std::array<std::uint16_t, kTableSize>
    quick_words = kQuickWords;

std::int64_t perform(rt::Registers& registers) {
  const std::uint64_t number = registers.rax;
  if (number >= kTableSize) [[unlikely]]
    return -kENOSYS;
  return kTable[number](Arguments{registers});
}

}  // namespace xok::exos::linux_abi

namespace xok::rt {

using namespace xok::exos;

extern "C" std::uint64_t rt_foreign_call(Registers* registers) {
  const std::uint64_t number = registers->rax;
  const std::int64_t result = shared().trace_calls == 0 ? linux_abi::perform(*registers)
                                                        : linux_abi::perform_traced(*registers);
  const bool restart = result == kRestartCall || result == kRestartNoHand;
  if (!signal_pending() && !restart && process().has_restore_mask == 0) [[likely]]
    return static_cast<std::uint64_t>(result);
  // Signals change what the program continues with: all registers, not just rax.
  registers->rax = static_cast<std::uint64_t>(result);
  deliver_signals(*registers, result, number);
  rt_resume(registers);
}

}  // namespace xok::rt
