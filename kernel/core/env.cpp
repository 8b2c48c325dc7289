// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <algorithm>

#include "base/check.hpp"
#include "kernel/core/capability.hpp"
#include "kernel/core/core.hpp"
#include "kernel/core/ipc.hpp"
#include "kernel/core/log_line.hpp"

/// The life of an environment:
///
///   free slot --create_env--> Sleeping, no context --env_set_context--> Runnable <--> Sleeping
///   any of these --end_env--> Dead (holds nothing, says why) --free_slot--> free slot
///
/// The Uenv page is pinned for the environment's life: the kernel writes it through its own
/// mapping, whatever the application does to its page tables.
namespace xok::kernel {
namespace {

constexpr std::uint32_t kIndexBits = 10;
constexpr std::uint32_t kLastGeneration = ~std::uint32_t{0} >> kIndexBits;
static_assert(kMaxEnvironments == 1u << kIndexBits);

constexpr EnvIndex kFirstEnv = 1;

/// What an environment is guaranteed unless its maker says less.
constexpr std::uint32_t kGuaranteedPages = 16;
constexpr std::uint32_t kFirstGuarantee = 0x7fff'ffff;  // the first one's: all there are

std::string_view reason_text(DeathReason reason) {
  switch (reason) {
    case DeathReason::NoFaultEntry:
      return "fault without a fault entry";
    case DeathReason::FaultInFaultEntry:
      return "fault inside its fault entry";
    case DeathReason::SliceOverrun:
      return "did not yield at slice ends";
    default:
      return "killed";
  }
}

}  // namespace

void Core::initialize(const ExposedTables& exposed) {
  tables = exposed;
  accounts.initialize(tables.info);
  pages.initialize(tables);
  XOK_CHECK(pages.free_count() > 0);
  const std::uint64_t idle_table = page_tables.create(0);
  scheduler.initialize(tables, idle_table);
  network.initialize(tables);
  disks.initialize(tables);
  wakeups.initialize(tables);
  for (EnvIndex i = 0; i < kMaxEnvironments; i++) tables.envs[i] = Env{};
  for (EnvIndex i = kMaxEnvironments - 1; i > 0; i--) {  // slot 0 is never used
    states[i].next_free = free_slots;
    free_slots = i;
  }
  SystemInfo& info = *tables.info;
  info.version = kExposedVersion;
  if (info.processors == 0) info.processors = 1;
  info.environments = info.deaths = info.ticks = info.idle_cycles = 0;
  for (std::uint8_t i = 0; i < kMaxInterfaces; i++)
    info.interfaces[i].guard = Capability::make({kInterfaceName, i});
  info.interfaces[0].present = info.interfaces[0].loopback = 1;
  info.interfaces[0].mtu = kMaxFrame - kMinFrame;
  if (info.interface_count == 0) info.interface_count = 1;
}

Result<EnvIndex> Core::find_env(EnvId id, bool dead_too) {
  const EnvIndex index = env_index(id);
  const Env& record = tables.envs[index];
  if (id == 0 || record.id != id) return fail(Errc::BadEnv);
  if (record.status == EnvStatus::Dead && !dead_too) return fail(Errc::BadEnv);
  return index;
}

bool Core::have_pages(std::uint64_t n) {
  if (pages.free_count() >= n) [[likely]]
    return true;
  if (page_tables.reaping()) page_tables.reap(kReapBudget);
  return pages.free_count() >= n;
}

/// No slot is free: gives up the record of some environment that has died.
bool Core::recycle_dead_slot() {
  for (EnvIndex i = kFirstEnv + 1; i < kMaxEnvironments; i++) {
    if (env(i).status != EnvStatus::Dead) continue;
    free_slot(i);
    return true;
  }
  return false;
}

Result<EnvIndex> Core::create_env(EnvIndex maker, const Capability& capability,
                                  std::uint64_t uenv_address, EnvIndex share) {
  if (uenv_address % kPageSize != 0 || uenv_address >= kUserTop) return fail(Errc::BadArgument);
  page_tables.reap(kReapBudget);
  Path path;
  std::uint64_t needed = 5;  // top, three tables, the Uenv
  if (share != kNoEnv) {
    path = page_tables.walk(env(share).table_page, uenv_address);
    if (path.large() || path.frozen() || (path.reached == 1 && (*path.entry & kPtePresent) != 0))
      return fail(Errc::BadArgument);
    needed = path.reached;  // missing tables and the Uenv
  }
  const AccountIndex payer = maker == kNoEnv ? AccountIndex{0} : account(maker);
  XOK_TRY(can_take(payer, needed));
  if (free_slots == 0 && !recycle_dead_slot()) return fail(Errc::NoSpace);
  const EnvIndex index = free_slots;

  const std::uint64_t uenv_page = pages.first_free();
  pages.take_user(uenv_page, capability, payer);
  const bool pinned = pages.pin(uenv_page);
  XOK_CHECK(pinned);
  const auto context = machine.context_create(index, PageNumber{uenv_page});
  if (!context.has_value()) {
    pages.unpin(uenv_page);  // frees it
    return fail(context.error());
  }

  EnvState& s = state(index);
  free_slots = s.next_free;
  const std::uint32_t generation = s.generation == kLastGeneration ? 1 : s.generation + 1;
  s = EnvState{};
  rests[index] = Rest{};
  s.generation = generation;
  Env& record = env(index);
  record = Env{};
  record.id = generation << kIndexBits | index;
  record.status = EnvStatus::Sleeping;
  record.uenv_address = uenv_address;
  record.uenv_page = uenv_page;
  record.capabilities[0] = capability;
  record.account = payer;
  accounts.join(payer);
  record.guaranteed =
      maker == kNoEnv ? kFirstGuarantee : std::min(kGuaranteedPages, env(maker).guaranteed);
  if (share == kNoEnv) {
    record.address_space = index;
    record.table_page = page_tables.create(payer);
    record.table_pages = 1;
    path = page_tables.walk(record.table_page, uenv_address);
  } else {
    record.address_space = env(share).address_space;
    record.table_page = env(share).table_page;
    pages.info(record.table_page).mappings++;
  }
  const Space where = space(index);
  page_tables.complete(where, path, uenv_address);
  pages.map(uenv_page, true);
  page_tables.store(
      where, path, uenv_address,
      uenv_page << kPageShift | kPtePresent | kPteWritable | kPteUser | kPteNoExecute);
  tables.info->environments++;
  return index;
}

void Core::clear_predicate(EnvIndex index) {
  EnvState& s = state(index);
  if (s.predicate_page == 0) return;
  if (s.predicate != nullptr) wakeups.release(*s.predicate);
  pages.give_kernel(s.predicate_page);
  s.predicate_page = 0;
  s.predicate = nullptr;
  env(index).predicate_terms = 0;
}

/// The last environment of an address space takes it down; before that, the counts move to the
/// lowest of those that remain.
void Core::leave_address_space(EnvIndex index) {
  Env& record = env(index);
  const std::uint64_t top = record.table_page;
  PageInfo& p = pages.info(top);
  if (--p.mappings == 0) {  // no processor has it loaded any more (end_env)
    machine.flush_all();    // before any of its pages can be another's
    page_tables.abandon(top);
    page_tables.reap(kReapBudget);
  } else if (record.address_space == index) {
    EnvIndex heir = kNoEnv;
    for (EnvIndex i = kMaxEnvironments - 1; i > 0; i--) {
      const Env& other = env(i);
      const bool alive = other.id != 0 && other.status != EnvStatus::Dead;
      if (alive && i != index && other.table_page == top) heir = i;
    }
    for (EnvIndex i = 1; i < kMaxEnvironments; i++) {
      if (env(i).id != 0 && env(i).table_page == top) env(i).address_space = heir;
    }
    env(heir).mapped_pages = record.mapped_pages;
    env(heir).table_pages = record.table_pages;
    env(heir).pages_taken = record.pages_taken;
    env(heir).pages_returned = record.pages_returned;
  }
  record.mapped_pages = record.table_pages = 0;
  record.table_page = 0;
}

void Core::end_env(Cpu& cpu, EnvIndex index, DeathReason reason) {
  if (state(index).method != 0) abort_method(*this, cpu, index);
  delete_methods(*this, cpu, index);
  Env& record = env(index);
  const bool last_holder = pages.info(record.table_page).mappings == 1;
  scheduler.evict(cpu, index, last_holder ? record.table_page : 0);
  scheduler.free_slices(index);
  network.free_all(index);
  end_transfers(*this, index);
  regions.free_all(index);
  (void)messages.remove(index);
  clear_predicate(index);
  machine.context_destroy(index);
  leave_address_space(index);
  accounts.leave(account(index));
  record.account = 0;
  pages.unpin(record.uenv_page);
  record.uenv_page = record.uenv_address = 0;
  record.status = EnvStatus::Dead;
  record.death = reason;
  tables.info->deaths++;
  if (index != kFirstEnv) return;
  LogLine{}.text("xok: the first environment ended; stopping").write(machine);
  machine.stop(kStopFailure);
}

void Core::free_slot(EnvIndex index) {
  env(index) = Env{};
  state(index).next_free = free_slots;
  free_slots = index;
  tables.info->environments--;
}

void Core::kill(Cpu& cpu, EnvIndex index, DeathReason reason, std::uint64_t vector,
                std::uint64_t address) {
  if (state(index).method != 0 && !state(index).condemned) {  // the method's mistake
    abort_method(*this, cpu, index);
    if (reason != DeathReason::SliceOverrun) return;
    (void)scheduler.settle(cpu);
    return scheduler.switch_to_next(cpu);
  }
  const Context& context = machine.context(index);
  LogLine{}
      .text("xok: environment ")
      .number(env(index).id)
      .text(" (slot ")
      .number(index)
      .text(") died: ")
      .text(reason_text(reason))
      .text(", vector ")
      .number(vector)
      .text(", rip ")
      .hex(context.rip)
      .text(", address ")
      .hex(address)
      .write(machine);
  end_env(cpu, index, reason);
  if (cpu.current == kNoEnv) scheduler.switch_to_next(cpu);
}

}  // namespace xok::kernel
