// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/proc/environment.hpp"

#include <array>
#include <utility>

#include "exos/layout.hpp"
#include "exos/linux/quick_calls.h"
#include "exos/rt/calls.hpp"
#include "exos/rt/registers.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"
#include "exos/vm/tables.hpp"

namespace xok::exos {
namespace {

constexpr std::uint64_t kDataEntry = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;

/// Gives `target` copies of the pages that are present in [start, end), at the same addresses.
bool copy_range(std::uint64_t target, std::uint64_t start, std::uint64_t end) {
  bool ok = true;
  std::uint64_t first = start;
  std::uint64_t n = 0;
  const auto flush = [&] {
    if (ok && n != 0) ok = sys::pte_fill(kCapPages, kDataEntry, first, n, first, target) >= 0;
    n = 0;
  };
  for_each_present(start, end, [&](std::uint64_t va, std::uint64_t /*entry*/) {
    if (va != first + n * kPageSize || n == kMaxFill) flush();
    if (n++ == 0) first = va;
  });
  flush();
  return ok;
}

bool fresh_stack(std::uint64_t target, std::uint64_t top, std::uint64_t pages) {
  return sys::pte_fill(kCapPages, kDataEntry, top - pages * kPageSize, pages, kFillZero, target) >=
         0;
}

/// What a child gets of our private memory: the windows are empty, the upcalls' stacks new.
bool copy_private_memory(std::uint64_t target, const EnvironmentRequest& request) {
  return copy_range(target, kPrivateBase, kVforkWindow) &&
         (request.stage == StageCopy::No ||
          copy_range(target, kStageWindow, kStageWindow + kStageSize)) &&
         copy_range(target, kRegionTable, kScratchWindow) &&
         fresh_stack(target, kSliceStackTop, kSliceStackPages) &&
         fresh_stack(target, kFaultStackTop, kFaultStackPages) &&
         copy_range(target, page_floor(request.first_stack_byte), kMainStackTop);
}

bool give_capabilities(std::uint64_t target) {
  constexpr std::array<std::pair<std::uint64_t, std::uint8_t>, 3> kGiven = {
      {{kCapConsole, kConsoleName}, {kCapNetwork, kInterfaceName}, {kCapFilters, kFilterName}}};
  for (const auto& [slot, name] : kGiven)
    if (sys::cap_forge(slot, slot, Capability::make({name}).bits(), target) < 0) return false;
  return true;
}

bool prepare_uenv(EnvId env) {
  const std::uint64_t page = rt::env_record(env).uenv_page;
  if (sys::pte_insert(kCapPages, page << kPageShift | kDataEntry, kScratchWindow, kSelf) < 0)
    return false;
  auto& uenv = *reinterpret_cast<Uenv*>(kScratchWindow);
  fill_uenv(uenv, env, kUenvAddress);
  if (shared().trace_calls != 0)
    uenv.foreign_entry = reinterpret_cast<std::uint64_t>(&rt::rt_foreign_entry);
  return sys::pte_insert(kCapPages, 0, kScratchWindow, kSelf) >= 0;
}

}  // namespace

void fill_uenv(Uenv& uenv, EnvId id, std::uint64_t address) {
  uenv.foreign_entry = reinterpret_cast<std::uint64_t>(&linux_foreign_entry);
  uenv.fault_entry = reinterpret_cast<std::uint64_t>(&rt::rt_fault_entry);
  uenv.fault_stack = kFaultStackTop;
  uenv.slice_start_entry = reinterpret_cast<std::uint64_t>(&rt::rt_slice_start_entry);
  uenv.slice_start_stack = kSliceStackTop;
  uenv.library[rt::kSelfWord] = address;
  uenv.library[rt::kStackTopWord] = kMainStackTop;
  uenv.library[rt::kEnvIdWord] = id;
}

Result<EnvId> make_environment(const EnvironmentRequest& request) {
  const std::int64_t made = sys::env_alloc(kCapPages, 0, kUenvAddress);
  if (made < 0) return fail(static_cast<Errc>(-made));
  const auto env = static_cast<EnvId>(made);
  const std::uint64_t target = make_target(kCapPages, env);
  const bool ok = sys::table_share(kSharedBase, 3, kSelf, target) >= 0 &&
                  sys::table_share(kImageBase, 1, kSelf, target) >= 0 &&
                  give_capabilities(target) && copy_private_memory(target, request) &&
                  prepare_uenv(env);
  if (!ok) {
    discard_environment(env);
    return fail(Errc::NoMemory);
  }
  return env;
}

Result<> give_slice(EnvId env) {
  const std::uint32_t processors = system_info().processors;
  // Every processor gets its turn, whoever ends in between.
  const std::uint64_t turn = __atomic_fetch_add(&shared().slice_turn, 1, __ATOMIC_RELAXED);
  const std::uint64_t first = turn % processors;
  for (std::uint64_t n = first; n < first + processors; n++) {
    if (sys::slice_alloc(kCapPages, n % processors, kAnyPosition, env) >= 0) return {};
  }
  return fail(Errc::NoSpace);
}

void start_environment(EnvId env, std::uint64_t entry, std::uint64_t argument0,
                       std::uint64_t argument1, std::uint64_t stack) {
  Context context{};
  context.rip = entry;
  // As after a call: the stack is 8 off a multiple of 16.
  context.rsp = (stack & ~std::uint64_t{15}) - 8;
  context.rdi = argument0;
  context.rsi = argument1;
  context.rflags = 0x202;
  context.fs_base = rt::fs_base();
  context.gs_base = kUenvAddress;
  const std::uint64_t target = make_target(kCapPages, env);
  sys::env_set_context(target, reinterpret_cast<std::uint64_t>(&context));
}

void discard_environment(EnvId env) { sys::env_free(make_target(kCapPages, env)); }

}  // namespace xok::exos
