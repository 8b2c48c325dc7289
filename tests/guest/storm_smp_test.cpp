// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The guest fuzzer: a million random calls from eight environments on all processors, counted by
// the callers. Arguments are chosen by kind (abi/syscalls.def) from values that often mean
// something, or at random. The callers hold one capability, which guards nothing but what they
// made. Afterwards the kernel has said nothing and has every page back.
//
// A word `storm=SEED` of the kernel's command line gives the seed, `storm-calls=N` how many calls:
// `XOK_STORM="storm=SEED storm-calls=N" ./exo test guest/pc/storm_smp_test`. Each caller's calls
// follow from the seed; how they interleave does not.
#include <array>
#include <string_view>

#include "exos/rt/wait.hpp"
#include "tests/guest/storm.hpp"
#include "tests/guest/storm_grammar.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kReadOnly = kPtePresent | kPteUser | kPteNoExecute;
constexpr std::size_t kCallers = 8;
constexpr std::uint64_t kCalls = 1'000'000;
constexpr std::uint64_t kSeed = 20261127;
constexpr std::uint64_t kQuota = 600;  // pages of each caller and what it makes

// In our address space: what callers have at kState and kGrammar; of caller n + n pages.
constexpr std::uint64_t kStates = 0x45'0000'0000;
constexpr std::uint64_t kGrammarHere = 0x45'1000'0000;
constexpr std::uint64_t kView = 0x45'2000'0000;

/// What a caller knows about itself; it outlives the environment.
struct State {
  std::uint64_t random;
  std::uint64_t calls;  ///< that returned
  std::uint64_t limit;
  std::uint64_t reserved[5];
  std::uint64_t arguments[8];
  std::uint64_t last[16];  ///< last good result of each group of eight numbers
  std::uint64_t unused[96];
  std::uint64_t tried[kNumbers];
  std::uint64_t succeeded[kNumbers];
  std::uint64_t rest[128];
};
static_assert(sizeof(State) == kPageSize && offsetof(State, arguments) == 64 &&
              offsetof(State, last) == 128 && offsetof(State, tried) == 1024 &&
              offsetof(State, succeeded) == 2048);

/// A caller: needs no stack, and begins anew wherever it is sent.
extern "C" const char storm_begin[];
extern "C" const char storm_end[];
__asm__(R"(
        .macro NEXT                           # rax: the next random word; rbx: xorshift64*
        mov %rbx, %rax
        shr $12, %rax
        xor %rax, %rbx
        mov %rbx, %rax
        shl $25, %rax
        xor %rax, %rbx
        mov %rbx, %rax
        shr $27, %rax
        xor %rax, %rbx
        movabs $0x2545f4914f6cdd1d, %rax
        imul %rbx, %rax
        shr $8, %rax
        .endm
        .section .rodata
        .globl storm_begin, storm_end
storm_begin:
        movabs $0x4200000020, %rax            # Uenv::fault_depth: this is also the fault entry
        movq $0, (%rax)
        movq $0, 360(%rax)                    # IpcArea::busy
        movabs $0x4300000000, %r15
        movabs $0x4400000000, %r14
        mov (%r15), %rbx
1:      mov 8(%r15), %rax
        cmp 16(%r15), %rax
        jae 6f
        NEXT
        mov %eax, %ebp
        test $0xf00, %eax
        jz 2f                                 # any number
        and $127, %eax
        movzbl 1024(%r14,%rax), %ebp
2:      and $127, %ebp
        xor %r12d, %r12d
3:      NEXT
        test $0x1f00, %eax
        jz 5f                                 # any word
        test $0x7000, %eax
        jnz 4f
        mov %ebp, %ecx
        shr $3, %ecx
        mov 128(%r15,%rcx,8), %rax            # what a call of this group has given
        jmp 5f
4:      lea (%r12,%rbp,8), %rcx
        movzbl (%r14,%rcx), %ecx
        shl $4, %ecx
        and $15, %eax
        add %eax, %ecx
        mov 4096(%r14,%rcx,8), %rax
5:      mov %rax, 64(%r15,%r12,8)
        inc %r12d
        cmp $6, %r12d
        jb 3b
        mov %rbx, (%r15)
        incq 1024(%r15,%rbp,8)
        mov 64(%r15), %rdi
        mov 72(%r15), %rsi
        mov 80(%r15), %rdx
        mov 88(%r15), %r10
        mov 96(%r15), %r8
        mov 104(%r15), %r9
        mov %rbp, %rax
        or $0x584f0000, %eax
        syscall
        incq 8(%r15)
        test %rax, %rax
        js 1b
        incq 2048(%r15,%rbp,8)
        mov %ebp, %ecx
        shr $3, %ecx
        mov %rax, 128(%r15,%rcx,8)
        jmp 1b
6:      xor %edi, %edi                        # done
        xor %esi, %esi
        mov $0x584f0023, %eax
        syscall
        jmp 6b
storm_end:
        .text
)");
static_assert(offsetof(Uenv, fault_depth) == 32 &&
              offsetof(Uenv, ipc) + offsetof(IpcArea, busy) == 32 + 360);

struct Caller {
  EnvId id = 0;
  std::uint64_t seen = 0;   ///< its count of calls at the last look ...
  std::uint64_t stuck = 0;  ///< ... and for how many looks it has not changed
};

struct Storm {
  Random random;
  std::uint64_t calls;
  std::array<Caller, kCallers> callers{};
  std::uint64_t started = 0;

  State& state(std::size_t n) { return reinterpret_cast<State*>(kStates)[n]; }
  Grammar& grammar() { return *reinterpret_cast<Grammar*>(kGrammarHere); }
};

/// Numbers of environments and pages change: the callers read them anew at each call.
void refresh_grammar(Storm& storm) {
  Grammar& g = storm.grammar();
  for (std::size_t i = 0; i < kValues; i++) {
    const Caller& caller = storm.callers[i % kCallers];
    g.values[kEnvId][i] = i < 3 ? 0 : i == 3 ? rt::env_id() : caller.id;
    g.values[kTarget][i] = i < 8 ? 0 : make_target(0, caller.id);
    g.values[kReplyTo][i] = make_reply(i % 2, caller.id);
    const EnvId id = caller.id;
    const std::uint64_t uenv = id == 0 ? 0 : rt::env_record(id).uenv_page;
    const std::uint64_t page = i % 4 == 0 ? uenv : storm.random.next() % system_info().page_count;
    g.values[kPageIndex][i] = page;
    g.values[kPte][i] = i == 0   ? 0
                        : i == 1 ? storm.random.next() & ~kPtePresent
                        : i < 10 ? kEntry
                                 : page << kPageShift | kEntry | (i == 15 ? kPteLarge : 0);
  }
}

// -- Callers

std::uint64_t page_here(std::uint64_t va) {
  return *reinterpret_cast<const volatile std::uint64_t*>(pte_address(va)) & kPtePageMask;
}

/// False: no memory or no room in a table now.
bool fill_caller(Storm& storm, std::size_t n, EnvId id) {
  const std::uint64_t target = make_target(kRoot, id);
  std::byte* const code = give_page(id, kCode, kView);
  if (code == nullptr) return false;
  const auto length = static_cast<std::size_t>(storm_end - storm_begin);
  for (std::size_t i = 0; i < length; i++) code[i] = static_cast<std::byte>(storm_begin[i]);
  if (give_page(id, kStack, kView) == nullptr) return false;
  const std::uint64_t state = page_here(kStates + n * kPageSize) | kEntry | kPteNoExecute;
  if (sys::pte_insert(kRoot, state, kState, target) < 0) return false;
  for (std::uint64_t i = 0; i < 2; i++) {
    const std::uint64_t page = page_here(kGrammarHere + i * kPageSize) | kReadOnly;
    if (sys::pte_insert(kRoot, page, kGrammar + i * kPageSize, target) < 0) return false;
  }
  for (std::uint64_t i = 0; i < 2; i++)  // something to make a method of
    if (sys::pte_insert(1, kEntry, kMethodBase + i * kPageSize, target) < 0) return false;
  sys::cap_forge(kRoot, 1, Capability::make({kFilterName}).bits(), target);
  sys::cap_forge(kRoot, 2, Capability::make({kInterfaceName, 0}).bits(), target);
  const std::uint64_t uenv = rt::env_record(id).uenv_page << kPageShift | kEntry;
  if (sys::pte_insert(kRoot, uenv, kView, kSelf) < 0) return false;
  auto& record = *reinterpret_cast<Uenv*>(kView);
  record.fault_entry = kCode;
  record.fault_stack = kStack + kPageSize;
  record.ipc.entry = kCode;  // the others may come in
  record.ipc.stack = kStack + kPageSize;
  record.ipc.allow = 6;
  record.ipc.gate = Capability::make({77, 77}).bits();
  record.grant_to = storm.callers[(n + 1) % kCallers].id;
  record.grant = record.ipc.gate;
  Context context{};
  context.rip = kCode;
  context.rsp = kStack + kPageSize;
  context.rflags = 0x202;
  context.gs_base = kCallerUenv;
  const auto registers = reinterpret_cast<std::uint64_t>(&context);
  return sys::env_set_context(target, registers) == 0 &&
         sys::slice_alloc(1, n % system_info().processors, kAnyPosition, id) >= 0;
}

void start(Storm& storm, std::size_t n) {
  const std::int64_t made = sys::env_alloc(1, 0, kCallerUenv);
  if (made < 0) return;
  const auto id = static_cast<EnvId>(made);
  storm.callers[n] = {.id = id};
  sys::env_set_quota(make_target(kRoot, id), kQuota, 0);
  if (!fill_caller(storm, n, id)) sys::env_free(make_target(kRoot, id));
  sys::pte_insert(kRoot, 0, kView, kSelf);
  storm.started++;
}

bool is_caller(const Storm& storm, EnvId id) {
  for (const Caller& caller : storm.callers)
    if (caller.id == id) return true;
  return false;
}

/// Looks after the callers until they have made their calls; how many those are.
std::uint64_t rage(Storm& storm) {
  constexpr std::uint64_t kLook = 10'000'000;
  constexpr std::uint64_t kStuckLooks = 5;
  constexpr std::uint64_t kCrowd = 100;  // of what the callers make
  for (;;) {
    std::uint64_t done = 0;
    for (std::size_t n = 0; n < kCallers; n++) {
      Caller& caller = storm.callers[n];
      const std::uint64_t calls = storm.state(n).calls;
      done += calls;
      caller.stuck = calls == caller.seen ? caller.stuck + 1 : 0;
      caller.seen = calls;
      if (calls >= storm.state(n).limit) continue;
      const bool alive = is_alive(caller.id);
      if (alive && caller.stuck < kStuckLooks) continue;
      if (alive) sys::env_free(make_target(kRoot, caller.id));
      start(storm, n);
    }
    if (done >= storm.calls) return done;
    if (system_info().environments > kCrowd)
      end_those([&](EnvId id) { return !is_caller(storm, id); });
    refresh_grammar(storm);
    rt::sleep_until(rt::monotonic_ns() + kLook);
  }
}

/// The number after a word of the kernel's command line.
std::uint64_t setting(std::string_view word, std::uint64_t otherwise) {
  const std::string_view line{system_info().command_line.data()};
  const std::size_t at = line.find(word);
  if (at == std::string_view::npos) return otherwise;
  std::uint64_t value = 0;
  std::from_chars(line.data() + at + word.size(), line.data() + line.size(), value);
  return value == 0 ? otherwise : value;
}

void print_counts(Storm& storm, Checks& t) {
  std::uint64_t never = 0;  // tried
  std::uint64_t succeeded = 0;
  for (const kind::Described& call : kind::kTable) {
    std::uint64_t tried = 0;
    std::uint64_t good = 0;
    for (std::size_t n = 0; n < kCallers; n++) {
      tried += storm.state(n).tried[call.number];
      good += storm.state(n).succeeded[call.number];
    }
    never += tried == 0 ? 1 : 0;
    succeeded += good != 0 ? 1 : 0;
    print("storm: ");
    print(call.name);
    print(" ");
    print_number(static_cast<std::int64_t>(tried));
    print(", succeeded ");
    print_number(static_cast<std::int64_t>(good));
    print("\n");
  }
  t.equal("every call was tried", static_cast<std::int64_t>(never), 0);
  t.holds("three of four calls succeeded at times", 4 * succeeded >= 3 * std::size(kind::kTable));
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  Storm storm{.random = {setting("storm=", kSeed)}, .calls = setting("storm-calls=", kCalls)};
  print("storm: seed ");
  print_number(static_cast<std::int64_t>(storm.random.state));
  print(", calls ");
  print_number(static_cast<std::int64_t>(storm.calls));
  print("\n");
  forge_storm_name();
  // They may take every slice there is: these are ours whatever they do.
  for (std::uint64_t i = 0; i < kSlicesPerProcessor; i += 8) sys::slice_alloc(kRoot, 0, i, kSelf);
  for (std::uint64_t n = 0; n < kCallers; n++)
    sys::pte_insert(kRoot, kEntry, kStates + n * kPageSize, kSelf);
  for (std::uint64_t i = 0; i < 2; i++)
    sys::pte_insert(kRoot, kEntry, kGrammarHere + i * kPageSize, kSelf);
  prepare_to_count(kView);
  for (std::size_t n = 0; n < kCallers; n++) {
    storm.state(n).random = storm.random.next() | 1;
    storm.state(n).limit = storm.calls / kCallers + 1;
  }
  write_grammar(storm.grammar());
  refresh_grammar(storm);
  const Counts before;
  const std::uint64_t begin = rt::monotonic_ns();
  const std::uint64_t done = rage(storm);
  const std::uint64_t end = rt::monotonic_ns();
  print_counts(storm, t);
  print("storm: ");
  print_number(static_cast<std::int64_t>(done));
  print(" calls in ");
  print_number(static_cast<std::int64_t>((end - begin) / 1'000'000));
  print(" ms, idle ");
  print_number(static_cast<std::int64_t>(rt::cycles_to_ns(system_info().idle_cycles) / 1'000'000));
  print(" ms, callers started ");
  print_number(static_cast<std::int64_t>(storm.started));
  print(" times\n");
  t.holds("all calls were made", done >= storm.calls);
  all_is_back(t, before);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
