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

namespace xok::kernel::x86 {
namespace {

constexpr std::uint32_t kCleanMxcsr = 0x1f80;
constexpr std::size_t kMxcsrOffset = 24;

// What an environment may set in rflags: CF PF AF ZF SF TF DF OF NT RF AC ID. Interrupts are
// always on, IOPL 0, no VM.
constexpr std::uint64_t kUserFlags = 0xdd5 | 1u << 14 | 1u << 16 | 1u << 18 | 1u << 21;
constexpr std::uint64_t kFixedFlags = HANDLER_RFLAGS;

constinit std::array<Processor, kMaxProcessors> g_processors{};
constinit bool g_several = false;
constinit std::uint64_t g_pool_next = 0;
constinit std::uint64_t g_pool_end = 0;
/// Slots whose record has a page; it stays for good.
constinit std::array<bool, kMaxEnvironments> g_has_record{};

using VectorArea = std::array<std::byte, kPageSize - KENV_VECTORS>;
static_assert(sizeof(VectorArea) == Machine::kVectorBytes);

/// The clean state: no component in use, and MXCSR.
alignas(64) constexpr VectorArea kCleanVectors = [] {
  VectorArea area{};
  for (std::size_t i = 0; i < 4; i++)
    area[kMxcsrOffset + i] = static_cast<std::byte>(kCleanMxcsr >> (8 * i));
  return area;
}();

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

void complete(KernelEnv& env) {
  Context& context = env.context;
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
  if (self.loaded == &env) return;
  if (self.loaded != nullptr) {
    complete(*self.loaded);
    save_vectors(*self.loaded);
  }
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

Processor& processor_number(std::uint32_t number) { return g_processors[number]; }

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

Result<> context_create(EnvIndex env, std::uint64_t uenv_physical, std::uint64_t* faults,
                        Kernel& kernel) {
  if (!g_has_record[env]) {
    if (g_pool_next == g_pool_end) return fail(Errc::NoMemory);
    paging().set_window_page(env, 0, g_pool_next);
    g_pool_next += kPageSize;
    g_has_record[env] = true;
  }
  KernelEnv& record = kernel_env(env);
  zero_page(&record);
  record.self = &record;
  record.faults = faults;
  record.last_entry = kUserTop - 1;
  record.kernel = &kernel;
  record.index = env;
  record.context.rflags = kFixedFlags;
  *reinterpret_cast<std::uint32_t*>(&record.vectors[kMxcsrOffset]) = kCleanMxcsr;
  paging().set_window_page(env, 1, uenv_physical);
  return {};
}

void context_destroy(EnvIndex env) {
  KernelEnv& record = kernel_env(env);
  record.frame = nullptr;
  record.bases_live = false;
  if (processor().loaded == &record) forget_environment(processor());
  paging().set_window_page(env, 1, 0);
}

void context_release(EnvIndex env) {
  if (!g_several) return;
  Processor& self = processor();
  KernelEnv& record = kernel_env(env);
  if (self.loaded != &record) return;
  complete(record);
  save_vectors(record);
  forget_environment(self);
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
    load_vectors_from(kCleanVectors);
    return;
  }
  saved = record.vectors;
  record.vectors = kCleanVectors;
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

/// A kernel call that cannot go back the straight way (entry.S). The core has put the result into
/// the caller's context itself when it gave the processor away.
extern "C" [[noreturn]] void finish_call(KernelEnv* caller, std::int64_t result) {
  const Processor& self = processor();
  if (self.loaded == caller) {  // neither destroyed by its own call nor released
    complete(*caller);
    if (self.core.current == caller->index)
      caller->context.rax = static_cast<std::uint64_t>(result);
  }
  resume();
}

}  // namespace xok::kernel::x86
