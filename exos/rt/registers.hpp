// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

namespace xok::rt {

/// The program's registers as the upcall entries push them: the first 18 words of abi Context.
struct Registers {
  std::uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rip, rsp, rflags;
};
static_assert(sizeof(Registers) == 144);

// One image: nothing is looked up through a table.
#pragma GCC visibility push(hidden)

/// Continues with exactly these registers, flags included. Must not be used inside an upcall.
extern "C" [[noreturn]] void rt_resume(const Registers* registers);

// The entries to put into the Uenv, and the C++ functions that they call. The functions are the
// libOS'; they may change the registers, which are then what the program continues with.
extern "C" void rt_foreign_entry();      ///< -> rt_foreign_call: a foreign system call
extern "C" void rt_fault_entry();        ///< -> rt_fault: an exception
extern "C" void rt_slice_start_entry();  ///< -> rt_slice_start: after a forced switch
extern "C" void rt_pages_entry();        ///< -> rt_pages: Uenv::pages_wanted are to be given back

/// Returns the value for rax. Runs on the stack at library[kStackTopWord]; the frame is at its top.
extern "C" std::uint64_t rt_foreign_call(Registers* registers);
extern "C" void rt_fault(Registers* registers);
extern "C" void rt_slice_start(Registers* registers);
extern "C" void rt_pages(Registers* registers);

/// Copies n bytes, each of which may be in memory of the program that cannot be touched. Returns
/// how many bytes were not copied (0: all). Neither side may be null-checked away: a fault the
/// libOS cannot resolve ends the copy.
extern "C" std::uint64_t rt_user_copy(void* to, const void* from, std::uint64_t n);
/// First and last address of rt_user_copy's loops, and where a fault in them continues.
extern "C" const char rt_user_copy_begin[];
extern "C" const char rt_user_copy_end[];
extern "C" const char rt_user_copy_fault[];

/// Vector and floating-point state, 832 bytes, 64-byte aligned.
struct alignas(64) VectorState {
  std::uint8_t bytes[832];
};
extern "C" void rt_save_vectors(VectorState* to);
extern "C" void rt_restore_vectors(const VectorState* from);

#pragma GCC visibility pop

}  // namespace xok::rt
