// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/interrupts.hpp"

#include <array>

#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/io_apic.hpp"
#include "kernel/arch/x86_64/processors.hpp"

namespace xok::kernel::x86 {
namespace {

/// A handler and the next one of the same line.
struct Handler {
  InterruptHandler run = nullptr;
  void* argument = nullptr;
  Handler* next = nullptr;
};

struct Line {
  std::uint32_t gsi;
  std::uint8_t vector;
};

constinit std::array<Handler, 256> g_vectors{};
constinit std::array<Handler, 32> g_shared{};
constinit std::size_t g_shared_count = 0;
constinit std::array<Line, 64> g_lines{};
constinit std::size_t g_line_count = 0;
constinit std::uint8_t g_next_vector = kFirstDeviceVector;
constinit Handler g_tick{};
constinit Kernel* g_kernel = nullptr;

bool add_to_line(std::uint8_t vector, InterruptHandler handler, void* argument) {
  if (g_shared_count == g_shared.size()) return false;
  Handler& added = g_shared[g_shared_count++];
  added = {handler, argument, nullptr};
  Handler* last = &g_vectors[vector];
  while (last->next != nullptr) last = last->next;
  last->next = &added;
  return true;
}

void run_all(void* first) {
  for (const auto* handler = static_cast<const Handler*>(first); handler != nullptr;
       handler = handler->next)
    handler->run(handler->argument);
}

}  // namespace

std::optional<std::uint8_t> allocate_vector(InterruptHandler handler, void* argument) {
  if (g_next_vector > kLastDeviceVector) return std::nullopt;
  g_vectors[g_next_vector] = {handler, argument, nullptr};
  return g_next_vector++;
}

bool register_line(std::uint32_t gsi, Trigger trigger, InterruptHandler handler, void* argument) {
  for (std::size_t i = 0; i < g_line_count; i++)
    if (g_lines[i].gsi == gsi) return add_to_line(g_lines[i].vector, handler, argument);
  if (g_line_count == g_lines.size() || !io_apic_has(gsi)) return false;
  const auto vector = allocate_vector(handler, argument);
  if (!vector) return false;
  g_lines[g_line_count++] = {gsi, *vector};
  io_apic_route(gsi, *vector, trigger);
  return true;
}

void attach_kernel(Kernel& kernel) { g_kernel = &kernel; }

void set_tick_handler(InterruptHandler handler, void* argument) {
  g_tick = {handler, argument, nullptr};
}

void handle_interrupt(std::uint8_t vector, Cpu& cpu) {
  if (vector == kTimerVector) {
    acknowledge_interrupt();
    if (g_tick.run != nullptr && cpu.number == 0)
      g_kernel->serve_device(cpu, g_tick.run, g_tick.argument);
    g_kernel->timer(cpu);
    return;
  }
  if (vector == kRequestVector || vector == kWakeVector) {
    acknowledge_interrupt();
    if (answer_requests() || vector == kWakeVector) g_kernel->wake(cpu);
    return;
  }
  Handler& first = g_vectors[vector];
  if (first.run == nullptr) return;  // spurious, or from the masked old controller
  g_kernel->serve_device(cpu, run_all, &first);
  acknowledge_interrupt();
  g_kernel->wake(cpu);
}

}  // namespace xok::kernel::x86
