// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/dispatch.hpp"

#include <utility>

#include "kernel/core/calls_cap.hpp"
#include "kernel/core/calls_device.hpp"
#include "kernel/core/calls_env.hpp"
#include "kernel/core/calls_ipc.hpp"
#include "kernel/core/calls_large.hpp"
#include "kernel/core/calls_machine.hpp"
#include "kernel/core/calls_memory.hpp"
#include "kernel/core/calls_message.hpp"
#include "kernel/core/calls_method.hpp"
#include "kernel/core/calls_network.hpp"
#include "kernel/core/calls_page.hpp"
#include "kernel/core/calls_processor.hpp"
#include "kernel/core/calls_region.hpp"
#include "kernel/core/calls_revoke.hpp"
#include "kernel/core/calls_table.hpp"

namespace xok::kernel {
namespace calls {

// Each call of the table, declared again with the argument words the table gives it. Where that
// differs from the header's declaration the name becomes ambiguous below, and nothing compiles.
using EnvId = EnvIdWord;
using RegionId = RegionIdWord;
#define XOK_COMMA_ARGUMENTS(...) __VA_OPT__(, ) __VA_ARGS__
#define XOK_SYSCALL(number, name, user_memory, arguments) \
  CallResult name(Call& call XOK_COMMA_ARGUMENTS arguments);
#include "abi/syscalls.def"
#undef XOK_SYSCALL
#undef XOK_COMMA_ARGUMENTS

}  // namespace calls

namespace {

/// One table entry: unpacks the argument words for a call, packs its result.
template <auto kCall>
struct Entry;

template <class... Arguments, CallResult (*kCall)(Call&, Arguments...)>
struct Entry<kCall> {
  static_assert(sizeof...(Arguments) <= 6);
  static std::int64_t run(Call& call, const Words& words) {
    return unpack(call, words, std::index_sequence_for<Arguments...>{});
  }

 private:
  template <std::size_t... kIndex>
  static std::int64_t unpack(Call& call, [[maybe_unused]] const Words& words,
                             std::index_sequence<kIndex...>) {
    const CallResult result = kCall(call, Arguments{words[kIndex]}...);
    return result.has_value() ? *result : -static_cast<std::int64_t>(result.error());
  }
};

std::int64_t no_such_call(Call&, const Words&) {
  return -static_cast<std::int64_t>(Errc::NoSuchCall);
}

consteval std::array<Handler, kSyscallNumbers> make_table() {
  std::array<Handler, kSyscallNumbers> table{};
  table.fill(no_such_call);
#define XOK_SYSCALL(number, name, user_memory, arguments) table[number] = Entry<&calls::name>::run;
#include "abi/syscalls.def"
#undef XOK_SYSCALL
  return table;
}

}  // namespace

constinit const std::array<Handler, kSyscallNumbers> kHandlers = make_table();

}  // namespace xok::kernel
