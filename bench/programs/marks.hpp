// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

/// Marks a point of the program for bench/plugin, which logs all its counters there: 1 where a
/// measured region begins, 2 where it ends. A no-op of seven bytes to the processor, so the program
/// is the same binary with and without the plugin, and on every system.
#define XOK_BENCH_MARK(number) \
  __asm__ volatile(".byte 0x0f, 0x1f, 0x80, " #number ", 0x00, 0xed, 0x5e" ::: "memory")
