// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <string_view>

#include "exos/linux/trace_text.hpp"

namespace xok::exos::trace {

/// The groups of abi_flags.def.
enum class Group : std::uint8_t {
#define XOK_LINUX_GROUP(group, unknown) group,
#define XOK_LINUX_VALUE(group, name, value)
#include "exos/linux/abi_flags.def"
#undef XOK_LINUX_VALUE
#undef XOK_LINUX_GROUP
};

/// The name of a value of a group, empty when it has none.
std::string_view name_of(Group group, std::uint32_t value);

/// "NAME", or "0x9 /* SEEK_??? */" for a value without a name.
void put_one_of(Text& text, Group group, std::uint32_t value);

/// "NAME|NAME|0x400": names joined, the rest in hex; "0" or the group's name for zero.
void put_flags(Text& text, Group group, std::uint32_t value);

/// As put_flags behind something already written: "|NAME|0x400", nothing for zero.
void put_more_flags(Text& text, Group group, std::uint32_t value);

/// "SIGINT", "SIGRT_1", or the number.
void put_signal(Text& text, int signal);

/// "[INT CHLD]", or "~[KILL]" when most are in the set.
void put_signal_set(Text& text, std::uint64_t set);

/// "ENOENT (No such file or directory)"; "errno 4000 (Unknown error 4000)" when it has no name.
void put_errno(Text& text, int error);

}  // namespace xok::exos::trace
