// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>

/// The memory of Appel and Li's measurements ("Virtual memory primitives for user programs", 1991;
/// used for Aegis in the thesis, chapter 9), the same on Xok and on Linux:
///
///   dirty      ask whether a page has been written since it was last marked clean
///   prot1      change the protection of one page, forth and back
///   prot100    make 100 pages in a row read-only      unprot100  make them writable again
///   trap       write to a protected page; the handler steps over the instruction
///   appel1     write to a protected page; the handler protects another one and unprotects this one
///   appel2     protect 100 pages, then write to each in random order; the handler unprotects it
///
/// All figures are for one operation; prot100 and unprot100 are for 100 pages, appel2 for one page.
namespace xok::bench {

inline constexpr std::size_t kProtectedPages = 100;
inline constexpr int kFaults = 1000;

/// The page that access number `i` goes to: all of them in turn, in no order that helps anybody,
/// and never the same one twice running.
constexpr std::size_t page_of_access(std::size_t i) { return i * 37 % kProtectedPages; }

}  // namespace xok::bench
