// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <cstddef>

#include "exos/rt/offsets.h"
#include "exos/rt/registers.hpp"
#include "exos/rt/self.hpp"

// The assembly's view of the structures, held against the compiler's.
namespace xok::rt {

static_assert(UENV_FOREIGN_RIP == offsetof(Uenv, foreign_rip));
static_assert(UENV_FAULT_DEPTH == offsetof(Uenv, fault_depth));
static_assert(UENV_FAULT_RIP == offsetof(Uenv, fault.rip));
static_assert(UENV_FAULT_RSP == offsetof(Uenv, fault.rsp));
static_assert(UENV_FAULT_RFLAGS == offsetof(Uenv, fault.rflags));
static_assert(UENV_FAULT_RAX == offsetof(Uenv, fault.rax));
static_assert(UENV_FAULT_RCX == offsetof(Uenv, fault.rcx));
static_assert(UENV_FAULT_RDX == offsetof(Uenv, fault.rdx));
static_assert(UENV_START_RIP == offsetof(Uenv, slice_start.rip));
static_assert(UENV_START_RSP == offsetof(Uenv, slice_start.rsp));
static_assert(UENV_START_RFLAGS == offsetof(Uenv, slice_start.rflags));
static_assert(UENV_START_ACTIVE == offsetof(Uenv, slice_start_active));
static_assert(UENV_REVOKE_RIP == offsetof(Uenv, revocation.save.rip));
static_assert(UENV_REVOKE_RSP == offsetof(Uenv, revocation.save.rsp));
static_assert(UENV_REVOKE_RFLAGS == offsetof(Uenv, revocation.save.rflags));
static_assert(UENV_REVOKE_ACTIVE == offsetof(Uenv, revocation.active));
static_assert(LIB_STACK_TOP == library_offset(kStackTopWord));
static_assert(LIB_FOREIGN_RSP == library_offset(kForeignRspWord));
static_assert(LIB_RESUME_RIP == library_offset(kResumeRipWord));
static_assert(LIB_RESUME_RSP == library_offset(kResumeRspWord));
static_assert(REG_RAX == offsetof(Registers, rax));
static_assert(REG_RIP == offsetof(Registers, rip));
static_assert(REG_RSP == offsetof(Registers, rsp));
static_assert(REG_RFLAGS == offsetof(Registers, rflags));
static_assert(REG_SIZE == sizeof(Registers));

}  // namespace xok::rt
