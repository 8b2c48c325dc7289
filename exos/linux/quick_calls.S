// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Where a program's system call arrives first, unless calls are traced. A call whose result is a
// word of the process' entry in the shared table is answered here, on the program's stack, without
// saving anything: getpid, getuid and their kin. All others go on to rt_foreign_entry.
//
// quick_words (dispatch.cpp): for each call number 1 + the word's offset in Proc, or 0.
// rcx and r11 may be destroyed (exos/rt/upcalls.S). A signal that came meanwhile waits for the next
// call or slice: nothing here can have caused one.
// Budget: 9 instructions.
#include "exos/linux/quick_calls.h"

        .section .text.upcalls, "ax"
        .globl  linux_foreign_entry
        .type   linux_foreign_entry, @function
linux_foreign_entry:
        cmp     $QUICK_TABLE_SIZE, %rax
        jae     1f
        lea     quick_words(%rip), %rcx
        movzwl  (%rcx,%rax,2), %ecx
        test    %ecx, %ecx
        jz      1f
        mov     _ZN3xok4exos9g_processE(%rip), %r11     // Process::proc
        mov     -1(%r11,%rcx), %eax
        jmp     *%gs:UENV_FOREIGN_RIP
1:      lea     rt_foreign_entry(%rip), %rcx
        jmp     *%rcx
        .size   linux_foreign_entry, . - linux_foreign_entry

        .section .note.GNU-stack, "", @progbits
