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

/// Maps a fresh page that holds a copy of another: what a pte_insert of any page, a mapping of it
/// for the caller, the copying and the end of that mapping would do. The kernel has to fill a fresh
/// page in any case.
///
/// page_cap  the caller's slot whose right is used: Allocate, and Write if the entry is writable
/// entry     the bits of a present entry, its page number kAnyPage
/// va        page-aligned, < kUserTop
/// source    user address of the page copied, as the caller sees it now; page-aligned. `va` of the
///           caller itself is allowed
/// Returns   the page number
/// Errors    BadArgument   an address misplaced; the entry is not present or names a page
///           NotSupported  kPteLarge
///           Fault         the caller has nothing mapped at `source`, or it is not below kUserTop
///           BadCapability, Denied  for page_cap
///           Busy, NoMemory, NoSpace  as pte_insert
/// Effects   on what the entry mapped before: as pte_insert
/// Cost      about 350 instructions, and 265 for the copy
/// Source    own: what copy-on-write and fork do most
CallResult pte_copy(Call& call, CapSlot page_cap, Pte entry, UserAddr va, UserAddr source,
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
