// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The first process. Its environment is started by the kernel with the root capability; it makes
// everything that the others share, starts the services and the job, and then waits: for typed
// input, the control port, alarms, children to collect, and the job's end, which ends the machine.
//
// Order: upcalls, capabilities, shared region, process table, files, terminal, network, services,
// job. Nothing of this needs a lock, since nobody else runs yet.
#include <cstring>
#include <new>
#include <string_view>

#include "base/check.hpp"
#include "exos/arena.hpp"
#include "exos/fd/console_files.hpp"
#include "exos/init/control.hpp"
#include "exos/init/file_tree.hpp"
#include "exos/init/job.hpp"
#include "exos/init/launch.hpp"
#include "exos/init/power.hpp"
#include "exos/net/service.hpp"
#include "exos/proc/environment.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/service.hpp"
#include "exos/shared.hpp"
#include "exos/tty/terminal.hpp"

namespace xok::exos {
namespace {

constexpr std::uint64_t kDataEntry = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;

void print(std::string_view text) {
  console_print(0, std::as_bytes(std::span{text.data(), text.size()}));
}

[[noreturn]] void stop(std::uint64_t status) {
  for (const std::uint32_t port :
       {kOutputPort, kErrorPort, kTracePort, kTerminalPort, kControlPort})
    if (port_present(port)) console_flush(port);
  sys::machine_stop(kCapRoot, status);
  for (;;) rt::yield();
}

[[noreturn]] void give_up(std::string_view why) {
  print("exos: cannot start: ");
  print(why);
  print("\n");
  send_control("error", why);
  stop(kStopFailure);
}

void take_upcalls() {
  auto& uenv = *reinterpret_cast<Uenv*>(kInitUenvAddress);
  rt::set_gs_base(kInitUenvAddress);
  const EnvId id = reinterpret_cast<const volatile Env*>(kExposedEnvs)[1].id;
  fill_uenv(uenv, id, kInitUenvAddress);
}

/// Pages that must be there before the first fault: the handlers' stacks.
void map_upcall_stacks() {
  for (std::uint64_t i = 1; i <= kFaultStackPages; i++)
    sys::pte_insert(kCapPages, kDataEntry, kFaultStackTop - i * kPageSize, kSelf);
  for (std::uint64_t i = 1; i <= kSliceStackPages; i++)
    sys::pte_insert(kCapPages, kDataEntry, kSliceStackTop - i * kPageSize, kSelf);
}

/// The root capability moves out of slot 0, so that what is made from now on belongs to the trust
/// domain and not to the root.
bool arrange_capabilities() {
  const auto forge = [](std::uint64_t from, std::uint64_t to, const Capability& value) {
    return sys::cap_forge(from, to, value.bits(), kSelf) >= 0;
  };
  return forge(0, kCapRoot, kRootCapability) &&
         forge(kCapRoot, kCapConsole, Capability::make({kConsoleName})) &&
         forge(kCapRoot, kCapNetwork, Capability::make({kInterfaceName})) &&
         forge(kCapRoot, kCapFilters, Capability::make({kFilterName})) &&
         forge(kCapRoot, kCapPages, Capability::make({1}));
}

/// In shared memory: private pages that were touched are copied into every process.
Job& new_job() {
  void* const memory = arena().allocate_pages(page_ceil(sizeof(Job)) >> kPageShift);
  if (memory == nullptr) give_up("no memory for the job");
  return *new (memory) Job;
}

void set_tracing(const Job& job) {
  if (job.trace.find("calls") == std::string_view::npos) return;
  shared().trace_port = port_present(kTracePort) && job.mode == JobMode::Batch ? kTracePort
                        : port_present(kTerminalPort)                          ? kTerminalPort
                                                                               : 0;
  shared().trace_calls = 1;
}

/// Raises the alarms that are due; returns when the next one is.
std::uint64_t raise_alarms() {
  const std::uint64_t now = rt::monotonic_ns();
  std::uint64_t next = rt::kNoDeadline;
  for (Proc& proc : shared().procs) {
    if (proc.alarm_ns == 0 || proc.state == ProcState::Free) continue;
    if (proc.alarm_ns <= now) {
      send_signal(proc, kSigAlrm, {.code = kSiKernel});
      proc.alarm_ns = proc.alarm_interval_ns == 0 ? 0 : now + proc.alarm_interval_ns;
    }
    if (proc.alarm_ns != 0 && proc.alarm_ns < next) next = proc.alarm_ns;
  }
  return next;
}

/// Collects dead children. True when the job was among them; `status` is then its.
bool collect_children(Pid job, std::uint32_t& status) {
  for (;;) {
    const auto child = wait_child(-1, kWaitNoHang);
    if (!child.has_value() || child->pid == 0) return false;
    if (child->pid == job) {
      status = child->status;
      return true;
    }
  }
}

/// The first socket starts the network service; with a shell it runs from the start.
void start_network_if_wanted() {
  static constinit bool started = false;
  if (started || shared().network_wanted == 0) return;
  started = true;
  (void)start_service("net", [] { run_network_service(); });
}

[[noreturn]] void serve(Pid job) {
  const Terminal& terminal = shared().terminal;
  const SystemInfo& info = xok::system_info();
  std::uint32_t status = 0;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(info.consoles[terminal.port].received);
    wait.watch(info.consoles[kControlPort].received);
    wait.watch(process().proc->child_event);
    wait.watch(shared().alarm_event);
    wait.watch_value(shared().power_off, 0);
    wait.watch(shared().network_wanted);
    start_network_if_wanted();
    wait.watch_pair(info.deaths, shared().expected_deaths);
    const std::uint64_t write_event = terminal.write_event;
    if (!pump_terminal()) wait.watch_value(terminal.write_event, write_event);
    pump_control(job);
    wait.deadline(raise_alarms());
    if (info.deaths != shared().expected_deaths) collect_killed_environments();
    if (collect_children(job, status)) break;
    if (shared().power_off != 0) break;
    wait.sleep();
  }
  send_exit_status(status);
  stop(kStopClean);
}

[[noreturn]] void start(std::uint64_t bundle_length) {
  take_upcalls();
  if (!arrange_capabilities()) give_up("the first environment lacks the root capability");
  map_upcall_stacks();
  std::memcpy(shared().host_name.data(), "xok", 4);
  become_init();
  set_up_terminal(port_present(kTerminalPort) ? kTerminalPort : 0);
  const auto bundle = share_bundle(bundle_length);
  if (!bundle.has_value()) give_up("the boot bundle is damaged");
  Job& job = new_job();
  parse_job(bundle->job, job);
  if (!make_file_tree(*bundle).has_value()) give_up("no root file system");
  if (job.argument_count == 0) {
    job.arguments[0] = "/bin/sh";
    job.arguments[1] = "-l";
    job.argument_count = 2;
  }
  set_tracing(job);
  const auto network = parse_network(job.network);
  if (!network.has_value()) give_up("the network is not dhcp, none or ADDRESS/BITS,GATEWAY,DNS");
  shared().network_choice = *network;
  if (job.mode == JobMode::Shell || job.cheetah) shared().network_wanted = 1;
  if (job.cheetah) (void)start_service("cheetah", [] { run_web_server(); });
  const auto first = launch_job(job);
  if (!first.has_value()) give_up("no memory for the first program");
  serve(*first);
}

}  // namespace

void request_power_off() { shared().power_off = 1; }

void die(const char* why, std::uint64_t a, std::uint64_t b) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto print_hex = [](std::uint64_t value) {
    char text[17];
    for (int i = 0; i < 16; i++) text[i] = kDigits[value >> (60 - 4 * i) & 15];
    text[16] = ' ';
    print({text, sizeof text});
  };
  print("exos: process ended: ");
  print(why);
  print(" ");
  print_hex(a);
  print_hex(b);
  print("\n");
  // No ordinary exit: whatever is wrong may be in the way. init notices the dead environment.
  sys::env_free(kSelf);
  for (;;) rt::yield();
}

}  // namespace xok::exos

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t length) {
  xok::set_check_handler(
      [](const char* expression, const char* /*file*/, int line, std::uint64_t /*a*/,
         std::uint64_t /*b*/) { xok::exos::die(expression, static_cast<std::uint64_t>(line)); });
  xok::exos::start(length);
}
