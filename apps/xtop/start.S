// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Entry of a Linux program: rsp points at argc, argv follows. Calls xtop_main(stack).
        .section .text.start, "ax"
        .globl  _start
        .type   _start, @function
_start:
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        and     $-16, %rsp
        call    xtop_main
        ud2
        .size   _start, . - _start
        .section .note.GNU-stack, "", @progbits
