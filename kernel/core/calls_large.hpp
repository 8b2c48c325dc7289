// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Large pages: 2 MiB mapped by one entry.
namespace xok::kernel::calls {

/// Stores one level-2 entry: maps 512 pages in a row, or unmaps them. Which ones is the
/// application's choice, out of the exposed page table. They stay 512 pages: each has its own ACL
/// and counts one mapping; other entries may map them one by one. The entry cannot be split or
/// changed in part: while it stands, pte_insert, pte_modify_range and table_share refuse addresses
/// below it. To change its bits, store it again.
///
/// page_cap  the caller's slot whose right is used; looked at only for a present entry
/// entry     0: unmaps. Otherwise bit 0 and kPteLarge set, and the number of the first page, a
///           multiple of 512 and not kAnyPage. Each page that is free is allocated as by
///           pte_insert, each that is in use needs Access to its ACL. Bits kept: as pte_insert
/// va        a multiple of 2 MiB, < kUserTop
/// Returns   the first page's number, 0 for entry 0
/// Errors    BadArgument    `va`; the entry's form; pages past the last one
///           BadCapability, Denied  as pte_insert, for any of the 512; boot module pages too
///           Busy           small pages, an application's not-present entries or a shared table are
///                          there; a page's limits
///           NoMemory       no free page for the tables (at most 2);  NoSpace  the account
/// Effects   an empty table in its place is freed. All translations are forgotten
/// Cost      512 checks, and zeroing each page taken: at most 2 MiB
/// Source    own
CallResult large_insert(Call& call, CapSlot page_cap, Pte entry, UserAddr va, Target target);

}  // namespace xok::kernel::calls
