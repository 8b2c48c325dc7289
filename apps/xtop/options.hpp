// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace xok::xtop {

inline constexpr std::string_view kHelp =
    "usage: xtop [-n COUNT] [-d SECONDS]\n"
    "\n"
    "Draws the machine as the kernel's exposed tables show it: pages, owners, slices,\n"
    "environments, filters. It makes no kernel call for that.\n"
    "\n"
    "  -n COUNT    how often to draw (default: on a terminal for ever, else once)\n"
    "  -d SECONDS  how long to wait in between (default 1; parts such as 0.2 too)\n"
    "  -h, --help  this text\n"
    "\n"
    "On a terminal Ctrl-C ends it.\n";

struct Options {
  bool help = false;
  std::uint64_t count = 0;  ///< 0: not given
  std::uint64_t delay_ns = 1'000'000'000;
  std::string_view error;  ///< not empty: what is wrong with `culprit`
  std::string_view culprit;
};

/// The arguments without the program's name. `-n5` and `-n 5` are the same.
Options parse_options(std::span<const char* const> arguments);

}  // namespace xok::xtop
