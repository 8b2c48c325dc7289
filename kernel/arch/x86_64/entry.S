/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Xok authors */

/* Every way from user code into the kernel and back.
 *
 * gs discipline. While an environment runs, the inactive gs base is its KernelEnv; each entry from
 * user code does one swapgs and each exit another. User code may set its own gs base to anything
 * (FSGSBASE), so its value says nothing: only the interrupted code segment does. The entries that
 * can come between a swapgs and its user code (NMI, machine check, double fault, debug) run on
 * stacks of their own and, from kernel code, do not use gs at all.
 *
 * The kernel runs with interrupts off; only the idle loop opens them. So there is one stack per
 * processor, empty whenever user code runs, and an entry that does not return straight away saves
 * everything in the KernelEnv's context and never unwinds.
 *
 * Budgets (instructions, entry to exit): foreign call 9; null call 12; kernel call 48 plus the
 * core's part; fault to the environment's handler 33. Switches: straight.S.
 */
#include "layout.h"

        .section .text.entry, "ax"

/* -- System calls ------------------------------------------------------------------------------
 * rcx = return address, r11 = rflags, rsp = the user's. SyscallMask cleared IF TF DF AC NT IOPL RF.
 * An address beyond 47 bits would make sysretq fault in ring 0 on the user's stack. A return address
 * is none (no user page lies there); an entry that a program names is cut. */
        .globl syscall_entry
        .type syscall_entry, @function
syscall_entry:
        cmpq $0x584effff, %rax
        ja 1f
foreign_call:
        swapgs
        movq %rcx, %gs:UENV_FOREIGN_RIP
        movq %gs:UENV_FOREIGN_ENTRY, %rcx
        shlq $17, %rcx
        shrq $17, %rcx
        swapgs
        sysretq

1:      subq $SYSCALL_BASE, %rax
        cmpq $SYSCALL_NUMBERS, %rax
        jae 2f
        jmpq *call_entries(, %rax, 8)

null_call:
        swapgs
        movq %gs:KENV_ENV, %rax
        incq ENV_CALLS(%rax)
        swapgs
        xorl %eax, %eax
        sysretq

        .globl kernel_call
kernel_call:
        swapgs
        movq %rsp, %gs:CTX_RSP
        movq %rcx, %gs:CTX_RIP
        movq %r11, %gs:CTX_RFLAGS
        movq %rbx, %gs:CTX_RBX
        movq %rbp, %gs:CTX_RBP
        movq %r12, %gs:CTX_R12
        movq %r13, %gs:CTX_R13
        movq %r14, %gs:CTX_R14
        movq %r15, %gs:CTX_R15
        .globl kernel_call_saved
kernel_call_saved:
        movq %gs:KENV_STACK, %rsp
        pushq %r9                       /* CallArguments, last first */
        pushq %r8
        pushq %r10
        pushq %rdx
        pushq %rsi
        pushq %rdi
        movq %rsp, %gs:KENV_FRAME
        movq %gs:KENV_KERNEL, %rdi
        movq %gs:KENV_CPU, %rsi
        movq %rax, %rdx
        movq %rsp, %rcx
        /* Kernel::system_call(Cpu&, number, const std::array<std::uint64_t, 6>&) */
        call _ZN3xok6kernel6Kernel11system_callERNS0_3CpuEmRKSt5arrayImLm6EE
        /* The straight way back: nobody looked at the context, nobody else has the processor. */
        cmpq $0, %gs:KENV_FRAME
        je 3f
        movq %gs:KENV_CPU, %rcx
        movl CPU_CURRENT(%rcx), %ecx
        cmpl %ecx, %gs:KENV_INDEX
        jne 3f
        popq %rdi
        popq %rsi
        popq %rdx
        popq %r10
        popq %r8
        popq %r9
        movq %gs:CTX_RIP, %rcx
        movq %gs:CTX_RFLAGS, %r11
        movq %gs:CTX_RSP, %rsp
        swapgs
        sysretq

2:      cmpq $0xffff, %rax
        jbe kernel_call                 /* no such call */
        addq $SYSCALL_BASE, %rax
        jmp foreign_call

3:      movq %gs:KENV_SELF, %rdi
        movq %rax, %rsi
        call finish_call                /* does not return */

        /* Where each call goes: most into C++. */
        .section .rodata.entry, "a"
        .balign 8
call_entries:
        .set number, 0
        .rept SYSCALL_NUMBERS
        .if number == CALL_NULL
        .quad null_call
        .elseif number == CALL_YIELD
        .quad yield_straight
        .elseif number == CALL_IPC_CALL
        .quad call_straight
        .elseif number == CALL_IPC_REPLY
        .quad reply_straight
        .else
        .quad kernel_call
        .endif
        .set number, number + 1
        .endr
        .section .text.entry, "ax"

/* -- Exceptions --------------------------------------------------------------------------------
 * From user code, when its handler is free (fault_depth 0) and its entry a user address: fill the
 * FaultSave through the alias and return into the handler. Otherwise everything goes to the core.
 * Stack at `entry`: error code, rip, cs, rflags, rsp, ss. */
.macro EXCEPTION name, vector, has_error, has_address=0
        .globl \name
        .type \name, @function
\name:
        .if \has_error == 0
        pushq $0
        .endif
        testb $3, 16(%rsp)
        jz 2f
        swapgs
        cmpq $0, %gs:UENV_FAULT_DEPTH
        jne 1f
        movq %rax, %gs:UENV_FAULT_RAX
        movq %rcx, %gs:UENV_FAULT_RCX
        movq %gs:UENV_FAULT_ENTRY, %rax /* read once: its owner may be changing it */
        leaq -1(%rax), %rcx             /* 0 becomes the largest */
        cmpq %gs:KENV_LAST_ENTRY, %rcx
        jae 3f
        movq %rdx, %gs:UENV_FAULT_RDX
        movq 8(%rsp), %rcx
        movq %rcx, %gs:UENV_FAULT_RIP
        movq 32(%rsp), %rcx
        movq %rcx, %gs:UENV_FAULT_RSP
        movq 24(%rsp), %rcx
        movq %rcx, %gs:UENV_FAULT_RFLAGS
        movq (%rsp), %rcx
        movq %rcx, %gs:UENV_FAULT_ERROR
        movq $\vector, %gs:UENV_FAULT_VECTOR
        .if \has_address
        movq %cr2, %rcx
        movq %rcx, %gs:UENV_FAULT_ADDRESS
        .else
        movq $0, %gs:UENV_FAULT_ADDRESS
        .endif
        movq $1, %gs:UENV_FAULT_DEPTH
        movq %gs:KENV_ENV, %rcx
        incq ENV_FAULTS(%rcx)
        movq %gs:UENV_FAULT_STACK, %rcx /* and no kernel address stays in a register */
        movq %rcx, 32(%rsp)
        movq %rax, 8(%rsp)
        movq $HANDLER_RFLAGS, 24(%rsp)
        addq $8, %rsp
        swapgs
        iretq

3:      movq %gs:UENV_FAULT_RAX, %rax
        movq %gs:UENV_FAULT_RCX, %rcx
1:      pushq $\vector
        jmp user_exception_slow
2:      pushq $\vector
        jmp kernel_trap_entry
.endm

        EXCEPTION divide_error, 0, 0
        EXCEPTION debug_exception, 1, 0
        EXCEPTION breakpoint, 3, 0
        EXCEPTION overflow_exception, 4, 0
        EXCEPTION bound_range, 5, 0
        EXCEPTION invalid_opcode, 6, 0
        EXCEPTION device_not_available, 7, 0
        EXCEPTION segment_not_present, 11, 1
        EXCEPTION stack_fault, 12, 1
        EXCEPTION general_protection, 13, 1
        EXCEPTION page_fault, 14, 1, 1
        EXCEPTION x87_error, 16, 0
        EXCEPTION alignment_check, 17, 1
        EXCEPTION simd_error, 19, 0

/* Saves the general registers in the current context. gs is the kernel's. */
.macro SAVE_REGISTERS
        movq %rax, %gs:CTX_RAX
        movq %rbx, %gs:CTX_RBX
        movq %rcx, %gs:CTX_RCX
        movq %rdx, %gs:CTX_RDX
        movq %rsi, %gs:CTX_RSI
        movq %rdi, %gs:CTX_RDI
        movq %rbp, %gs:CTX_RBP
        movq %r8, %gs:CTX_R8
        movq %r9, %gs:CTX_R9
        movq %r10, %gs:CTX_R10
        movq %r11, %gs:CTX_R11
        movq %r12, %gs:CTX_R12
        movq %r13, %gs:CTX_R13
        movq %r14, %gs:CTX_R14
        movq %r15, %gs:CTX_R15
        movq $0, %gs:KENV_FRAME         /* the last fast call left it pointing at its dead frame */
.endm

/* Stack: vector, error code, rip, cs, rflags, rsp, ss; on the processor's stack or another one. */
user_exception_slow:
        clac                            /* an interrupt gate leaves the user's AC and DF */
        cld
        SAVE_REGISTERS
        movq %gs:KENV_SELF, %rdi
        popq %rsi
        popq %rdx
        popq CTX_RIP(%rdi)
        addq $8, %rsp
        popq CTX_RFLAGS(%rdi)
        popq CTX_RSP(%rdi)
        movq KENV_STACK(%rdi), %rsp
        movq %cr2, %rcx
        xorl %ebp, %ebp
        call user_exception             /* does not return */

/* -- Exceptions in kernel code, and those that are never the environment's ---------------------
 * A full frame (TrapFrame in traps.hpp) on whatever stack we are. Stack: vector, error code, ... */
kernel_trap_entry:
        pushq %rax
        pushq %rbx
        pushq %rcx
        pushq %rdx
        pushq %rsi
        pushq %rdi
        pushq %rbp
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        cld
        movq %rsp, %rdi
        movq %rsp, %rbx
        andq $-16, %rsp
        call kernel_trap
        movq %rbx, %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %r11
        popq %r10
        popq %r9
        popq %r8
        popq %rbp
        popq %rdi
        popq %rsi
        popq %rdx
        popq %rcx
        popq %rbx
        popq %rax
        addq $16, %rsp
        iretq

.macro FATAL name, vector, has_error
        .globl \name
        .type \name, @function
\name:
        .if \has_error == 0
        pushq $0
        .endif
        pushq $\vector
        jmp kernel_trap_entry
.endm

        FATAL nmi, 2, 0
        FATAL double_fault, 8, 1
        FATAL invalid_tss, 10, 1
        FATAL machine_check, 18, 0
        FATAL unexpected_exception, 31, 0

/* -- Interrupts --------------------------------------------------------------------------------
 * Vectors 32..255, 16 bytes of stub each; the IDT is filled by arithmetic. */
        .balign 16
        .globl interrupt_stubs
interrupt_stubs:
        .set vector, 32
        .rept 224
        .balign 16
        pushq $vector
        jmp interrupt_entry
        .set vector, vector + 1
        .endr

/* Stack: vector, rip, cs, rflags, rsp, ss. */
        .balign 16
interrupt_entry:
        testb $3, 16(%rsp)
        jz 1f
        swapgs
        clac
        cld
        SAVE_REGISTERS
        movq %gs:KENV_SELF, %rdi
        popq %rsi
        popq CTX_RIP(%rdi)
        addq $8, %rsp
        popq CTX_RFLAGS(%rdi)
        popq CTX_RSP(%rdi)
        movq KENV_STACK(%rdi), %rsp
        xorl %ebp, %ebp
        call user_interrupt             /* does not return */

        /* From kernel code: the idle loop, at its hlt. */
1:      pushq %rax
        pushq %rcx
        pushq %rdx
        pushq %rsi
        pushq %rdi
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        pushq %rbx
        cld
        movq 80(%rsp), %rdi
        movq %rsp, %rbx
        andq $-16, %rsp
        call idle_interrupt
        movq %rbx, %rsp
        popq %rbx
        popq %r11
        popq %r10
        popq %r9
        popq %r8
        popq %rdi
        popq %rsi
        popq %rdx
        popq %rcx
        popq %rax
        addq $8, %rsp
        iretq

/* -- Back to user code with a whole context ----------------------------------------------------
 * [[noreturn]] void enter_user(KernelEnv*): gs is its record; the context has been made harmless
 * (context.cpp): an iretq that faults would be a kernel fault. */
        .globl enter_user
        .type enter_user, @function
enter_user:
        pushq $USER_DATA
        pushq CTX_RSP(%rdi)
        pushq CTX_RFLAGS(%rdi)
        pushq $USER_CODE
        pushq CTX_RIP(%rdi)
        movq CTX_RAX(%rdi), %rax
        movq CTX_RBX(%rdi), %rbx
        movq CTX_RCX(%rdi), %rcx
        movq CTX_RDX(%rdi), %rdx
        movq CTX_RSI(%rdi), %rsi
        movq CTX_RBP(%rdi), %rbp
        movq CTX_R8(%rdi), %r8
        movq CTX_R9(%rdi), %r9
        movq CTX_R10(%rdi), %r10
        movq CTX_R11(%rdi), %r11
        movq CTX_R12(%rdi), %r12
        movq CTX_R13(%rdi), %r13
        movq CTX_R14(%rdi), %r14
        movq CTX_R15(%rdi), %r15
        movq CTX_RDI(%rdi), %rdi
        swapgs
        iretq

/* [[noreturn]] void run_on_processor_stack(void* stack_top, void (*function)()) */
        .globl run_on_stack
        .type run_on_stack, @function
run_on_stack:
        movq %rdi, %rsp
        xorl %ebp, %ebp
        call *%rsi
        ud2

        .section .note.GNU-stack, "", @progbits
