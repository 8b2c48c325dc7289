// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// S3: returns to where no program may be, by the program's own iretq, far returns and jumps, and by
// the kernel's sysretq and iretq behind instructions at the end of an address space; kernel entries
// with stack pointers that are none.
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

constexpr std::uint64_t kUserCode = 0x2b, kUserData = 0x23;  // what interrupts leave on a stack
constexpr std::uint64_t kLastPage = kUserTop - kPageSize;
constexpr std::uint64_t kCanonicalEnd = 0x8000'0000'0000;
constexpr std::uint64_t kKernelText = 0xffff'ffff'8010'0000;
constexpr std::uint64_t kFlags = 0x202;
constexpr std::uint64_t kInterrupts = 1u << 9, kIoPrivilege = 3u << 12;
constexpr std::uint64_t kGp = 13, kPf = 14;

volatile std::uint64_t g_flags, g_bad;
volatile std::uint64_t g_returns[16], g_far[3], g_edges[6], g_address;
volatile std::int64_t g_insert;

extern "C" {
volatile std::uint64_t attack_frame[5];  // rip, cs, rflags, rsp, ss
volatile std::uint64_t attack_value;
}

/// Runs instructions that may change rsp and flags, which are noted and put back; then the vector.
/// The label 77 is where those arrive that are let through.
#define XOK_FAR_PROBE(text)                                                                    \
  __extension__({                                                                              \
    g_vector = kNoFault;                                                                       \
    __asm__ volatile(                                                                          \
        "lea 77f(%%rip), %%rax\n\tmov %%rax, %0\n\tmov %%rsp, %%r12\n\t" text                  \
        "\n77:\tlea -256(%%r12), %%rsp\n\tpushfq\n\tpop %1\n\tpushq $0x202\n\tpopfq\n\t"       \
        "mov %%r12, %%rsp"                                                                     \
        : "=m"(g_resume), "=r"(probe_flags)                                                    \
        :                                                                                      \
        : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "memory", "cc"); \
    std::uint64_t{g_vector};                                                                   \
  })

struct Frame {
  std::uint64_t rip = 0;  ///< 0: behind the probe
  std::uint64_t cs = kUserCode;
  std::uint64_t rflags = kFlags;
  std::uint64_t rsp = kStack + kPageSize;
  std::uint64_t ss = kUserData;
};

[[gnu::noinline]] std::uint64_t iret(const Frame& frame) {
  std::uint64_t probe_flags = 0;
  attack_frame[0] = frame.rip;
  attack_frame[1] = frame.cs;
  attack_frame[2] = frame.rflags;
  attack_frame[3] = frame.rsp;
  attack_frame[4] = frame.ss;
  const std::uint64_t vector = XOK_FAR_PROBE(
      "cmpq $0, attack_frame(%%rip)\n\tjne 1f\n\tmov %%rax, attack_frame(%%rip)\n"
      "1:\tlea attack_frame(%%rip), %%rsp\n\tiretq");
  g_flags = probe_flags;
  return vector;
}

struct Return {
  const char* name;
  Frame frame;
  std::uint64_t vector;
};
constexpr Return kReturns[] = {
    {"S3 iretq to the kernel's code segment", {.cs = 0x08}, kGp},
    {"S3 iretq to it with the program's privilege", {.cs = 0x0b}, kGp},
    {"S3 iretq to the kernel's data segment", {.cs = 0x10}, kGp},
    {"S3 iretq to the empty segment", {.cs = 0x1b}, kGp},
    {"S3 iretq to a data segment", {.cs = kUserData}, kGp},
    {"S3 iretq to no segment", {.cs = 0}, kGp},
    {"S3 iretq to a task segment", {.cs = 0x33}, kGp},
    {"S3 iretq behind the table", {.cs = 0xfffb}, kGp},
    {"S3 iretq with the kernel's stack segment", {.ss = 0x10}, kGp},
    {"S3 iretq without a stack segment", {.ss = 0}, kGp},
    {"S3 iretq with a code segment as stack", {.ss = kUserCode}, kGp},
    {"S3 iretq into the kernel", {.rip = kKernelText}, kPf},
};

void returns(std::uint64_t) {
  int i = 0;
  for (const Return& r : kReturns) g_returns[i++] = iret(r.frame);
  g_returns[12] = iret({.rip = kCanonicalEnd});
  g_returns[13] = iret({.rsp = kCanonicalEnd});
  // All flags but TF. What the processor lets through of them, a call must bear.
  g_returns[14] = iret({.rflags = 0x3f'fed5});
}

/// By a far return, jump and call to the kernel's code segment.
void far(std::uint64_t) {
  std::uint64_t probe_flags = 0;
  attack_frame[0] = 0x10'0000;
  attack_frame[1] = 0x08;
  g_far[0] = XOK_FAR_PROBE("lea attack_frame(%%rip), %%rsp\n\tlretq");
  attack_frame[0] = std::uint64_t{0x08} << 32 | 0x10'0000;
  g_far[1] = XOK_FAR_PROBE("ljmpl *attack_frame(%%rip)");
  g_far[2] = XOK_FAR_PROBE("lcalll *attack_frame(%%rip)");
}

/// The last instruction of the last page: behind a call is the exposed window. A page at the end
/// of what is canonical, with which sysretq would fault in the kernel, is not to be had.
void edges(std::uint64_t) {
  std::uint64_t probe_flags = 0;
  g_insert = sys::pte_insert(0, kData & ~kPteNoExecute, kCanonicalEnd - kPageSize, kSelf);
  g_edges[0] = XOK_FAR_PROBE("mov $0x7ffffffffffe, %%rdx\n\tjmp *%%rdx");
  sys::pte_insert(0, kData & ~kPteNoExecute, kLastPage, kSelf);
  auto* const code = reinterpret_cast<volatile std::uint8_t*>(kLastPage);
  code[kPageSize - 2] = 0x0f;
  code[kPageSize - 1] = 0x05;
  g_edges[1] = XOK_FAR_PROBE("mov $0x584f0000, %%eax\n\tmov $0x7efffffffffe, %%rdx\n\tjmp *%%rdx");
  g_address = rt::self().fault.address;
  code[kPageSize - 1] = 0xcc;
  g_edges[2] = XOK_FAR_PROBE("mov $0x7effffffffff, %%rdx\n\tjmp *%%rdx");
  code[kPageSize - 1] = 0x0f;  // goes on in the window
  g_edges[3] = XOK_FAR_PROBE("mov $0x7effffffffff, %%rdx\n\tjmp *%%rdx");
}

/// Calls, faults and interrupts with a stack pointer that is none: the kernel has its own.
void stack_pointers(std::uint64_t) {
  std::uint64_t probe_flags = 0;
  for (const std::uint64_t rsp : {std::uint64_t{0}, std::uint64_t{8}, kCanonicalEnd, kKernelText,
                                  kExposedBase, ~std::uint64_t{0}}) {
    attack_value = rsp;
    const std::uint64_t call = XOK_FAR_PROBE(
        "mov attack_value(%%rip), %%rsp\n\tmov $0x584f0000, %%eax\n\tsyscall\n\t"
        "mov %%rsp, attack_frame(%%rip)");
    if (call != kNoFault || attack_frame[0] != rsp) g_bad = g_bad + 1;
    if (XOK_FAR_PROBE("mov attack_value(%%rip), %%rsp\n\tud2") != 6) g_bad = g_bad + 1;
    if (XOK_FAR_PROBE("mov attack_value(%%rip), %%rsp\n\tmov (0), %%rax") != kPf) g_bad = g_bad + 1;
    const std::uint64_t spun = XOK_FAR_PROBE(
        "mov attack_value(%%rip), %%rsp\n\tmov $20000000, %%ecx\n1:\tdec %%ecx\n\tjnz 1b");
    if (spun != kNoFault) g_bad = g_bad + 1;
    // A push faults in user code: a stack fault where the address is not canonical.
    const std::uint64_t push = XOK_FAR_PROBE("mov attack_value(%%rip), %%rsp\n\tpush %%rax");
    if (push != kPf && push != 12) g_bad = g_bad + 1;
  }
}

/// QEMU's emulation reads the stack of a program's iretq and far return as the kernel would, which
/// SMAP refuses: a page fault, before anything is judged.
bool is_emulated_by_qemu() {
  std::uint32_t eax = 0x4000'0000, ebx = 0, ecx = 0, edx = 0;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return ebx == 0x5447'4354;  // "TCGT"
}
bool ends_in(std::uint64_t got, std::uint64_t wanted) {
  return got == wanted || (got == kPf && is_emulated_by_qemu());
}

void check_returns(Checks& t) {
  Attacker a{returns};
  t.holds("S3 returns come to their end", a.run());
  int i = 0;
  for (const Return& r : kReturns) t.holds(r.name, ends_in(g_returns[i++], r.vector));
  t.holds("S3 iretq to no address", ends_in(g_returns[12], kGp));
  t.holds("S3 iretq with rsp not canonical", ends_in(g_returns[13], kNoFault));
  t.holds("S3 iretq with all flags", ends_in(g_returns[14], kNoFault));
  t.equal("S3 which gives no I/O privilege, and leaves interrupts on",
          static_cast<std::int64_t>(g_flags & (kIoPrivilege | kInterrupts)), kInterrupts);
}

void check_edges(Checks& t) {
  Attacker a{edges};
  t.holds("S3 edges come to their end", a.run());
  t.refused("S3 a page at the end of what is canonical", g_insert, Errc::BadArgument);
  t.equal("S3 a jump there", static_cast<std::int64_t>(g_edges[0]), kPf);
  t.equal("S3 a call from the last bytes of user memory", static_cast<std::int64_t>(g_edges[1]),
          kPf);
  t.equal("S3 it came back behind them", static_cast<std::int64_t>(g_address), kUserTop);
  t.equal("S3 a breakpoint in the last byte", static_cast<std::int64_t>(g_edges[2]), 3);
  t.equal("S3 an instruction beyond the last byte", static_cast<std::int64_t>(g_edges[3]), kPf);
}

void attacks(Checks& t, const Victim& /*victim*/) {
  check_returns(t);
  {
    Attacker a{far};
    t.holds("S3 far jumps come to their end", a.run());
    t.holds("S3 a far return into the kernel", ends_in(g_far[0], kGp));
    t.equal("S3 a far jump into the kernel", static_cast<std::int64_t>(g_far[1]), kGp);
    t.equal("S3 a far call into the kernel", static_cast<std::int64_t>(g_far[2]), kGp);
  }
  check_edges(t);
  {
    Attacker a{stack_pointers};
    t.holds("S3 stack pointers come to their end", a.run());
    t.equal("S3 entries that went wrong with them", static_cast<std::int64_t>(g_bad), 0);
  }
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(judge(attacks))
