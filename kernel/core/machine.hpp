// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/env.hpp"
#include "abi/exposed.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

/// The seam between the protection logic (kernel/core, portable, tested on the host) and the
/// hardware. kernel/arch/x86_64 has the real one; the host tests have a fake one that records and
/// checks. Nothing in kernel/core touches hardware but through this.
namespace xok::kernel {

/// Index of an environment's slot: env_index(EnvId).
using EnvIndex = std::uint32_t;
/// No environment: the processor idles.
inline constexpr EnvIndex kNoEnv = ~EnvIndex{0};
/// Bit n: processor n.
using ProcessorSet = std::uint32_t;

/// What a resting environment has agreed to, as its IpcArea said when it went to rest.
struct Rest {
  std::uint64_t entry = 0;  ///< 0: it has never rested
  std::uint64_t stack = 0;
  std::uint64_t allow = 0;
  std::uint64_t only = 0;
  Capability gate;
  std::uint64_t fs_base = 0, gs_base = 0;
};

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // -- Memory. Page contents are reached through the kernel's direct map.

  /// The bytes of a page of RAM. `page` is below page_count and not Absent.
  virtual std::byte* page(PageNumber page) = 0;
  virtual void zero_page(PageNumber page) = 0;
  virtual void copy_page(PageNumber to, PageNumber from) = 0;
  /// Stores a page-table entry. `entry` points into a page-table page of the direct map.
  virtual void write_entry(std::uint64_t* entry, std::uint64_t value) = 0;
  /// Replaces `expected` by `value`, but keeps accessed and dirty bits that a processor has set in
  /// the entry meanwhile.
  virtual void update_entry(std::uint64_t* entry, std::uint64_t expected, std::uint64_t value) = 0;
  /// Forgets this processor's cached translation of `va`.
  virtual void flush(std::uint64_t va) = 0;
  /// Forgets all user translations of this processor.
  virtual void flush_all() = 0;
  /// Prepares a fresh, zeroed top-level table: the kernel's half and the exposed window. (The
  /// self-map in kPageTableSlot is the caller's.)
  virtual void fill_top_table(PageNumber table) = 0;
  /// Loads the address space on this processor.
  virtual void load_address_space(PageNumber table) = 0;
  /// Copies between kernel memory and the *current* address space. False: some byte is not mapped
  /// with the needed access, or not below kUserTop; bytes before it may have been copied.
  virtual bool copy_from_user(void* to, std::uint64_t from, std::size_t n) = 0;
  virtual bool copy_to_user(std::uint64_t to, const void* from, std::size_t n) = 0;

  // -- Other processors. The caller holds the kernel's lock; none of these names its own processor.

  /// Makes processors forget their cached translations of `addresses` (none: of all user
  /// addresses). Returns when none of them can use an old one.
  virtual void flush_others(ProcessorSet processors, std::span<const std::uint64_t> addresses) = 0;
  /// Takes a processor out of user code for good: when this returns, it waits for the kernel's
  /// lock, holds nothing of the environment that it ran, and has loaded `table`.
  virtual void seize(std::uint32_t processor, PageNumber table) = 0;
  /// Makes an idle processor enter Kernel::wake. Does not wait for it.
  virtual void kick(std::uint32_t processor) = 0;
  /// Called again and again while this processor waits for the kernel's lock, interrupts off: does
  /// what the lock's holder has asked of it by the first two.
  virtual void answer() = 0;

  // -- Contexts: the saved registers of each environment, and the kernel's own view of its Uenv.

  /// Makes slot `env` ready: registers zero (rflags: interrupts on), clean vector state, the Uenv
  /// page visible to the kernel. NoMemory when there is no page for the kernel's record.
  virtual Result<> context_create(EnvIndex env, PageNumber uenv_page) = 0;
  virtual void context_destroy(EnvIndex env) = 0;
  /// `env`, current on this processor until now, loses it; with several processors another one may
  /// be the next to run it. `plain`: nothing is to be done at its next turn but to resume it, so
  /// that the machine may do so by itself (Cpu::straight) until `context` or `context_destroy` is
  /// called for it.
  virtual void context_release(EnvIndex env, bool plain) = 0;
  /// Registers of an environment. While it is the current one on a processor and inside the
  /// kernel, these are what it will resume with. The fast system-call entry keeps only rip, rsp,
  /// rflags and the callee-saved registers here; the caller-saved ones are then 0 (rax apart).
  virtual Context& context(EnvIndex env) = 0;
  /// Its rax alone, which costs less.
  virtual std::uint64_t& result(EnvIndex env) = 0;
  /// `env`, current on this processor, goes to rest: but for fs and gs base nothing of its
  /// registers is needed any more. `plain`: as for context_release.
  virtual void rest(EnvIndex env, bool plain) = 0;
  /// From now on `env` rests so. A caller that holds the capability `key` (its bits; 0: none) may
  /// call it: the machine may carry that out by itself, and the answer too (straight.S). It then
  /// keeps Env::status, waits_for and callers of both.
  virtual void let_in(EnvIndex env, const Rest& rest, std::uint64_t key) = 0;
  /// The kernel's mapping of the Uenv page. User-writable memory: read each word once.
  virtual volatile Uenv& uenv(EnvIndex env) = 0;

  /// The kernel's view of an environment's Uenv becomes that page.
  virtual void set_uenv(EnvIndex env, PageNumber page) = 0;
  /// Bytes that vector state takes at most.
  static constexpr std::size_t kVectorBytes = 3584;
  /// Puts the vector state of `env`, which is current here, into `area` (kVectorBytes, aligned to
  /// 64, zero when first used) and makes it clean.
  virtual void save_vectors(EnvIndex env, std::byte* area) = 0;
  /// Takes it back; `env` need not be current.
  virtual void restore_vectors(EnvIndex env, const std::byte* area) = 0;

  // -- Time

  /// The cycle counter, as user code reads it.
  virtual std::uint64_t cycles() = 0;
  /// One timer interrupt at or after that count; a new call replaces the old one.
  virtual void set_timer(std::uint64_t deadline_cycles) = 0;

  // -- Devices. Numbers are indices into SystemInfo's tables, already checked by the core.

  /// Room for one frame to send on an interface; empty when its queue is full.
  virtual std::span<std::byte> transmit_buffer(std::uint32_t interface) = 0;
  /// Sends the first `n` bytes of the buffer last returned for the interface.
  virtual void transmit(std::uint32_t interface, std::size_t n) = 0;
  /// Where console output can be put now (contiguous room, perhaps empty), then how much was.
  virtual std::span<std::byte> console_room(std::uint32_t port) = 0;
  virtual void console_put(std::uint32_t port, std::size_t n) = 0;
  /// Console input that has arrived (contiguous, perhaps empty), then how much was taken.
  virtual std::span<const std::byte> console_data(std::uint32_t port) = 0;
  virtual void console_take(std::uint32_t port, std::size_t n) = 0;
  /// Random bytes from the hardware, as many as it gives now (at most bytes.size()).
  virtual std::size_t entropy(std::span<std::byte> bytes) = 0;
  /// Starts a disk transfer of whole pages. Kernel::disk_done(tag) follows. WouldBlock: queue full.
  virtual Result<> disk_start(std::uint32_t disk, bool write, std::uint64_t block,
                              std::span<const PageNumber> pages, std::uint64_t tag) = 0;
  /// Ends the machine: abi kStopClean, kStopFailure, ...
  [[noreturn]] virtual void stop(std::uint64_t status) = 0;

  /// One line of the kernel's own log (console port 0), without the newline.
  virtual void log(const char* line, std::size_t length) = 0;

 protected:
  ~Machine() = default;
};

/// The exposed tables, allocated by the architecture at boot and mapped read-only to all.
struct ExposedTables {
  SystemInfo* info = nullptr;
  Env* envs = nullptr;              ///< kMaxEnvironments
  Slice* slices = nullptr;          ///< kMaxProcessors * kSlicesPerProcessor
  FilterRecord* filters = nullptr;  ///< kMaxFilters
  PageInfo* pages = nullptr;        ///< info->page_count
};

}  // namespace xok::kernel
