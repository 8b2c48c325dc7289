// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/capability.hpp"

/// Environments: the kernel's half (`Env`, exposed read-only to all) and the owner's (`Uenv`).
namespace xok {

inline constexpr std::size_t kMaxEnvironments = 1024;

/// Names an environment: (generation << 10) | index. A stale id is refused. 0 = the caller.
using EnvId = std::uint32_t;
inline constexpr EnvId kSelf = 0;
inline constexpr std::uint32_t kEnvIndexMask = kMaxEnvironments - 1;
constexpr std::uint32_t env_index(EnvId id) { return id & kEnvIndexMask; }

enum class EnvStatus : std::uint32_t {
  Free = 0,
  Runnable = 1,
  Sleeping = 2,  ///< runs again when its wakeup predicate holds
  Calling = 4,   ///< waits for the reply of a control transfer (ipc_call)
  Resting = 5,   ///< waits for the next control transfer into it (ipc_reply with kIpcRest)
  Dead = 3,      ///< killed by the kernel; `death` says why; the slot is freed by env_free
};

/// Why the kernel ended an environment.
enum class DeathReason : std::uint32_t {
  None = 0,
  NoFaultEntry,       ///< a fault, and no entry to handle it
  FaultInFaultEntry,  ///< a fault inside the double-fault entry, or no such entry
  SliceOverrun,       ///< kept the processor after the slice end in spite of forced switches
  Killed,             ///< env_free by a holder of its capability
};

/// Registers of an environment that does not run. `env_set_context` takes one.
struct Context {
  std::uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rip, rsp, rflags;
  std::uint64_t fs_base, gs_base;
};
static_assert(sizeof(Context) == 160);

/// The kernel's record of one environment: exposed in the window, written by the kernel only.
struct Env {
  EnvId id;  ///< 0 while free
  EnvStatus status;
  DeathReason death;
  std::uint32_t address_space;  ///< index of the first environment that shares it
  std::uint64_t uenv_address;   ///< where the Uenv is mapped in its own address space
  std::uint64_t uenv_page;      ///< physical page of the Uenv
  std::uint64_t table_page;     ///< physical page of the top-level page table
  std::uint64_t run_cycles;     ///< cycle-counter ticks spent running
  std::uint64_t switches;       ///< times it was given the processor
  std::uint64_t faults;         ///< exceptions passed to it
  std::uint64_t calls;          ///< kernel calls made
  std::uint64_t overruns;       ///< slice ends it did not answer in time
  // Counts of the address space, kept by the one environment that `address_space` names (0 in its
  // other threads). Tables that were ever shared (table_share), and what they map, are left out.
  std::uint64_t mapped_pages;  ///< present entries in its page tables
  std::uint64_t table_pages;   ///< page-table pages it holds
  std::uint64_t predicate_terms;
  std::uint32_t slices;     ///< slices owned, all processors
  std::uint32_t processor;  ///< last ran on
  std::array<Capability, kCapabilitySlots> capabilities;
  std::uint32_t account;     ///< pays for what is allocated in its address space, and its tables
  std::uint32_t guaranteed;  ///< pages that repossession leaves it, at least
  // Counts of the address space too: pages allocated in it, and pages freed by unmapping in it.
  std::uint64_t pages_taken;
  std::uint64_t pages_returned;
  // Revocation: what was asked for and is not settled, and the cycle count it is due at.
  std::uint64_t pages_wanted;
  std::uint64_t wanted_deadline;
  std::uint32_t waits_for;  ///< while Calling: the EnvId of who will reply
  std::uint32_t callers;    ///< how many wait for its reply
  std::array<std::uint64_t, 20> reserved;
};
static_assert(sizeof(Env) == 512 && offsetof(Env, capabilities) == 112);

/// Processor exceptions as numbered by the hardware, as passed in `FaultSave::vector`.
enum class FaultVector : std::uint64_t {
  DivideError = 0,
  Debug = 1,
  Breakpoint = 3,
  Overflow = 4,
  BoundRange = 5,
  InvalidOpcode = 6,
  DeviceNotAvailable = 7,
  SegmentNotPresent = 11,
  StackFault = 12,
  GeneralProtection = 13,
  PageFault = 14,
  X87 = 16,
  AlignmentCheck = 17,
  Simd = 19,
};

/// What the kernel stores before it enters the fault entry. These three scratch registers hold
/// nothing of use at entry; every other register is as it was.
struct FaultSave {
  std::uint64_t rip, rsp, rflags;
  std::uint64_t rax, rcx, rdx;
  std::uint64_t vector;   ///< FaultVector
  std::uint64_t error;    ///< the processor's error code, 0 if it has none
  std::uint64_t address;  ///< page faults: the address touched
};

/// What the kernel stores before it enters a slice entry; all other registers are as they were.
struct SliceSave {
  std::uint64_t rip, rsp, rflags;
};

/// What repossession took: one entry of the vector that the environment named beforehand.
struct Repossessed {
  static constexpr std::uint64_t kNotSaved = ~std::uint64_t{0};
  std::uint64_t address;  ///< where it was mapped
  std::uint64_t entry;    ///< what mapped it; kPteLarge: 512 pages
  std::uint64_t block;    ///< where its contents go, kNotSaved: they are gone
  std::uint64_t pending;  ///< 1 until the contents are on the disk
  std::uint64_t status;   ///< then: 0 or -Errc
  std::uint64_t cycles;   ///< when
  std::array<std::uint64_t, 2> reserved;
};
static_assert(sizeof(Repossessed) == 64);

/// Revocation, as the environment prepares for it; zero means none. The request itself is
/// `Uenv::pages_wanted` (0: settled) and `deadline`; a predicate may watch either.
struct Revocation {
  std::uint64_t entry;  ///< upcall at the next start of a slice after a request
  std::uint64_t stack;
  SliceSave save;
  std::uint64_t active;    ///< kernel sets to 1 and makes no upcall while it is
  std::uint64_t deadline;  ///< kernel: cycle count after which pages may be taken
  // When it comes to that:
  std::uint64_t keep;          ///< the Env::guaranteed pages from here on are not taken
  std::uint64_t give;          ///< list of page addresses to take first, in this order
  std::uint64_t give_count;    ///< words in it, at most kMaxRequest are looked at
  std::uint64_t vector;        ///< Repossessed[], 64-byte aligned
  std::uint64_t vector_slots;  ///< entries it has room for
  std::uint64_t vector_count;  ///< kernel: entries written (more than fit are counted, not written)
  std::uint64_t save_slot;     ///< capability slot with Write on the disk
  std::uint64_t save_disk;
  std::uint64_t save_block;   ///< first block to save to; the kernel counts it up ...
  std::uint64_t save_blocks;  ///< ... and this down
  std::uint64_t reserved;
};
static_assert(sizeof(Revocation) == 18 * 8);

inline constexpr std::size_t kIpcBlockWords = 8;
enum class IpcKind : std::uint64_t { Call = 1, Send = 2 };

/// What an entry by control transfer destroyed; all other registers are as they were.
struct IpcSave {
  std::uint64_t rip, rsp, rflags;
  std::uint64_t rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11;
};

/// Protected control transfer, the callee's side (ipc_call, ipc_send). All zero: nobody may enter.
///
/// Who may enter: a caller that names a slot of its own whose capability gives Write on `gate`, if
/// `allow` has the kind's bit, `only` is 0 or the caller, and the callee is ready: `busy` is 0, it
/// is neither in a critical section nor in a fault handler, nor in a call of its own.
///
/// At entry rip and rsp are `entry` and `stack`; rdi = the caller's EnvId, rsi rdx r10 r8 r9 = its
/// message words, rax = the IpcKind; rcx and r11 are 0. What those held before is in `save`; the
/// other registers are as they were. The kernel sets `busy`; the handler clears it just before it
/// goes back by itself, or has ipc_reply (kIpcDone) do both.
///
/// A server that does nothing else rests (kIpcRest). Then `entry`, `stack`, `allow`, `gate` and
/// `only` are read when it goes to rest without answering anybody, and stay in force however often
/// it answers and rests again; it is always ready; nothing is saved, `busy`, `caller` and `kind`
/// are not written; the registers named above come with the transfer, fs and gs base are as when
/// these words were read, and the others hold nothing.
struct IpcArea {
  std::uint64_t entry;
  std::uint64_t stack;
  std::uint64_t allow;       ///< bit n: transfers of IpcKind n
  std::uint64_t gate;        ///< Capability::bits() of what a caller needs Write on
  std::uint64_t only;        ///< 0: any such caller; otherwise this EnvId alone
  std::uint64_t busy;        ///< kernel sets to 1, handler clears
  std::uint64_t caller;      ///< kernel: as rdi at entry
  std::uint64_t kind;        ///< kernel: as rax at entry
  std::uint64_t capability;  ///< kernel: Capability::bits() of the slot that the caller named
  IpcSave save;
  // A block of up to 8 words goes with each transfer and each reply: whole, before the entry.
  std::uint64_t in_words;   ///< kernel: how many words of `in` came with the last one
  std::uint64_t out_words;  ///< how many words of `out` to send along; more than 8 are refused
  std::uint64_t in[kIpcBlockWords];
  std::uint64_t out[kIpcBlockWords];
};
static_assert(sizeof(IpcArea) == 39 * 8);

/// Flags of ipc_reply. Go back to what the transfer interrupted, and be ready for the next one:
inline constexpr std::uint64_t kIpcDone = 1;
/// Rest until the next one: what this environment was doing is given up.
inline constexpr std::uint64_t kIpcRest = 2;
constexpr std::uint64_t make_reply(std::uint64_t flags, EnvId caller) {
  return flags << 32 | caller;
}

/// The owner's half of an environment: one page, mapped writable at `Env::uenv_address`.
/// The kernel reads the entries at each upcall and believes nothing in it: an entry that is not a
/// user address makes the environment fault, nothing else.
///
/// Upcalls never nest by themselves: `fault_depth` is set to 1 by the kernel on entry and cleared
/// by the handler just before it resumes; a fault while it is set goes to the double-fault entry;
/// one while that is active ends the environment.
struct Uenv {
  // Foreign calls: any `syscall` whose rax is not 0x584fNNNN.
  std::uint64_t foreign_rip;    ///< kernel: where to return to (r11 = flags, rsp unchanged)
  std::uint64_t foreign_entry;  ///< rcx holds this address on entry

  // Exceptions.
  std::uint64_t fault_entry;
  std::uint64_t fault_stack;  ///< rsp at entry
  std::uint64_t fault_depth;  ///< kernel sets to 1, handler clears
  FaultSave fault;
  std::uint64_t double_fault_entry;
  std::uint64_t double_fault_stack;
  std::uint64_t double_fault_depth;
  FaultSave double_fault;

  // Time slices.
  std::uint64_t slice_end_entry;  ///< 0: switched out silently, full state kept by the kernel
  std::uint64_t slice_end_stack;
  SliceSave slice_end;
  std::uint64_t slice_start_entry;  ///< after a forced switch only; a yield just returns
  std::uint64_t slice_start_stack;
  SliceSave slice_start;
  std::uint64_t slice_start_active;  ///< kernel sets to 1 and skips the upcall while it is
  std::uint64_t critical_depth;      ///< > 0: slice end is deferred (bounded, charged)
  std::uint64_t interrupted;         ///< kernel: a slice ended inside the critical section

  std::uint64_t wake_tag;      ///< kernel: tag of the product that woke it
  std::uint64_t pages_wanted;  ///< kernel: pages it should give back (revocation)
  // One-shot grant: `cap_acquire` by `grant_to` takes `grant` if slot `grant_slot` dominates it.
  std::uint64_t grant_to;
  std::uint64_t grant_slot;
  std::uint64_t grant;  ///< Capability::bits()

  IpcArea ipc;

  std::array<std::uint64_t, 27> reserved;
  Revocation revocation;
  /// The library OS' own: the kernel never looks at it; others may (with the page's capability).
  std::array<std::uint64_t, 384> library;
};
static_assert(sizeof(Uenv) == 4096 && offsetof(Uenv, library) == 1024);
static_assert(offsetof(Uenv, ipc) == 352);
static_assert(offsetof(Uenv, foreign_rip) == 0 && offsetof(Uenv, foreign_entry) == 8);

}  // namespace xok
