// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Entry of the first environment: rdi = boot bundle, rsi = its length, rsp = the kernel's stack for
// it. Calls rt_start(bundle, length), which does not return.
        .section .text.start, "ax"
        .globl  _start
        .type   _start, @function
_start:
        xor     %ebp, %ebp
        and     $-16, %rsp
        call    rt_start
        ud2
        .size   _start, . - _start
        .section .note.GNU-stack, "", @progbits
