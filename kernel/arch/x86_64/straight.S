/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Xok authors */

/* The straight way from one environment to another, on a machine with one processor.
 *
 * yield(to, 0) needs no more than this when both are plain (Cpu::straight) and `to` is parked: it
 * gave the processor away by a call itself, so that its caller-saved registers are dead. yield(0, 0)
 * asks the core for the owner of the next slice. Everything else goes through the core, and comes
 * back to `switch_straight` if it chose a parked environment.
 *
 * What one environment leaves behind and the next must not see: the scratch registers (zeroed or
 * loaded), segment selectors, fs and gs base, vector registers. The core learns of it at its next
 * entry (Scheduler::catch_up).
 *
 * Budget: directed yield 81 instructions; to the next 85 and the core's part; control transfer 93,
 * its answer 77; switch_straight 33.
 */
#include "layout.h"

        .section .text.entry, "ax"

/* The environment that leaves: all that a call keeps, and its bases. gs becomes the kernel's. */
.macro PARK scratch
        rdgsbase \scratch
        swapgs
        movq \scratch, %gs:CTX_GS_BASE
        rdfsbase \scratch
        movq \scratch, %gs:CTX_FS_BASE
        movq %rbx, %gs:CTX_RBX
        movq %rbp, %gs:CTX_RBP
        movq %r12, %gs:CTX_R12
        movq %r13, %gs:CTX_R13
        movq %r14, %gs:CTX_R14
        movq %r15, %gs:CTX_R15
        movq %rcx, %gs:CTX_RIP
        movq %rsp, %gs:CTX_RSP
        movq %r11, %gs:CTX_RFLAGS
.endm

/* And the one that comes back to it. */
.macro LOAD_KEPT
        movq %gs:CTX_RBX, %rbx
        movq %gs:CTX_R12, %r12
        movq %gs:CTX_R13, %r13
        movq %gs:CTX_R14, %r14
        movq %gs:CTX_R15, %r15
        movq %gs:CTX_RIP, %rcx
        movq %gs:CTX_RFLAGS, %r11
        movq %gs:CTX_RSP, %rsp
        movq %gs:CTX_RBP, %rbp
.endm

/* The other environment's record is in rbp, esi is 0, rdi no secret; `result` sets rax. Never comes
 * back. */
.macro SWITCH result:vararg
        movq %rbp, xok_processors + PROCESSOR_LOADED
        movl $-1, %eax                  /* every component there is */
        movl %eax, %edx
        xsave64 %gs:KENV_VECTORS
        movl %esi, %ds
        movl %esi, %es
        movl %esi, %fs
        movl %esi, %gs                  /* destroys the base */
        wrgsbase %rbp
        xrstor64 %gs:KENV_VECTORS
        movq %gs:CTX_FS_BASE, %rdx
        wrfsbase %rdx
        movq %gs:CTX_GS_BASE, %rdx
        \result
        LOAD_KEPT
        xorl %r8d, %r8d
        xorl %r9d, %r9d
        xorl %r10d, %r10d
        swapgs
        wrgsbase %rdx
        xorl %edx, %edx
        sysretq
.endm

.macro TIME
        rdtsc
        shlq $32, %rdx
        orq %rdx, %rax
.endm

/* The environment with index eax, which is parked, gets the processor: its record to rbp. */
.macro TAKE_OVER
        movq %gs:KENV_ENV, %rbx
        movl %gs:KENV_INDEX, %ecx
        movl %gs:KENV_ID, %edx
        movq %rdx, xok_parked(, %rcx, 8)
        movq $0, xok_parked(, %rax, 8)
        movl %eax, xok_processors + CPU_CURRENT
        movq xok_records(, %rax, 8), %rbp
        incq ENV_CALLS(%rbx)
.endm

/* At the time in rax. Never comes back. */
.macro ENTER_PARKED
        movq %rax, %rdx
        subq xok_processors + CPU_ENTERED, %rdx
        addq %rdx, ENV_RUN_CYCLES(%rbx)
        movq %rax, xok_processors + CPU_ENTERED
        movq KENV_ENV(%rbp), %rbx
        incq ENV_SWITCHES(%rbx)
        movq ENV_TABLE_PAGE(%rbx), %rcx
        shlq $12, %rcx
        movq %rcx, %cr3
        SWITCH xorl %eax, %eax
.endm

/* rdi = EnvId, rsi = flags; rcx = return address, r11 = rflags; gs is the user's. */
        .globl yield_straight
        .type yield_straight, @function
yield_straight:
        movl %edi, %eax
        andl $ENV_INDEX_MASK, %eax
        cmpq %rdi, xok_parked(, %rax, 8)
        jne 1f
        testq %rsi, %rsi
        jnz 2f
        cmpl $0, xok_processors + CPU_STRAIGHT
        je 2f
        PARK %rdx
        TAKE_OVER
        TIME
        ENTER_PARKED

1:      movq %rdi, %rax
        orq %rsi, %rax
        jnz 2f
        cmpl $0, xok_processors + CPU_STRAIGHT
        je 2f
        PARK %rdx
        movq %gs:KENV_STACK, %rsp
        TIME
        movq %rax, %r12
        movq %rax, %rcx
        movq %gs:KENV_KERNEL, %rdi
        movq $xok_processors, %rsi
        movq $xok_parked, %rdx
        /* Kernel::next_straight(Cpu&, const std::uint64_t*, std::uint64_t) */
        call _ZN3xok6kernel6Kernel13next_straightERNS0_3CpuEPKmm
        xorl %esi, %esi
        xorl %edi, %edi
        testl %eax, %eax
        js 3f
        TAKE_OVER
        movq %r12, %rax
        ENTER_PARKED

2:      movl $CALL_YIELD, %eax
        jmp kernel_call

3:      movq %gs:CTX_R12, %r12
        movl $CALL_YIELD, %eax          /* nothing of the kernel's may come back as an argument */
        xorl %edx, %edx
        xorl %r8d, %r8d
        xorl %r9d, %r9d
        xorl %r10d, %r10d
        jmp kernel_call_saved

/* -- Control transfer ---------------------------------------------------------------------------
 * To an environment that rests, from a caller whose capability has been admitted since it last said
 * whom it lets in, without a block; and the answer of one that rests again. The message stays where
 * it is: rsi rdx r10 r8 r9. */

/* What both have in common when all is decided: rbp = the other's record, rbx = the own Env, r12 =
 * the other's; rdx is kept in r13, the last use of rcx and rax is here. */
.macro HAND_OVER
        movl %eax, xok_processors + CPU_CURRENT
        movq %rbp, xok_processors + PROCESSOR_LOADED
        movl $STATUS_RUNNABLE, ENV_STATUS(%r12)
        incq ENV_SWITCHES(%r12)
        incq ENV_CALLS(%rbx)
        movq $0, UENV_IPC_IN_WORDS(%rbp)
        movq %rdx, %r13
        TIME
        movq %rax, %rdx
        subq xok_processors + CPU_ENTERED, %rdx
        addq %rdx, ENV_RUN_CYCLES(%rbx)
        movq %rax, xok_processors + CPU_ENTERED
        movq ENV_TABLE_PAGE(%r12), %rcx
        shlq $12, %rcx
        movq %rcx, %cr3
        movl $-1, %eax
        movl %eax, %edx
        xorl %ecx, %ecx
        movl %ecx, %ds
        movl %ecx, %es
        movl %ecx, %fs
.endm

/* rdi = (slot << 32) | EnvId. */
        .globl call_straight
        .type call_straight, @function
call_straight:
        movl %edi, %eax
        andl $ENV_INDEX_MASK, %eax
        cmpl %edi, xok_resting(, %rax, 4)
        jne 1f
        cmpl $0, xok_processors + CPU_STRAIGHT
        je 1f
        PARK %rax
        movl %edi, %eax
        andl $ENV_INDEX_MASK, %eax
        movq xok_records(, %rax, 8), %rbp
        movq %gs:KENV_ENV, %rbx
        movq %rdi, %r13
        shrq $32, %r13
        cmpq $CAPABILITY_SLOTS, %r13
        jae 2f
        movq ENV_CAPABILITIES(%rbx, %r13, 8), %r14
        cmpq %r14, KENV_REST_KEY(%rbp)
        jne 2f
        cmpq $0, %gs:UENV_IPC_OUT_WORDS
        jne 2f

        movl $STATUS_CALLING, ENV_STATUS(%rbx)
        movl %edi, ENV_WAITS_FOR(%rbx)
        movl %gs:KENV_INDEX, %ecx
        movl %gs:KENV_ID, %edi
        movl $IPC_REST, xok_parked + 4(, %rcx, 8)
        movl %edi, xok_parked(, %rcx, 8)
        movl $0, xok_resting(, %rax, 4)
        movq KENV_ENV(%rbp), %r12
        incl ENV_CALLERS(%r12)
        movq %r14, UENV_IPC_CAPABILITY(%rbp)
        HAND_OVER
        xsave64 %gs:KENV_VECTORS
        movl %ecx, %gs                  /* destroys the base */
        wrgsbase %rbp
        xrstor64 xok_clean_vectors
        movq %r13, %rdx
        movq %gs:KENV_REST_FS_BASE, %rax
        wrfsbase %rax
        movq %gs:KENV_REST_GS_BASE, %rax
        movq %gs:KENV_REST_STACK, %rsp
        movq %gs:KENV_REST_ENTRY, %rcx
        movl $HANDLER_RFLAGS, %r11d
        xorl %ebx, %ebx
        xorl %ebp, %ebp
        xorl %r12d, %r12d
        xorl %r13d, %r13d
        xorl %r14d, %r14d
        xorl %r15d, %r15d
        swapgs
        wrgsbase %rax
        movl $IPC_KIND_CALL, %eax
        sysretq

1:      movl $CALL_IPC_CALL, %eax
        jmp kernel_call
2:      movq %gs:CTX_RBX, %rbx          /* as they were: C++ saves them again */
        movq %gs:CTX_RBP, %rbp
        movq %gs:CTX_R13, %r13
        movq %gs:CTX_R14, %r14
        movl $CALL_IPC_CALL, %eax
        jmp kernel_call_saved

/* rdi = (flags << 32) | EnvId. Bit 33 of a word in xok_parked is kIpcRest, too. */
        .globl reply_straight
        .type reply_straight, @function
reply_straight:
        movl %edi, %eax
        andl $ENV_INDEX_MASK, %eax
        cmpq %rdi, xok_parked(, %rax, 8)
        jne 1f
        cmpl $0, xok_processors + CPU_STRAIGHT
        je 1f
        swapgs
        cmpq $0, %gs:KENV_REST_KEY
        je 2f
        cmpq $0, %gs:UENV_IPC_OUT_WORDS
        jne 2f
        movq xok_records(, %rax, 8), %rax
        movq KENV_ENV(%rax), %rax
        movl ENV_WAITS_FOR(%rax), %eax
        cmpl %eax, %gs:KENV_ID
        jne 2f

        movl %edi, %eax
        andl $ENV_INDEX_MASK, %eax
        movq xok_records(, %rax, 8), %rbp
        movq $0, xok_parked(, %rax, 8)
        movq %gs:KENV_ENV, %rbx
        movl $STATUS_RESTING, ENV_STATUS(%rbx)
        decl ENV_CALLERS(%rbx)
        movl %gs:KENV_INDEX, %ecx
        movl %gs:KENV_ID, %edi
        movl %edi, xok_resting(, %rcx, 4)
        movq KENV_ENV(%rbp), %r12
        movl $0, ENV_WAITS_FOR(%r12)
        HAND_OVER
        movl %ecx, %gs                  /* destroys the base */
        wrgsbase %rbp
        xrstor64 %gs:KENV_VECTORS
        movq %r13, %rdx
        movq %gs:CTX_FS_BASE, %rax
        wrfsbase %rax
        movq %gs:CTX_GS_BASE, %rax
        LOAD_KEPT
        swapgs
        wrgsbase %rax
        xorl %eax, %eax
        sysretq

2:      swapgs
1:      movl $CALL_IPC_REPLY, %eax
        jmp kernel_call

/* [[noreturn]] void switch_straight(KernelEnv* to): `to` was parked; the processor holds the vector
 * registers of another environment, whose context is complete or parked. gs is the kernel's. */
        .globl switch_straight
        .type switch_straight, @function
switch_straight:
        movq %rdi, %rbp
        xorl %edi, %edi
        xorl %esi, %esi
        SWITCH movq %gs:CTX_RAX, %rax

        .section .note.GNU-stack, "", @progbits
