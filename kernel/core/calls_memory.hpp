// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about memory: page-table entries and page ACLs. A Target's errors are those of
/// Call::target.
///
/// What is kept of a present entry: present, writable, accessed, dirty, no-execute, the software
/// bits, the page number, and of the caching bits those in SystemInfo::caching_bits; the user bit
/// is forced, all else cleared. Large pages have a call of their own (calls_large.hpp).
namespace xok::kernel::calls {

/// Stores one page-table entry.
///
/// page_cap  the caller's slot whose right is used; looked at only for a present entry
/// entry     bit 0 clear: unmaps and stores all other bits as they are, they are the application's.
///           bit 0 set: maps the page named. kAnyPage: a free one. A page that is free is
///           allocated: zeroed, with page_cap's value as its first ACL entry; that needs Allocate,
///           and Write if the entry is writable. A page that is in use needs Access to its ACL,
///           with Write if the entry is writable
/// va        page-aligned, < kUserTop
/// Returns   the page number, 0 for an entry that is not present
/// Errors    BadArgument    `va` misplaced; the page number is past the last page
///           NotSupported   kPteLarge in a present entry
///           BadCapability  as `access`
///           Denied         as `access`; a kernel or page-table page, no memory, or a writable boot
///                          module page
///           Busy           the page's limits; a large page is there
///           NoMemory       no free page, for itself or for page tables (at most 3)
///           NoSpace        the account that pays for them (env_set_quota)
/// Effects   what the entry mapped before is unmapped, and freed if that was its last use. No
///           processor can use the old translation when the call returns
/// Cost      about 610 instructions, and zeroing each page taken
/// Source    original sys_insert_pte (MEM-1, MEM-2). differs: zeroes; needs Allocate
CallResult pte_insert(Call& call, CapSlot page_cap, Pte entry, UserAddr va, Target target);

/// pte_insert for consecutive pages from `va`: entries[*done] to entries[n - 1].
///
/// entries  user address of n entries
/// n        at most kMaxRange
/// done     user address of a 64-bit count; says on return how many are done, so that after an
///          error the same call goes on where it stopped
/// Returns  0 when all are done
/// Errors   TooBig       n > kMaxRange
///          BadArgument  the range leaves the user half; *done > n; entries misaligned
///          Fault        `entries` or `done` is not mapped with the needed access
///          otherwise as pte_insert, for the entry that *done names
/// Cost     O(n): for each entry as pte_insert, without the crossing
CallResult pte_insert_range(Call& call, CapSlot page_cap, UserAddr entries, Count n, UserAddr va,
                            UserAddr done, Target target);

/// Adds and removes bits in the entries of n consecutive pages. Where no page table is, nothing
/// happens. All entries are checked before the first is changed.
///
/// va, n     page-aligned; n at most kMaxRange; below kUserTop
/// add       of writable, accessed, dirty, no-execute, software
/// remove    of the same; a bit in both ends set
/// page_cap  its right is needed, Write on each page's ACL, where an entry becomes writable
/// Errors    TooBig       n > kMaxRange
///           BadArgument  another bit in add or remove; the range
///           BadCapability, Denied  for page_cap
///           Busy         a page's writer limit; a large page or a frozen table is in the range
/// Cost      about 400 instructions; of many, 20 for each entry, twice that if it becomes writable
/// Source    original sys_mod_pte_range (MEM-4)
CallResult pte_modify_range(Call& call, UserAddr va, Count n, PteBits add, PteBits remove,
                            CapSlot page_cap, Target target);

/// Writes one entry of a page's ACL. Mappings that exist stay.
///
/// cap       needs Modify on the page's ACL
/// page      a page in use (User or BootModule)
/// position  below the ACL's size: kPageAclEntries, unless page_acl_resize has changed it
/// value     Capability::bits(); not valid: clears the entry (not entry 0)
/// Errors    BadArgument  page or position out of range, a pointer, entry 0 made invalid
///           BadCapability; Denied  as `access`; the page is not one that has an ACL
/// Cost      O(size of the ACL)
/// Source    original sys_pgacl_mod (CAP-9)
CallResult page_set_acl(Call& call, CapSlot cap, PageIndex page, Count position, CapBits value);

}  // namespace xok::kernel::calls
