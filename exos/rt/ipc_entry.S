// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Where a control transfer arrives: rax = kind, rdi = caller, rsi rdx r10 r8 r9 = message, rsp =
// IpcArea::stack, the other registers those of what was interrupted. Ends with ipc_reply(kIpcDone):
// the kernel puts the scratch registers back, C++ has kept the others.
        .section .text.upcalls, "ax"
        .globl  rt_ipc_entry
        .type   rt_ipc_entry, @function
rt_ipc_entry:
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
1:      bts     $32, %rdi               // make_reply(kIpcDone, caller)
        mov     $0x584f0027, %eax
        syscall
        mov     $1, %edi                // refused: the caller is gone, nobody to answer
        shl     $32, %rdi
        mov     $0x584f0027, %eax
        syscall
        ud2
        .size   rt_ipc_entry, . - rt_ipc_entry
        .section .note.GNU-stack, "", @progbits
