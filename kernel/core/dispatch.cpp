// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/dispatch.hpp"

#include <utility>

#include "kernel/core/calls_cap.hpp"
#include "kernel/core/calls_device.hpp"
#include "kernel/core/calls_env.hpp"
#include "kernel/core/calls_machine.hpp"
#include "kernel/core/calls_memory.hpp"
#include "kernel/core/calls_network.hpp"
#include "kernel/core/calls_processor.hpp"

namespace xok::kernel {
namespace calls {

// Each call of the table, declared again with the argument words the table gives it. Where that
// differs from the header's declaration the name becomes ambiguous below, and nothing compiles.
using EnvId = EnvIdWord;
#define XOK_COMMA_ARGUMENTS(...) __VA_OPT__(, ) __VA_ARGS__
#define XOK_SYSCALL(number, name, user_memory, arguments) \
  CallResult name(Call& call XOK_COMMA_ARGUMENTS arguments);
#include "abi/syscalls.def"
#undef XOK_SYSCALL
#undef XOK_COMMA_ARGUMENTS

}  // namespace calls

namespace {

using Words = std::array<std::uint64_t, 6>;

template <class... Arguments, std::size_t... kIndex>
std::int64_t invoke(CallResult (*handler)(Call&, Arguments...), Call& call, const Words& words,
                    std::index_sequence<kIndex...>) {
  const CallResult result = handler(call, Arguments{words[kIndex]}...);
  return result.has_value() ? *result : -static_cast<std::int64_t>(result.error());
}

template <class... Arguments>
std::int64_t invoke(CallResult (*handler)(Call&, Arguments...), Call& call, const Words& words) {
  static_assert(sizeof...(Arguments) <= 6);
  return invoke(handler, call, words, std::index_sequence_for<Arguments...>{});
}

}  // namespace

std::int64_t dispatch(Call& call, std::uint64_t number, const Words& arguments) {
  switch (number) {
#define XOK_SYSCALL(no, name, user_memory, argument_list) \
  case no:                                                \
    return invoke(&calls::name, call, arguments);
#include "abi/syscalls.def"
#undef XOK_SYSCALL
    default:
      return -static_cast<std::int64_t>(Errc::NoSuchCall);
  }
}

}  // namespace xok::kernel
