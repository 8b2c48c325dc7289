// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// The numbers that assembly uses are those of the structures.
#include "abi/env.hpp"
#include "abi/layout.hpp"
#include "abi/syscalls.hpp"
#include "kernel/arch/x86_64/context.hpp"
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
static_assert(offsetof(Context, fs_base) == CTX_FS_BASE);
static_assert(offsetof(Context, gs_base) == CTX_GS_BASE);
static_assert(offsetof(KernelEnv, self) == KENV_SELF);
static_assert(offsetof(KernelEnv, stack_top) == KENV_STACK);
static_assert(offsetof(KernelEnv, frame) == KENV_FRAME);
static_assert(offsetof(KernelEnv, env) == KENV_ENV);
static_assert(offsetof(KernelEnv, last_entry) == KENV_LAST_ENTRY);
static_assert(offsetof(KernelEnv, kernel) == KENV_KERNEL);
static_assert(offsetof(KernelEnv, cpu) == KENV_CPU);
static_assert(offsetof(KernelEnv, index) == KENV_INDEX && offsetof(KernelEnv, id) == KENV_ID);
static_assert(offsetof(KernelEnv, rest_key) == KENV_REST_KEY);
static_assert(offsetof(KernelEnv, rest_entry) == KENV_REST_ENTRY);
static_assert(offsetof(KernelEnv, rest_stack) == KENV_REST_STACK);
static_assert(offsetof(KernelEnv, rest_fs_base) == KENV_REST_FS_BASE);
static_assert(offsetof(KernelEnv, rest_gs_base) == KENV_REST_GS_BASE);
static_assert(offsetof(KernelEnv, vectors) == KENV_VECTORS);
static_assert(offsetof(Cpu, current) == CPU_CURRENT && offsetof(Cpu, entered) == CPU_ENTERED);
static_assert(offsetof(Cpu, straight) == CPU_STRAIGHT && offsetof(Processor, core) == 0);
static_assert(offsetof(Processor, loaded) == PROCESSOR_LOADED);

static_assert(offsetof(Env, status) == ENV_STATUS && offsetof(Env, table_page) == ENV_TABLE_PAGE);
static_assert(offsetof(Env, run_cycles) == ENV_RUN_CYCLES);
static_assert(offsetof(Env, switches) == ENV_SWITCHES && offsetof(Env, faults) == ENV_FAULTS);
static_assert(offsetof(Env, calls) == ENV_CALLS);
static_assert(offsetof(Env, capabilities) == ENV_CAPABILITIES);
static_assert(offsetof(Env, waits_for) == ENV_WAITS_FOR && offsetof(Env, callers) == ENV_CALLERS);
static_assert(kEnvIndexMask == ENV_INDEX_MASK && kCapabilitySlots == CAPABILITY_SLOTS);
static_assert(static_cast<int>(EnvStatus::Runnable) == STATUS_RUNNABLE);
static_assert(static_cast<int>(EnvStatus::Calling) == STATUS_CALLING);
static_assert(static_cast<int>(EnvStatus::Resting) == STATUS_RESTING);
static_assert(static_cast<int>(IpcKind::Call) == IPC_KIND_CALL && kIpcRest == IPC_REST);
static_assert(kSyscallBase == SYSCALL_BASE && kSyscallNumbers == SYSCALL_NUMBERS);
static_assert(static_cast<int>(SyscallNumber::null_call) == CALL_NULL);
static_assert(static_cast<int>(SyscallNumber::yield) == CALL_YIELD);
static_assert(static_cast<int>(SyscallNumber::ipc_call) == CALL_IPC_CALL);
static_assert(static_cast<int>(SyscallNumber::ipc_reply) == CALL_IPC_REPLY);
// What comes back from a call needs no cut before sysretq: it is no address beyond the user's.
static_assert(kUserTop < std::uint64_t{1} << 47);

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
static_assert(UENV_IPC_CAPABILITY == UENV_ALIAS + offsetof(Uenv, ipc.capability));
static_assert(UENV_IPC_IN_WORDS == UENV_ALIAS + offsetof(Uenv, ipc.in_words));
static_assert(UENV_IPC_OUT_WORDS == UENV_ALIAS + offsetof(Uenv, ipc.out_words));

}  // namespace xok::kernel::x86
