// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/proc/lifecycle.hpp"

#include <cstring>

#include "exos/fd/descriptors.hpp"
#include "exos/linux/tracing.hpp"
#include "exos/proc/environment.hpp"
#include "exos/proc/exec.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/shared.hpp"
#include "exos/vm/memory.hpp"

// A process is an entry in the shared table plus an environment. fork makes both. vfork makes only
// the entry: parent and child take turns in one environment, told apart by process().proc; what the
// child changes of process() and the descriptor table is put back when it execs or exits. exec in
// such a child then makes the environment, empty, without anything being copied.
namespace xok::exos {

Process g_process;

namespace {

alignas(64) rt::VectorState g_vectors;

/// Room in private memory for a vfork parent's state; not copied by fork.
struct VforkSave {
  Process process;
  std::uint64_t descriptors[kMaxDescriptors];
};
VforkSave& vfork_save() { return *reinterpret_cast<VforkSave*>(kVforkWindow); }

/// A free entry with a fresh pid, linked as our child. Hold proc_lock.
Proc* allocate_proc() {
  SharedState& state = shared();
  const Proc& self = *process().proc;
  const ResourceLimit& limit = process().limits[kLimitProcesses];
  if (state.proc_count >= kMaxProcs - 8 || state.proc_count >= limit.soft) return nullptr;
  Pid pid = state.last_pid;
  for (std::size_t tries = 0; tries < kMaxProcs; tries++) {
    pid = pid + 1 >= kMaxPid ? kInitPid + 1 : pid + 1;
    Proc& slot = proc_slot(pid);
    if (slot.state != ProcState::Free) continue;
    state.last_pid = pid;
    state.proc_count++;
    state.total_forks++;
    std::memcpy(&slot, &self, sizeof slot);
    slot.pid = pid;
    slot.parent = self.pid;
    slot.state = ProcState::Running;
    slot.env = 0;
    slot.wait_status = slot.unreported = 0;
    slot.pending = slot.child_cycles = slot.borrowed_env = 0;
    slot.start_ns = rt::monotonic_ns();
    slot.start_cycles = 0;
    slot.vfork_done = 1;
    slot.no_zombie = slot.executed = 0;
    slot.alarm_ns = slot.alarm_interval_ns = 0;
    slot.first_child = 0;
    Proc& parent = *process().proc;
    slot.next_sibling = parent.first_child;
    parent.first_child = static_cast<std::uint32_t>(&slot - state.procs.data()) + 1;
    return &slot;
  }
  return nullptr;
}

Proc* at_link(std::uint32_t link) { return link == 0 ? nullptr : &shared().procs[link - 1]; }

void unlink_child(Proc& parent, Proc& child) {
  std::uint32_t* link = &parent.first_child;
  while (*link != 0) {
    Proc* at = at_link(*link);
    if (at == &child) {
      *link = child.next_sibling;
      return;
    }
    link = &at->next_sibling;
  }
}

void free_proc(Proc& proc) {
  if (Proc* parent = find_proc(proc.parent)) unlink_child(*parent, proc);
  proc.state = ProcState::Free;
  proc.pid = 0;
  shared().proc_count--;
}

/// Holds for everything that a second process now refers to as well.
void hold_everything() {
  hold_descriptors();
  const FileSystemLock lock;
  Vfs fs = file_system();
  const Process& p = process();
  fs.hold(p.cwd);
  fs.hold(p.root);
  if (p.executable.valid()) fs.hold(p.executable);
}

void release_places() {
  const FileSystemLock lock;
  Vfs fs = file_system();
  Process& p = process();
  if (p.cwd.valid()) fs.release(p.cwd);
  if (p.root.valid()) fs.release(p.root);
  if (p.executable.valid()) fs.release(p.executable);
  p.cwd = p.root = p.executable = {};
}

void hold_region_files() {
  const FileSystemLock lock;
  for (const Region& region : regions().all())
    if (region.file.valid()) file_system().hold(region.file);
}

/// First code of a fork child, on its copy of the parent's stack.
extern "C" [[noreturn]] void fork_child_start(Proc* proc, rt::Registers* registers) {
  note_fork();
  Process& p = process();
  p.proc = proc;
  p.vfork_parent = nullptr;
  registers->rax = 0;
  rt::rt_restore_vectors(&g_vectors);
  rt::rt_resume(registers);
}

extern "C" [[noreturn]] void service_child_start(Proc* proc, void (*entry)()) {
  process().proc = proc;
  process().vfork_parent = nullptr;
  process().region_count = 0;
  entry();
  exit_process(0);
}

/// First code of the environment that a vfork child's exec made.
extern "C" [[noreturn]] void exec_child_start(Proc* proc, void* /*unused*/) {
  Process& p = process();
  p.proc = proc;
  p.vfork_parent = nullptr;
  p.region_count = 0;  // their files are the parent's
  rt::rt_restore_vectors(&g_vectors);
  load_prepared_image();
}

void notify_parent(const Proc& child, std::int32_t code, std::int32_t status) {
  Proc* parent = find_proc(child.parent);
  if (parent == nullptr) return;
  parent->child_event++;
  send_signal(*parent, kSigChld,
              {.code = code, .pid = child.pid, .uid = child.uid, .status = status});
}

/// Makes `proc` a zombie (or nothing, if nobody asks) and gives its children to init.
void finish_proc(Proc& proc, std::uint32_t wait_status) {
  const rt::Locked locked{shared().proc_lock};
  Proc& init = proc_slot(kInitPid);
  while (Proc* child = at_link(proc.first_child)) {
    proc.first_child = child->next_sibling;
    child->parent = kInitPid;
    child->next_sibling = init.first_child;
    init.first_child = static_cast<std::uint32_t>(child - shared().procs.data()) + 1;
    if (child->state == ProcState::Zombie) init.child_event++;
  }
  const bool signaled = (wait_status & 0x7f) != 0;
  const Proc* parent = find_proc(proc.parent);
  const bool discard = parent == nullptr || parent->no_zombie != 0;
  proc.child_cycles += run_cycles(proc);
  proc.state = ProcState::Zombie;
  proc.wait_status = wait_status;
  proc.vfork_done = 1;
  notify_parent(proc, signaled ? 2 : 1,
                static_cast<std::int32_t>(signaled ? wait_status & 0x7f : wait_status >> 8));
  if (discard) free_proc(proc);
}

/// Gives the environment back to the parent of a vfork child. `child` is what vfork returns.
[[noreturn]] void return_to_vfork_parent(Pid child) {
  VforkSave& save = vfork_save();
  rt::Registers registers = process().vfork_registers;
  std::memcpy(reinterpret_cast<void*>(kFdTable), save.descriptors,
              save.process.descriptor_end * sizeof(std::uint64_t));
  // The child may have grown or cut the shared address space: its region count is the true one.
  const std::size_t region_count = process().region_count;
  std::memcpy(&process(), &save.process, sizeof(Process));
  process().region_count = region_count;
  process().vfork_parent = nullptr;
  registers.rax = static_cast<std::uint64_t>(child);
  deliver_signals(registers, kNoCall, 0);
  rt::rt_resume(&registers);
}

bool selects(const Proc& child, Pid pid) {
  if (pid > 0) return child.pid == pid;
  if (pid == -1) return true;
  return child.group == (pid == 0 ? process().proc->group : -pid);
}

/// What wait can report of a child now, or nothing.
bool collect(Proc& child, std::uint32_t options, WaitResult& out) {
  out = {.pid = child.pid, .status = child.wait_status, .cycles = child.child_cycles};
  if (child.state == ProcState::Zombie) {
    process().proc->child_cycles += child.child_cycles;
    free_proc(child);
    return true;
  }
  if (child.state == ProcState::Stopped && (options & kWaitUntraced) != 0 &&
      (child.unreported & kReportStopped) != 0) {
    child.unreported &= ~kReportStopped;
    return true;
  }
  if ((options & kWaitContinued) != 0 && (child.unreported & kReportContinued) != 0) {
    child.unreported &= ~kReportContinued;
    out.status = 0xffff;
    return true;
  }
  return false;
}

}  // namespace

Proc* find_proc(Pid pid) {
  if (pid <= 0 || pid >= kMaxPid) return nullptr;
  Proc& slot = proc_slot(pid);
  return slot.pid == pid && slot.state != ProcState::Free ? &slot : nullptr;
}

std::uint64_t run_cycles(const Proc& proc) {
  if (proc.env == 0 || proc.state == ProcState::Zombie) return 0;
  const volatile Env& record = rt::env_record(proc.env);
  if (record.id != proc.env) return 0;
  const std::uint64_t cycles = record.run_cycles;
  return cycles > proc.start_cycles ? cycles - proc.start_cycles : 0;
}

void become_init() {
  Proc& proc = proc_slot(kInitPid);
  proc.pid = proc.group = proc.session = kInitPid;
  proc.state = ProcState::Running;
  proc.env = rt::env_id();
  proc.start_ns = rt::monotonic_ns();
  proc.vfork_done = 1;
  std::memcpy(proc.comm.data(), "init", 5);
  shared().last_pid = kInitPid;
  shared().proc_count = 1;
  Process& p = process();
  p.proc = &proc;
  p.umask = 022;
  for (ResourceLimit& limit : p.limits) limit = {kNoLimit, kNoLimit};
  p.limits[kLimitStack] = {kStackLimit, kNoLimit};
  p.limits[kLimitCore] = {0, kNoLimit};
  p.limits[kLimitProcesses] = {kMaxProcs - 8, kMaxProcs - 8};
  p.limits[kLimitDescriptors] = {kMaxDescriptors, kMaxDescriptors};
  publish_dispositions();
}

Result<Pid> fork_process(rt::Registers& registers) {
  const rt::CriticalSection section;
  Proc* child = nullptr;
  {
    const rt::Locked locked{shared().proc_lock};
    child = allocate_proc();
  }
  if (child == nullptr) return fail(Errc::NoSpace);
  rt::rt_save_vectors(&g_vectors);
  const auto made = make_environment(
      {.first_stack_byte = reinterpret_cast<std::uint64_t>(&registers), .stage = StageCopy::No});
  bool ok = made.has_value();
  if (ok) {
    const std::uint64_t target = make_target(kCapPages, *made);
    ok = share_program_pages(target).has_value() && give_slice(*made).has_value();
    if (!ok) discard_environment(*made);
  }
  if (!ok) {
    const rt::Locked locked{shared().proc_lock};
    free_proc(*child);
    return fail(Errc::NoMemory);
  }
  hold_everything();
  hold_region_files();
  child->env = *made;
  const Pid pid = child->pid;  // once it runs, its entry may soon be another's
  start_environment(*made, reinterpret_cast<std::uint64_t>(&fork_child_start),
                    reinterpret_cast<std::uint64_t>(child),
                    reinterpret_cast<std::uint64_t>(&registers),
                    reinterpret_cast<std::uint64_t>(&registers));
  return pid;
}

Result<Pid> vfork_process(rt::Registers& registers) {
  Process& p = process();
  if (p.vfork_parent != nullptr) return fork_process(registers);
  Proc* child = nullptr;
  {
    const rt::Locked locked{shared().proc_lock};
    child = allocate_proc();
  }
  if (child == nullptr) return fail(Errc::NoSpace);
  VforkSave& save = vfork_save();
  std::memcpy(&save.process, &p, sizeof p);
  std::memcpy(save.descriptors, reinterpret_cast<const void*>(kFdTable),
              p.descriptor_end * sizeof(std::uint64_t));
  hold_everything();
  child->env = p.proc->env;
  child->start_cycles = rt::env_record(child->env).run_cycles;
  child->borrowed_env = 1;
  child->vfork_done = 0;
  p.vfork_registers = registers;
  p.vfork_parent = &save.process;
  p.proc = child;
  return 0;
}

Result<Pid> start_service(const char* name, void (*entry)()) {
  const rt::CriticalSection section;
  Proc* child = nullptr;
  {
    const rt::Locked locked{shared().proc_lock};
    child = allocate_proc();
  }
  if (child == nullptr) return fail(Errc::NoSpace);
  std::strncpy(child->comm.data(), name, child->comm.size() - 1);
  child->command_length = 0;
  const std::uint64_t stack = kMainStackTop - 16;
  const EnvId env = XOK_TRY(make_environment({.first_stack_byte = stack, .stage = StageCopy::No}));
  XOK_TRY(give_slice(env));
  hold_everything();
  child->env = env;
  const Pid pid = child->pid;
  start_environment(env, reinterpret_cast<std::uint64_t>(&service_child_start),
                    reinterpret_cast<std::uint64_t>(child), reinterpret_cast<std::uint64_t>(entry),
                    stack);
  return pid;
}

void move_exec_to_own_environment() {
  Process& p = process();
  if (p.vfork_parent == nullptr) return;
  Proc& child = *p.proc;
  const rt::CriticalSection section;
  rt::rt_save_vectors(&g_vectors);
  const std::uint64_t stack = kMainStackTop - 16;
  const auto made = make_environment({.first_stack_byte = stack, .stage = StageCopy::Yes});
  if (!made.has_value() || !give_slice(*made).has_value()) {
    if (made.has_value()) discard_environment(*made);
    exit_process(kSigKill);
  }
  // The descriptors and places of the child now belong to its new environment.
  child.start_cycles = 0;
  child.borrowed_env = 0;
  child.vfork_done = 1;
  child.env = *made;
  const Pid pid = child.pid;
  start_environment(*made, reinterpret_cast<std::uint64_t>(&exec_child_start),
                    reinterpret_cast<std::uint64_t>(&child), 0, stack);
  forget_exec_stage();
  return_to_vfork_parent(pid);
}

void exit_process(std::uint32_t wait_status) {
  Process& p = process();
  Proc& proc = *p.proc;
  linux_abi::trace_end(wait_status);
  close_all_descriptors();
  release_places();
  if (p.vfork_parent != nullptr) {
    const Pid pid = proc.pid;
    finish_proc(proc, wait_status);
    return_to_vfork_parent(pid);
  }
  for (const Region& region : regions().all()) {
    if (!region.file.valid()) continue;
    const FileSystemLock lock;
    file_system().release(region.file);
  }
  p.region_count = 0;
  rt::CriticalSection section;
  __atomic_fetch_add(&shared().expected_deaths, 1, __ATOMIC_RELAXED);
  finish_proc(proc, wait_status);
  sys::env_free(kSelf);
  for (;;) rt::yield();
}

Result<WaitResult> wait_child(Pid pid, std::uint32_t options) {
  Proc& self = *process().proc;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(self.child_event);
    wait.watch(self.signal_event);
    {
      const rt::Locked locked{shared().proc_lock};
      bool any = false;
      for (Proc* child = at_link(self.first_child); child != nullptr;
           child = at_link(child->next_sibling)) {
        if (!selects(*child, pid)) continue;
        any = true;
        WaitResult result{};
        if (collect(*child, options, result)) return result;
      }
      if (!any) return fail(Errc::NotFound);
    }
    if ((options & kWaitNoHang) != 0) return WaitResult{};
    if (signal_pending()) return fail(Errc::Interrupted);
    wait.sleep();
  }
}

void collect_killed_environments() {
  const rt::Locked locked{shared().proc_lock};
  for (Proc& proc : shared().procs) {
    if (proc.state != ProcState::Running && proc.state != ProcState::Stopped) continue;
    if (proc.env == 0) continue;
    const volatile Env& record = rt::env_record(proc.env);
    if (record.id == proc.env && record.status != EnvStatus::Dead) continue;
    if (record.id == proc.env) sys::env_free(make_target(kCapPages, proc.env));
    finish_proc(proc, kSigSegv);
  }
  shared().expected_deaths = system_info().deaths;
}

}  // namespace xok::exos
