// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Where a control transfer arrives: rax = kind, rdi = caller, rsi rdx r10 r8 r9 = message, rsp =
// IpcArea::stack, the other registers those of what was interrupted, if anything was. Ends with
// ipc_reply and a flag: kIpcDone, and the kernel puts the scratch registers back, while C++ has kept
// the others; or kIpcRest, and nothing is kept.
        .section .text.upcalls, "ax"

.macro  IPC_ENTRY name, flag
        .globl  \name
        .type   \name, @function
\name:
        push    %r9                     // struct IpcRequest lies at rsp
        push    %r8
        push    %r10
        push    %rdx
        push    %rsi
        push    %rdi
        push    %rax
        mov     %rsp, %rdi
        sub     $8, %rsp
        call    rt_ipc
        add     $8, %rsp
        pop     %rax
        pop     %rdi
        pop     %rsi
        pop     %rdx
        pop     %r10
        pop     %r8
        pop     %r9
        cmp     $2, %rax                // a send has no answer
        jne     1f
        xor     %edi, %edi
1:      bts     $31 + \flag, %rdi       // make_reply(flag, caller)
        mov     $0x584f0027, %eax
        syscall
        mov     $\flag, %edi            // refused: the caller is gone, nobody to answer
        shl     $32, %rdi
        mov     $0x584f0027, %eax
        syscall
        ud2
        .size   \name, . - \name
.endm

        IPC_ENTRY rt_ipc_entry, 1
        IPC_ENTRY rt_ipc_rest_entry, 2

        .section .note.GNU-stack, "", @progbits
