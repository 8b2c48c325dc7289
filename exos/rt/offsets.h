// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Offsets into Uenv and Context for assembly. exos/rt/upcalls.cpp asserts each of them.
#pragma once

#define UENV_FOREIGN_RIP 0
#define UENV_FAULT_DEPTH 32
#define UENV_FAULT_RIP 40
#define UENV_FAULT_RSP 48
#define UENV_FAULT_RFLAGS 56
#define UENV_FAULT_RAX 64
#define UENV_FAULT_RCX 72
#define UENV_FAULT_RDX 80
#define UENV_START_RIP 264
#define UENV_START_RSP 272
#define UENV_START_RFLAGS 280
#define UENV_START_ACTIVE 288
#define UENV_REVOKE_RIP 896
#define UENV_REVOKE_RSP 904
#define UENV_REVOKE_RFLAGS 912
#define UENV_REVOKE_ACTIVE 920
#define LIB_STACK_TOP 1032
#define LIB_FOREIGN_RSP 1040
#define LIB_RESUME_RIP 1048
#define LIB_RESUME_RSP 1056

// struct Registers
#define REG_RAX 0
#define REG_RIP 120
#define REG_RSP 128
#define REG_RFLAGS 136
#define REG_SIZE 144
