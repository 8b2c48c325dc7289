// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/apic.hpp"

#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/paging.hpp"
#include "kernel/arch/x86_64/registers.hpp"

namespace xok::kernel::x86 {
namespace {

enum class Register : std::uint32_t {
  Id = 0x20,
  TaskPriority = 0x80,
  EndOfInterrupt = 0xb0,
  Spurious = 0xf0,
  Timer = 0x320,
  Command = 0x300,
  CommandTarget = 0x310,
  Line0 = 0x350,
  Line1 = 0x360,
  Error = 0x370,
  InitialCount = 0x380,
  CurrentCount = 0x390,
  Divide = 0x3e0,
};

constexpr std::uint32_t kMasked = 1u << 16;
constexpr std::uint32_t kDeadlineMode = 2u << 17;
constexpr std::uint32_t kSoftwareEnable = 1u << 8;
constexpr std::uint32_t kDivideBy16 = 3;
constexpr std::uint64_t kGloballyOn = 1u << 11;
constexpr std::uint64_t kX2On = 1u << 10;
constexpr std::uint32_t kAssert = 1u << 14, kInit = 5u << 8, kStartup = 6u << 8;

constinit volatile std::byte* g_registers = nullptr;
constinit bool g_x2 = false;

Msr msr_of(Register r) {
  return static_cast<Msr>(static_cast<std::uint32_t>(Msr::X2ApicFirst) +
                          (static_cast<std::uint32_t>(r) >> 4));
}

void write(Register r, std::uint32_t value) {
  if (g_x2)
    write_msr(msr_of(r), value);
  else
    *reinterpret_cast<volatile std::uint32_t*>(g_registers + static_cast<std::uint32_t>(r)) = value;
}

std::uint32_t read(Register r) {
  if (g_x2) return static_cast<std::uint32_t>(read_msr(msr_of(r)));
  return *reinterpret_cast<volatile std::uint32_t*>(g_registers + static_cast<std::uint32_t>(r));
}

/// The two 8259s: moved away from the exceptions' vectors, then masked. Absent ones do not mind.
void silence_old_controllers() {
  constexpr std::uint16_t kFirst = 0x20;
  constexpr std::uint16_t kSecond = 0xa0;
  for (const std::uint16_t port : {kFirst, kSecond}) {
    out8(port, 0x11);
    out8(port + 1, port == kFirst ? 0x20 : 0x28);
    out8(port + 1, port == kFirst ? 4 : 2);
    out8(port + 1, 1);
    out8(port + 1, 0xff);
  }
}

void switch_on() {
  write(Register::TaskPriority, 0);
  write(Register::Timer, kMasked);
  write(Register::Line0, kMasked);
  write(Register::Line1, kMasked);
  write(Register::Error, kMasked);
  write(Register::Divide, kDivideBy16);
  write(Register::Spurious, kSoftwareEnable | kSpuriousVector);
}

void send(std::uint32_t apic, std::uint32_t command) {
  constexpr std::uint32_t kPending = 1u << 12;
  asm volatile("mfence" : : : "memory");  // an x2APIC's register does not wait for stores
  if (g_x2) return write_msr(msr_of(Register::Command), std::uint64_t{apic} << 32 | command);
  write(Register::CommandTarget, apic << 24);
  write(Register::Command, command);
  while ((read(Register::Command) & kPending) != 0) relax();
}

}  // namespace

bool initialize_apic() {
  silence_old_controllers();
  const std::uint64_t base = read_msr(Msr::ApicBase);
  g_x2 = features().x2apic;
  if (!g_x2) {
    g_registers = paging().map_physical(base & 0xf'ffff'ffff'f000, kPageSize, Caching::Uncached);
    if (g_registers == nullptr) return false;
    write_msr(Msr::ApicBase, base | kGloballyOn);
  }
  switch_on();
  return true;
}

void start_apic_here() {
  const std::uint64_t base = read_msr(Msr::ApicBase);
  write_msr(Msr::ApicBase, base | kGloballyOn);
  if (g_x2) write_msr(Msr::ApicBase, base | kGloballyOn | kX2On);
  switch_on();
}

void send_interrupt(std::uint32_t apic, std::uint8_t vector) { send(apic, kAssert | vector); }

void send_init(std::uint32_t apic) { send(apic, kAssert | kInit); }

void send_startup(std::uint32_t apic, std::uint8_t page) { send(apic, kAssert | kStartup | page); }

void acknowledge_interrupt() { write(Register::EndOfInterrupt, 0); }

std::uint32_t apic_id() { return g_x2 ? read(Register::Id) : read(Register::Id) >> 24; }

void start_apic_timer_free() {
  write(Register::Timer, kMasked);
  write(Register::InitialCount, ~std::uint32_t{0});
}

std::uint32_t apic_timer_count() { return read(Register::CurrentCount); }

void use_tsc_deadline() {
  write(Register::Timer, kDeadlineMode | kTimerVector);
  // The mode must have taken effect before the first deadline is written (SDM 11.5.4.1).
  asm volatile("mfence" : : : "memory");
}

void use_apic_one_shot() {
  write(Register::InitialCount, 0);
  write(Register::Timer, kTimerVector);
}

void set_apic_count(std::uint32_t count) { write(Register::InitialCount, count); }

}  // namespace xok::kernel::x86
