// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/step.hpp"

#include "abi/syscalls.hpp"

namespace xok::kernel::testing {

Slots slots_of(const Step& step) {
  const auto& a = step.arguments;
  switch (static_cast<SyscallNumber>(step.number)) {
    case SyscallNumber::env_alloc:
    case SyscallNumber::region_create:
    case SyscallNumber::method_define:
    case SyscallNumber::method_delete:
    case SyscallNumber::region_read:
    case SyscallNumber::region_write:
    case SyscallNumber::region_delete:
    case SyscallNumber::page_set_acl:
    case SyscallNumber::page_acl_resize:
    case SyscallNumber::page_set_limits:
      return {.right = a[0]};
    case SyscallNumber::ipc_call:
    case SyscallNumber::ipc_send:
      return {.right = a[0] >> 32};
    case SyscallNumber::env_free:
    case SyscallNumber::env_set_context:
    case SyscallNumber::env_set_quota:
    case SyscallNumber::pages_request:
    case SyscallNumber::pages_repossess:
      return {.target = a[0] >> 32};
    case SyscallNumber::cap_release:
      return {.target = a[1] >> 32};
    case SyscallNumber::cap_forge:
    case SyscallNumber::pte_insert:
    case SyscallNumber::large_insert:
      return {.right = a[0], .target = a[3] >> 32};
    case SyscallNumber::pte_insert_range:
    case SyscallNumber::pte_fill:
      return {.right = a[0], .target = a[5] >> 32};
    case SyscallNumber::pte_modify_range:
      return {.right = a[4], .target = a[5] >> 32};
    case SyscallNumber::table_own:
      return {.right = a[0], .target = a[2] >> 32};
    case SyscallNumber::table_drop:
      return {.target = a[2] >> 32};
    case SyscallNumber::table_share:
    case SyscallNumber::table_fork:
      return {.target = a[2] >> 32, .other_target = a[3] >> 32};
    default:
      return {};
  }
}

}  // namespace xok::kernel::testing
