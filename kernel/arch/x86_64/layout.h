/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Xok authors */
#pragma once

/* Numbers that assembly, the linker script and C++ share; layout_check.cpp asserts that they agree
 * with the structures they describe.
 *
 * The kernel half of the address space (one top-level slot each):
 *
 *   0xffff888000000000  direct map: all RAM at physical address + kDirectMapBase, never executable
 *   0xffffa00000000000  environment windows, 8 KiB each: KernelEnv, then the Uenv's alias
 *   0xffffa08000000000  device registers, uncached, and stacks of further processors, handed
 *                       out upwards
 *   0xffffffff80000000  the kernel image at physical address + KERNEL_BASE
 */
#define KERNEL_BASE 0xffffffff80000000
#define KERNEL_PHYSICAL 0x100000
#define DIRECT_MAP_BASE 0xffff888000000000
#define ENV_WINDOW_BASE 0xffffa00000000000
#define ENV_WINDOW_SIZE 0x2000
#define MMIO_BASE 0xffffa08000000000

/* Segment selectors. The slot before the user's data is empty: there is no 32-bit user code, so
 * compatibility mode cannot be reached. sysretq takes user data at +8 and user code at +16. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define SYSRET_BASE 0x18
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TASK_SEGMENT 0x30

/* Offsets in KernelEnv (kernel_env.hpp); Context is at 0. */
#define CTX_RAX 0
#define CTX_RBX 8
#define CTX_RCX 16
#define CTX_RDX 24
#define CTX_RSI 32
#define CTX_RDI 40
#define CTX_RBP 48
#define CTX_R8 56
#define CTX_R9 64
#define CTX_R10 72
#define CTX_R11 80
#define CTX_R12 88
#define CTX_R13 96
#define CTX_R14 104
#define CTX_R15 112
#define CTX_RIP 120
#define CTX_RSP 128
#define CTX_RFLAGS 136
#define CTX_FS_BASE 144
#define CTX_GS_BASE 152
#define KENV_SELF 160
#define KENV_STACK 168
#define KENV_FRAME 176
#define KENV_ENV 184
#define KENV_LAST_ENTRY 192
#define KENV_KERNEL 200
#define KENV_CPU 208
#define KENV_INDEX 216
#define KENV_ID 224
#define KENV_REST_KEY 232
#define KENV_REST_ENTRY 240
#define KENV_REST_STACK 248
#define KENV_REST_FS_BASE 256
#define KENV_REST_GS_BASE 264
#define KENV_VECTORS 512

/* Offsets in kernel::Cpu, the first member of x86::Processor. */
#define CPU_CURRENT 4
#define CPU_ENTERED 24
#define CPU_STRAIGHT 36
#define PROCESSOR_LOADED 40

/* Offsets in Env (abi/env.hpp). */
#define ENV_STATUS 4
#define ENV_TABLE_PAGE 32
#define ENV_RUN_CYCLES 40
#define ENV_SWITCHES 48
#define ENV_FAULTS 56
#define ENV_CALLS 64
#define ENV_CAPABILITIES 112
#define ENV_WAITS_FOR 344
#define ENV_CALLERS 348

/* abi/env.hpp, abi/syscalls.hpp */
#define ENV_INDEX_MASK 0x3ff
#define CAPABILITY_SLOTS 24
#define STATUS_RUNNABLE 1
#define STATUS_CALLING 4
#define STATUS_RESTING 5
#define IPC_KIND_CALL 1
#define IPC_REST 2
#define SYSCALL_BASE 0x584f0000
#define SYSCALL_NUMBERS 0x80
#define CALL_NULL 0x00
#define CALL_YIELD 0x23
#define CALL_IPC_CALL 0x25
#define CALL_IPC_REPLY 0x27

/* Offsets in a window that fall in the Uenv alias (abi/env.hpp). */
#define UENV_ALIAS 4096
#define UENV_FOREIGN_RIP (UENV_ALIAS + 0)
#define UENV_FOREIGN_ENTRY (UENV_ALIAS + 8)
#define UENV_FAULT_ENTRY (UENV_ALIAS + 16)
#define UENV_FAULT_STACK (UENV_ALIAS + 24)
#define UENV_FAULT_DEPTH (UENV_ALIAS + 32)
#define UENV_FAULT_RIP (UENV_ALIAS + 40)
#define UENV_FAULT_RSP (UENV_ALIAS + 48)
#define UENV_FAULT_RFLAGS (UENV_ALIAS + 56)
#define UENV_FAULT_RAX (UENV_ALIAS + 64)
#define UENV_FAULT_RCX (UENV_ALIAS + 72)
#define UENV_FAULT_RDX (UENV_ALIAS + 80)
#define UENV_FAULT_VECTOR (UENV_ALIAS + 88)
#define UENV_FAULT_ERROR (UENV_ALIAS + 96)
#define UENV_FAULT_ADDRESS (UENV_ALIAS + 104)
#define UENV_IPC_CAPABILITY (UENV_ALIAS + 416)
#define UENV_IPC_IN_WORDS (UENV_ALIAS + 520)
#define UENV_IPC_OUT_WORDS (UENV_ALIAS + 528)

/* rflags on entry to a handler: interrupts on and the bit that is always 1. */
#define HANDLER_RFLAGS 0x202
