// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Upcall entries: how control comes from the kernel into the library, and goes back to the program
// without the kernel. gs points at the Uenv throughout (exos/rt/self.hpp).
#include "exos/rt/offsets.h"

        .section .text.upcalls, "ax"

.macro push_general                     // r15 .. rax, so that Registers lies at rsp
        push    %r15
        push    %r14
        push    %r13
        push    %r12
        push    %r11
        push    %r10
        push    %r9
        push    %r8
        push    %rbp
        push    %rdi
        push    %rsi
        push    %rdx
        push    %rcx
        push    %rbx
        push    %rax
.endm

.macro pop_general
        pop     %rax
        pop     %rbx
        pop     %rcx
        pop     %rdx
        pop     %rsi
        pop     %rdi
        pop     %rbp
        pop     %r8
        pop     %r9
        pop     %r10
        pop     %r11
        pop     %r12
        pop     %r13
        pop     %r14
        pop     %r15
.endm

// A foreign call: rcx = this address, r11 = flags, rsp = the program's, return address in the Uenv;
// everything else as the program left it. The program expects all registers back but rax, rcx, r11.
// Budget: 44 instructions around rt_foreign_call.
        .globl  rt_foreign_entry
        .type   rt_foreign_entry, @function
rt_foreign_entry:
        mov     %rsp, %gs:LIB_FOREIGN_RSP
        mov     %gs:LIB_STACK_TOP, %rsp
        push    %r11
        push    %gs:LIB_FOREIGN_RSP
        push    %gs:UENV_FOREIGN_RIP
        push_general
        cld
        mov     %rsp, %rdi
        call    rt_foreign_call
        add     $8, %rsp                // rax holds the result
        pop     %rbx
        add     $8, %rsp                // rcx may be destroyed
        pop     %rdx
        pop     %rsi
        pop     %rdi
        pop     %rbp
        pop     %r8
        pop     %r9
        pop     %r10
        add     $8, %rsp                // so may r11
        pop     %r12
        pop     %r13
        pop     %r14
        pop     %r15
        pop     %rcx
        pop     %rsp
        jmp     *%rcx
        .size   rt_foreign_entry, . - rt_foreign_entry

// An exception: rax, rcx, rdx are in the Uenv, rsp = fault_stack. Budget: 50 instructions.
        .globl  rt_fault_entry
        .type   rt_fault_entry, @function
rt_fault_entry:
        push    %gs:UENV_FAULT_RFLAGS
        push    %gs:UENV_FAULT_RSP
        push    %gs:UENV_FAULT_RIP
        mov     %gs:UENV_FAULT_RAX, %rax
        mov     %gs:UENV_FAULT_RCX, %rcx
        mov     %gs:UENV_FAULT_RDX, %rdx
        push_general
        cld
        mov     %rsp, %rdi
        call    rt_fault
        mov     REG_RIP(%rsp), %rax
        mov     %rax, %gs:UENV_FAULT_RIP
        mov     REG_RSP(%rsp), %rax
        mov     %rax, %gs:UENV_FAULT_RSP
        pop_general
        add     $16, %rsp
        movq    $0, %gs:UENV_FAULT_DEPTH
        popfq
        mov     %gs:UENV_FAULT_RSP, %rsp
        jmp     *%gs:UENV_FAULT_RIP
        .size   rt_fault_entry, . - rt_fault_entry

// What a slice begins with: the rest is as it was, but rip, rsp and rflags are in the Uenv, at offsets
// rip, rsp, rflags; `active` is 1 until it is over. rsp = the stack for it. handler(Registers*).
.macro at_slice_start handler, rip, rsp, rflags, active
        push    %gs:\rflags
        push    %gs:\rsp
        push    %gs:\rip
        push_general
        cld
        mov     %rsp, %rdi
        call    \handler
        mov     REG_RIP(%rsp), %rax
        mov     %rax, %gs:\rip
        mov     REG_RSP(%rsp), %rax
        mov     %rax, %gs:\rsp
        pop_general
        add     $16, %rsp
        movq    $0, %gs:\active
        popfq
        mov     %gs:\rsp, %rsp
        jmp     *%gs:\rip
.endm

// The start of a slice after a forced switch: rsp = slice_start_stack.
        .globl  rt_slice_start_entry
        .type   rt_slice_start_entry, @function
rt_slice_start_entry:
        at_slice_start rt_slice_start, UENV_START_RIP, UENV_START_RSP, UENV_START_RFLAGS, UENV_START_ACTIVE
        .size   rt_slice_start_entry, . - rt_slice_start_entry

// A request for pages: rsp = revocation.stack. In a section of its own: left out where nobody names it.
        .section .text.rt_pages_entry, "ax"
        .globl  rt_pages_entry
        .type   rt_pages_entry, @function
rt_pages_entry:
        at_slice_start rt_pages, UENV_REVOKE_RIP, UENV_REVOKE_RSP, UENV_REVOKE_RFLAGS, UENV_REVOKE_ACTIVE
        .size   rt_pages_entry, . - rt_pages_entry
        .section .text.upcalls, "ax"

// void rt_resume(const Registers*): rdi points at them, on a stack that stays until the jump.
        .globl  rt_resume
        .type   rt_resume, @function
rt_resume:
        mov     %rdi, %rsp
        mov     REG_RIP(%rsp), %rax
        mov     %rax, %gs:LIB_RESUME_RIP
        mov     REG_RSP(%rsp), %rax
        mov     %rax, %gs:LIB_RESUME_RSP
        pop_general
        add     $16, %rsp
        popfq
        mov     %gs:LIB_RESUME_RSP, %rsp
        jmp     *%gs:LIB_RESUME_RIP
        .size   rt_resume, . - rt_resume

// uint64_t rt_user_copy(void* to /*rdi*/, const void* from /*rsi*/, uint64_t n /*rdx*/)
// 64 bytes a round in 19 instructions. After a fault the result counts the whole round that failed
// as not copied.
        .globl  rt_user_copy, rt_user_copy_begin, rt_user_copy_end, rt_user_copy_fault
        .type   rt_user_copy, @function
rt_user_copy:
rt_user_copy_begin:
        sub     $64, %rdx
        jb      2f
1:      mov     (%rsi), %rax
        mov     8(%rsi), %rcx
        mov     16(%rsi), %r8
        mov     24(%rsi), %r9
        mov     %rax, (%rdi)
        mov     %rcx, 8(%rdi)
        mov     %r8, 16(%rdi)
        mov     %r9, 24(%rdi)
        mov     32(%rsi), %rax
        mov     40(%rsi), %rcx
        mov     48(%rsi), %r8
        mov     56(%rsi), %r9
        mov     %rax, 32(%rdi)
        mov     %rcx, 40(%rdi)
        mov     %r8, 48(%rdi)
        mov     %r9, 56(%rdi)
        add     $64, %rsi
        add     $64, %rdi
        sub     $64, %rdx
        jae     1b
2:      add     $64, %rdx
        sub     $8, %rdx
        jb      4f
3:      mov     (%rsi), %rax
        mov     %rax, (%rdi)
        add     $8, %rsi
        add     $8, %rdi
        sub     $8, %rdx
        jae     3b
4:      add     $8, %rdx
        jz      6f
5:      movzbl  (%rsi), %eax
        mov     %al, (%rdi)
        inc     %rsi
        inc     %rdi
        dec     %rdx
        jnz     5b
6:      mov     %rdx, %rax
        ret
rt_user_copy_end:
// Continues here after a fault that cannot be resolved. In loop 1 rdx is 64 short, in loop 3 it is
// 8 short, in loop 5 it is right; the fault handler tells which by loading r10 = faulting rip.
rt_user_copy_fault:
        lea     2b(%rip), %rax
        cmp     %rax, %r10
        jae     7f
        add     $64, %rdx
        jmp     9f
7:      lea     4b(%rip), %rax
        cmp     %rax, %r10
        jae     9f
        add     $8, %rdx
9:      mov     %rdx, %rax
        ret
        .size   rt_user_copy, . - rt_user_copy

// void rt_save_vectors(VectorState*), void rt_restore_vectors(const VectorState*): x87, SSE, AVX.
        .globl  rt_save_vectors, rt_restore_vectors
rt_save_vectors:
        mov     $7, %eax
        xor     %edx, %edx
        xsave64 (%rdi)
        ret
rt_restore_vectors:
        mov     $7, %eax
        xor     %edx, %edx
        xrstor64 (%rdi)
        ret

        .section .note.GNU-stack, "", @progbits
