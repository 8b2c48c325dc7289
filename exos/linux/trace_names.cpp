// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/linux/trace_names.hpp"

#include <span>

#include "exos/linux/abi.hpp"

namespace xok::exos::trace {

namespace {

struct NamedValue {
  Group group;
  std::uint32_t value;
  std::string_view name;
};

constexpr NamedValue kValues[] = {
#define XOK_LINUX_GROUP(group, unknown)
#define XOK_LINUX_VALUE(group, name, value) {Group::group, value, #name},
#include "exos/linux/abi_flags.def"
#undef XOK_LINUX_VALUE
#undef XOK_LINUX_GROUP
};

constexpr std::string_view kUnknown[] = {
#define XOK_LINUX_GROUP(group, unknown) unknown,
#define XOK_LINUX_VALUE(group, name, value)
#include "exos/linux/abi_flags.def"
#undef XOK_LINUX_VALUE
#undef XOK_LINUX_GROUP
};

struct ErrorName {
  int number;
  std::string_view name, text;
};

constexpr ErrorName kErrors[] = {
#define XOK_LINUX_ERRNO(number, name, text) {number, #name, text},
#include "exos/linux/abi_errno.def"
#undef XOK_LINUX_ERRNO
};

/// Writes the names of the bits found, each but possibly the first behind '|'.
/// Returns  the bits without a name
std::uint32_t put_names(Text& text, Group group, std::uint32_t value, bool& first) {
  for (const NamedValue& named : kValues) {
    if (named.group != group || named.value == 0 || (value & named.value) != named.value) continue;
    if (!first) text.put('|');
    first = false;
    text.put(named.name);
    value &= ~named.value;
  }
  return value;
}

void put_unknown(Text& text, Group group, std::uint32_t value) {
  text.hex(value).put(" /* ").put(kUnknown[static_cast<std::size_t>(group)]).put(" */");
}

}  // namespace

std::string_view name_of(Group group, std::uint32_t value) {
  for (const NamedValue& named : kValues) {
    if (named.group == group && named.value == value) return named.name;
  }
  return {};
}

void put_one_of(Text& text, Group group, std::uint32_t value) {
  const std::string_view name = name_of(group, value);
  if (name.empty()) {
    put_unknown(text, group, value);
  } else {
    text.put(name);
  }
}

void put_flags(Text& text, Group group, std::uint32_t value) {
  if (value == 0) {
    const std::string_view zero = name_of(group, 0);
    text.put(zero.empty() ? std::string_view{"0"} : zero);
    return;
  }
  bool first = true;
  const std::uint32_t rest = put_names(text, group, value, first);
  if (rest == 0) return;
  if (first) {
    put_unknown(text, group, rest);
  } else {
    text.put('|').hex(rest);
  }
}

void put_more_flags(Text& text, Group group, std::uint32_t value) {
  bool first = false;
  const std::uint32_t rest = put_names(text, group, value, first);
  if (rest != 0) text.put('|').hex(rest);
}

void put_signal(Text& text, int signal) {
  if (signal > 32 && signal <= linux_abi::kNSIG) {
    text.put("SIGRT_").decimal(signal - 32);
    return;
  }
  const std::string_view name = name_of(Group::Signal, static_cast<std::uint32_t>(signal));
  if (name.empty()) {
    text.decimal(signal);
  } else {
    text.put(name);
  }
}

void put_signal_set(Text& text, std::uint64_t set) {
  int members = 0;
  for (std::uint64_t rest = set; rest != 0; rest &= rest - 1) members++;
  if (members >= linux_abi::kNSIG * 2 / 3) {
    text.put('~');
    set = ~set;
  }
  text.put('[');
  bool first = true;
  for (int signal = 1; signal <= linux_abi::kNSIG; signal++) {
    if ((set & linux_abi::signal_bit(signal)) == 0) continue;
    if (!first) text.put(' ');
    first = false;
    char name[16];
    Text whole{name};
    put_signal(whole, signal);
    std::string_view plain = whole.view();
    if (plain.starts_with("SIG")) plain.remove_prefix(3);
    text.put(plain);
  }
  text.put(']');
}

void put_errno(Text& text, int error) {
  for (const ErrorName& known : kErrors) {
    if (known.number != error) continue;
    text.put(known.name).put(" (").put(known.text).put(')');
    return;
  }
  text.put("errno ").decimal(error).put(" (Unknown error ").decimal(error).put(')');
}

}  // namespace xok::exos::trace
