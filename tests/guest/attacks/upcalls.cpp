// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// S3 and nested upcalls: entries and stacks of every upcall that lead nowhere, into the kernel or
// to no address at all, faults on the way in; contexts with bad words. The environment may end; the
// kernel goes on, and says why.
#include "tests/guest/attacks/attack.hpp"

namespace xok::rt {
XOK_ATTACK_FAULT_HANDLER
}

namespace xok::guest {
namespace {

constexpr std::uint64_t kNowhere = 0x50'8000'0000;

/// Entries and stacks that no handler has. The last one is a user address.
struct Bad {
  const char* name;
  std::uint64_t address;
};
constexpr Bad kBad[] = {
    {"in the kernel", 0xffff'ffff'8010'0000}, {"in its own kernel record", 0xffff'a000'0000'6000},
    {"not canonical", 0x8000'0000'0000},      {"in the exposed tables", kExposedBase},
    {"at the end", ~std::uint64_t{0}},        {"on no page", kNowhere}};

void null_forever(std::uint64_t) {
  for (;;) sys::null_call();
}
void touch(std::uint64_t va) { *reinterpret_cast<volatile std::uint64_t*>(va) = 1; }
void touch_forever(std::uint64_t va) {
  for (;;) touch(va);
}
void foreign(std::uint64_t) {
  __asm__ volatile("mov $39, %%eax\n\tsyscall" : : : "rax", "rcx", "r11", "memory");
}
void spin(std::uint64_t) {
  for (;;) __asm__ volatile("" : : : "memory");
}

/// One kind of upcall: who comes to need it, and where its entry and stack stand in the Uenv.
struct Upcall {
  const char* name;
  Attacker::Function function;
  std::uint64_t Uenv::* entry;
  std::uint64_t Uenv::* stack;
};
constexpr Upcall kUpcalls[] = {
    {"fault", touch, &Uenv::fault_entry, &Uenv::fault_stack},
    {"double fault", touch, &Uenv::double_fault_entry, &Uenv::double_fault_stack},
    {"foreign call", foreign, &Uenv::foreign_entry, nullptr},
    {"slice end", spin, &Uenv::slice_end_entry, &Uenv::slice_end_stack},
    {"slice end in a call", null_forever, &Uenv::slice_end_entry, &Uenv::slice_end_stack},
    {"slice start", spin, &Uenv::slice_start_entry, &Uenv::slice_start_stack},
};

class Name {
 public:
  Name& operator<<(std::string_view text) {
    text.copy(text_ + length_, sizeof text_ - length_);
    length_ += text.size();
    return *this;
  }
  [[nodiscard]] std::string_view view() const { return {text_, length_}; }

 private:
  char text_[120] = {};
  std::size_t length_ = 0;
};

/// Whether it is as it should be: ended with a reason, or alive and unable to do harm.
bool settled(const Attacker& a) {
  return !a.gone() || rt::env_record(a.id).death != DeathReason::None;
}

/// A double fault is a fault in a fault handler that faults itself.
void prepare(Uenv& u, const Upcall& upcall) {
  if (upcall.entry == &Uenv::double_fault_entry) u.fault_entry = kNowhere;
  if (upcall.entry != &Uenv::fault_entry && upcall.entry != &Uenv::double_fault_entry)
    u.fault_entry = 0;  // what it faults with then is its end
}

void entries(Checks& t) {
  for (const Upcall& upcall : kUpcalls) {
    for (const Bad& bad : kBad) {
      Attacker a{upcall.function, kNowhere};
      prepare(a.uenv(), upcall);
      a.uenv().*upcall.entry = bad.address;
      a.run_briefly();
      t.holds((Name{} << "S3 " << upcall.name << " entry " << bad.name).view(), settled(a));
    }
  }
}

/// Entries of its own code, with stacks that are none: the first push faults, in the handler.
void stacks(Checks& t) {
  for (const Upcall& upcall : kUpcalls) {
    if (upcall.stack == nullptr) continue;
    for (const Bad& bad : kBad) {
      Attacker a{upcall.function, kNowhere};
      prepare(a.uenv(), upcall);
      a.uenv().*upcall.entry = reinterpret_cast<std::uint64_t>(&rt_fault_entry);
      a.uenv().*upcall.stack = bad.address;
      a.run_briefly();
      t.holds((Name{} << "S3 " << upcall.name << " stack " << bad.name).view(), a.gone());
    }
  }
}

void revocations(Checks& t) {
  for (const Bad& bad : kBad) {
    Attacker a{spin};
    a.uenv().revocation.entry = bad.address;
    a.uenv().fault_entry = kNowhere;
    sys::pages_request(a.target, 3, 0);
    a.run_briefly();
    t.holds((Name{} << "S3 revocation entry " << bad.name).view(), settled(a));
  }
}

/// A transfer into an environment that lets anybody in, at a place that is none.
void transfers(Checks& t) {
  for (const Bad& bad : kBad) {
    for (const bool stack : {false, true}) {
      Attacker a{spin};
      Uenv& u = a.uenv();
      u.ipc.entry = stack ? reinterpret_cast<std::uint64_t>(&rt_fault_entry) : bad.address;
      u.ipc.stack = stack ? bad.address : kFaultStack + kPageSize;
      u.ipc.allow = ~std::uint64_t{0};
      u.ipc.gate = kAttackerName.bits();
      u.fault_entry = 0;
      a.run_briefly();
      const std::int64_t sent = sys::ipc_send(a.target, 1, 2, 3, 4, 5);
      a.run_briefly();
      t.holds((Name{} << "S3 transfer " << (stack ? "stack " : "entry ") << bad.name).view(),
              sent < 0 ? !a.gone() : a.gone());
    }
  }
}

/// Every upcall at once, and every one faults.
void storms(Checks& t) {
  Attacker a{touch_forever, kNowhere};
  Uenv& u = a.uenv();
  u.fault_entry = u.double_fault_entry = u.foreign_entry = kNowhere;
  u.slice_end_entry = u.slice_start_entry = u.revocation.entry = kNowhere;
  u.fault_stack = u.double_fault_stack = u.slice_end_stack = u.slice_start_stack = ~0ull;
  sys::pages_request(a.target, 3, 0);
  a.run_briefly();
  t.holds("S3 every upcall leads nowhere", a.gone());
}

void contexts(Checks& t) {
  Context c{};
  const auto set = [&](const Attacker& a) {
    return sys::env_set_context(a.target, reinterpret_cast<std::uint64_t>(&c));
  };
  {
    Attacker a{spin};
    c.rip = 0x8000'0000'0000;
    t.refused("S3 a context with rip not canonical", set(a), Errc::BadArgument);
    c.rip = 0xffff'ffff'8010'0000;
    t.refused("S3 a context with rip in the kernel", set(a), Errc::BadArgument);
    c.rip = kNowhere;
    c.fs_base = 0x8000'0000'0000;
    t.refused("S3 a context with fs not canonical", set(a), Errc::BadArgument);
    c.fs_base = 0;
    c.gs_base = 0x8000'0000'0000;
    t.refused("S3 a context with gs not canonical", set(a), Errc::BadArgument);
    c.gs_base = 0;
    c.rflags = ~std::uint64_t{0};
    t.equal("S3 a context with all flags", set(a), 0);
    a.uenv().fault_entry = 0;
    a.run_briefly();
    t.holds("S3 it ran, and ended at its first instruction", a.gone());
  }
  for (const Bad& bad : kBad) {
    Attacker a{spin};
    c = {};
    c.rip = reinterpret_cast<std::uint64_t>(&rt_fault_entry);  // its first instruction pushes
    c.gs_base = kChildUenv;
    c.rsp = bad.address;
    c.rflags = 0x202;
    a.uenv().fault_entry = 0;
    t.equal((Name{} << "S3 a context with its stack " << bad.name).view(), set(a), 0);
    a.run_briefly();
    t.holds((Name{} << "S3 it ends, with its stack " << bad.name).view(), a.gone());
  }
}

void attacks(Checks& t, const Victim& /*victim*/) {
  entries(t);
  stacks(t);
  revocations(t);
  transfers(t);
  storms(t);
  contexts(t);
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(judge(attacks))
