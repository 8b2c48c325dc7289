// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// The kernel's main: from the boot loader's information to the first environment.
#include <string_view>

#include "kernel/arch/x86_64/acpi.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/boot_info.hpp"
#include "kernel/arch/x86_64/boot_memory.hpp"
#include "kernel/arch/x86_64/bundle.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/context.hpp"
#include "kernel/arch/x86_64/descriptors.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/image.hpp"
#include "kernel/arch/x86_64/interrupts.hpp"
#include "kernel/arch/x86_64/log.hpp"
#include "kernel/arch/x86_64/paging.hpp"
#include "kernel/arch/x86_64/panic.hpp"
#include "kernel/arch/x86_64/platform.hpp"
#include "kernel/arch/x86_64/power.hpp"
#include "kernel/arch/x86_64/processors.hpp"
#include "kernel/arch/x86_64/registers.hpp"
#include "kernel/arch/x86_64/serial.hpp"
#include "kernel/arch/x86_64/x86_machine.hpp"

namespace xok::kernel::x86 {
namespace {

constexpr std::string_view kBuild = "Xok x86-64 " XOK_BUILD_TYPE ", " __VERSION__;
constexpr std::uint32_t kSerialIrq = 4;

constinit BootInfo g_boot;
constinit BootMemory g_memory;
constinit drivers::Devices g_devices;
constinit ExposedTables g_tables;

X86Platform& platform() {
  static X86Platform the_platform;
  return the_platform;
}

/// The kernel and its machine refer to each other.
struct System {
  X86Machine machine{kernel, g_devices};
  Kernel kernel{machine};
};
System& system() {
  static System the_system;
  return the_system;
}

void fail_boot [[noreturn]] (const Line& why) {
  log_error(why);
  stop_machine(kStopPanic);
}

template <std::size_t N>
void copy_text(std::array<char, N>& to, std::string_view from) {
  from.copy(to.data(), N - 1);
}

void initialize_processor() {
  enable_features();
  Processor& first = processor_number(0);
  const auto end = [](const char* stack) { return reinterpret_cast<std::uint64_t>(stack); };
  first.stacks = {end(processor_stack_end), end(nmi_stack_end), end(double_fault_stack_end),
                  end(machine_check_stack_end), end(debug_stack_end)};
  install_descriptors(first);
  catch_failed_checks();
}

void initialize_memory() {
  if (g_boot.memory().empty()) fail_boot(Line{} << "Xok: the boot loader gave no memory map.");
  if (!g_memory.initialize(g_boot) || !g_memory.create_tables(g_tables) ||
      g_memory.create_env_records() == 0)
    fail_boot(Line{} << "Xok: " << (g_memory.total_bytes() >> 20)
                     << " MiB of memory is too little.");
}

void fill_system_info() {
  SystemInfo& info = *g_tables.info;
  copy_text(info.build, kBuild);
  info.processor_name = processor_name();
  // An uncached view of a page may miss the zeroes that are still in a cache, so that it would show
  // the last owner's bytes: only where the processor snoops its own caches.
  info.caching_bits = kPteWriteThrough | (features().self_snoop ? kPteCacheDisable : 0);
  copy_text(info.command_line, g_boot.command_line());
}

void report_processor() {
  const SystemInfo& info = *g_tables.info;
  const Features& f = features();
  log(Line{} << "processor: " << info.processor_name.data() << ", " << info.tsc_hz / 1'000'000
             << " MHz; NX SMEP SMAP" << (f.umip ? " UMIP" : " (no UMIP)")
             << (f.avx512 ? " AVX-512" : (f.avx ? " AVX" : ""))
             << (f.tsc_deadline ? " TSC-deadline" : "") << (f.x2apic ? " x2APIC" : ""));
  log(Line{} << "memory: " << (g_memory.total_bytes() >> 20) << " MiB");
}

void report_processors() {
  if (const std::uint64_t count = g_tables.info->processors; count > 1)
    log(Line{} << "processors: " << count);
}

void attach_serial_line() {
  SystemInfo& info = *g_tables.info;
  serial().attach(info.consoles[0]);
  if (info.console_count == 0) info.console_count = 1;
  const Acpi::IsaLine line = acpi().isa_line(kSerialIrq);
  register_line(line.gsi, line.trigger, [](void*) { serial().interrupt(); }, nullptr);
}

void start_devices() {
  platform().initialize(g_boot, g_memory.free());
  drivers::Callbacks callbacks;
  callbacks.context = &system().kernel;
  callbacks.packet_received = [](void* kernel, std::uint32_t interface,
                                 std::span<const std::byte> frame) {
    static_cast<Kernel*>(kernel)->packet_received(interface, frame);
  };
  callbacks.disk_done = [](void* kernel, std::uint64_t tag, Result<> outcome) {
    static_cast<Kernel*>(kernel)->disk_done(tag, outcome);
  };
  callbacks.input_arrived = [](void*) {};  // every interrupt ends with Kernel::wake
  g_devices.probe(platform(), *g_tables.info, callbacks);
  set_tick_handler([](void*) { g_devices.poll(); }, nullptr);
  platform().seal();
}

void report_devices() {
  const SystemInfo& info = *g_tables.info;
  Line line;
  line << "devices: serial";
  for (std::uint32_t i = 1; i < info.interface_count; i++) {
    line << ", net" << std::uint64_t{i};
    const char* separator = " ";
    for (const std::uint8_t byte : info.interfaces[i].mac) {
      line << separator << Line::Hex{byte, 2};
      separator = ":";
    }
  }
  for (std::uint32_t i = 0; i < info.disk_count; i++)
    line << ", disk" << std::uint64_t{i} << " " << (info.disks[i].blocks >> 8) << " MiB";
  std::uint64_t ports = 0;
  for (std::size_t i = 1; i < info.consoles.size(); i++) ports += info.consoles[i].present;
  if (ports > 0) line << ", console with " << ports << (ports == 1 ? " port" : " ports");
  log(line);
}

void start_first_environment() {
  const std::uint64_t length = g_boot.bundle_length();
  if (length == 0)
    fail_boot(Line{} << "Xok: no boot bundle (QEMU: -initrd FILE; GRUB: module2 FILE).");
  if (g_boot.bundle() % kPageSize != 0 || !paging().in_direct_map(g_boot.bundle(), length))
    fail_boot(Line{} << "Xok: the boot bundle is not in whole pages of memory.");
  const auto bundle = read_bundle({direct(g_boot.bundle()), length});
  if (!bundle)
    fail_boot(Line{} << "Xok: the boot bundle "
                     << (bundle.error() == Errc::NotFound ? "has no part \"init\"."
                                                          : "is damaged: bad header."));
  log(Line{} << "bundle: " << (length >> 10) << " KiB, " << bundle->parts << " parts");
  const auto first = system().kernel.start_first_environment(
      bundle->init, PageNumber{g_boot.bundle() >> kPageShift}, length);
  if (!first)
    fail_boot(Line{} << "Xok: the first environment cannot start: "
                     << (first.error() == Errc::NoMemory ? "not enough memory."
                                                         : "\"init\" is not a static ELF file."));
}

void report_ready(std::uint64_t boot_cycles) {
  const std::uint64_t now = read_tsc();
  const std::uint64_t per_ms = g_tables.info->tsc_hz / 1000;
  log(Line{} << "ready: " << (now - boot_cycles) / per_ms << " ms in the kernel, " << now / per_ms
             << " ms since power-on");
}

void obey_command_line() {
  set_log_mode(g_boot.has_word("quiet") ? LogMode::Quiet : LogMode::Print);
  if (g_boot.has_word("debug_exit")) prefer_power_off(PowerOff::DebugExit);
}

void run_tests_of_panics() {
  if (g_boot.has_word("panic_test")) panic_on_purpose();
  if (g_boot.has_word("stack_overflow_test")) overflow_stack_on_purpose();
}

}  // namespace

extern "C" [[noreturn]] void kernel_main(std::uint64_t information, std::uint32_t protocol) {
  const std::uint64_t boot_cycles = read_tsc();
  for (const Initializer* f = init_array_begin; f < init_array_end; f++) (*f)();
  serial().initialize();
  const bool known = g_boot.read(protocol, information);
  obey_command_line();
  log(kBuild);
  if (!known) fail_boot(Line{} << "Xok: the boot loader's information is not PVH or Multiboot2.");
  initialize_processor();
  initialize_memory();
  run_tests_of_panics();
  fill_system_info();
  if (!acpi().initialize(g_boot)) log("acpi: no tables");
  if (!initialize_apic()) fail_boot(Line{} << "Xok: the local APIC cannot be mapped.");
  initialize_clock(*g_tables.info, boot_cycles);
  report_processor();
  attach_serial_line();
  start_devices();
  report_devices();
  prepare_processors();
  g_memory.finish(g_tables, g_boot);
  attach_kernel(system().kernel);
  system().machine.attach(g_tables.envs);
  system().kernel.initialize(g_tables);
  system().kernel.add_processor(processor().core);
  start_processors(system().kernel, g_boot);
  report_processors();
  start_first_environment();
  report_ready(boot_cycles);
  system().kernel.wake(processor().core);
  resume();
}

}  // namespace xok::kernel::x86
