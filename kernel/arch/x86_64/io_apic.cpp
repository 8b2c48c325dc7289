// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/io_apic.hpp"

#include <array>
#include <cstddef>

#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/paging.hpp"

namespace xok::kernel::x86 {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kRedirection = 0x10;
constexpr std::uint32_t kMasked = 1u << 16;
constexpr std::uint32_t kLevel = 1u << 15;
constexpr std::uint32_t kActiveLow = 1u << 13;
constexpr std::size_t kWindow = 0x10;

struct IoApic {
  volatile std::byte* registers;
  std::uint32_t first_gsi;
  std::uint32_t lines;

  void select(std::uint32_t index) const {
    *reinterpret_cast<volatile std::uint32_t*>(registers) = index;
  }
  [[nodiscard]] std::uint32_t read(std::uint32_t index) const {
    select(index);
    return *reinterpret_cast<volatile std::uint32_t*>(registers + kWindow);
  }
  void write(std::uint32_t index, std::uint32_t value) const {
    select(index);
    *reinterpret_cast<volatile std::uint32_t*>(registers + kWindow) = value;
  }
};

constinit std::array<IoApic, 8> g_apics{};
constinit std::size_t g_count = 0;

const IoApic* find(std::uint32_t gsi) {
  for (std::size_t i = 0; i < g_count; i++)
    if (gsi >= g_apics[i].first_gsi && gsi - g_apics[i].first_gsi < g_apics[i].lines)
      return &g_apics[i];
  return nullptr;
}

}  // namespace

void add_io_apic(std::uint64_t physical, std::uint32_t first_gsi) {
  if (g_count == g_apics.size()) return;
  std::byte* registers = paging().map_physical(physical, 0x20, Caching::Uncached);
  if (registers == nullptr) return;
  IoApic& apic = g_apics[g_count];
  apic = {registers, first_gsi, 0};
  const std::uint32_t version = apic.read(kVersion);
  if (version == ~std::uint32_t{0}) return;  // nothing there
  apic.lines = (version >> 16 & 0xff) + 1;
  for (std::uint32_t i = 0; i < apic.lines; i++) apic.write(kRedirection + 2 * i, kMasked);
  g_count++;
}

bool io_apic_has(std::uint32_t gsi) { return find(gsi) != nullptr; }

void io_apic_route(std::uint32_t gsi, std::uint8_t vector, Trigger trigger) {
  const IoApic& apic = *find(gsi);
  const std::uint32_t entry = kRedirection + 2 * (gsi - apic.first_gsi);
  std::uint32_t low = vector;
  if (trigger == Trigger::LevelHigh || trigger == Trigger::LevelLow) low |= kLevel;
  if (trigger == Trigger::EdgeLow || trigger == Trigger::LevelLow) low |= kActiveLow;
  apic.write(entry + 1, apic_id() << 24);
  apic.write(entry, low);
}

}  // namespace xok::kernel::x86
