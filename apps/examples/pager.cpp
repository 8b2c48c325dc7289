// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A pager of one's own: page faults come to the application, which decides what a page holds.
//
// An array of 2^30 numbers is read here and there. No page of it exists until it is touched; then
// our fault handler asks the kernel for a page, fills it with what belongs there (the squares of
// the indices), and goes on. When more than kResident pages are there, the oldest one is given up:
// we choose which, not the kernel, and we need no disk, for we can compute it again.
#include <charconv>
#include <string_view>

#include "abi/exposed.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/registers.hpp"
#include "exos/rt/self.hpp"

namespace {

using namespace xok;

constexpr std::uint64_t kRoot = 0;
constexpr std::uint64_t kArray = 0x100'0000'0000;
constexpr std::uint64_t kFilling = 0x200'0000'0000;  // where a page is prepared
constexpr std::size_t kResident = 16;
constexpr std::uint64_t kEntry = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;

alignas(16) std::uint8_t g_fault_stack[8192];
std::uint64_t g_resident[kResident];
std::uint64_t g_faults = 0;

void print(std::string_view text) {
  sys::console_write(kRoot, 0, reinterpret_cast<std::uint64_t>(text.data()), text.size());
}

void print(std::uint64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  print(std::string_view{digits, static_cast<std::size_t>(end - digits)});
}

[[noreturn]] void stop(std::uint64_t status) {
  sys::machine_stop(kRoot, status);
  for (;;) sys::yield(kSelf, 0);
}

}  // namespace

/// Called by rt_fault_entry on the fault stack. Whatever `registers` holds at the end is what the
/// program continues with: unchanged, so the instruction is tried again.
extern "C" void xok::rt::rt_fault(Registers* /*registers*/) {
  const std::uint64_t va = page_floor(self().fault.address);
  if (va < kArray || va >= kArray + (std::uint64_t{8} << 30)) stop(kStopFailure);
  std::uint64_t& slot = g_resident[g_faults++ % kResident];
  if (slot != 0) sys::pte_insert(kRoot, 0, slot, kSelf);  // the oldest goes
  const std::int64_t page = sys::pte_insert(kRoot, kEntry, kFilling, kSelf);
  if (page < 0) stop(kStopFailure);
  auto* numbers = reinterpret_cast<std::uint64_t*>(kFilling);
  for (std::uint64_t i = 0; i < kPageSize / 8; i++) {
    const std::uint64_t index = (va - kArray) / 8 + i;
    numbers[i] = index * index;
  }
  // Filled; now it may be seen, read-only.
  sys::pte_insert(
      kRoot,
      static_cast<std::uint64_t>(page) << kPageShift | kPtePresent | kPteUser | kPteNoExecute, va,
      kSelf);
  sys::pte_insert(kRoot, 0, kFilling, kSelf);
  slot = va;
}

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  auto& uenv = *reinterpret_cast<Uenv*>(kInitUenvAddress);
  uenv.library[rt::kSelfWord] = kInitUenvAddress;
  uenv.fault_entry = reinterpret_cast<std::uint64_t>(&rt::rt_fault_entry);
  uenv.fault_stack = reinterpret_cast<std::uint64_t>(g_fault_stack) + sizeof g_fault_stack;
  rt::set_gs_base(kInitUenvAddress);

  const auto* squares = reinterpret_cast<const volatile std::uint64_t*>(kArray);
  bool right = true;
  for (std::uint64_t i = 1; i < (std::uint64_t{1} << 30); i = i * 3 + 1)
    right = right && squares[i] == i * i && squares[i / 2] == (i / 2) * (i / 2);
  print(right ? "every square is right\n" : "a square is wrong\n");
  print("faults handled by the application: ");
  print(g_faults);
  print("; pages resident at most: ");
  print(kResident);
  print("\n");
  stop(right ? kStopClean : kStopFailure);
}
