// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// S3: instructions and ports that are not a program's, debug registers, flags, single steps,
// segments and their bases. (Returns are in returns.cpp, upcall entries in upcalls.cpp.)
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

constexpr std::uint64_t kCode = 0x50'0000'0000;

volatile std::uint64_t g_vectors[64], g_count, g_bad, g_calls;
volatile std::int64_t g_result;

/// Privileged instructions: each is general protection (13), or invalid (6).
void privileged(std::uint64_t) {
  const auto note = [](std::uint64_t vector) {
    g_count = g_count + 1;
    if (vector != 13 && vector != 6) g_bad = g_count;
  };
  note(XOK_PROBE("hlt"));
  note(XOK_PROBE("cli"));
  note(XOK_PROBE("sti"));
  note(XOK_PROBE("in $0x60, %%al"));
  note(XOK_PROBE("mov $0x501, %%edx\n\tout %%al, %%dx"));  // the emulator's own exit
  note(XOK_PROBE("mov $0x3f8, %%edx\n\toutsb"));
  note(XOK_PROBE("mov $0xc0000080, %%ecx\n\trdmsr"));
  note(XOK_PROBE("mov $0xc0000082, %%ecx\n\twrmsr"));
  note(XOK_PROBE("mov %%cr0, %%rax"));
  note(XOK_PROBE("mov %%rax, %%cr3"));
  note(XOK_PROBE("mov %%rax, %%cr4"));
  note(XOK_PROBE("mov %%cr2, %%rax"));
  note(XOK_PROBE("mov %%cr3, %%rax"));
  note(XOK_PROBE("mov %%rax, %%cr0"));
  note(XOK_PROBE("mov %%rax, %%cr8"));
  note(XOK_PROBE("mov %%cr8, %%rax"));
  note(XOK_PROBE("lmsw %%ax"));
  note(XOK_PROBE("lgdt -64(%%rsp)"));
  note(XOK_PROBE("lidt -64(%%rsp)"));
  note(XOK_PROBE("ltr %%ax"));
  note(XOK_PROBE("lldt %%ax"));
  note(XOK_PROBE("invlpg (%%rsp)"));
  note(XOK_PROBE("wbinvd"));
  note(XOK_PROBE("swapgs"));
  note(XOK_PROBE("sysretq"));
  note(XOK_PROBE("clac"));
  note(XOK_PROBE("xor %%ecx, %%ecx\n\txsetbv"));
  note(XOK_PROBE("clts"));
  note(XOK_PROBE("stac"));
  note(XOK_PROBE("invd"));
  note(XOK_PROBE("sysexit"));
  note(XOK_PROBE("sysenter"));
  note(XOK_PROBE("xor %%ecx, %%ecx\n\trdpmc"));
  note(XOK_PROBE("xor %%ecx, %%ecx\n\trdpkru"));
  note(XOK_PROBE("xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\twrpkru"));
  note(XOK_PROBE("vmcall"));
  note(XOK_PROBE("vmmcall"));
}

/// Debug registers: a breakpoint that one sets would fire in another, or in the kernel.
void debug_registers(std::uint64_t) {
  const auto note = [](std::uint64_t vector) {
    g_count = g_count + 1;
    if (vector != 13) g_bad = g_count;
  };
  note(XOK_PROBE("mov %%dr0, %%rax"));
  note(XOK_PROBE("mov %%dr1, %%rax"));
  note(XOK_PROBE("mov %%dr2, %%rax"));
  note(XOK_PROBE("mov %%dr3, %%rax"));
  note(XOK_PROBE("mov %%dr6, %%rax"));
  note(XOK_PROBE("mov %%dr7, %%rax"));
  note(XOK_PROBE("mov %%rax, %%dr0"));
  note(XOK_PROBE("mov %%rax, %%dr1"));
  note(XOK_PROBE("mov %%rax, %%dr2"));
  note(XOK_PROBE("mov %%rax, %%dr3"));
  note(XOK_PROBE("mov %%rax, %%dr6"));
  note(XOK_PROBE("mov %%rax, %%dr7"));
}

extern "C" {
volatile std::uint32_t attack_port;
}

/// Every port, for reading and writing; in every width at the last ones, where a permission map
/// that is too short would be read behind its end.
void ports(std::uint64_t) {
  const auto note = [](std::uint64_t vector) {
    g_count = g_count + 1;
    if (vector != 13) g_bad = g_bad + 1;
  };
  for (std::uint32_t port = 0; port < 0x10000; port++) {
    attack_port = port;
    note(XOK_PROBE("mov attack_port(%%rip), %%edx\n\tin %%dx, %%al"));
    note(XOK_PROBE("mov attack_port(%%rip), %%edx\n\tout %%al, %%dx"));
  }
  for (std::uint32_t port = 0xfff8; port < 0x10000; port++) {
    attack_port = port;
    note(XOK_PROBE("mov attack_port(%%rip), %%edx\n\tin %%dx, %%ax"));
    note(XOK_PROBE("mov attack_port(%%rip), %%edx\n\tin %%dx, %%eax"));
    note(XOK_PROBE("mov attack_port(%%rip), %%edx\n\tout %%ax, %%dx"));
    note(XOK_PROBE("mov attack_port(%%rip), %%edx\n\tout %%eax, %%dx"));
    note(XOK_PROBE("mov attack_port(%%rip), %%edx\n\tinsl"));
    note(XOK_PROBE("mov attack_port(%%rip), %%edx\n\toutsl"));
  }
}

/// int n for every n, from code written here.
void interrupts(std::uint64_t) {
  sys::pte_insert(0, kData & ~kPteNoExecute, kCode, kSelf);
  auto* const code = reinterpret_cast<volatile std::uint8_t*>(kCode);
  for (unsigned n = 0; n < 256; n++) {
    code[0] = 0xcd;
    code[1] = static_cast<std::uint8_t>(n);
    code[2] = 0xf4;  // hlt: not reached
    const std::uint64_t vector = XOK_PROBE("mov $0x5000000000, %%rdx\n\tjmp *%%rdx");
    // Breakpoint and overflow are open to programs; all else is general protection.
    if (vector != (n == 3 ? 3u : n == 4 ? 4u : 13u)) g_bad = g_bad + 1;
  }
}

/// Flags that a call must not carry into the kernel, and must give back or drop.
void flags(std::uint64_t) {
  const auto with = [](std::uint64_t extra) {
    std::uint64_t back = 0;
    std::int64_t result = static_cast<std::int64_t>(kSyscallBase);
    __asm__ volatile(
        "pushfq\n\tor %2, (%%rsp)\n\tpopfq\n\tsyscall\n\tpushfq\n\tpop %1\n\tpushq $0x202\n\tpopfq"
        : "+a"(result), "=&r"(back)
        : "r"(extra)
        : "rcx", "r11", "rdi", "rsi", "rdx", "r8", "r9", "r10", "memory", "cc");
    if (result == 0) g_calls = g_calls + 1;
    return back;
  };
  g_vectors[0] = with(1u << 14);  // NT: an iretq would fault
  g_vectors[1] = with(1u << 18);  // AC: SMAP off, if it were kept
  g_vectors[2] = with(3u << 12);  // IOPL: popfq ignores it
  g_vectors[3] = with(1u << 10);  // DF: string instructions of the kernel
  g_vectors[4] = with(1u << 9 | 1u << 17);
}

/// Single-stepping into the kernel: the trap comes behind the instruction, in the program. Loading
/// ss holds traps back for one instruction, which is then the one that enters.
#define XOK_STEP(text)                                                      \
  XOK_PROBE(                                                                \
      "mov %%ss, %%ecx\n\tmov $0x584f0000, %%eax\n\tpushfq\n\torq $0x100, " \
      "(%%rsp)\n\tpopfq\n\t" text)
void steps(std::uint64_t) {
  g_vectors[0] = XOK_STEP("syscall\n\tnop");
  g_vectors[1] = XOK_STEP("ud2");
  g_vectors[2] = XOK_STEP("int3\n\tnop");
  g_vectors[3] = XOK_STEP("int $0x80");
  g_vectors[4] = XOK_STEP("mov (0), %%rax");
  g_vectors[5] = XOK_STEP("mov %%ecx, %%ss\n\tsyscall\n\tnop");
  g_vectors[6] = XOK_STEP("mov %%ecx, %%ss\n\tud2");
  g_vectors[7] = XOK_STEP("mov %%ecx, %%ss\n\tint3\n\tnop");
  g_vectors[8] = XOK_STEP("mov %%ecx, %%ss\n\tint $0x80");
  g_vectors[9] = XOK_PROBE(".byte 0xf1");  // int1: no descriptor guards it
  g_result = sys::null_call();
}

std::uint64_t gs_base() {
  std::uint64_t out = 0;
  __asm__ volatile("rdgsbase %0" : "=r"(out));
  return out;
}

/// Bases of the kernel's own records, in whose place the kernel's must be after every entry.
void bases(std::uint64_t) {
  g_vectors[0] = XOK_PROBE(
      "mov $0x800000000000, %%rdx\n\twrfsbase %%rdx\n\tmov $0x584f0000, %%eax\n\tsyscall");
  g_vectors[1] = XOK_PROBE(
      "rdgsbase %%r12\n\tmov $0x800000000000, %%rdx\n\twrgsbase %%rdx\n\t"
      "mov $0x584f0000, %%eax\n\tsyscall\n\twrgsbase %%r12");
  const std::uint64_t mine = rt::self().library[rt::kSelfWord];
  for (const std::uint64_t base :
       {0xffff'a000'0000'2000ull, 0xffff'8880'0010'0000ull, 0xffff'ffff'ffff'fff8ull, 0ull}) {
    rt::set_fs_base(base);
    rt::set_gs_base(base);
    for (int i = 0; i < 100; i++)
      if (sys::null_call() != 0) g_bad = g_bad + 1;
    // Long enough for a slice to end: the interrupt finds these bases too.
    for (const std::uint64_t end = rt::monotonic_ns() + 30'000'000; rt::monotonic_ns() < end;)
      continue;
    if (rt::fs_base() != base || gs_base() != base) g_bad = g_bad + 1;
    rt::set_gs_base(mine);
  }
}

/// Segment registers.
void segments(std::uint64_t) {
  int i = 0;
  for (const std::uint32_t selector : {0x08u, 0x10u, 0x33u, 0x40u, 0xfff8u, 0x7u}) {
    g_vectors[i] = kNoFault;
    g_vector = kNoFault;
    __asm__ volatile("lea 78f(%%rip), %%rax\n\tmov %%rax, %0\n\tmov %1, %%ds\n78:"
                     : "=m"(g_resume)
                     : "r"(selector)
                     : "rax", "memory");
    g_vectors[i++] = g_vector;
  }
  g_result = sys::null_call();
}

constexpr const char* kSteps[] = {"S3 a step into a call",
                                  "S3 a step into an invalid opcode",
                                  "S3 a step into a breakpoint",
                                  "S3 a step into an interrupt",
                                  "S3 a step into a page fault",
                                  "S3 a step held back into a call",
                                  "S3 a step held back into an invalid opcode",
                                  "S3 a step held back into a breakpoint",
                                  "S3 a step held back into an interrupt"};

void attacks(Checks& t, const Victim& /*victim*/) {
  const auto clear = [] {
    g_count = 0;
    g_bad = 0;
  };
  {
    Attacker a{privileged};
    t.holds("S3 privileged instructions come to their end", a.run());
    t.holds("S3 all were tried", g_count > 35);
    t.equal("S3 one that is not an exception of the program's", static_cast<std::int64_t>(g_bad),
            0);
  }
  clear();
  {
    Attacker a{debug_registers};
    t.holds("S3 debug registers come to their end", a.run());
    t.equal("S3 all were read and written", static_cast<std::int64_t>(g_count), 12);
    t.equal("S3 a debug register that is not refused", static_cast<std::int64_t>(g_bad), 0);
  }
  clear();
  {
    Attacker a{ports};
    t.holds("S3 port I/O comes to its end", a.run(60));
    t.equal("S3 every port was tried", static_cast<std::int64_t>(g_count), 2 * 0x10000 + 6 * 8);
    t.equal("S3 ports that are not refused", static_cast<std::int64_t>(g_bad), 0);
  }
  g_bad = 0;
  {
    Attacker a{interrupts};
    t.holds("S3 int n comes to its end", a.run());
    t.equal("S3 int n that is not refused", static_cast<std::int64_t>(g_bad), 0);
  }
  {
    Attacker a{flags};
    t.holds("S3 calls with strange flags come to their end", a.run());
    t.equal("S3 all were made", static_cast<std::int64_t>(g_calls), 5);
    bool clean = true;
    for (int i = 0; i < 5; i++)
      clean = clean && (g_vectors[i] & (3u << 12)) == 0 && (g_vectors[i] & 1u << 9) != 0;
    t.holds("S3 no I/O privilege, interrupts on", clean);
  }
  {
    Attacker a{steps};
    t.holds("S3 single steps come to their end", a.run());
    constexpr std::uint64_t kStepped[] = {1, 6, 3, 13, 14, 1, 6, 3, 13};
    for (int i = 0; i < 9; i++)
      t.equal(kSteps[i], static_cast<std::int64_t>(g_vectors[i]),
              static_cast<std::int64_t>(kStepped[i]));
    // QEMU's emulation does not know it.
    t.holds("S3 int1", g_vectors[9] == 1 || g_vectors[9] == 6);
    t.equal("S3 calls work after it", g_result, 0);
  }
  {
    g_result = -1;
    Attacker a{segments};
    t.holds("S3 segment loads come to their end", a.run());
    t.equal("S3 calls work after them", g_result, 0);
    t.equal("S3 the kernel's code segment as data", static_cast<std::int64_t>(g_vectors[0]), 13);
  }
  g_bad = 0;
  {
    Attacker a{bases};
    t.holds("S3 segment bases come to their end", a.run());
    // A processor refuses them. QEMU's emulation does not: then a call with them must do no harm.
    t.holds("S3 fs base not canonical", g_vectors[0] == 13 || g_vectors[0] == kNoFault);
    t.holds("S3 gs base not canonical", g_vectors[1] == 13 || g_vectors[1] == kNoFault);
    t.equal("S3 calls and bases that went wrong", static_cast<std::int64_t>(g_bad), 0);
  }
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(judge(attacks))
