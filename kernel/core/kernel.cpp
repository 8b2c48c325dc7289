// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/kernel.hpp"

#include <new>

#include "kernel/core/core.hpp"
#include "kernel/core/dispatch.hpp"
#include "kernel/core/first_environment.hpp"
#include "kernel/core/kernel_impl.hpp"
#include "kernel/core/revoke.hpp"

/// The entries: each takes the kernel's lock, does one thing, and lets go.
namespace xok::kernel {

Kernel::Kernel(Machine& machine) {
  static_assert(sizeof(Impl) <= kStorageBytes && alignof(Impl) <= kStorageAlignment);
  new (storage_) Impl{machine};
}

Kernel::Impl& Kernel::impl() { return *std::launder(reinterpret_cast<Impl*>(storage_)); }

void Kernel::initialize(const ExposedTables& tables) {
  impl().with([&](Core& core) { core.initialize(tables); });
}

Result<EnvIndex> Kernel::start_first_environment(std::span<const std::byte> elf_image,
                                                 PageNumber bundle_first,
                                                 std::uint64_t bundle_length) {
  return impl().with([&](Core& core) {
    return kernel::start_first_environment(core, elf_image, bundle_first, bundle_length);
  });
}

void Kernel::add_processor(Cpu& cpu) {
  impl().enter([&](Core& core) {
    core.translations.enter(cpu.number);
    core.scheduler.add_processor(cpu);
  });
}

/// Whoever waits for the lock can lose its environment meanwhile. Then there is nothing to do for
/// it any more; another one is picked.
template <class Action>
void Kernel::enter(Cpu& cpu, const Action& action) {
  impl().enter([&](Core& core) {
    core.translations.enter(cpu.number);
    if (cpu.current != cpu.settled) core.scheduler.catch_up(cpu);
    action(core);
    core.finish(cpu);
  });
}

std::int64_t Kernel::system_call(Cpu& cpu, std::uint64_t number,
                                 const std::array<std::uint64_t, 6>& arguments) {
  std::int64_t result = 0;
  enter(cpu, [&](Core& core) {
    if (cpu.current == kNoEnv) [[unlikely]]
      return core.scheduler.switch_to_next(cpu);
    Call call{core, cpu, cpu.current};
    call.env().calls++;
    result = dispatch(call, number, arguments);
  });
  return result;
}

void Kernel::exception(Cpu& cpu, FaultVector vector, std::uint64_t error, std::uint64_t address) {
  enter(cpu, [&](Core& core) {
    if (cpu.current == kNoEnv) [[unlikely]]
      return core.scheduler.switch_to_next(cpu);
    const DeathReason reason = core.enter_fault_entry(cpu.current, vector, error, address);
    if (reason != DeathReason::None)
      core.kill(cpu, cpu.current, reason, static_cast<std::uint64_t>(vector), address);
  });
}

void Kernel::timer(Cpu& cpu) {
  enter(cpu, [&](Core& core) {
    core.tables.info->ticks++;
    core.page_tables.reap(Core::kReapBudget);
    const EnvIndex env = cpu.current;
    if (env != kNoEnv && core.state(env).condemned &&
        ++core.state(env).method_ticks > kMethodGraceTicks) {
      core.end_env(cpu, env, DeathReason::Killed);
      core.free_slot(env);
    }
    if (core.scheduler.tick(cpu)) core.kill(cpu, cpu.current, DeathReason::SliceOverrun, 0, 0);
    if (cpu.current == kNoEnv && core.page_tables.reaping())
      core.machine.set_timer(core.machine.cycles());  // idle, and work left: come back
  });
}

void Kernel::wake(Cpu& cpu) {
  enter(cpu, [&](Core& core) {
    core.scheduler.look_soon();
    if (cpu.current == kNoEnv) return core.scheduler.switch_to_next(cpu);
    if (core.state(cpu.current).repossess_due) [[unlikely]]
      repossess_overdue(core, cpu.current);
  });
}

EnvIndex Kernel::next_straight(Cpu& cpu, const std::uint64_t* may_enter, std::uint64_t now) {
  return impl().held().scheduler.next_straight(cpu, may_enter, now);
}

void Kernel::serve_device(Cpu& cpu, void (*handler)(void*), void* argument) {
  enter(cpu, [&](Core&) { handler(argument); });
}

void Kernel::packet_received(std::uint32_t interface, std::span<const std::byte> frame) {
  impl().held().network.receive(interface, frame);
}

void Kernel::disk_done(std::uint64_t tag, Result<> outcome) {
  impl().held().disks.done(tag, outcome);
}

}  // namespace xok::kernel
