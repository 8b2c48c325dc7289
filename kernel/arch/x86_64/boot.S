/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Xok authors */

/* From the boot loader to C++.
 *
 * Two ways in, both in 32-bit protected mode without paging, interrupts off:
 *   PVH         (QEMU -kernel)   ebx = struct hvm_start_info
 *   Multiboot2  (GRUB)           eax = 0x36d76289, ebx = the tag list
 * There is no Multiboot1 header: QEMU would take it, and refuse a 64-bit image that has one.
 *
 * A first set of page tables maps the low 4 GiB with 2 MiB pages at three places: at their own
 * addresses (for the jump), at the direct map, and (1 GiB) at KERNEL_BASE. paging.cpp replaces them
 * within the first milliseconds.
 */
#include "layout.h"

#define PHYSICAL(symbol) (symbol - KERNEL_BASE)

        .section .note.pvh, "a", @note
        .align 4
        .long 4, 8, 18                  /* name length, value length, XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .quad pvh_entry

        .section .multiboot2, "a"
        .align 8
multiboot2_header:
        .long 0xe85250d6, 0             /* magic, i386 protected mode */
        .long multiboot2_end - multiboot2_header
        .long -(0xe85250d6 + 0 + (multiboot2_end - multiboot2_header))
        .align 8
        .short 3, 0                     /* entry address: the ELF entry is the PVH one */
        .long 12, multiboot2_entry
        .align 8
        .short 6, 0                     /* modules on page boundaries */
        .long 8
        .align 8
        .short 0, 0
        .long 8
multiboot2_end:

        .section .boot.text, "ax"
        .code32
        .globl pvh_entry
pvh_entry:
        xorl %eax, %eax
multiboot2_entry:
        cli
        cld
        movl $PHYSICAL(boot_stack_end), %esp
        movl %eax, %esi                 /* which protocol: 0 or the Multiboot2 magic */
        movl %ebx, %edi                 /* its information */

        movl $0x80000000, %eax
        cpuid
        cmpl $0x80000001, %eax
        jb no_long_mode
        movl $0x80000001, %eax
        cpuid
        btl $29, %edx
        jnc no_long_mode

        /* 4 GiB of 2 MiB pages: present, writable, large. */
        movl $PHYSICAL(boot_directories), %ebx
        movl $0x83, %eax
        xorl %ecx, %ecx
1:      movl %eax, (%ebx, %ecx, 8)
        addl $0x200000, %eax
        incl %ecx
        cmpl $2048, %ecx
        jne 1b

        movl $PHYSICAL(boot_pointers_low), %ebx
        movl $(PHYSICAL(boot_directories) + 3), %eax
        movl %eax, (%ebx)
        movl %eax, PHYSICAL(boot_pointers_high) + 510 * 8
        addl $0x1000, %eax
        movl %eax, 8(%ebx)
        addl $0x1000, %eax
        movl %eax, 16(%ebx)
        addl $0x1000, %eax
        movl %eax, 24(%ebx)

        movl $(PHYSICAL(boot_pointers_low) + 3), %eax
        movl %eax, PHYSICAL(boot_top)
        movl %eax, PHYSICAL(boot_top) + ((DIRECT_MAP_BASE >> 39) & 511) * 8
        movl $(PHYSICAL(boot_pointers_high) + 3), PHYSICAL(boot_top) + 511 * 8

        movl %cr4, %eax
        orl $0x20, %eax                 /* PAE */
        movl %eax, %cr4
        movl $PHYSICAL(boot_top), %eax
        movl %eax, %cr3
        movl $0xc0000080, %ecx          /* EFER: long mode */
        rdmsr
        orl $0x100, %eax
        wrmsr
        movl %cr0, %eax
        andl $~0x6000000c, %eax         /* caches on; no EM, no TS */
        orl $0x80010023, %eax           /* paging, write protect, NE, MP, PE */
        movl %eax, %cr0
        lgdtl boot_gdt_pointer
        ljmpl $KERNEL_CODE, $long_mode

no_long_mode:
        movl $no_long_mode_text, %esi
        movw $0x3f8, %dx
2:      lodsb
        testb %al, %al
        jz 3f
        outb %al, %dx
        jmp 2b
3:      movb $2, %al
        movw $0x501, %dx
        outb %al, %dx
4:      hlt
        jmp 4b

        .code64
long_mode:
        xorl %eax, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %eax, %fs
        movl %eax, %gs
        movq $processor_stack_end, %rsp
        xorl %ebp, %ebp
        movl %edi, %edi                 /* the upper halves are undefined after the switch */
        movl %esi, %esi
        movq $kernel_main, %rax
        call *%rax

no_long_mode_text:
        .asciz "Xok: this processor has no 64-bit mode.\n"
        .align 8
boot_gdt:
        .quad 0
        .quad 0x00af9b000000ffff        /* 64-bit code */
        .quad 0x00cf93000000ffff
boot_gdt_pointer:
        .short . - boot_gdt - 1
        .long boot_gdt

        .section .bss.boot, "aw", @nobits
        .align 4096
        .globl boot_top
boot_top:
        .skip 4096
boot_pointers_low:
        .skip 4096
boot_pointers_high:
        .skip 4096
boot_directories:
        .skip 4 * 4096
boot_stack:
        .skip 256
boot_stack_end:

/* The processor's stacks. Each has a page below it that paging.cpp leaves unmapped: an overflow is a
 * double fault, which has a stack of its own. */
        .section .bss.stacks, "aw", @nobits
        .align 4096
        .globl processor_stack_end, nmi_stack_end, double_fault_stack_end
        .globl machine_check_stack_end, debug_stack_end
.macro STACK name pages
\name\()_guard:
        .skip 4096
\name\():
        .skip \pages * 4096
\name\()_end:
.endm
        STACK processor_stack 8
        STACK nmi_stack 3
        STACK double_fault_stack 3
        STACK machine_check_stack 3
        STACK debug_stack 1

        .section .rodata
        .align 8
        .globl stack_guards
        /* Addresses of the guard pages, then 0. */
stack_guards:
        .quad processor_stack_guard, nmi_stack_guard, double_fault_stack_guard
        .quad machine_check_stack_guard, debug_stack_guard, 0

        .section .note.GNU-stack, "", @progbits
