// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "kernel/core/accounts.hpp"
#include "kernel/core/disk.hpp"
#include "kernel/core/env_state.hpp"
#include "kernel/core/kernel.hpp"
#include "kernel/core/message_rings.hpp"
#include "kernel/core/methods.hpp"
#include "kernel/core/network.hpp"
#include "kernel/core/page_table.hpp"
#include "kernel/core/pages.hpp"
#include "kernel/core/regions.hpp"
#include "kernel/core/schedule.hpp"
#include "kernel/core/translations.hpp"
#include "kernel/core/wakeup.hpp"

namespace xok::kernel {

/// Everything the kernel knows, behind one lock (LockRank::Kernel). The parts know only what they
/// are given; what joins them stands here and in the calls (calls_*.hpp).
struct Core {
  explicit Core(Machine& m) : machine{m} {}
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Machine& machine;
  ExposedTables tables;
  std::array<EnvState, kMaxEnvironments> states{};
  std::array<Rest, kMaxEnvironments> rests{};
  Accounts accounts;
  Translations translations{machine};
  Pages pages{machine, accounts, translations};
  PageTables page_tables{machine, pages, translations};
  Wakeups wakeups{pages, page_tables};
  Scheduler scheduler{machine, states, translations};
  Network network{machine, pages, states};
  Disks disks{machine, pages};
  Regions regions{pages, accounts, states};
  MessageRings messages{machine, pages};
  MethodTable methods;
  EnvIndex free_slots = 0;  ///< list through EnvState::next_free, 0 ends it

  void initialize(const ExposedTables& exposed);

  Env& env(EnvIndex index) { return tables.envs[index]; }
  EnvState& state(EnvIndex index) { return states[index]; }
  /// The address space of an environment that is alive.
  Space space(EnvIndex index) {
    return {env(index).table_page, &tables.envs[env(index).address_space], account(index)};
  }

  /// Who pays for what an environment allocates.
  AccountIndex account(EnvIndex index) { return static_cast<AccountIndex>(env(index).account); }

  // -- env.cpp: the life of environments

  /// The index of the environment that `id` names. Errors: BadEnv: stale, free or (unless
  /// `dead_too`) dead.
  Result<EnvIndex> find_env(EnvId id, bool dead_too = false);

  /// Makes an environment for `maker` (kNoEnv: the first one) with `capability` in slot 0 and a
  /// zeroed Uenv mapped at `uenv_address`, in a new address space (`share` = kNoEnv) or that of
  /// `share`. It sleeps until its context is set. Errors  BadArgument  `uenv_address` is not a page
  /// below kUserTop, or something is mapped there
  ///         NoSpace      kMaxEnvironments exist, or the maker's account is full
  ///         NoMemory     not enough free pages
  Result<EnvIndex> create_env(EnvIndex maker, const Capability& capability,
                              std::uint64_t uenv_address, EnvIndex share);

  /// Takes everything from an environment that is alive: its processor, whichever that is, slices,
  /// filters, rings, predicate, context, address space. Its slot stays, Dead, with its
  /// capabilities. The first environment's end stops the machine. Cost  bounded by the tables'
  /// sizes; page tables beyond kReapBudget are taken down later, a
  ///       budget's worth at each timer interrupt, env_alloc and env_free.
  void end_env(Cpu& cpu, EnvIndex index, DeathReason reason);
  /// Frees the slot of a Dead environment.
  void free_slot(EnvIndex index);
  /// Ends an environment that made a mistake, with one line in the log; others run on.
  void kill(Cpu& cpu, EnvIndex index, DeathReason reason, std::uint64_t vector,
            std::uint64_t address);

  /// Sends the environment, which has just faulted, to its fault entry, or inside that to its
  /// double-fault entry. None, or why it has to die.
  DeathReason enter_fault_entry(EnvIndex index, FaultVector vector, std::uint64_t error,
                                std::uint64_t address);

  /// The end of every entry: no processor uses an old translation, and those that idle are told
  /// when there is somebody for them.
  void finish(const Cpu& cpu) {
    translations.settle();
    if (scheduler.somebody_idles()) [[unlikely]]
      scheduler.wake_idle(cpu);
  }

  /// Whether `n` pages can be taken, if need be after taking down abandoned page tables.
  bool have_pages(std::uint64_t n);
  /// Whether `n` pages can be taken and the account has room for them.
  /// Errors  NoMemory  no free pages;  NoSpace  the account, or one above it, is full
  Result<> can_take(AccountIndex account, std::uint64_t n) {
    if (!have_pages(n)) return fail(Errc::NoMemory);
    if (!accounts.fits(account, n)) return fail(Errc::NoSpace);
    return {};
  }

  /// Page-table pages taken down per step: at most about 64 * 512 entries.
  static constexpr unsigned kReapBudget = 64;

 private:
  void leave_address_space(EnvIndex index);
  void clear_predicate(EnvIndex index);
  bool recycle_dead_slot();
};

}  // namespace xok::kernel
