// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// S3 and nested upcalls: instructions that are not a program's to execute, flags, return addresses,
// segments; every upcall entry that leads nowhere.
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

constexpr std::uint64_t kCode = 0x50'0000'0000;
constexpr std::uint64_t kNowhere = 0x50'8000'0000;

volatile std::uint64_t g_vectors[32], g_bad, g_calls;
volatile std::int64_t g_result;

/// Privileged instructions: each is general protection (13), or invalid (6).
void privileged(std::uint64_t) {
  int i = 0;
  const auto note = [&](std::uint64_t vector) { g_vectors[i++] = vector; };
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
  note(XOK_PROBE("mov %%rax, %%dr7"));
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

/// Single-stepping into a call: the trap comes behind it, in the program.
void steps(std::uint64_t) {
  g_vectors[0] = XOK_PROBE(
      "mov $0x584f0000, %%eax\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tsyscall\n\tnop");
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

void null_forever(std::uint64_t) {
  for (;;) sys::null_call();
}
void touch(std::uint64_t va) { *reinterpret_cast<volatile std::uint64_t*>(va) = 1; }
void foreign(std::uint64_t) {
  __asm__ volatile("mov $39, %%eax\n\tsyscall" : : : "rax", "rcx", "r11", "memory");
}
void spin(std::uint64_t) {
  for (;;) __asm__ volatile("" : : : "memory");
}

/// One upcall entry leads nowhere: the environment ends, and says why.
void nested(Checks& t, const char* name, Attacker::Function function, std::uint64_t argument,
            void (*prepare)(Uenv&)) {
  Attacker a{function, argument};
  prepare(a.uenv());
  a.run(4);
  if (a.gone()) {
    t.holds(name, rt::env_record(a.id).death != DeathReason::None);
  } else {
    sys::env_free(a.target);
    t.holds(name, rt::env_record(a.id).id != a.id);
  }
}

void upcalls(Checks& t) {
  nested(t, "S3 no fault entry", touch, kNowhere, [](Uenv& u) { u.fault_entry = 0; });
  nested(t, "S3 a fault entry in the kernel", touch, kNowhere,
         [](Uenv& u) { u.fault_entry = 0xffff'ffff'8010'0000; });
  nested(t, "S3 a fault entry that is not canonical", touch, kNowhere,
         [](Uenv& u) { u.fault_entry = 0x8000'0000'0000; });
  nested(t, "S3 a fault entry that faults", touch, kNowhere,
         [](Uenv& u) { u.fault_entry = kNowhere; });
  nested(t, "S3 a double-fault entry that faults", touch, kNowhere, [](Uenv& u) {
    u.fault_entry = kNowhere;
    u.double_fault_entry = kNowhere;
  });
  nested(t, "S3 a fault stack that faults", touch, kNowhere,
         [](Uenv& u) { u.fault_stack = 0xffff'8000'0000'0000; });
  nested(t, "S3 a foreign entry in the kernel", foreign, 0, [](Uenv& u) {
    u.foreign_entry = 0xffff'ffff'8010'0000;
    u.fault_entry = 0;
  });
  nested(t, "S3 a foreign entry that is not canonical", foreign, 0, [](Uenv& u) {
    u.foreign_entry = 0x8000'0000'0000;
    u.fault_entry = 0;
  });
  nested(t, "S3 a slice-end entry that faults", spin, 0, [](Uenv& u) {
    u.slice_end_entry = kNowhere;
    u.fault_entry = kNowhere;
  });
  nested(t, "S3 a slice-start entry that faults", spin, 0, [](Uenv& u) {
    u.slice_start_entry = kNowhere;
    u.fault_entry = kNowhere;
  });
  nested(t, "S3 slice ends inside calls", null_forever, 0, [](Uenv& u) {
    u.slice_end_entry = kNowhere;
    u.fault_entry = kNowhere;
  });
  {
    Attacker a{spin};
    a.uenv().revocation.entry = kNowhere;
    a.uenv().fault_entry = kNowhere;
    sys::pages_request(a.target, 3, 0);
    a.run(2);
    t.holds("S3 a revocation entry that faults", a.gone());
  }
  // Contexts.
  Attacker a{spin};
  Context c{};
  const auto at = reinterpret_cast<std::uint64_t>(&c);
  c.rip = 0x8000'0000'0000;
  t.refused("S3 a context with rip not canonical", sys::env_set_context(a.target, at),
            Errc::BadArgument);
  c.rip = 0xffff'ffff'8010'0000;
  t.refused("S3 a context with rip in the kernel", sys::env_set_context(a.target, at),
            Errc::BadArgument);
  c.rip = kNowhere;
  c.fs_base = 0x8000'0000'0000;
  t.refused("S3 a context with fs not canonical", sys::env_set_context(a.target, at),
            Errc::BadArgument);
  c.fs_base = 0;
  c.rflags = ~std::uint64_t{0};
  t.equal("S3 a context with all flags", sys::env_set_context(a.target, at), 0);
  a.uenv().fault_entry = 0;
  a.run(2);
  t.holds("S3 it ran, and ended at its first instruction", a.gone());
}

[[noreturn]] void run() {
  set_up_self();
  settle();
  Checks t;
  const Victim victim;
  const Counts before;
  {
    Attacker a{privileged};
    t.holds("S3 privileged instructions come to their end", a.run());
    bool all = true;
    for (int i = 0; i < 23; i++) all = all && (g_vectors[i] == 13 || g_vectors[i] == 6);
    t.holds("S3 each one is an exception of the program's", all);
  }
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
    t.holds("S3 a single step over a call comes to its end", a.run());
    t.equal("S3 as a debug exception behind it", static_cast<std::int64_t>(g_vectors[0]), 1);
  }
  {
    g_result = -1;
    Attacker a{segments};
    t.holds("S3 segment loads come to their end", a.run());
    t.equal("S3 calls work after them", g_result, 0);
    t.equal("S3 the kernel's code segment as data", static_cast<std::int64_t>(g_vectors[0]), 13);
  }
  upcalls(t);
  t.holds("the victim is unharmed", victim.unharmed());
  t.holds("the kernel's counts are as before", back_to(before));
  t.finish();
}

}  // namespace
}  // namespace xok::guest

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  xok::guest::run();
}
