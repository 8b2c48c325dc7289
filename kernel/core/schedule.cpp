// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/schedule.hpp"

#include "base/check.hpp"

namespace xok::kernel {
namespace {

constexpr std::uint32_t kNone = kSlicesPerProcessor;

}  // namespace

void Scheduler::initialize(const ExposedTables& tables, std::uint64_t idle_table) {
  system_ = tables.info;
  envs_ = tables.envs;
  slices_ = tables.slices;
  idle_table_ = idle_table;
  const std::uint64_t hz = system_->tsc_hz;
  XOK_CHECK(hz >= 1'000'000, hz);
  cycles_per_us_ = hz / 1'000'000;
  slice_cycles_ = cycles_per_us_ * (kSliceNanoseconds / 1000);
  grace_cycles_ = cycles_per_us_ * (kGraceNanoseconds / 1000);
  poll_cycles_ = cycles_per_us_ * (kIdlePollNanoseconds / 1000);
  look_cycles_ = cycles_per_us_ * (kLookNanoseconds / 1000);
  for (std::size_t i = 0; i < kMaxProcessors * kSlicesPerProcessor; i++) slices_[i] = Slice{};
}

void Scheduler::add_processor(Cpu& cpu) {
  XOK_CHECK(cpu.number == count_ && cpu.current == kNoEnv, cpu.number, count_);
  cpus_[count_++] = &cpu;
  cpus_[0]->straight = 0;
  system_->processors = count_;
  translations_.add_processor(cpu.number, idle_table_);
  machine_.load_address_space(PageNumber{idle_table_});
  cpu.entered = machine_.cycles();
  idle_ |= ProcessorSet{1} << cpu.number;
}

// -- The vector

std::uint32_t Scheduler::next_used(const Processor& p, std::uint32_t from) const {
  if (from >= kNone) return kNone;
  const std::uint32_t word = from / 64;
  const std::uint64_t rest = p.used[word] & ~std::uint64_t{0} << from % 64;
  if (rest != 0) return word * 64 + static_cast<std::uint32_t>(std::countr_zero(rest));
  const std::uint64_t later = p.summary & (~std::uint64_t{0} << word << 1);
  if (later == 0) return kNone;
  const auto next = static_cast<std::uint32_t>(std::countr_zero(later));
  return next * 64 + static_cast<std::uint32_t>(std::countr_zero(p.used[next]));
}

void Scheduler::begin_epoch(Processor& p) {
  constexpr std::uint32_t kEpochs = ~std::uint32_t{0} / kSlicesPerProcessor;
  if (++p.epoch <= kEpochs) return;
  p.after = {};
  p.epoch = 1;
}

std::uint32_t Scheduler::first_free(std::uint64_t processor) const {
  const Processor& p = processors_[processor];
  for (std::uint32_t word = 0; word < p.used.size(); word++) {
    if (~p.used[word] != 0)
      return word * 64 + static_cast<std::uint32_t>(std::countr_zero(~p.used[word]));
  }
  return kNone;
}

void Scheduler::set_owner(std::uint64_t processor, std::uint64_t position, EnvIndex env,
                          Capability guard) {
  clear_owner(processor, position);
  Slice& s = slice(processor, position);
  s.owner = envs_[env].id;
  s.guard = guard;
  envs_[env].slices++;
  Processor& p = processors_[processor];
  p.used[position / 64] |= std::uint64_t{1} << position % 64;
  p.summary |= std::uint64_t{1} << position / 64;
  begin_epoch(p);
  look_soon();
}

void Scheduler::clear_owner(std::uint64_t processor, std::uint64_t position) {
  Slice& s = slice(processor, position);
  if (s.owner == 0) return;
  envs_[env_index(s.owner)].slices--;
  s = Slice{};
  Processor& p = processors_[processor];
  begin_epoch(p);
  p.used[position / 64] &= ~(std::uint64_t{1} << position % 64);
  if (p.used[position / 64] == 0) p.summary &= ~(std::uint64_t{1} << position / 64);
}

void Scheduler::free_slices(EnvIndex env) {
  for (std::uint32_t number = 0; number < kMaxProcessors && envs_[env].slices > 0; number++) {
    const Processor& p = processors_[number];
    for (std::uint32_t at = next_used(p, 0); at != kNone; at = next_used(p, at + 1)) {
      if (env_index(slice(number, at).owner) == env) clear_owner(number, at);
    }
  }
}

// -- Choosing

/// Whether a sleeper can run now after all: it is woken by asking, if its predicate holds.
bool Scheduler::try_wake(EnvIndex env, const Predicate& predicate, std::uint64_t& deadline) {
  const Verdict verdict = evaluate(predicate, machine_.cycles());
  if (!verdict.tag.has_value()) {
    if (verdict.deadline < deadline) deadline = verdict.deadline;
    return false;
  }
  wake(env, *verdict.tag);
  return true;
}

void Scheduler::wake(EnvIndex env, std::uint32_t tag) {
  envs_[env].status = EnvStatus::Runnable;
  machine_.result(env) = tag;
  machine_.uenv(env).wake_tag = tag;
}

/// Whether an environment other than the current one owns a slice and can run.
bool Scheduler::anyone_else(const Cpu& cpu) {
  const Processor& p = processors_[cpu.number];
  std::uint64_t deadline = kNever;
  const std::uint64_t pass = ++pass_;
  for (std::uint32_t at = next_used(p, 0); at != kNone; at = next_used(p, at + 1)) {
    const EnvIndex env = runner(env_index(slice(cpu.number, at).owner));
    if (env == cpu.current || states_[env].pass == pass) continue;
    if (ready(cpu, env, deadline)) return true;
    states_[env].pass = pass;
  }
  return false;
}

/// Goes once round the vector, starting behind the current position. Each sleeper is asked once,
/// however many slices it has.
Scheduler::Choice Scheduler::choose(const Cpu& cpu) {
  Processor& p = processors_[cpu.number];
  Choice skipped{kNoEnv, 0, 0, kNever};  // could run, but owes its turn
  std::uint64_t deadline = kNever;
  const std::uint64_t pass = ++pass_;
  bool wrapped = false;
  bool first = true;
  for (std::uint32_t at = next_used(p, cpu.position + 1);; at = next_used(p, at + 1)) {
    if (at == kNone || (wrapped && at > cpu.position)) {
      if (wrapped) break;
      wrapped = true;
      at = next_used(p, 0);
      if (at == kNone || at > cpu.position) break;
    }
    if (first) p.after[cpu.position] = p.epoch * kNone + at;
    first = false;
    Slice& s = slice(cpu.number, at);
    const EnvIndex env = runner(env_index(s.owner));
    if (states_[env].pass == pass) continue;
    if (!ready(cpu, env, deadline)) {
      states_[env].pass = pass;
      continue;
    }
    if (s.forfeited_us * cycles_per_us_ < slice_cycles_) {
      const std::uint64_t shorter = s.forfeited_us * cycles_per_us_;
      s.forfeited_us = 0;
      return {env, at, shorter, 0};
    }
    s.forfeited_us -= static_cast<std::uint32_t>(slice_cycles_ / cycles_per_us_);
    if (skipped.env == kNoEnv) skipped = {env, at, 0, 0};
  }
  if (skipped.env == kNoEnv) skipped.deadline = deadline;
  return skipped;
}

// -- Switching

/// Closes the account of whoever has the processor.
void Scheduler::leave(Cpu& cpu) {
  const std::uint64_t now = machine_.cycles();
  if (cpu.current == kNoEnv) {
    system_->idle_cycles += now - cpu.entered;
  } else {
    envs_[cpu.current].run_cycles += now - cpu.entered;
  }
  cpu.entered = now;
}

/// The current environment has the processor no longer; another one may give it one.
void Scheduler::let_go(Cpu& cpu) {
  machine_.context_release(cpu.current, is_plain(cpu.current));
  states_[cpu.current].processor = kNowhere;
  set_current(cpu, kNoEnv);
}

void Scheduler::catch_up(Cpu& cpu) {
  states_[cpu.settled].processor = kNowhere;
  states_[cpu.current].processor = cpu.number;
  translations_.note_loaded(cpu.number, envs_[cpu.current].table_page);
  cpu.settled = cpu.current;
}

void Scheduler::give(Cpu& cpu, EnvIndex env) {
  leave(cpu);
  if (states_[env].revoke_due) [[unlikely]]
    enter_revocation(env);
  if (cpu.current == env) return;
  if (cpu.current != kNoEnv) {
    let_go(cpu);
  } else {
    stop_idling(cpu);
  }
  set_current(cpu, env);
  states_[env].processor = cpu.number;
  Env& record = envs_[env];
  record.switches++;
  record.processor = cpu.number;
  load_tables(env);
  if (states_[env].forced_out) [[unlikely]]
    enter_slice_start(env);
  cpu.straight = count_ == 1 && processors_[0].grace_end == 0 && is_plain(env) ? 1 : 0;
}

void Scheduler::start_slice(Cpu& cpu, const Choice& choice) {
  processors_[cpu.number].grace_end = 0;
  give(cpu, choice.env);
  cpu.position = choice.position;
  cpu.slice_end = cpu.entered + slice_cycles_ - choice.shorter;
  arm(cpu, cpu.slice_end);
}

void Scheduler::idle(Cpu& cpu, std::uint64_t deadline) {
  processors_[cpu.number].grace_end = 0;
  leave(cpu);
  if (cpu.current != kNoEnv) let_go(cpu);
  const ProcessorSet self = ProcessorSet{1} << cpu.number;
  const ProcessorSet all = (ProcessorSet{1} << count_) - 1;
  idle_ |= self;
  kicked_ &= ~self;
  if (!translations_.alone()) {
    translations_.load(idle_table_);  // so that nobody has to interrupt it for what it may cache
    if (idle_ != all && processors_[cpu.number].summary != 0) {
      const std::uint64_t poll = cpu.entered + poll_cycles_;
      if (poll < deadline) deadline = poll;
    }
  }
  // Not sooner, as `arm` might: nobody is to be disturbed.
  processors_[cpu.number].armed = deadline;
  machine_.set_timer(deadline);
}

void Scheduler::switch_to_next(Cpu& cpu) {
  const Choice choice = choose(cpu);
  if (choice.env == kNoEnv) return idle(cpu, choice.deadline);
  start_slice(cpu, choice);
}

bool Scheduler::switch_to(Cpu& cpu, EnvIndex env) {
  std::uint64_t deadline = kNever;
  env = runner(env);
  if (!ready(cpu, env, deadline)) return false;
  give(cpu, env);
  return true;
}

bool Scheduler::sleep(Cpu& cpu) {
  std::uint64_t deadline = kNever;
  envs_[cpu.current].status = EnvStatus::Sleeping;
  return !ready(cpu, cpu.current, deadline);
}

bool Scheduler::settle(Cpu& cpu) {
  states_[cpu.current].overruns_in_a_row = 0;
  if (processors_[cpu.number].grace_end == 0) return false;
  charge(cpu, machine_.cycles());
  return true;
}

/// Adds what was used beyond the slice's end to the debt of its position.
void Scheduler::charge(Cpu& cpu, std::uint64_t now) {
  processors_[cpu.number].grace_end = 0;
  Slice& s = slice(cpu.number, cpu.position);
  if (s.owner == 0 || now <= cpu.slice_end) return;
  const std::uint64_t us = (now - cpu.slice_end) / cycles_per_us_;
  const std::uint64_t total = s.forfeited_us + us;
  s.forfeited_us = total > 0xffff'ffff ? 0xffff'ffff : static_cast<std::uint32_t>(total);
}

void Scheduler::take_back(Cpu& cpu, EnvIndex env) {
  const std::uint32_t has = states_[env].processor;
  if (has != kNowhere && has != cpu.number) seize(has);
}

void Scheduler::evict(Cpu& cpu, EnvIndex env, std::uint64_t table_going_away) {
  const std::uint32_t has = states_[env].processor;
  if (has == cpu.number) {
    leave(cpu);
    let_go(cpu);
    processors_[cpu.number].grace_end = 0;
    idle_ |= ProcessorSet{1} << cpu.number;
  } else if (has != kNowhere) {
    seize(has);
  }
  if (translations_.loaded(cpu.number) == table_going_away) translations_.load(idle_table_);
}

// -- Other processors

/// Takes another processor from its environment, whose registers are lost. It enters the kernel
/// next, and chooses somebody else.
void Scheduler::seize(std::uint32_t number) {
  machine_.seize(number, PageNumber{idle_table_});
  translations_.note_loaded(number, idle_table_);
  Cpu& other = *cpus_[number];
  leave(other);
  states_[other.current].processor = kNowhere;
  set_current(other, kNoEnv);
  processors_[number].grace_end = 0;
  idle_ |= ProcessorSet{1} << number;
  kicked_ |= ProcessorSet{1} << number;
}

/// An idle processor is about to run something, which may write words that the sleepers of others
/// wait for: if all idled, nobody looks.
void Scheduler::stop_idling(const Cpu& cpu) {
  const ProcessorSet self = ProcessorSet{1} << cpu.number;
  const ProcessorSet others = ((ProcessorSet{1} << count_) - 1) & ~self;
  idle_ &= ~self;
  kicked_ &= ~self;
  if (idle_ != others) return;
  for (std::uint32_t n = 0; n < count_; n++) {
    if (n != cpu.number && processors_[n].summary != 0) kick(n);
  }
}

void Scheduler::kick(std::uint32_t number) {
  const ProcessorSet who = ProcessorSet{1} << number;
  if ((kicked_ & who) != 0) return;
  kicked_ |= who;
  machine_.kick(number);
}

void Scheduler::wake_idle(const Cpu& cpu) {
  const ProcessorSet who = idle_ & ~kicked_ & ~(ProcessorSet{1} << cpu.number);
  if (who == 0) return;
  const std::uint64_t begin = machine_.cycles();
  if (begin < next_look_) return;
  for (std::uint32_t n = 0; n < count_; n++) {
    if ((who >> n & 1) != 0 && anyone_else(*cpus_[n])) kick(n);
  }
  const std::uint64_t end = machine_.cycles();
  next_look_ = end + look_cycles_ + 3 * (end - begin);
}

// -- The timer

bool Scheduler::tick(Cpu& cpu) {
  Processor& p = processors_[cpu.number];
  p.armed = kNever;
  if (cpu.current == kNoEnv) {
    switch_to_next(cpu);
    return false;
  }
  const std::uint64_t now = machine_.cycles();
  const std::uint64_t due = p.grace_end != 0 ? p.grace_end : cpu.slice_end;
  if (now < due) {
    arm(cpu, due);
    return false;
  }
  const EnvIndex env = cpu.current;
  if (p.grace_end != 0) {  // it had its time to yield
    envs_[env].overruns++;
    if (++states_[env].overruns_in_a_row >= kMaxOverruns) return true;
    charge(cpu, now);
    force_out(cpu);
    return false;
  }
  if (!anyone_else(cpu)) {
    if (states_[env].revoke_due) enter_revocation(env);
    cpu.slice_end = now + slice_cycles_;
    arm(cpu, cpu.slice_end);
    return false;
  }
  volatile Uenv& uenv = machine_.uenv(env);
  const bool critical = uenv.critical_depth != 0;
  if (critical) uenv.interrupted = 1;
  if (critical || enter_slice_end(env)) {
    p.grace_end = now + grace_cycles_;
    cpu.straight = 0;
    arm(cpu, p.grace_end);
    return false;
  }
  force_out(cpu);
  return false;
}

/// Switches away from the current environment as it stands.
void Scheduler::force_out(Cpu& cpu) {
  const EnvIndex env = cpu.current;
  states_[env].forced_out = true;
  switch_to_next(cpu);
  if (cpu.current == env) states_[env].forced_out = false;  // it was its own turn again
}

bool Scheduler::enter_slice_end(EnvIndex env) {
  volatile Uenv& uenv = machine_.uenv(env);
  const std::uint64_t entry = uenv.slice_end_entry;
  if (!is_entry(entry)) return false;
  Context& context = machine_.context(env);
  uenv.slice_end.rip = context.rip;
  uenv.slice_end.rsp = context.rsp;
  uenv.slice_end.rflags = context.rflags;
  context.rip = entry;
  context.rsp = uenv.slice_end_stack;
  context.rflags = upcall_flags(context.rflags);
  return true;
}

void Scheduler::enter_slice_start(EnvIndex env) {
  states_[env].forced_out = false;
  volatile Uenv& uenv = machine_.uenv(env);
  const std::uint64_t entry = uenv.slice_start_entry;
  if (!is_entry(entry) || uenv.slice_start_active != 0) return;
  Context& context = machine_.context(env);
  uenv.slice_start.rip = context.rip;
  uenv.slice_start.rsp = context.rsp;
  uenv.slice_start.rflags = context.rflags;
  uenv.slice_start_active = 1;
  context.rip = entry;
  context.rsp = uenv.slice_start_stack;
  context.rflags = upcall_flags(context.rflags);
}

/// The upcall that asks for pages. Inside a critical section or a method (whose Uenv is not its
/// own) it waits for a later slice.
void Scheduler::enter_revocation(EnvIndex env) {
  volatile Uenv& uenv = machine_.uenv(env);
  volatile Revocation& revocation = uenv.revocation;
  if (uenv.critical_depth != 0 || states_[env].method != 0) return;
  states_[env].revoke_due = false;
  const std::uint64_t entry = revocation.entry;
  if (!is_entry(entry) || revocation.active != 0) return;
  Context& context = machine_.context(env);
  revocation.save.rip = context.rip;
  revocation.save.rsp = context.rsp;
  revocation.save.rflags = context.rflags;
  revocation.active = 1;
  context.rip = entry;
  context.rsp = revocation.stack;
  context.rflags = upcall_flags(context.rflags);
}

}  // namespace xok::kernel
