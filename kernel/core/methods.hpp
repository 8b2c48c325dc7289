// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "abi/method.hpp"
#include "kernel/core/capability.hpp"
#include "kernel/core/core_fwd.hpp"
#include "kernel/core/kernel.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/page_table.hpp"

/// Protected methods.
///
///   usable --enter--> in use by one environment --exit, abort--> usable, or broken
///
/// While an environment is inside, EnvState::method says so, and: its address space is the
/// method's; the kernel's view of its Uenv is the method's Uenv, so that every upcall is the
/// method's; its registers and vector state wait in the method's record page; its capability list
/// is not used (Call::capability). Nobody else can touch the method's page tables: they hang in no
/// environment's tree. So a caller cannot enter elsewhere, see the state, change the pages or keep
/// them, and the method cannot touch more of its caller than the caller showed it.
///
/// Ending early. A fault that the method does not handle, or an overrun, aborts the call: the
/// caller goes on with Interrupted. Ending the *caller* is deferred to the exit, for at most
/// kMethodGraceTicks slices of running, or nobody could trust a method that others call. Who finds
/// a method in use gives its slice to the user: no lock is held by somebody who does not run. A
/// method that ended early inside its critical section (Uenv::critical_depth of its own Uenv) is
/// broken: later calls are refused.
namespace xok::kernel {

inline constexpr std::uint32_t kMethodsPerEnv = 8;
inline constexpr std::uint32_t kMethodGraceTicks = 8;
inline constexpr unsigned kNoSlot = 512;

struct Method {
  EnvIndex owner = 0;  ///< 0: free
  std::uint32_t generation = 0;
  Capability guard{};  ///< callers need Write, who deletes it Modify
  Capability own{};    ///< what its code holds
  std::uint64_t entry = 0, stack = 0, uenv = 0;
  std::uint64_t top = 0;          ///< page of its top-level table
  std::uint64_t record_page = 0;  ///< kernel page: the caller's Context, at kVectorsAt its vectors
  std::uint64_t uenv_page = 0;    ///< pinned
  EnvIndex user = kNoEnv;         ///< who is inside
  unsigned shared_slot = kNoSlot;
  bool broken = false;
};

struct MethodTable {
  static constexpr std::size_t kVectorsAt = 512;
  std::array<Method, kMaxMethods> method{};

  [[nodiscard]] MethodId id_of(std::size_t index) const {
    return static_cast<MethodId>(method[index].generation * kMaxMethods + index);
  }
  /// Errors: NotFound: stale, or never was.
  Result<Method*> find(std::uint64_t id);
  std::uint32_t showing = 0;  ///< methods that somebody inside shows a part of its memory
  /// The method that EnvState::method (not 0) names.
  Method& inside(std::uint32_t number) { return method[number - 1]; }
};

/// Takes the method's stretch out of an environment's address space and makes a method of it.
/// Errors  NotFound     nothing is mapped at kMethodBase;  Denied  a table there is shared
///         BadArgument  tables beyond the stretch's; addresses outside it
///         Fault        the Uenv is not mapped writable
///         NoSpace, NoMemory
Result<MethodId> define_method(Core& core, EnvIndex owner, const Method& wanted);
/// Whether the top-level entry for a `share` word may be shown; its slot, kNoSlot for 0.
/// Errors  BadArgument  outside the user's half, or the method's slot;  Fault  nothing is there
Result<unsigned> shared_slot(Core& core, EnvIndex caller, std::uint64_t share);
/// Sends the current environment into a method that nobody is in.
void enter_method(Core& core, Cpu& cpu, Method& method, EnvIndex env, const Capability& presented,
                  const std::array<std::uint64_t, 4>& words, std::uint64_t share, unsigned slot);
/// Takes an environment out of the method it is in, with that result.
void leave_method(Core& core, Cpu& cpu, EnvIndex env, std::uint64_t result, std::uint64_t second);
/// The same, in the middle: Interrupted, and the method may be broken.
void abort_method(Core& core, Cpu& cpu, EnvIndex env);
/// Ends a method; who is inside is thrown out.
void delete_method(Core& core, Cpu& cpu, Method& method);
/// Ends all methods of an environment.
void delete_methods(Core& core, Cpu& cpu, EnvIndex owner);

/// An environment's own Uenv and registers, also while it is inside a method. It runs on no other
/// processor, or is inside one.
volatile Uenv& own_uenv(Core& core, EnvIndex env);
const Context& own_context(Core& core, EnvIndex env);

/// Whether somebody inside a method shows it that top-level entry of an address space: then the
/// entry must stay as it is, for the method's own table has a copy of it.
bool is_shown(Core& core, std::uint64_t top, unsigned slot);

/// Whether code in a method may make this call.
bool allowed_in_method(std::uint64_t number, const std::array<std::uint64_t, 6>& arguments);

}  // namespace xok::kernel
