// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors

// Which environment the processor holds, and the way back to user code.
//
// A record's registers are in up to three places. While its environment runs: in the processor.
// Inside a fast call: the callee-saved ones, rip, rsp and rflags in `context`, the six argument
// registers on the stack (`frame`), fs and gs base still in the processor (`bases_live`). After any
// other entry all general registers are in `context`. `complete` brings the rest there; the fast
// exit of entry.S is taken only if nobody asked for that. Vector registers stay in the processor
// until another environment needs it; with several processors only until its environment loses this
// one (context_release), for the next one to run it may be another.
//
// With one processor, an environment that gives it away by a call is *parked*: its context holds
// all but the caller-saved registers, which are dead (rax apart), and its vector registers, fs and
// gs base are saved. It comes back by the straight way (straight.S); `complete` ends the state.
//
// gs always points to a record whose `cpu` is this processor: that of the environment it runs, or
// its own `idle` one.
#include "kernel/arch/x86_64/context.hpp"

#include "abi/layout.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/image.hpp"
#include "kernel/arch/x86_64/memory.hpp"
#include "kernel/arch/x86_64/paging.hpp"
#include "kernel/arch/x86_64/registers.hpp"

extern "C" [[noreturn]] void enter_user(xok::kernel::x86::KernelEnv* env);
extern "C" [[noreturn]] void run_on_stack(void* stack_top, void (*function)());
extern "C" [[noreturn]] void switch_straight(xok::kernel::x86::KernelEnv* to);

namespace xok::kernel::x86 {

using VectorArea = std::array<std::byte, kPageSize - KENV_VECTORS>;
static_assert(sizeof(VectorArea) == Machine::kVectorBytes);

constexpr std::uint32_t kCleanMxcsr = 0x1f80;
constexpr std::size_t kMxcsrOffset = 24;

// Shared with straight.S.
extern "C" {
/// The clean state: no component in use, and MXCSR.
alignas(64) extern const VectorArea xok_clean_vectors;
alignas(64) constinit const VectorArea xok_clean_vectors = [] {
  VectorArea area{};
  for (std::size_t i = 0; i < 4; i++)
    area[kMxcsrOffset + i] = static_cast<std::byte>(kCleanMxcsr >> (8 * i));
  return area;
}();
constinit std::array<Processor, kMaxProcessors> xok_processors{};
/// By slot. Of a parked environment its id, if the straight way may enter it without asking: then
/// its rax is 0, whatever its context says. With bit 32 set, if it only may when the core has
/// chosen it; with bit 33 set, if its callee's answer may. Slot 0 is nobody's, and no call that
/// names 0 may find it here.
constinit std::array<std::uint64_t, kMaxEnvironments> xok_parked{~std::uint64_t{0}};
/// By slot. The id of a resting environment that the straight way may enter; such a one has no
/// registers at all.
constinit std::array<std::uint32_t, kMaxEnvironments> xok_resting{~std::uint32_t{0}};
/// By slot, in the environment windows.
constinit std::array<KernelEnv*, kMaxEnvironments> xok_records{};
}

namespace {

// What an environment may set in rflags: CF PF AF ZF SF TF DF OF NT RF AC ID. Interrupts are
// always on, IOPL 0, no VM.
constexpr std::uint64_t kUserFlags = 0xdd5 | 1u << 14 | 1u << 16 | 1u << 18 | 1u << 21;
constexpr std::uint64_t kFixedFlags = HANDLER_RFLAGS;

constinit bool g_several = false;
constinit std::uint64_t g_pool_next = 0;
constinit std::uint64_t g_pool_end = 0;

void save_vectors_to(VectorArea& area) {
  const std::uint64_t mask = features().vector_mask;
  asm volatile("xsave64 %0" : "+m"(area) : "a"(static_cast<std::uint32_t>(mask)), "d"(0));
}

void load_vectors_from(const VectorArea& area) {
  const std::uint64_t mask = features().vector_mask;
  asm volatile("xrstor64 %0" : : "m"(area), "a"(static_cast<std::uint32_t>(mask)), "d"(0));
}

void save_vectors(KernelEnv& env) { save_vectors_to(env.vectors); }
void load_vectors(KernelEnv& env) { load_vectors_from(env.vectors); }

std::uint64_t canonical(std::uint64_t address) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(address << 16) >> 16);
}

constexpr std::uint64_t kNotParked = 0;
constexpr std::uint64_t kOnlyChosen = std::uint64_t{1} << 32;

bool is_parked(const KernelEnv& env) { return xok_parked[env.index] != kNotParked; }
bool is_resting(const KernelEnv& env) { return xok_resting[env.index] != 0; }

/// Writes the rax of a parked environment to its context.
void settle_result(KernelEnv& env) {
  if (xok_parked[env.index] < kOnlyChosen) env.context.rax = 0;
}

/// The context of one that is parked or rests, as the core sees it.
void complete_dormant(KernelEnv& env) {
  Context& context = env.context;
  if (is_resting(env)) {
    context = Context{};
    context.rflags = kFixedFlags;
    context.fs_base = env.rest_fs_base;
    context.gs_base = env.rest_gs_base;
  } else {
    settle_result(env);
    context.rdi = context.rsi = context.rdx = context.rcx = 0;
    context.r8 = context.r9 = context.r10 = context.r11 = 0;
  }
  env.frame = nullptr;
  env.bases_live = false;
  xok_parked[env.index] = kNotParked;
  xok_resting[env.index] = 0;
}

bool is_dormant(const KernelEnv& env) { return is_parked(env) || is_resting(env); }

void complete(KernelEnv& env) {
  Context& context = env.context;
  if (is_dormant(env)) return complete_dormant(env);
  if (env.frame != nullptr) {
    const CallArguments& arguments = *env.frame;
    context.rdi = arguments[0];
    context.rsi = arguments[1];
    context.rdx = arguments[2];
    context.r10 = arguments[3];
    context.r8 = arguments[4];
    context.r9 = arguments[5];
    context.rcx = 0;
    context.r11 = 0;
    env.frame = nullptr;
  }
  if (env.bases_live) {
    context.fs_base = read_fs_base();
    context.gs_base = read_user_gs_base();
    env.bases_live = false;
  }
}

/// The registers that user code can load and no context keeps: one environment's must not be read
/// by the next.
void clear_segments() {
  asm volatile(
      "movl %0, %%ds\n\t"
      "movl %0, %%es\n\t"
      "movl %0, %%fs\n\t"
      "movl %0, %%gs"
      :
      : "r"(0));
}

void load(Processor& self, KernelEnv& env) {
  if (is_dormant(env)) complete_dormant(env);
  if (self.loaded == &env) return;
  if (self.loaded != nullptr) {
    if (!is_dormant(*self.loaded)) complete(*self.loaded);
    save_vectors(*self.loaded);
  }
  env.id = env.env->id;
  env.cpu = &self.core;
  env.stack_top = self.stacks.kernel;
  refresh_window(env.index);
  clear_segments();
  write_gs_base(reinterpret_cast<std::uint64_t>(&env));
  load_vectors(env);
  self.loaded = &env;
}

/// Makes whatever stands in a context harmless for iretq and wrfsbase. An address that is not
/// canonical is taken into the upper half, where user code faults at its first instruction.
void enter(KernelEnv& env) {
  Context& context = env.context;
  if (context.rip >= std::uint64_t{1} << 47) context.rip |= ~std::uint64_t{0} << 47;
  context.rflags = (context.rflags & kUserFlags) | kFixedFlags;
  if (!env.bases_live) {
    write_fs_base(canonical(context.fs_base));
    write_user_gs_base(canonical(context.gs_base));
    env.bases_live = true;
  }
  enter_user(&env);
}

void resume_on_empty_stack() {
  Processor& self = processor();
  while (self.core.current == kNoEnv) wait_for_interrupt();
  KernelEnv& env = kernel_env(self.core.current);
  load(self, env);
  enter(env);
}

}  // namespace

Processor& processor_number(std::uint32_t number) { return xok_processors[number]; }

bool several_processors() { return g_several; }

void expect_several_processors() { g_several = true; }

void forget_environment(Processor& self) {
  self.loaded = nullptr;
  write_gs_base(reinterpret_cast<std::uint64_t>(&self.idle));
}

void provide_kernel_envs(std::uint64_t first, std::uint64_t count) {
  g_pool_next = first;
  g_pool_end = first + count * kPageSize;
}

Result<> context_create(Env& env, EnvIndex index, std::uint64_t uenv_physical, Kernel& kernel) {
  if (xok_records[index] == nullptr) {  // once it has a page, that stays for good
    if (g_pool_next == g_pool_end) return fail(Errc::NoMemory);
    paging().set_window_page(index, 0, g_pool_next);
    g_pool_next += kPageSize;
    xok_records[index] = &kernel_env(index);
  }
  KernelEnv& record = kernel_env(index);
  zero_page(&record);
  record.self = &record;
  record.env = &env;
  record.last_entry = kUserTop - 1;
  record.kernel = &kernel;
  record.index = index;
  record.context.rflags = kFixedFlags;
  *reinterpret_cast<std::uint32_t*>(&record.vectors[kMxcsrOffset]) = kCleanMxcsr;
  paging().set_window_page(index, 1, uenv_physical);
  return {};
}

void context_destroy(EnvIndex env) {
  KernelEnv& record = kernel_env(env);
  record.frame = nullptr;
  record.bases_live = false;
  xok_parked[env] = kNotParked;
  xok_resting[env] = 0;
  if (processor().loaded == &record) forget_environment(processor());
  paging().set_window_page(env, 1, 0);
}

void context_release(EnvIndex env, bool plain) {
  Processor& self = processor();
  KernelEnv& record = kernel_env(env);
  if (self.loaded != &record) return;
  if (!g_several) {
    if (record.frame == nullptr) return;  // it is in no call, or somebody looked at its registers
    record.frame = nullptr;
    record.context.fs_base = read_fs_base();
    record.context.gs_base = read_user_gs_base();
    // The straight way returns 0: not to a sleeper that woke as it left.
    const bool straight = plain && record.context.rax == 0;
    xok_parked[env] = record.env->id | (straight ? 0 : kOnlyChosen);
    return;
  }
  complete(record);
  save_vectors(record);
  forget_environment(self);
}

void rest(EnvIndex env, bool plain) {
  KernelEnv& record = kernel_env(env);
  record.frame = nullptr;
  if (!g_several && plain && record.rest_key != 0) xok_resting[env] = record.env->id;
}

void let_in(EnvIndex env, const Rest& rest, std::uint64_t key) {
  KernelEnv& record = kernel_env(env);
  record.rest_key = key;
  record.rest_entry = rest.entry;
  record.rest_stack = rest.stack;
  record.rest_fs_base = rest.fs_base;
  record.rest_gs_base = rest.gs_base;
}

void refresh_window(EnvIndex env) {
  if (!g_several) return;  // set_window_page has seen to the only one
  const std::uint32_t state = paging().window_state(env);
  std::uint32_t& seen = processor().windows[env];
  if (seen == state) [[likely]]
    return;
  seen = state;
  invalidate_page(ENV_WINDOW_BASE + UENV_ALIAS + std::uint64_t{env} * ENV_WINDOW_SIZE);
}

Context& context_of(EnvIndex env) {
  KernelEnv& record = kernel_env(env);
  complete(record);
  return record.context;
}

void resume() {
  run_on_stack(reinterpret_cast<void*>(processor().stacks.kernel), resume_on_empty_stack);
}
void put_vectors_aside(EnvIndex env, std::byte* area) {
  KernelEnv& record = kernel_env(env);
  auto& saved = *reinterpret_cast<VectorArea*>(area);
  if (processor().loaded == &record) {
    save_vectors_to(saved);
    load_vectors_from(xok_clean_vectors);
    return;
  }
  saved = record.vectors;
  record.vectors = xok_clean_vectors;
}

void take_vectors_back(EnvIndex env, const std::byte* area) {
  KernelEnv& record = kernel_env(env);
  const auto& saved = *reinterpret_cast<const VectorArea*>(area);
  if (processor().loaded == &record) {
    load_vectors_from(saved);
  } else {
    record.vectors = saved;
  }
}

/// A kernel call that cannot go back the way it came (entry.S). The core has put the result into
/// the caller's context itself when it gave the processor away.
extern "C" [[noreturn]] void finish_call(KernelEnv* caller, std::int64_t result) {
  const Processor& self = processor();
  if (self.loaded == caller) {  // neither destroyed by its own call nor released
    const EnvIndex next = self.core.current;
    if (is_dormant(*caller) && next != kNoEnv && is_parked(kernel_env(next))) {
      settle_result(kernel_env(next));
      xok_parked[next] = kNotParked;
      kernel_env(next).bases_live = true;
      switch_straight(&kernel_env(next));
    }
    if (!is_dormant(*caller)) complete(*caller);
    if (next == caller->index) caller->context.rax = static_cast<std::uint64_t>(result);
  }
  resume();
}

}  // namespace xok::kernel::x86
