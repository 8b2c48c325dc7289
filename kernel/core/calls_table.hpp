// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/core/call.hpp"

/// Calls that hand whole page tables from one address space to another.
///
/// In all of them: va is aligned to what the table spans, < kUserTop; level 1 is the table of 2
/// MiB, 2 of 1 GiB, 3 of 512 GiB.
namespace xok::kernel::calls {

/// Makes two environments hold one page-table page: all they map below it is then common to both,
/// now and later, until one of them ends.
///
/// source  Target: has the table;  destination  Target: its entry there is all zero
/// Errors  BadArgument  level or va;  NotFound  the source has no table there
///         Exists       the destination's entry is in use (or it is the same address space)
///         Busy         a table on the way, or this one, is frozen
///         NoMemory, NoSpace  tables above it (at most 2)
/// Effects the table's pages are counted in no environment's mapped_pages any more
/// Cost    constant, and zeroing each table taken
/// Source  own; stands where the original shares a page directory (env_clone)
CallResult table_share(Call& call, UserAddr va, Count level, Target source, Target destination);

/// Makes the destination see what the source has mapped below a table, as it is now: both hold the
/// table, frozen, and each gets its own with table_own. A whole process is forked by one call, for
/// the price of one entry.
///
/// Frozen: nothing below can be written by either, whatever its entries say, and all calls that
/// would change an entry below are refused as Busy.
///
/// source  Target: has the table;  destination  Target: its entry there is all zero
/// Errors  BadArgument  level or va;  NotFound  the source has no table there
///         Exists       the destination's entry is in use (or it is the same address space)
///         Busy         a table further up is frozen; this one was shared by table_share; somebody
///                      inside a protected method shows it that (level 3)
///         NoMemory, NoSpace  tables above it (at most 2)
/// Effects the table's pages are counted in no environment's mapped_pages until it is owned
/// Cost    constant, and zeroing each table taken
/// Source  own; the idea of copying tables on demand: Zhao, Gong, Fonseca, On-Demand-Fork (2021)
CallResult table_fork(Call& call, UserAddr va, Count level, Target source, Target destination);

/// Gives an environment the tables on the way to `va` for itself: those that others hold are
/// copied, the tables next to them stay frozen. Where a copy is made, all pages of the table become
/// read-only in both (pte_modify_range makes them writable again; a page whose reader limit is
/// reached is not in the copy). Who is left alone with a table keeps it as it is, less the write
/// permissions that `page_cap` does not give.
///
/// Returns  how many tables were unfrozen; 0 also where nothing is frozen
/// Errors   BadCapability;  BadArgument  va;  NoMemory, NoSpace  copies (at most 3)
///          Busy  somebody inside a protected method shows it the table of 512 GiB, which is frozen
/// Cost     about 500 instructions a table, and 15 for each of its entries
CallResult table_own(Call& call, CapSlot page_cap, UserAddr va, Target target);

/// Takes a table out of an environment's tree, with all that is mapped below it. What nobody else
/// holds is freed over the next timer interrupts, as by env_free; pages that go this way are not
/// counted as given back to a request (pages_request).
///
/// Errors  BadArgument  level or va;  NotFound  there is no table
///         Busy         one further up is frozen; somebody inside a protected method shows it this
///                      one (level 3)
/// Cost    constant
CallResult table_drop(Call& call, UserAddr va, Count level, Target target);

}  // namespace xok::kernel::calls
