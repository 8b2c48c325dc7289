// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/syscalls.hpp"
#include "base/result.hpp"
#include "kernel/core/machine.hpp"

/// Xok's protection logic as the architecture code sees it.
///
/// The kernel is event-driven: each entry (call, exception, interrupt) runs to its end on the
/// processor's one stack, changes contexts in memory, and says which environment to resume.
/// Nothing blocks and nothing is preempted inside.
///
/// Several processors enter by one lock. Who waits for it, or runs user code, can be asked by its
/// holder to forget translations or to leave its environment (Machine::flush_others, seize).
namespace xok::kernel {

/// State of one processor. Changed with the kernel's lock held, by the processor itself or by one
/// that has seized it; so it may read it without, from an entry's end to the next entry.
struct Cpu {
  std::uint32_t number = 0;
  EnvIndex current = kNoEnv;
  std::uint32_t position = 0;   ///< in the slice vector
  std::uint64_t slice_end = 0;  ///< cycles
  std::uint64_t entered = 0;    ///< cycles when `current` was given the processor
  EnvIndex settled = kNoEnv;    ///< `current` as the kernel last left it
  /// The machine may carry out by itself yields between environments that context_release has
  /// called plain, and calls and answers of resting ones (Machine::let_in): the only processor is
  /// in no grace period, and `current` is plain too. It keeps `current`, `entered` and the exposed
  /// records; the rest follows at the next entry (Scheduler::catch_up).
  std::uint32_t straight = 0;
};

class Kernel {
 public:
  /// The object holds all of the kernel's private state (about half a megabyte): put it in .bss and
  /// construct it in place. It is never destroyed.
  explicit Kernel(Machine& machine);
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  /// Takes over the tables. Pages marked Free by the architecture become the free list. Fills every
  /// record that the core keeps; `info->tsc_*`, devices and texts are the architecture's.
  void initialize(const ExposedTables& tables);

  /// Processor `cpu.number` takes part from now on, idle: 0 first, then the others in order, each
  /// calling for itself. `cpu` lives as long as the kernel. Counted in `info->processors`.
  void add_processor(Cpu& cpu);

  /// Builds the first environment: root capability in slot 0, the ELF image's segments, stack and
  /// Uenv at the addresses of abi/layout.hpp, `bundle_pages` pages from `bundle_first` mapped
  /// read-only at kInitBundleAddress, one slice on processor 0. It starts at the ELF entry with
  /// rdi = kInitBundleAddress, rsi = length of the bundle in bytes.
  /// Errors  BadFormat (ELF), NoMemory
  Result<EnvIndex> start_first_environment(std::span<const std::byte> elf_image,
                                           PageNumber bundle_first, std::uint64_t bundle_length);

  /// A kernel call of the current environment. The result goes to its rax, unless the call gave the
  /// processor away: then `cpu.current` has changed (kNoEnv: idle) and the value is already in the
  /// old one's context.
  std::int64_t system_call(Cpu& cpu, std::uint64_t number,
                           const std::array<std::uint64_t, 6>& arguments);

  /// An exception of the current environment, registers in its context. Enters its handler, or
  /// ends it and picks another. `address`: page faults only.
  void exception(Cpu& cpu, FaultVector vector, std::uint64_t error, std::uint64_t address);

  /// The timer fired: slice accounting, upcalls, forced switches, wakeups.
  void timer(Cpu& cpu);

  /// Something a predicate may watch has changed (device interrupt). Picks an environment if the
  /// processor was idle; the running one keeps it otherwise.
  void wake(Cpu& cpu);

  /// For the machine's own yield(0, 0), as Cpu::straight allows it: the owner of the vector's next
  /// position, whose slice begins; kNoEnv when there is more to it, and nothing has changed.
  /// may_enter  by index: the EnvId of each environment that the machine can enter by itself
  EnvIndex next_straight(Cpu& cpu, const std::uint64_t* may_enter, std::uint64_t now);

  /// Runs a device's interrupt handler with the kernel's lock held, for calls use the same devices.
  /// It may call packet_received and disk_done, and nothing else of the kernel.
  void serve_device(Cpu& cpu, void (*handler)(void*), void* argument);

  /// A frame arrived. Copies it to the ring of the filter that takes it; otherwise drops it.
  /// Context  inside serve_device
  void packet_received(std::uint32_t interface, std::span<const std::byte> frame);

  /// A transfer started by disk_start ended. Context: inside serve_device.
  void disk_done(std::uint64_t tag, Result<> outcome);

 private:
  friend struct CoreForTests;  // the host tests' invariant sweep
  // The core's own state: see core.hpp for its parts, kernel.cpp for the entries.
  class Impl;
  Impl& impl();
  template <class Action>
  void enter(Cpu& cpu, const Action& action);

  static constexpr std::size_t kStorageAlignment = 64;
  static constexpr std::size_t kStorageBytes = 640 * 1024;
  alignas(kStorageAlignment) std::byte storage_[kStorageBytes];
};

}  // namespace xok::kernel
