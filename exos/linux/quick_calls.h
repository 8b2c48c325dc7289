// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What quick_calls.S and dispatch.cpp agree on.
#pragma once

#include "exos/rt/offsets.h"

#define QUICK_TABLE_SIZE 452

#ifndef __ASSEMBLER__
/// The foreign-call entry of programs whose calls are not traced.
extern "C" __attribute__((visibility("hidden"))) void linux_foreign_entry();
#endif
