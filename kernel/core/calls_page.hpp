// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls about what guards pages: the rest of their ACLs, limits on mappings, and who pays.
namespace xok::kernel::calls {

/// Changes how many entries a page's ACL has. The entries that stay keep their positions; new ones
/// are empty. Beyond kPageAclEntries they stand in a kernel page of their own, which the caller's
/// account pays for until the page is freed or the ACL shrinks back.
///
/// cap     needs Modify on the page's ACL
/// page    a page in use (User or BootModule)
/// size    kPageAclEntries to kMaxPageAcl
/// Errors  BadArgument  page out of range, size too small;  TooBig  size
///         BadCapability; Denied  as `access`; the page is not one that has an ACL
///         NoMemory, NoSpace  no page for the extension: free, in the account
/// Cost    O(size); each later check of the page's ACL O(size) when the first entry does not fit
/// Source  original sys_pgacl_setsize (CAP-9)
CallResult page_acl_resize(Call& call, CapSlot cap, PageIndex page, Count size);

/// Maps fresh pages in a row, all with the same bits: zeroed, or each with a copy of another page.
/// That is n times what a pte_insert of any page does and, for a copy, a mapping of it for the
/// caller, the copying, and the end of that mapping: the kernel has to fill a fresh page in any
/// case. All is checked before the first is mapped.
///
/// page_cap  the caller's slot whose right is used: Allocate, and Write if the entry is writable
/// entry     the bits of a present entry, its page number kAnyPage
/// va, n     page-aligned, 1 to kMaxFill pages, within one level-1 table, < kUserTop
/// source    kFillZero, or the user address of n pages to copy, as the caller sees them now;
///           page-aligned, < kUserTop. It may be `va` of the caller itself, but not overlap it in
///           part
/// Returns   the number of the first page
/// Errors    BadArgument   an address or n; a range that leaves its table; a partial overlap; the
///                         entry is not present or names a page
///           NotSupported  kPteLarge
///           Fault         the caller has nothing mapped at some page of the source
///           BadCapability, Denied  for page_cap
///           Busy, NoMemory, NoSpace  as pte_insert
/// Effects   on what the entries mapped before: as pte_insert
/// Cost      about 300 instructions, and for each page 150, and clearing (135) or copying (330)
/// Source    own: what first touches, copy-on-write and fork do most
CallResult pte_fill(Call& call, CapSlot page_cap, Pte entry, UserAddr va, Count n, UserAddr source,
                    Target target);

/// Reads a page's ACL: names are no secrets, and the inline entries are exposed anyway.
///
/// page     a page in use (User or BootModule);  first  the first position
/// entries  user address of n words, Capability::bits() each; what lies past the end is not written
/// n        at most kMaxPageAcl
/// Returns  the number of positions the ACL has
/// Errors   BadArgument  page out of range;  TooBig  n;  Denied  the page has no ACL;  Fault
/// Cost     O(n)
/// Source   original sys_pgacl_read
CallResult page_acl_read(Call& call, PageIndex page, Count first, UserAddr entries, Count n);

/// Limits how many entries of page tables may map a page, and map it writable.
///
/// cap      needs Modify on the page's ACL
/// readers, writers  0 none, 1 one, 2 any number. An entry of a table that several environments
///          share (table_share) counts once
/// Errors   BadArgument  page or a limit out of range
///          BadCapability; Denied  as `access`; the page is not one that has an ACL
///          Busy         more entries map it now
/// Cost     O(size of the ACL)
/// Source   original sys_pstate_mod (MEM-6). differs: needs Modify, not just any entry of the ACL
CallResult page_set_limits(Call& call, CapSlot cap, PageIndex page, Count readers, Count writers);

/// Limits the pages of another environment and all it makes, and says what repossession leaves it.
/// An environment starts in its maker's account. This call moves it to an account of its own below
/// that; once it has one, it changes the limit. What it has already stays with the account that
/// paid; a limit below what is used only stops further allocation.
///
/// target     not the caller. Its account is the caller's, or below the caller's
/// limit      pages, tables included; kUnlimited: only the accounts above limit
/// guarantee  Env::guaranteed, at most the caller's own
/// Errors     BadArgument  the caller itself; guarantee
///            Denied       its account is neither the caller's nor below
///            NoSpace      kMaxAccounts, kMaxAccountDepth
/// Cost       O(kMaxAccounts) when it makes an account, else O(kMaxAccountDepth)
/// Source     own
CallResult env_set_quota(Call& call, Target target, Count limit, Count guarantee);

}  // namespace xok::kernel::calls
