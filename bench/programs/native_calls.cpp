// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// What the kernel's own operations cost a program that uses them directly, without ExOS: the null
// call, a fault and its handler, page-table entries, and the ways to another environment.
#include "bench/programs/native.hpp"

#include "exos/rt/ipc.hpp"

namespace xok::bench {
namespace {

constexpr std::uint64_t kReadOnly = 0x10'0000'0000;
constexpr std::uint64_t kBacking = 0x11'0000'0000;  // kEntries pages of ours
constexpr std::uint64_t kWindow = 0x12'0000'0000;   // where their entries are written
constexpr std::size_t kEntries = 512;
constexpr std::size_t kBatch = 128;
constexpr std::int64_t kCalls = 20'000;
constexpr std::int64_t kRounds = 1'000;
const Capability kGate = Capability::make({1});

std::uint64_t g_entries[kEntries];
std::uint64_t g_nothing[kEntries];
EnvId g_first = 0;
Child g_partner;
Child g_neighbour;
Child g_server;
volatile std::int64_t g_turns = 0;  // of the other environment
alignas(16) std::uint8_t g_server_stack[8192];

// -- calls and faults

bool null_calls() {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < kCalls; i++) sum |= sys::null_call();
  return sum == 0;
}

bool faults() {
  const std::uint64_t before = rt::env_record(g_first).faults;
  for (std::int64_t i = 0; i < kRounds; i++) write_to(kReadOnly);
  return rt::env_record(g_first).faults - before == static_cast<std::uint64_t>(kRounds);
}

// -- page-table entries: pages that are ours already appear at a second address

std::int64_t insert_range(const std::uint64_t* entries, std::size_t n, std::uint64_t va) {
  std::uint64_t done = 0;
  return sys::pte_insert_range(kRoot, reinterpret_cast<std::uint64_t>(entries), n, va,
                               reinterpret_cast<std::uint64_t>(&done), kSelf);
}

void make_pages() {
  for (std::size_t i = 0; i < kEntries; i++) {
    const std::int64_t page = sys::pte_insert(kRoot, kData, kBacking + i * kPageSize, kSelf);
    g_entries[i] = static_cast<std::uint64_t>(page) << kPageShift | kData;
  }
}

void clear_window() { insert_range(g_nothing, kEntries, kWindow); }

bool window_is_filled() {
  for (std::size_t i = 0; i < kEntries; i++) {
    if (rt::page_record((g_entries[i] & kPtePageMask) >> kPageShift).mappings != 2) return false;
  }
  return true;
}

bool insert_alone() {
  std::int64_t worst = 0;
  for (std::size_t i = 0; i < kEntries; i++) {
    const std::int64_t result = sys::pte_insert(kRoot, g_entries[i], kWindow + i * kPageSize, 0);
    worst = result < worst ? result : worst;
  }
  return worst == 0;
}

bool insert_in_batches() {
  std::int64_t worst = 0;
  for (std::size_t i = 0; i < kEntries; i += kBatch)
    worst |= insert_range(g_entries + i, kBatch, kWindow + i * kPageSize);
  return worst == 0;
}

// -- other environments. They share this program's memory, not its page tables

[[noreturn]] void yield_back() {
  for (;;) {
    g_turns = g_turns + 1;
    sys::yield(g_first, 0);
  }
}

/// Runs until the other one has had kRounds turns. A yield that finds the slice over gives it none:
/// then it takes one more, at our cost.
bool take_turns(EnvId to) {
  const std::int64_t end = g_turns + kRounds;
  while (g_turns < end) sys::yield(to, 0);
  return true;
}

bool directed_yields() { return take_turns(g_partner.id); }

[[noreturn]] void yield_on() {
  for (;;) {
    g_turns = g_turns + 1;
    sys::yield(kSelf, 0);
  }
}

/// The vector holds two positions: ours and the neighbour's.
bool switches() { return take_turns(kSelf); }

[[noreturn]] void serve() {
  rt::serve_ipc_at_rest([](rt::IpcRequest& request) { request.words[0]++; },
                        reinterpret_cast<std::uint64_t>(g_server_stack) + sizeof g_server_stack,
                        kGate);
}

bool transfers() {
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < kRounds; i++) {
    const rt::IpcAnswer answer = rt::ipc_call(kRoot, g_server.id, {static_cast<std::uint64_t>(i)});
    if (answer.result != 0) return false;
    sum += answer.words[0] - static_cast<std::uint64_t>(i);
  }
  return sum == static_cast<std::uint64_t>(kRounds);
}

void start_neighbour() {
  if (g_neighbour.id != 0) return;
  g_neighbour = make_child(1, Space::Own, yield_on);
  sys::slice_alloc(kRoot, 0, kAnyPosition, g_neighbour.id);
}

void end_neighbour() {
  if (g_neighbour.id != 0) end_child(g_neighbour);
}

void start_server() {
  end_neighbour();
  if (g_server.id != 0) return;
  g_server = make_child(2, Space::Own, serve);
  sys::yield(g_server.id, 0);  // we come back when it rests
}

constexpr Test kTests[] = {
    {"null_call", nullptr, null_calls, kCalls},
    {"fault", nullptr, faults, kRounds},
    {"pte_insert", clear_window, insert_alone, kEntries},
    {"pte_insert_batch", clear_window, insert_in_batches, kEntries},
    {"directed_yield", nullptr, directed_yields, 2 * kRounds},
    {"switch", start_neighbour, switches, 2 * kRounds},
    {"transfer", start_server, transfers, 2 * kRounds},
};

[[noreturn]] void run() {
  set_up_self();
  handle_faults();
  g_first = rt::env_id();
  sys::pte_insert(kRoot, kPtePresent | kPteUser | kPteNoExecute, kReadOnly, kSelf);
  make_pages();
  insert_range(g_entries, kEntries, kWindow);
  if (!window_is_filled()) print("BENCH-FAILED pte_insert the window was not filled\n");
  g_partner = make_child(0, Space::Own, yield_back);
  measure_all(kTests);
}

}  // namespace
}  // namespace xok::bench

/// Steps over the instruction: what is measured is the way here and back.
extern "C" void xok::rt::rt_fault(Registers* registers) {
  if (self().fault.address != xok::bench::kReadOnly) sys::machine_stop(guest::kRoot, kStopFailure);
  registers->rip += xok::bench::kWriteBytes;
}

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  xok::bench::run();
}
