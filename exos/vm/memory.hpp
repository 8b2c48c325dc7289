// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "exos/vm/region.hpp"

/// The address space of a process: mappings, faults, copy-on-write. All of it application-level:
/// the kernel is only asked to change page-table entries.
namespace xok::exos {

/// The regions of this process.
RegionTable regions();

/// Adds a region and holds its file. Nothing is mapped yet: pages come with the first touch.
/// Errors  Exists (overlap), NoSpace (too many regions)
Result<> add_region(const Region& region);

/// Unmaps [start, end), cutting regions as needed. Errors  NoSpace
Result<> remove_range(std::uint64_t start, std::uint64_t end);

/// Changes the protection of [start, end), all of which must be mapped.
/// Errors  NoMemory (a hole), Denied (writable shared mapping of a read-only file), NoSpace
Result<> protect_range(std::uint64_t start, std::uint64_t end, std::uint32_t protection);

/// Gives back the pages of [start, end) and keeps the regions (madvise DONTNEED).
void discard_range(std::uint64_t start, std::uint64_t end);

/// Moves the pages of a range to another, not mapped one (mremap).
Result<> move_range(std::uint64_t from, std::uint64_t to, std::uint64_t length);

/// Unmaps everything of the program.
void remove_all_regions();

enum class FaultOutcome : std::uint8_t {
  Resolved,
  NotMapped,   ///< SIGSEGV, SEGV_MAPERR
  NotAllowed,  ///< SIGSEGV, SEGV_ACCERR
  PastEnd,     ///< SIGBUS: behind the end of the file
  NoMemory,    ///< SIGBUS here; Linux would kill somebody
};

enum class Access : std::uint8_t { Read, Write, Execute };

/// Makes the page at `address` accessible, if the regions allow it. Runs on the fault stack.
FaultOutcome resolve_fault(std::uint64_t address, Access access);

/// Faults on ExOS' own private windows: stack and tables grow on demand.
bool resolve_private_fault(std::uint64_t address);

/// Makes [address, address + length) present, in memory of the program, so that the library can use
/// it as its own. False: some byte is not accessible (EFAULT).
bool touch_readable(std::uint64_t address, std::uint64_t length);
bool touch_writable(std::uint64_t address, std::uint64_t length);

/// The parent's side of fork: gives `target` (an environment without program mappings, named with
/// its capability slot) all pages of the program, by frozen page tables: each copies what it
/// writes.
Result<> share_program_pages(std::uint64_t target);

/// For the child: its page tables are frozen.
void note_fork();

/// Bytes mapped by regions, and present pages, for /proc.
std::uint64_t virtual_bytes();

}  // namespace xok::exos
