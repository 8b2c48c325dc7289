// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// The numbers that assembly uses are those of the structures.
#include "abi/env.hpp"
#include "kernel/arch/x86_64/kernel_env.hpp"
#include "kernel/arch/x86_64/layout.h"

namespace xok::kernel::x86 {

static_assert(offsetof(KernelEnv, context) == 0);
static_assert(offsetof(Context, rax) == CTX_RAX && offsetof(Context, rbx) == CTX_RBX);
static_assert(offsetof(Context, rcx) == CTX_RCX && offsetof(Context, rdx) == CTX_RDX);
static_assert(offsetof(Context, rsi) == CTX_RSI && offsetof(Context, rdi) == CTX_RDI);
static_assert(offsetof(Context, rbp) == CTX_RBP && offsetof(Context, r8) == CTX_R8);
static_assert(offsetof(Context, r15) == CTX_R15 && offsetof(Context, rip) == CTX_RIP);
static_assert(offsetof(Context, rsp) == CTX_RSP && offsetof(Context, rflags) == CTX_RFLAGS);
static_assert(offsetof(KernelEnv, self) == KENV_SELF);
static_assert(offsetof(KernelEnv, stack_top) == KENV_STACK);
static_assert(offsetof(KernelEnv, frame) == KENV_FRAME);
static_assert(offsetof(KernelEnv, faults) == KENV_FAULTS);
static_assert(offsetof(KernelEnv, last_entry) == KENV_LAST_ENTRY);
static_assert(offsetof(KernelEnv, kernel) == KENV_KERNEL);
static_assert(offsetof(KernelEnv, cpu) == KENV_CPU);
static_assert(offsetof(KernelEnv, index) == KENV_INDEX);
static_assert(offsetof(KernelEnv, vectors) == KENV_VECTORS);
static_assert(offsetof(Cpu, current) == CPU_CURRENT);

static_assert(UENV_ALIAS == sizeof(KernelEnv));
static_assert(UENV_FOREIGN_RIP == UENV_ALIAS + offsetof(Uenv, foreign_rip));
static_assert(UENV_FOREIGN_ENTRY == UENV_ALIAS + offsetof(Uenv, foreign_entry));
static_assert(UENV_FAULT_ENTRY == UENV_ALIAS + offsetof(Uenv, fault_entry));
static_assert(UENV_FAULT_STACK == UENV_ALIAS + offsetof(Uenv, fault_stack));
static_assert(UENV_FAULT_DEPTH == UENV_ALIAS + offsetof(Uenv, fault_depth));
static_assert(UENV_FAULT_RIP == UENV_ALIAS + offsetof(Uenv, fault.rip));
static_assert(UENV_FAULT_RSP == UENV_ALIAS + offsetof(Uenv, fault.rsp));
static_assert(UENV_FAULT_RFLAGS == UENV_ALIAS + offsetof(Uenv, fault.rflags));
static_assert(UENV_FAULT_RAX == UENV_ALIAS + offsetof(Uenv, fault.rax));
static_assert(UENV_FAULT_RCX == UENV_ALIAS + offsetof(Uenv, fault.rcx));
static_assert(UENV_FAULT_RDX == UENV_ALIAS + offsetof(Uenv, fault.rdx));
static_assert(UENV_FAULT_VECTOR == UENV_ALIAS + offsetof(Uenv, fault.vector));
static_assert(UENV_FAULT_ERROR == UENV_ALIAS + offsetof(Uenv, fault.error));
static_assert(UENV_FAULT_ADDRESS == UENV_ALIAS + offsetof(Uenv, fault.address));

}  // namespace xok::kernel::x86
