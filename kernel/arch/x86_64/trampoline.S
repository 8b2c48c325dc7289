/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Xok authors */

/* How another processor gets from its reset to C++ (processors.cpp).
 *
 * A startup message makes it run at a page below 1 MiB, in real mode. This code is copied there. It
 * borrows the boot's first page tables (boot.S), which map the page at its own address, for the
 * jump into the kernel's image, and there takes the kernel's tables and a stack of its own.
 */
#include "layout.h"

        .section .rodata.trampoline, "a"
        .globl trampoline_begin, trampoline_end, trampoline_gdt_base, trampoline_far
        .globl trampoline_first_table, trampoline_kernel_table, trampoline_stack
        .globl trampoline_argument
#define IN_PAGE(symbol) (symbol - trampoline_begin)

        .balign 16
        .code16
trampoline_begin:
        cli
        cld
        movw %cs, %ax
        movw %ax, %ds
        lgdtl IN_PAGE(trampoline_gdt_pointer)
        movl $0x20, %eax                /* PAE */
        movl %eax, %cr4
        movl IN_PAGE(trampoline_first_table), %eax
        movl %eax, %cr3
        movl $0xc0000080, %ecx          /* EFER: long mode, no-execute */
        rdmsr
        orl $0x900, %eax
        wrmsr
        movl %cr0, %eax
        andl $~0x6000000c, %eax         /* as in boot.S */
        orl $0x80010023, %eax
        movl %eax, %cr0
        ljmpl *IN_PAGE(trampoline_far)

        .code64
        .globl trampoline_long
trampoline_long:
        xorl %eax, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %eax, %fs
        movl %eax, %gs
        movq trampoline_kernel_table(%rip), %rax
        movq trampoline_stack(%rip), %rdx
        movq trampoline_argument(%rip), %rdi
        movq $processor_start, %rcx
        jmp *%rcx

        .balign 8
trampoline_gdt:
        .quad 0
        .quad 0x00af9b000000ffff        /* 64-bit code */
trampoline_gdt_pointer:
        .short . - trampoline_gdt - 1
trampoline_gdt_base:
        .long 0
trampoline_far:
        .long 0
        .short KERNEL_CODE
trampoline_first_table:
        .long 0
        .balign 8
trampoline_kernel_table:
        .quad 0
trampoline_stack:
        .quad 0
trampoline_argument:
        .quad 0
trampoline_end:

        .section .text.processor_start, "ax"
processor_start:
        movq %rax, %cr3
        movq %rdx, %rsp
        xorl %ebp, %ebp
        call processor_main             /* does not return */
        ud2

        .section .note.GNU-stack, "", @progbits
