// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/methods.hpp"

#include <algorithm>

#include "kernel/core/core.hpp"

namespace xok::kernel {
namespace {

constexpr std::uint64_t kEnd = kMethodBase + kMethodBytes;
constexpr unsigned kUserSlots = kUserTop / kSlotSize;

std::uint64_t* entries(Core& core, std::uint64_t table) {
  return reinterpret_cast<std::uint64_t*>(core.pages.bytes(table));
}
Context& saved_context(Core& core, const Method& method) {
  return *reinterpret_cast<Context*>(core.pages.bytes(method.record_page));
}
std::byte* saved_vectors(Core& core, const Method& method) {
  return core.pages.bytes(method.record_page) + MethodTable::kVectorsAt;
}

/// The table that the first entry of `table` holds, when that is its only one and nobody else has
/// either.
Result<std::uint64_t> only_child(Core& core, std::uint64_t table) {
  const std::uint64_t* const entry = entries(core, table);
  if ((entry[0] & kPtePresent) == 0) return fail(Errc::NotFound);
  for (unsigned i = 1; i < 512; i++) {
    if (entry[i] != 0) return fail(Errc::BadArgument);
  }
  if ((entry[0] & kPteLarge) != 0) return fail(Errc::BadArgument);
  const std::uint64_t child = entry_page(entry[0]);
  const PageInfo& info = core.pages.info(child);
  if (info.mappings != 1 || (info.reader_limit & PageTables::kShared) != 0)
    return fail(Errc::Denied);
  return child;
}

/// The level-1 table of the stretch at kMethodBase: all three tables there are the environment's
/// alone, so that afterwards nobody can reach them.
Result<std::uint64_t> stretch_table(Core& core, std::uint64_t top) {
  const std::uint64_t entry = entries(core, top)[kMethodSlot];
  if ((entry & kPtePresent) == 0) return fail(Errc::NotFound);
  const PageInfo& info = core.pages.info(entry_page(entry));
  if (info.mappings != 1 || (info.reader_limit & PageTables::kShared) != 0)
    return fail(Errc::Denied);
  const std::uint64_t level2 = XOK_TRY(only_child(core, entry_page(entry)));
  return only_child(core, level2);
}

bool inside(std::uint64_t address) { return address >= kMethodBase && address < kEnd; }

}  // namespace

Result<Method*> MethodTable::find(std::uint64_t id) {
  Method& found = method[id % kMaxMethods];
  if (found.owner == 0 || found.generation != id / kMaxMethods) return fail(Errc::NotFound);
  return &found;
}

Result<MethodId> define_method(Core& core, EnvIndex owner, const Method& wanted) {
  if (!inside(wanted.entry) || !inside(wanted.stack - 1) || !inside(wanted.uenv) ||
      wanted.uenv % kPageSize != 0)
    return fail(Errc::BadArgument);
  const Space space = core.space(owner);
  const std::uint64_t table = XOK_TRY(stretch_table(core, space.top));
  const std::uint64_t uenv = entries(core, table)[(wanted.uenv - kMethodBase) >> kPageShift];
  constexpr std::uint64_t kNeeded = kPtePresent | kPteWritable;
  if ((uenv & kNeeded) != kNeeded) return fail(Errc::Fault);
  if (core.state(owner).methods >= kMethodsPerEnv) return fail(Errc::NoSpace);
  std::size_t index = 0;
  while (index < kMaxMethods && core.methods.method[index].owner != 0) index++;
  if (index == kMaxMethods) return fail(Errc::NoSpace);
  XOK_TRY(core.can_take(space.account, 2));
  if (!core.pages.pin(entry_page(uenv))) return fail(Errc::NoSpace);

  Method& method = core.methods.method[index];
  const std::uint32_t generation = (method.generation + 1) % (1u << 24);
  method = wanted;
  method.owner = owner;
  method.generation = generation == 0 ? 1 : generation;
  method.uenv_page = entry_page(uenv);
  method.top = core.page_tables.create(space.account);
  method.record_page = core.pages.take_kernel(space.account);
  core.page_tables.move_slot(space, kMethodSlot, method.top);
  core.translations.forget_all(space.top, false);  // its threads lose them too
  core.state(owner).methods++;
  return core.methods.id_of(index);
}

Result<unsigned> shared_slot(Core& core, EnvIndex caller, std::uint64_t share) {
  if (share == 0) return kNoSlot;
  const std::uint64_t slot = share / kSlotSize;
  if (slot >= kUserSlots || slot == kMethodSlot) return fail(Errc::BadArgument);
  const std::uint64_t entry = entries(core, core.env(caller).table_page)[slot];
  if ((entry & kPtePresent) == 0) return fail(Errc::Fault);
  return static_cast<unsigned>(slot);
}

void enter_method(Core& core, Cpu& cpu, Method& method, EnvIndex env, const Capability& presented,
                  const std::array<std::uint64_t, 4>& words, std::uint64_t share, unsigned slot) {
  Machine& machine = core.machine;
  Context& context = machine.context(env);
  saved_context(core, method) = context;
  machine.save_vectors(env, saved_vectors(core, method));
  machine.set_uenv(env, PageNumber{method.uenv_page});
  volatile Uenv& uenv = machine.uenv(env);
  uenv.fault_depth = 0;
  uenv.double_fault_depth = 0;
  uenv.slice_start_active = 0;
  uenv.critical_depth = 0;
  method.user = env;
  method.shared_slot = slot;
  if (slot != kNoSlot) {
    const std::uint64_t entry = entries(core, core.env(env).table_page)[slot];
    const std::uint64_t hidden = (share & kShareWritable) != 0 ? 0 : kPteWritable;
    machine.write_entry(entries(core, method.top) + slot, entry & ~hidden);
    core.methods.showing++;
  }
  EnvState& state = core.state(env);
  state.method = static_cast<std::uint32_t>(&method - core.methods.method.data()) + 1;
  state.method_top = method.top;
  state.method_shows = slot == kNoSlot ? 0 : core.env(env).table_page;
  context = Context{};
  context.rip = method.entry;
  context.rsp = method.stack;
  context.rflags = user_flags(0);
  context.rax = presented.bits();
  context.rdi = core.env(env).id;
  context.rsi = words[0];
  context.rdx = words[1];
  context.r10 = words[2];
  context.r8 = words[3];
  context.r9 = share;
  context.gs_base = method.uenv;
  core.scheduler.reload(cpu, env);
}

void leave_method(Core& core, Cpu& cpu, EnvIndex env, std::uint64_t result, std::uint64_t second) {
  EnvState& state = core.state(env);
  Method& method = core.methods.inside(state.method);
  Machine& machine = core.machine;
  core.scheduler.take_back(cpu, env);
  if (method.shared_slot != kNoSlot) {
    machine.write_entry(entries(core, method.top) + method.shared_slot, 0);
    core.methods.showing--;
    machine.flush_all();  // no other processor has the method's tables loaded
  }
  machine.set_uenv(env, PageNumber{core.env(env).uenv_page});
  machine.restore_vectors(env, saved_vectors(core, method));
  Context& context = machine.context(env);
  context = saved_context(core, method);
  context.rax = result;
  context.rdx = second;
  state.method = 0;
  state.method_top = state.method_shows = 0;
  state.method_ticks = 0;
  method.user = kNoEnv;
  method.shared_slot = kNoSlot;
  core.scheduler.reload(cpu, env);
  core.scheduler.unload(cpu, method.top);
}

void abort_method(Core& core, Cpu& cpu, EnvIndex env) {
  Method& method = core.methods.inside(core.state(env).method);
  if (core.machine.uenv(env).critical_depth != 0) method.broken = true;
  leave_method(core, cpu, env,
               static_cast<std::uint64_t>(-static_cast<std::int64_t>(Errc::Interrupted)), 0);
}

void delete_method(Core& core, Cpu& cpu, Method& method) {
  if (method.user != kNoEnv) abort_method(core, cpu, method.user);
  core.machine.flush_all();  // before any of its pages can be another's
  core.pages.info(method.top).mappings = 0;
  core.page_tables.abandon(method.top);
  core.pages.unpin(method.uenv_page);
  core.pages.give_kernel(method.record_page);
  core.state(method.owner).methods--;
  const std::uint32_t generation = method.generation;
  method = Method{};
  method.generation = generation;
  core.page_tables.reap(Core::kReapBudget);
}

void delete_methods(Core& core, Cpu& cpu, EnvIndex owner) {
  for (Method& method : core.methods.method) {
    if (core.state(owner).methods == 0) return;
    if (method.owner == owner) delete_method(core, cpu, method);
  }
}

bool is_shown(Core& core, std::uint64_t top, unsigned slot) {
  if (core.methods.showing == 0) [[likely]]
    return false;
  return std::ranges::any_of(core.methods.method, [&](const Method& m) {
    return m.owner != 0 && m.user != kNoEnv && m.shared_slot == slot &&
           core.env(m.user).table_page == top;
  });
}

volatile Uenv& own_uenv(Core& core, EnvIndex env) {
  if (core.state(env).method == 0) return core.machine.uenv(env);
  return *reinterpret_cast<Uenv*>(core.pages.bytes(core.env(env).uenv_page));
}

const Context& own_context(Core& core, EnvIndex env) {
  const std::uint32_t method = core.state(env).method;
  if (method == 0) return core.machine.context(env);
  return saved_context(core, core.methods.inside(method));
}

bool allowed_in_method(std::uint64_t number, const std::array<std::uint64_t, 6>& arguments) {
  switch (static_cast<SyscallNumber>(number)) {
    case SyscallNumber::yield:
      return arguments[1] == 0;
    case SyscallNumber::null_call:
    case SyscallNumber::region_read:
    case SyscallNumber::region_write:
    case SyscallNumber::message_send:
    case SyscallNumber::packet_send:
    case SyscallNumber::console_write:
    case SyscallNumber::console_read:
    case SyscallNumber::entropy_read:
    case SyscallNumber::method_exit:
      return true;
    default:
      return false;
  }
}

}  // namespace xok::kernel
