// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/clock.hpp"

#include <cstring>

#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/context.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/log.hpp"
#include "kernel/arch/x86_64/registers.hpp"

namespace xok::kernel::x86 {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kPitHz = 1'193'182;
constexpr std::uint32_t kCalibrationTicks = 5966;  // 5 ms
constexpr std::uint64_t kAssumedHz = 1'000'000'000;
constexpr unsigned kPatience = 100'000;
constexpr unsigned kRatioShift = 32;

constinit std::uint64_t g_tsc_hz = 0;

// -- The 8254's channel 2, which interrupts nobody. Source: Intel 8254 data sheet.

constexpr std::uint16_t kPitChannel2 = 0x42;
constexpr std::uint16_t kPitCommand = 0x43;
constexpr std::uint16_t kPitGate = 0x61;

void start_pit() {
  out8(kPitGate, static_cast<std::uint8_t>((in8(kPitGate) & ~2u) | 1u));  // gate on, speaker off
  out8(kPitCommand, 0xb0);                                                // mode 0, low then high
  out8(kPitChannel2, 0xff);
  out8(kPitChannel2, 0xff);
}

std::uint32_t read_pit() {
  out8(kPitCommand, 0x80);  // latch
  const std::uint32_t low = in8(kPitChannel2);
  return low | std::uint32_t{in8(kPitChannel2)} << 8;
}

/// Both counters at one moment: of a few tries the one that took least, for this processor may be
/// a thread that somebody else interrupts.
struct Sample {
  std::uint64_t cycles = 0;
  std::uint32_t pit = 0;
  std::uint32_t apic = 0;
};

Sample take_sample() {
  Sample best;
  std::uint64_t shortest = ~std::uint64_t{0};
  for (int i = 0; i < 5; i++) {
    const std::uint64_t before = read_tsc();
    const std::uint32_t pit = read_pit();
    const std::uint32_t apic = apic_timer_count();
    const std::uint64_t after = read_tsc();
    if (after - before >= shortest) continue;
    shortest = after - before;
    best = {before + shortest / 2, pit, apic};
  }
  return best;
}

struct Rates {
  std::uint64_t tsc_hz = 0;
  std::uint64_t apic_hz = 0;
};

/// Nothing when there is no such timer (its count stands still).
Rates measure() {
  start_pit();
  start_apic_timer_free();
  const Sample begin = take_sample();
  unsigned patience = kPatience;
  while (begin.pit - read_pit() < kCalibrationTicks && --patience > 0) relax();
  const Sample end = take_sample();
  const std::uint64_t ticks = (begin.pit - end.pit) & 0xffff;
  if (patience == 0 || ticks < kCalibrationTicks) return {};
  return {(end.cycles - begin.cycles) * kPitHz / ticks,
          std::uint64_t{begin.apic - end.apic} * kPitHz / ticks};
}

/// What the processor or the hypervisor states; 0 when neither does.
std::uint64_t stated_tsc_hz() {
  if (cpuid(0).eax >= 0x15) {
    const CpuidResult r = cpuid(0x15);
    if (r.eax != 0 && r.ebx != 0 && r.ecx != 0) return std::uint64_t{r.ecx} * r.ebx / r.eax;
  }
  constexpr std::uint32_t kHypervisorBit = 1u << 31;
  constexpr std::uint32_t kHypervisor = 0x40000000;
  if ((cpuid(1).ecx & kHypervisorBit) != 0 && cpuid(kHypervisor).eax >= kHypervisor + 0x10)
    return std::uint64_t{cpuid(kHypervisor + 0x10).eax} * 1000;
  return 0;
}

// -- The battery clock. Source: Motorola MC146818A data sheet.

std::uint8_t read_cmos(std::uint8_t index) {
  out8(0x70, index);
  return in8(0x71);
}

struct Date {
  std::uint8_t second, minute, hour, day, month, year, century;
  bool operator==(const Date&) const = default;
};

Date read_date() {
  return {read_cmos(0), read_cmos(2), read_cmos(4),   read_cmos(7),
          read_cmos(8), read_cmos(9), read_cmos(0x32)};
}

std::uint64_t from_bcd(std::uint8_t value) { return value / 16u * 10u + value % 16u; }

/// Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant, days_from_civil).
std::uint64_t days_since_1970(std::uint64_t year, std::uint64_t month, std::uint64_t day) {
  if (month <= 2) year--;
  const std::uint64_t era_year = year % 400;
  const std::uint64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const std::uint64_t day_of_era = era_year * 365 + era_year / 4 - era_year / 100 + day_of_year;
  return year / 400 * 146097 + day_of_era - 719468;
}

/// UTC in seconds since 1970, or 0 without a clock.
std::uint64_t read_wall_clock() {
  constexpr std::uint8_t kUpdating = 0x80;
  Date date = read_date();
  for (unsigned i = 0; i < 1000; i++) {  // until two readings agree outside an update
    while ((read_cmos(0x0a) & kUpdating) != 0 && i < 1000) i++;
    const Date again = read_date();
    if (again == date) break;
    date = again;
  }
  const std::uint8_t mode = read_cmos(0x0b);
  const bool binary = (mode & 4) != 0;
  const auto number = [binary](std::uint8_t v) { return binary ? v : from_bcd(v); };
  const bool afternoon = (date.hour & 0x80) != 0;
  std::uint64_t hour = number(date.hour & 0x7f);
  if ((mode & 2) == 0) hour = hour % 12 + (afternoon ? 12 : 0);
  const std::uint64_t month = number(date.month);
  const std::uint64_t day = number(date.day);
  const std::uint64_t century = number(date.century);
  const std::uint64_t year =
      number(date.year) + 100 * (century >= 19 && century <= 22 ? century : 20);
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23) return 0;
  return ((days_since_1970(year, month, day) * 24 + hour) * 60 + number(date.minute)) * 60 +
         number(date.second);
}

/// (value << shift) / divisor, without 128-bit division: long division by halves.
std::uint64_t shifted_quotient(std::uint64_t value, unsigned shift, std::uint64_t divisor) {
  std::uint64_t quotient = value / divisor;
  std::uint64_t rest = value % divisor;
  for (unsigned i = 0; i < shift; i++) {
    rest <<= 1;
    quotient = quotient << 1 | (rest >= divisor ? 1 : 0);
    if (rest >= divisor) rest -= divisor;
  }
  return quotient;
}

/// The largest multiplier below 2^32 with its shift: ns = (cycles * multiplier) >> shift.
void set_conversion(SystemInfo& info) {
  unsigned shift = 32;
  std::uint64_t multiplier = shifted_quotient(kNanosecondsPerSecond, shift, info.tsc_hz);
  while (multiplier >> 32 != 0) {
    multiplier >>= 1;
    shift--;
  }
  info.tsc_to_ns_multiplier = static_cast<std::uint32_t>(multiplier);
  info.tsc_to_ns_shift = shift;
}

void start_timer(std::uint64_t tsc_hz, std::uint64_t apic_hz) {
  if (features().tsc_deadline) {
    use_tsc_deadline();
    return;
  }
  use_apic_one_shot();
  processor().timer_steps_per_cycle = shifted_quotient(apic_hz, kRatioShift, tsc_hz);
}

}  // namespace

void initialize_clock(SystemInfo& info, std::uint64_t boot_cycles) {
  std::uint64_t tsc_hz = stated_tsc_hz();
  std::uint64_t apic_hz = 0;
  if (tsc_hz == 0 || !features().tsc_deadline) {
    const Rates measured = measure();
    if (tsc_hz == 0) tsc_hz = measured.tsc_hz;
    apic_hz = measured.apic_hz;
  }
  if (tsc_hz == 0) {
    log_error("clock: the cycle counter's frequency is not known, 1 GHz is assumed");
    tsc_hz = kAssumedHz;
  }
  if (apic_hz == 0) apic_hz = kAssumedHz / 16;
  info.tsc_boot = boot_cycles;
  info.tsc_hz = g_tsc_hz = tsc_hz;
  set_conversion(info);
  const std::uint64_t wall = read_wall_clock();
  const std::uint64_t since_boot = read_tsc() - boot_cycles;
  if (wall != 0) {
    const auto product = Wide{since_boot} * info.tsc_to_ns_multiplier;
    info.boot_wall_ns =
        wall * kNanosecondsPerSecond - static_cast<std::uint64_t>(product >> info.tsc_to_ns_shift);
  }
  start_timer(tsc_hz, apic_hz);
}

std::uint64_t tsc_hz() { return g_tsc_hz; }

void start_timer_here() {
  if (features().tsc_deadline) return use_tsc_deadline();
  start_apic_timer_free();
  const std::uint32_t first = apic_timer_count();
  const std::uint64_t begin = read_tsc();
  while (read_tsc() - begin < g_tsc_hz / 1000) relax();
  const std::uint64_t cycles = read_tsc() - begin;
  const std::uint64_t steps = first - apic_timer_count();
  use_apic_one_shot();
  // A timer that stands still is that of the first processor's making.
  processor().timer_steps_per_cycle = steps != 0 ? shifted_quotient(steps, kRatioShift, cycles)
                                                 : processor_number(0).timer_steps_per_cycle;
}

void set_timer(std::uint64_t deadline_cycles) {
  const std::uint64_t steps_per_cycle = processor().timer_steps_per_cycle;
  if (steps_per_cycle == 0) {
    write_msr(Msr::TscDeadline, deadline_cycles == 0 ? 1 : deadline_cycles);
    return;
  }
  constexpr std::uint64_t kLongest = ~std::uint32_t{0};
  const std::uint64_t now = read_tsc();
  const std::uint64_t cycles = deadline_cycles > now ? deadline_cycles - now : 0;
  const auto product = Wide{cycles} * steps_per_cycle;
  const auto steps = static_cast<std::uint64_t>(product >> kRatioShift) + 1;
  set_apic_count(static_cast<std::uint32_t>(steps < kLongest ? steps : kLongest));
}

}  // namespace xok::kernel::x86
