// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "abi/exposed.hpp"
#include "kernel/core/env_state.hpp"
#include "kernel/core/kernel.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/translations.hpp"

/// The processor: who has it, and for how long.
///
/// Each processor walks its slice vector round and round. A position gives its owner one slice of
/// kSliceNanoseconds; a sleeping owner has its predicate evaluated first and is passed over while
/// it is false. When the slice ends and somebody else could run:
///   critical_depth > 0   `interrupted` is set, the owner has kGraceNanoseconds to yield
///   a slice-end entry    upcall, the same time to yield
///   neither              switched out, all registers kept
/// Time used beyond the end is forfeited: later turns of that position are shortened or skipped
/// (unless nobody else wants them). Who does not yield in time is switched by force and has the
/// slice-start upcall when it runs again; after kMaxOverruns of these in a row it dies.
///
/// Several processors. Each walks its own vector; an environment may own slices of several and runs
/// on one at a time (EnvState::processor): the others pass over it meanwhile. A program that writes
/// the word another one's predicate reads makes no call, so a processor that idles looks by itself:
/// every kIdlePollNanoseconds while any other one runs something. Sooner where the writer enters
/// the kernel, which it does to wait or when its slice ends: at the end of each entry the kernel
/// evaluates the predicates of those processors' sleepers (`wake_idle`; rarely enough that this
/// takes no more than a quarter of the time) and interrupts a processor that has somebody to run.
///
/// Source thesis ch. 9 (Aegis); original sys/kern/sched.c. differs: excess time is forfeited, the
/// forced switch keeps everything, the grace is 1 ms and not 3.3 s
namespace xok::kernel {

inline constexpr std::uint64_t kGraceNanoseconds = 1'000'000;
inline constexpr std::uint32_t kMaxOverruns = 256;
/// How many control transfers, each made inside the one before, one slice is handed through.
inline constexpr unsigned kMaxDonation = 8;
/// How long an idle processor may overlook a word that a program has written without a call.
inline constexpr std::uint64_t kIdlePollNanoseconds = 500'000;
/// How often at most the kernel looks for work of idle processors.
inline constexpr std::uint64_t kLookNanoseconds = 5'000;

class Scheduler {
 public:
  using EnvStates = std::array<EnvState, kMaxEnvironments>;

  Scheduler(Machine& machine, EnvStates& states, Translations& translations)
      : machine_{machine}, states_{states}, translations_{translations} {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// `idle_table`: an address space without user memory, loaded when the current one goes away.
  void initialize(const ExposedTables& tables, std::uint64_t idle_table);
  /// As Kernel::add_processor.
  void add_processor(Cpu& cpu);

  // -- The vector

  Slice& slice(std::uint64_t processor, std::uint64_t position) {
    return slices_[processor * kSlicesPerProcessor + position];
  }
  /// The first position of a processor that nobody owns; kSlicesPerProcessor when there is none.
  [[nodiscard]] std::uint32_t first_free(std::uint64_t processor) const;
  void set_owner(std::uint64_t processor, std::uint64_t position, EnvIndex env, Capability guard);
  void clear_owner(std::uint64_t processor, std::uint64_t position);
  /// Frees all slices of an environment. Cost O(positions in use).
  void free_slices(EnvIndex env);

  // -- Giving the processor away

  /// Gives the processor to the next environment of the vector that can run, or idles.
  void switch_to_next(Cpu& cpu);
  /// Gives the rest of the current slice to `env`. False when it cannot run now.
  bool switch_to(Cpu& cpu, EnvIndex env);
  /// Who runs in `env`'s time: itself, or whom it waits for in a control transfer, at most
  /// kMaxDonation calls on. (Waiting is a forest: who waits is not ready to be called.)
  [[nodiscard]] EnvIndex runner(EnvIndex env) const {
    for (unsigned i = 0; i < kMaxDonation && envs_[env].status == EnvStatus::Calling; i++)
      env = env_index(envs_[env].waits_for);
    return env;
  }
  /// Puts the current environment to sleep on its predicate. False: it holds already.
  bool sleep(Cpu& cpu);
  /// A voluntary yield: ends the count of overruns and charges time used beyond the slice's end.
  /// Whether the slice has ended (so its rest cannot be given away).
  bool settle(Cpu& cpu);
  /// The timer fired. True when the environment must die of overruns.
  bool tick(Cpu& cpu);
  /// `env` ends: takes its processor from it, whichever it has, and unloads its tables.
  void evict(Cpu& cpu, EnvIndex env, std::uint64_t table_going_away);

  /// As Kernel::next_straight. What it does not know yet, `choose` finds out.
  EnvIndex next_straight(Cpu& cpu, const std::uint64_t* may_enter, std::uint64_t now) {
    const Processor& p = processors_[0];
    const std::uint32_t known = p.after[cpu.position];
    const std::uint32_t at = known % kSlicesPerProcessor;
    const Slice& s = slices_[at];
    const EnvIndex env = env_index(s.owner);
    const std::uint64_t end = now + slice_cycles_;
    if (known / kSlicesPerProcessor != p.epoch || may_enter[env] != s.owner ||
        s.forfeited_us != 0 || p.armed > end)
      return kNoEnv;
    cpu.position = at;
    cpu.slice_end = end;
    return env;
  }
  /// The machine has given the processor to another environment by itself (Cpu::straight).
  void catch_up(Cpu& cpu);
  /// There is more to do at the next turn of `env` than to resume it.
  void expect_more(EnvIndex env) {
    (void)machine_.context(env);
    cpus_[0]->straight = 0;
  }

  // -- Protected methods

  /// The address space of `env` has become another one: loads it if `env` has this processor.
  void reload(Cpu& cpu, EnvIndex env) {
    if (cpu.current != env) return;
    cpu.straight = 0;
    load_tables(env);
  }
  /// The only user of a top-level table has left it.
  void unload(const Cpu& cpu, std::uint64_t table) {
    if (translations_.loaded(cpu.number) == table) translations_.load(idle_table_);
  }
  /// The other processor that runs `env` enters Kernel::wake, which takes the pages `env` owes:
  /// only there are its registers known.
  void repossess_there(EnvIndex env) {
    states_[env].repossess_due = true;
    machine_.kick(states_[env].processor);
  }
  /// Takes another processor from `env`, if it has one. Its registers are lost.
  void take_back(Cpu& cpu, EnvIndex env);

  [[nodiscard]] EnvIndex current(std::uint32_t processor) const {
    return cpus_[processor]->current;
  }
  [[nodiscard]] bool idles(std::uint32_t processor) const { return (idle_ >> processor & 1) != 0; }

  // -- Processors that idle

  [[nodiscard]] bool somebody_idles() const { return idle_ != 0; }
  /// Interrupts those for which there is somebody to run now.
  void wake_idle(const Cpu& cpu);
  /// Somebody may have become able to run: the next `wake_idle` looks, however soon it comes.
  void look_soon() { next_look_ = 0; }

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  struct Processor {
    std::array<std::uint64_t, kSlicesPerProcessor / 64> used{};
    std::uint64_t summary = 0;     // bit w: used[w] is not 0
    std::uint64_t grace_end = 0;   // 0: not in grace
    std::uint64_t armed = kNever;  // when the timer fires
    /// By position: the next one in use, and the epoch that this was found in. Each change of
    /// what is in use begins another epoch.
    std::array<std::uint32_t, kSlicesPerProcessor> after{};
    std::uint32_t epoch = 1;
  };
  /// The timer fires by then. A slice that ends early leaves its timer to the next one: it fires
  /// too soon, once, instead of being set at each yield.
  void arm(const Cpu& cpu, std::uint64_t deadline) {
    Processor& p = processors_[cpu.number];
    if (p.armed <= deadline) return;
    p.armed = deadline;
    machine_.set_timer(deadline);
  }
  struct Choice {
    EnvIndex env;
    std::uint32_t position;
    std::uint64_t shorter;   // cycles the slice is shortened by
    std::uint64_t deadline;  // nobody: when to look again
  };

  [[nodiscard]] std::uint64_t table_of(EnvIndex env) const {
    const std::uint64_t method = states_[env].method_top;
    return method != 0 ? method : envs_[env].table_page;
  }
  [[nodiscard]] std::uint32_t next_used(const Processor& p, std::uint32_t from) const;
  static void begin_epoch(Processor& p);
  Choice choose(const Cpu& cpu);
  bool anyone_else(const Cpu& cpu);
  void force_out(Cpu& cpu);
  /// Whether `env` can run on this processor now.
  bool ready(const Cpu& cpu, EnvIndex env, std::uint64_t& deadline) {
    const std::uint32_t has = states_[env].processor;
    if (has != kNowhere && has != cpu.number) return false;
    const EnvStatus status = envs_[env].status;
    if (status == EnvStatus::Runnable) return true;
    // Who has set a predicate has run, so its context is set.
    const Predicate* const predicate = states_[env].predicate;
    if (status != EnvStatus::Sleeping || predicate == nullptr) return false;
    if (!predicate->differences) [[unlikely]]
      return try_wake(env, *predicate, deadline);
    const Predicate::Term* const term = first_difference(*predicate);
    if (term == nullptr) return false;
    wake(env, term->tag);
    return true;
  }
  bool try_wake(EnvIndex env, const Predicate& predicate, std::uint64_t& deadline);
  void wake(EnvIndex env, std::uint32_t tag);
  void start_slice(Cpu& cpu, const Choice& choice);
  void give(Cpu& cpu, EnvIndex env);
  void leave(Cpu& cpu);
  void idle(Cpu& cpu, std::uint64_t deadline);
  void charge(Cpu& cpu, std::uint64_t now);
  bool enter_slice_end(EnvIndex env);
  void enter_slice_start(EnvIndex env);
  void enter_revocation(EnvIndex env);
  void load_tables(EnvIndex env) {
    const EnvState& state = states_[env];
    if (state.method == 0) [[likely]]
      return translations_.load(envs_[env].table_page);
    translations_.load(state.method_top, state.method_shows);
  }
  static void set_current(Cpu& cpu, EnvIndex env) { cpu.current = cpu.settled = env; }
  /// Whether an environment's next turn is nothing but its resumption.
  [[nodiscard]] bool is_plain(EnvIndex env) const {
    const EnvState& state = states_[env];
    return envs_[env].status == EnvStatus::Runnable && state.method == 0 && !state.revoke_due &&
           state.overruns_in_a_row == 0 && !state.forced_out;
  }
  void let_go(Cpu& cpu);
  void seize(std::uint32_t number);
  void stop_idling(const Cpu& cpu);
  void kick(std::uint32_t number);

  Machine& machine_;
  EnvStates& states_;
  Translations& translations_;
  SystemInfo* system_ = nullptr;
  Env* envs_ = nullptr;
  Slice* slices_ = nullptr;
  std::uint64_t idle_table_ = 0;
  std::uint64_t slice_cycles_ = 0;
  std::uint64_t grace_cycles_ = 0;
  std::uint64_t cycles_per_us_ = 1;
  std::uint64_t poll_cycles_ = 0;
  std::uint64_t look_cycles_ = 0;
  std::uint64_t next_look_ = 0;  // clock value
  std::uint64_t pass_ = 0;
  ProcessorSet idle_ = 0;
  ProcessorSet kicked_ = 0;  // interrupted, and not yet in the kernel
  std::uint32_t count_ = 0;
  std::array<Cpu*, kMaxProcessors> cpus_{};
  std::array<Processor, kMaxProcessors> processors_{};
};

/// Whether an upcall entry may be jumped to: a user address that is not 0.
constexpr bool is_entry(std::uint64_t address) { return address != 0 && address < kUserTop; }

/// The flags as user code may have them: carry, parity, adjust, zero, sign, trap, direction,
/// overflow, resume, alignment, id; interrupts always on.
constexpr std::uint64_t user_flags(std::uint64_t rflags) {
  constexpr std::uint64_t kUserFlags = 0x0025'0dd5;
  constexpr std::uint64_t kFixedFlags = 0x202;  // interrupts on, and the bit that is always 1
  return (rflags & kUserFlags) | kFixedFlags;
}

/// The flags that an upcall starts with: no single step, no direction, no nested task, no
/// alignment check.
constexpr std::uint64_t upcall_flags(std::uint64_t rflags) {
  constexpr std::uint64_t kTrap = 1u << 8, kDirection = 1u << 10, kNested = 1u << 14,
                          kResume = 1u << 16, kAlignment = 1u << 18;
  return rflags & ~(kTrap | kDirection | kNested | kResume | kAlignment);
}

}  // namespace xok::kernel
