// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A pager of one's own: page faults come to the application, which decides what a page holds.
//
// An array of 2^30 numbers is read here and there. No page of it exists until it is touched; then
// our fault handler asks the kernel for a page, fills it with what belongs there (the squares of
// the indices), and goes on. When more than kResident pages are there, the oldest one is given up:
// we choose which, not the kernel, and we need no disk, for we can compute it again.
#include "apps/examples/example.hpp"

namespace {

using namespace xok;
using namespace xok::example;

constexpr std::uint64_t kArray = 0x100'0000'0000;
constexpr std::uint64_t kFilling = 0x200'0000'0000;  // where a page is prepared
constexpr std::size_t kResident = 16;

std::uint64_t g_resident[kResident];
std::uint64_t g_faults = 0;

}  // namespace

/// Called by rt_fault_entry on the fault stack. Whatever `registers` holds at the end is what the
/// program continues with: unchanged, so the instruction is tried again.
extern "C" void xok::rt::rt_fault(Registers* /*registers*/) {
  const std::uint64_t va = page_floor(self().fault.address);
  if (va < kArray || va >= kArray + (std::uint64_t{8} << 30)) stop(false);
  std::uint64_t& slot = g_resident[g_faults++ % kResident];
  if (slot != 0) sys::pte_insert(kRoot, 0, slot, kSelf);  // the oldest goes
  const std::int64_t page = sys::pte_insert(kRoot, kData, kFilling, kSelf);
  if (page < 0) stop(false);
  auto* numbers = reinterpret_cast<std::uint64_t*>(kFilling);
  for (std::uint64_t i = 0; i < kPageSize / 8; i++) {
    const std::uint64_t index = (va - kArray) / 8 + i;
    numbers[i] = index * index;
  }
  // Filled; now it may be seen, read-only.
  sys::pte_insert(kRoot, static_cast<std::uint64_t>(page) << kPageShift | kConstant, va, kSelf);
  sys::pte_insert(kRoot, 0, kFilling, kSelf);
  slot = va;
}

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  take_upcalls();
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
  stop(right);
}
