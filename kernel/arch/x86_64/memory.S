/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Xok authors */

/* Moving and clearing bytes. The measure is instructions: eight bytes a step by `rep movsq` (in the
 * emulator each step counts as one; on hardware it is microcoded and fast), never byte by byte. */

        .section .text.memory, "ax"

/* One entry of the table that kernel_trap searches: a fault at `at` continues at `to`. */
.macro FIXUP at, to
        .pushsection .fixups, "a"
        .quad \at, \to
        .popsection
.endm

/* bool copy_user_bytes(void* to, const void* from, size_t n)
 * One side is user memory (the caller has checked the range). False when a byte could not be
 * touched; those before it may have been copied. */
        .globl copy_user_bytes
        .type copy_user_bytes, @function
copy_user_bytes:
        stac
        movq %rdx, %rcx
        shrq $3, %rcx
1:      rep movsq
        movl %edx, %ecx
        andl $7, %ecx
        jz 3f
2:      rep movsb
3:      clac
        movl $1, %eax
        ret
4:      clac
        xorl %eax, %eax
        ret
        FIXUP 1b, 4b
        FIXUP 2b, 4b

/* void* memcpy(void* to, const void* from, size_t n) */
        .globl memcpy
        .type memcpy, @function
memcpy:
        movq %rdi, %rax
        movq %rdx, %rcx
        shrq $3, %rcx
        rep movsq
        movl %edx, %ecx
        andl $7, %ecx
        jz 1f
        rep movsb
1:      ret

/* void* memset(void* to, int value, size_t n) */
        .globl memset
        .type memset, @function
memset:
        movq %rdi, %r8
        movzbl %sil, %eax
        movabsq $0x0101010101010101, %rcx
        imulq %rcx, %rax
        movq %rdx, %rcx
        shrq $3, %rcx
        rep stosq
        movl %edx, %ecx
        andl $7, %ecx
        jz 1f
        rep stosb
1:      movq %r8, %rax
        ret

/* void zero_page_plain(void* page) */
        .globl zero_page_plain
        .type zero_page_plain, @function
zero_page_plain:
        xorl %eax, %eax
        movl $512, %ecx
        rep stosq
        ret

/* void zero_page_vector(void* page): 32 bytes a store, 135 instructions. One vector register is
 * the user's and is put back whole; so only where no wider registers are enabled. */
        .globl zero_page_vector
        .type zero_page_vector, @function
zero_page_vector:
        subq $40, %rsp
        vmovdqu %ymm0, (%rsp)
        vpxor %xmm0, %xmm0, %xmm0
        .set offset, 0
        .rept 128
        vmovdqa %ymm0, offset(%rdi)
        .set offset, offset + 32
        .endr
        vmovdqu (%rsp), %ymm0
        addq $40, %rsp
        ret

/* void copy_page_plain(void* to, const void* from) */
        .globl copy_page_plain
        .type copy_page_plain, @function
copy_page_plain:
        movl $512, %ecx
        rep movsq
        ret

/* void copy_page_vector(void* to, const void* from): 64 bytes by two registers, which are treated as
 * there. */
        .globl copy_page_vector
        .type copy_page_vector, @function
copy_page_vector:
        subq $72, %rsp
        vmovdqu %ymm0, (%rsp)
        vmovdqu %ymm1, 32(%rsp)
        .set offset, 0
        .rept 64
        vmovdqa offset(%rsi), %ymm0
        vmovdqa offset+32(%rsi), %ymm1
        vmovdqa %ymm0, offset(%rdi)
        vmovdqa %ymm1, offset+32(%rdi)
        .set offset, offset + 64
        .endr
        vmovdqu (%rsp), %ymm0
        vmovdqu 32(%rsp), %ymm1
        addq $72, %rsp
        ret

        .section .note.GNU-stack, "", @progbits
