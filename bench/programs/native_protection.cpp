// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Appel and Li's measurements (protection.hpp) of a program for the bare machine: the application
// reads its own page tables, changes entries by one call, and handles its faults itself.
#include "bench/programs/native.hpp"
#include "bench/programs/protection.hpp"

namespace xok::bench {
namespace {

constexpr std::uint64_t kArray = 0x10'0000'0000;
constexpr int kChanges = 1000;

enum class OnFault { Skip, ProtectAnother, Unprotect };
OnFault g_on_fault = OnFault::Skip;
std::uint64_t g_writable = 0;  // appel1: the page that is not protected

constexpr std::uint64_t page_address(std::size_t page) { return kArray + page * kPageSize; }

std::int64_t protect(std::uint64_t va, std::size_t pages) {
  return sys::pte_modify_range(va, pages, 0, kPteWritable, kRoot, kSelf);
}
std::int64_t unprotect(std::uint64_t va, std::size_t pages) {
  return sys::pte_modify_range(va, pages, kPteWritable, 0, kRoot, kSelf);
}

void protect_all() { protect(kArray, kProtectedPages); }
void unprotect_all() { unprotect(kArray, kProtectedPages); }

std::uint64_t entry_of(std::size_t page) {
  return *reinterpret_cast<const volatile std::uint64_t*>(pte_address(page_address(page)));
}

// -- dirty: every other page has been written

void write_half() {
  unprotect_all();
  sys::pte_modify_range(kArray, kProtectedPages, 0, kPteDirty, kRoot, kSelf);
  for (std::size_t i = 0; i < kProtectedPages; i += 2) write_to(page_address(i));
}

bool ask_dirty() {
  std::size_t dirty = 0;
  for (std::size_t i = 0; i < kProtectedPages; i++)
    dirty += (entry_of(page_of_access(i)) & kPteDirty) != 0;
  return dirty == kProtectedPages / 2;
}

// -- changing protection

bool change_one() {
  std::int64_t worst = 0;
  for (int i = 0; i < kChanges; i += 2) {
    worst |= protect(kArray, 1);
    worst |= unprotect(kArray, 1);
  }
  return worst >= 0;
}

bool protect_100() { return protect(kArray, kProtectedPages) >= 0; }
bool unprotect_100() { return unprotect(kArray, kProtectedPages) >= 0; }

// -- with faults

void prepare_trap() {
  protect_all();
  g_on_fault = OnFault::Skip;
}

std::uint64_t faults_so_far() { return rt::env_record(rt::env_id()).faults; }

/// Whether each of these writes faulted, by the kernel's own count.
bool access(std::size_t count) {
  const std::uint64_t before = faults_so_far();
  for (std::size_t i = 0; i < count; i++) write_to(page_address(page_of_access(i)));
  return faults_so_far() - before == count;
}

bool trap() { return access(kFaults); }

void prepare_appel1() {
  protect_all();
  g_on_fault = OnFault::ProtectAnother;
  g_writable = page_address(page_of_access(kFaults - 1));
  unprotect(g_writable, 1);
}

bool appel1() { return access(kFaults); }

void prepare_appel2() {
  unprotect_all();
  g_on_fault = OnFault::Unprotect;
}

bool appel2() { return protect(kArray, kProtectedPages) >= 0 && access(kProtectedPages); }

constexpr Test kTests[] = {
    {"dirty", write_half, ask_dirty, kProtectedPages},
    {"prot1", nullptr, change_one, kChanges},
    {"prot100", unprotect_all, protect_100, 1},
    {"unprot100", protect_all, unprotect_100, 1},
    {"trap", prepare_trap, trap, kFaults},
    {"appel1", prepare_appel1, appel1, kFaults},
    {"appel2", prepare_appel2, appel2, kProtectedPages},
};

[[noreturn]] void run() {
  set_up_self();
  handle_faults();
  for (std::size_t i = 0; i < kProtectedPages; i++)
    sys::pte_insert(kRoot, kData, page_address(i), kSelf);
  measure_all(kTests);
}

void on_fault(rt::Registers& registers) {
  const std::uint64_t va = page_floor(rt::self().fault.address);
  if (va < kArray || va >= page_address(kProtectedPages)) sys::machine_stop(kRoot, kStopFailure);
  switch (g_on_fault) {
    case OnFault::Skip:
      registers.rip += kWriteBytes;
      break;
    case OnFault::ProtectAnother:
      protect(g_writable, 1);
      g_writable = va;
      unprotect(va, 1);
      break;
    case OnFault::Unprotect:
      unprotect(va, 1);
      break;
  }
}

}  // namespace
}  // namespace xok::bench

extern "C" void xok::rt::rt_fault(Registers* registers) { xok::bench::on_fault(*registers); }

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  xok::bench::run();
}
