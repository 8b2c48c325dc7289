// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// One processor is started at a time, so the trampoline's page and its words need no lock:
//
//   this one                                 the other
//   fill the page, INIT, startup message
//   wait for Arrived                         features, descriptors, APIC -> Arrived
//   both compare their cycle counters
//   wait for Joined                          timer, Kernel::add_processor -> Joined, idle
//
// The page is one of RAM that the kernel gives nobody (all below 1 MiB); what was in it is put
// back. Source: Intel SDM volume 3, section 8.4.
#include "kernel/arch/x86_64/processors.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/check.hpp"
#include "kernel/arch/x86_64/acpi.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/descriptors.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/log.hpp"
#include "kernel/arch/x86_64/paging.hpp"
#include "kernel/arch/x86_64/registers.hpp"
#include "kernel/core/requests.hpp"

extern "C" {
extern const char trampoline_begin[], trampoline_end[], trampoline_long[];
extern const char trampoline_gdt_base[], trampoline_far[], trampoline_first_table[];
extern const char trampoline_kernel_table[], trampoline_stack[], trampoline_argument[];
extern char boot_top[];
}

namespace xok::kernel::x86 {
namespace {

constexpr std::uint64_t kStackPages = 8, kFaultStackPages = 3, kDebugStackPages = 1;

enum class Stage : std::uint32_t { Asleep, Arrived, Unfit, Compared, Joined };

constinit Requests g_requests;
constinit std::size_t g_prepared = 1;
constinit std::atomic<Stage> g_stage{Stage::Asleep};
constinit Kernel* g_kernel = nullptr;
constinit std::uint64_t g_page_attributes = 0;

/// The cycle counters' comparison: who reads takes its turn, and no reading may be below the other
/// one's last.
struct Comparison {
  std::atomic<std::uint32_t> turn{0};
  std::atomic<std::uint64_t> last{0};
  std::atomic<std::uint64_t> worst{0};
};
constinit Comparison g_comparison;
constexpr std::uint32_t kTurns = 64;
/// What is not worth a word: less than any two readings can be apart.
constexpr std::uint64_t kToleratedCycles = 1000;

std::uint64_t microseconds(std::uint64_t n) { return n * (tsc_hz() / 1'000'000); }

void wait_cycles(std::uint64_t cycles) {
  const std::uint64_t begin = read_tsc();
  while (read_tsc() - begin < cycles) relax();
}

template <class Condition>
bool wait_for(std::uint64_t cycles, const Condition& condition) {
  const std::uint64_t begin = read_tsc();
  while (!condition()) {
    if (read_tsc() - begin > cycles) return false;
    relax();
  }
  return true;
}

void compare_counters(std::uint32_t parity) {
  Comparison& c = g_comparison;
  for (std::uint32_t turn = parity; turn < kTurns; turn += 2) {
    while (c.turn.load(std::memory_order_acquire) != turn) relax();
    const std::uint64_t now = read_tsc();
    const std::uint64_t last = c.last.load(std::memory_order_relaxed);
    if (last > now && last - now > c.worst.load(std::memory_order_relaxed))
      c.worst.store(last - now, std::memory_order_relaxed);
    c.last.store(now, std::memory_order_relaxed);
    c.turn.store(turn + 1, std::memory_order_release);
  }
}

// -- The trampoline

std::size_t offset_of(const char* symbol) {
  return static_cast<std::size_t>(symbol - trampoline_begin);
}

template <class T>
void set_word(std::byte* page, const char* symbol, T value) {
  std::memcpy(page + offset_of(symbol), &value, sizeof(T));
}

/// A page of RAM below 1 MiB, not the first (the BIOS' data); 0: there is none.
std::uint64_t find_low_page(const BootInfo& boot) {
  constexpr std::uint64_t kFirst = 0x8000, kEnd = 0xa0000;
  for (std::uint64_t page = kFirst; page < kEnd; page += kPageSize) {
    const auto holds = [page](const MemoryRange& r) {
      return r.begin <= page && r.end >= page + kPageSize;
    };
    const auto touches = [page](const MemoryRange& r) {
      return !r.ram && r.begin < page + kPageSize && r.end > page;
    };
    if (std::ranges::any_of(boot.memory(), [&](const auto& r) { return r.ram && holds(r); }) &&
        std::ranges::none_of(boot.memory(), touches))
      return page;
  }
  return 0;
}

void fill_trampoline(std::uint64_t physical, Processor& processor) {
  std::byte* page = direct(physical);
  std::memcpy(page, trampoline_begin, offset_of(trampoline_end));
  const auto low = static_cast<std::uint32_t>(physical);
  const auto gdt = static_cast<std::uint32_t>(offset_of(trampoline_gdt_base)) - 2 - 16;
  set_word(page, trampoline_gdt_base, low + gdt);
  set_word(page, trampoline_far, low + static_cast<std::uint32_t>(offset_of(trampoline_long)));
  set_word(page, trampoline_first_table,
           static_cast<std::uint32_t>(reinterpret_cast<std::uint64_t>(boot_top) - KERNEL_BASE));
  set_word(page, trampoline_kernel_table, paging().top_physical());
  set_word(page, trampoline_stack, processor.stacks.kernel);
  set_word(page, trampoline_argument, reinterpret_cast<std::uint64_t>(&processor));
}

/// The messages that start a processor, until it has arrived. False: it does not come.
bool wake_up(std::uint32_t apic, std::uint64_t physical) {
  constexpr std::uint64_t kSettle = 200, kFirstPatience = 10'000, kPatience = 1'000'000;  // us
  const auto arrived = [] { return g_stage.load(std::memory_order_acquire) != Stage::Asleep; };
  send_init(apic);
  wait_cycles(microseconds(under_hypervisor() ? kSettle : 10'000));
  for (const std::uint64_t patience : {kFirstPatience, kPatience}) {
    send_startup(apic, static_cast<std::uint8_t>(physical >> kPageShift));
    if (wait_for(microseconds(patience), arrived)) return true;
  }
  return false;
}

/// Starts processor number `number`. Whether it has joined.
bool start(std::uint32_t number, std::uint32_t apic, std::uint64_t physical) {
  Processor& processor = processor_number(number);
  processor.core.number = number;
  processor.apic_id = apic;
  g_stage.store(Stage::Asleep, std::memory_order_relaxed);
  g_comparison.turn.store(0, std::memory_order_relaxed);
  g_comparison.last.store(0, std::memory_order_relaxed);
  g_comparison.worst.store(0, std::memory_order_relaxed);
  fill_trampoline(physical, processor);
  const std::uint64_t name = apic;
  if (!wake_up(apic, physical)) {
    log_error(Line{} << "processor with APIC number " << name << " does not start: left out");
    return false;
  }
  if (g_stage.load(std::memory_order_acquire) == Stage::Unfit) {
    log_error(Line{} << "processor with APIC number " << name
                     << " lacks what the first one has: left out");
    return false;
  }
  compare_counters(0);
  while (g_stage.load(std::memory_order_acquire) != Stage::Joined) relax();
  if (const std::uint64_t worst = g_comparison.worst.load(std::memory_order_relaxed);
      worst > kToleratedCycles)
    log_error(Line{} << "processor " << std::uint64_t{number} << ": its cycle counter is " << worst
                     << " cycles behind; times will jump");
  return true;
}

[[noreturn]] void stay_out() {
  g_stage.store(Stage::Unfit, std::memory_order_release);
  halt_forever();
}

}  // namespace

/// Where the trampoline leads: on the processor's own stack, in the kernel's address space.
extern "C" [[noreturn]] void processor_main(Processor* self) {
  if (!enable_features_here()) stay_out();
  write_msr(Msr::PageAttributes, g_page_attributes);
  install_descriptors(*self);
  start_apic_here();
  g_stage.store(Stage::Arrived, std::memory_order_release);
  compare_counters(1);
  start_timer_here();
  g_kernel->add_processor(self->core);
  g_stage.store(Stage::Joined, std::memory_order_release);
  resume();
}

void prepare_processors() {
  g_page_attributes = read_msr(Msr::PageAttributes);
  const std::size_t wanted = std::min(acpi().processors().size(), kMaxProcessors);
  for (; g_prepared < wanted; g_prepared++) {
    Stacks& stacks = processor_number(static_cast<std::uint32_t>(g_prepared)).stacks;
    stacks.kernel = paging().map_stack(kStackPages);
    stacks.nmi = paging().map_stack(kFaultStackPages);
    stacks.double_fault = paging().map_stack(kFaultStackPages);
    stacks.machine_check = paging().map_stack(kFaultStackPages);
    stacks.debug = paging().map_stack(kDebugStackPages);
    if (stacks.debug == 0 || stacks.machine_check == 0 || stacks.double_fault == 0 ||
        stacks.nmi == 0 || stacks.kernel == 0)
      break;
  }
}

void start_processors(Kernel& kernel, const BootInfo& boot) {
  g_kernel = &kernel;
  processor().apic_id = apic_id();
  if (g_prepared == 1) return;
  expect_several_processors();
  const std::uint64_t physical = find_low_page(boot);
  if (physical == 0) return log_error("no memory below 1 MiB: only one processor is used");
  static constinit std::array<std::byte, 512> kept{};
  XOK_CHECK(offset_of(trampoline_end) <= kept.size());
  std::memcpy(kept.data(), direct(physical), kept.size());
  std::uint32_t number = 1;
  bool all = true;
  for (const std::uint32_t apic : acpi().processors()) {
    if (number == g_prepared || number == kMaxProcessors) break;
    if (apic == processor().apic_id) continue;
    if (start(number, apic, physical))
      number++;
    else
      all = false;
  }
  // One that comes late must still find the code that stops it.
  if (all) std::memcpy(direct(physical), kept.data(), kept.size());
}

// -- Requests

namespace {

void ask(ProcessorSet processors, const Requests::Request& request) {
  g_requests.post(processors, request);
  for (std::uint32_t n = 0; n < kMaxProcessors; n++) {
    if ((processors >> n & 1) != 0) send_interrupt(processor_number(n).apic_id, kRequestVector);
  }
  while (!g_requests.answered()) relax();
}

}  // namespace

void flush_others(ProcessorSet processors, std::span<const std::uint64_t> addresses) {
  Requests::Request request;
  request.count = addresses.size();
  std::ranges::copy(addresses, request.addresses.begin());
  ask(processors, request);
}

void seize_processor(std::uint32_t number, std::uint64_t table) {
  Requests::Request request;
  request.table = table;
  ask(ProcessorSet{1} << number, request);
}

void kick_processor(std::uint32_t number) {
  send_interrupt(processor_number(number).apic_id, kWakeVector);
}

bool answer_requests() {
  bool seized = false;
  Processor& self = processor();
  g_requests.answer(self.core.number, [&](const Requests::Request& request) {
    if (request.table != 0) {
      seized = true;
      forget_environment(self);
      write_cr3(request.table << kPageShift);
      return;
    }
    if (request.count == 0) write_cr3(read_cr3());
    for (std::size_t i = 0; i < request.count; i++) invalidate_page(request.addresses[i]);
  });
  return seized;
}

}  // namespace xok::kernel::x86
