// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/x86_machine.hpp"

#include <cstring>

#include "abi/layout.hpp"
#include "base/checked.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "kernel/arch/x86_64/log.hpp"
#include "kernel/arch/x86_64/memory.hpp"
#include "kernel/arch/x86_64/paging.hpp"
#include "kernel/arch/x86_64/power.hpp"
#include "kernel/arch/x86_64/processors.hpp"
#include "kernel/arch/x86_64/registers.hpp"
#include "kernel/arch/x86_64/serial.hpp"

namespace xok::kernel::x86 {
namespace {

constexpr std::uint32_t kSerialPort = 0;

/// How long a clean stop waits for the host to take the last console output.
constexpr std::uint64_t kDrainCycles = 3'000'000'000;

/// One word of RDRAND: it may be out of entropy for a moment.
bool random_word(std::uint64_t& word) {
  for (int attempt = 0; attempt < 10; attempt++) {
    bool good = false;
    asm volatile("rdrand %0" : "=r"(word), "=@ccc"(good));
    if (good) return true;
  }
  return false;
}

std::size_t processor_entropy(std::span<std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    std::uint64_t word = 0;
    if (!random_word(word)) break;
    const std::size_t n = bytes.size() - done < 8 ? bytes.size() - done : 8;
    std::memcpy(&bytes[done], &word, n);
    done += n;
  }
  return done;
}

}  // namespace

// -- Memory

std::byte* X86Machine::page(PageNumber page) { return direct(page.value << kPageShift); }

void X86Machine::zero_page(PageNumber page) { x86::zero_page(direct(page.value << kPageShift)); }
void X86Machine::copy_page(PageNumber to, PageNumber from) {
  x86::copy_page(direct(to.value << kPageShift), direct(from.value << kPageShift));
}

void X86Machine::write_entry(std::uint64_t* entry, std::uint64_t value) {
  __atomic_store_n(entry, value, __ATOMIC_RELEASE);  // pairs with the hardware's table walk
}

void X86Machine::update_entry(std::uint64_t* entry, std::uint64_t expected, std::uint64_t value) {
  std::uint64_t found = expected;
  while (
      !__atomic_compare_exchange_n(entry, &found, value, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    value |= found & ~expected & (kPteAccessed | kPteDirty);
}

void X86Machine::flush(std::uint64_t va) { invalidate_page(va); }

void X86Machine::flush_all() { write_cr3(read_cr3()); }

void X86Machine::flush_others(ProcessorSet processors, std::span<const std::uint64_t> addresses) {
  x86::flush_others(processors, addresses);
}

void X86Machine::seize(std::uint32_t processor, PageNumber table) {
  seize_processor(processor, table.value);
}

void X86Machine::kick(std::uint32_t processor) { kick_processor(processor); }

void X86Machine::answer() { answer_requests(); }

void X86Machine::fill_top_table(PageNumber table) {
  paging().fill_top_table(reinterpret_cast<std::uint64_t*>(page(table)));
}

void X86Machine::load_address_space(PageNumber table) { write_cr3(table.value << kPageShift); }

bool X86Machine::copy_from_user(void* to, std::uint64_t from, std::size_t n) {
  if (!range_fits<std::uint64_t>(from, n, kUserTop)) return false;
  return copy_user_bytes(to, reinterpret_cast<const void*>(from), n);
}

bool X86Machine::copy_to_user(std::uint64_t to, const void* from, std::size_t n) {
  if (!range_fits<std::uint64_t>(to, n, kUserTop)) return false;
  return copy_user_bytes(reinterpret_cast<void*>(to), from, n);
}

// -- Contexts

Result<> X86Machine::context_create(EnvIndex env, PageNumber uenv_page) {
  return x86::context_create(envs_[env], env, uenv_page.value << kPageShift, kernel_);
}

void X86Machine::context_destroy(EnvIndex env) { x86::context_destroy(env); }

void X86Machine::context_release(EnvIndex env, bool plain) { x86::context_release(env, plain); }

void X86Machine::rest(EnvIndex env, bool plain) { x86::rest(env, plain); }

void X86Machine::let_in(EnvIndex env, const Rest& rest, std::uint64_t key) {
  x86::let_in(env, rest, key);
}

std::uint64_t& X86Machine::result(EnvIndex env) { return kernel_env(env).context.rax; }

Context& X86Machine::context(EnvIndex env) { return context_of(env); }

volatile Uenv& X86Machine::uenv(EnvIndex env) {
  refresh_window(env);
  return uenv_alias(env);
}

void X86Machine::set_uenv(EnvIndex env, PageNumber page) {
  paging().set_window_page(env, 1, page.value << kPageShift);
}

void X86Machine::save_vectors(EnvIndex env, std::byte* area) { put_vectors_aside(env, area); }

void X86Machine::restore_vectors(EnvIndex env, const std::byte* area) {
  take_vectors_back(env, area);
}

// -- Time

std::uint64_t X86Machine::cycles() { return read_tsc(); }

void X86Machine::set_timer(std::uint64_t deadline_cycles) { x86::set_timer(deadline_cycles); }

// -- Devices

std::span<std::byte> X86Machine::transmit_buffer(std::uint32_t interface) {
  return devices_.transmit_buffer(interface);
}

void X86Machine::transmit(std::uint32_t interface, std::size_t n) {
  devices_.transmit(interface, n);
}

std::span<std::byte> X86Machine::console_room(std::uint32_t port) {
  return port == kSerialPort ? serial().room() : devices_.console_room(port);
}

void X86Machine::console_put(std::uint32_t port, std::size_t n) {
  if (port == kSerialPort)
    serial().put(n);
  else
    devices_.console_put(port, n);
}

std::span<const std::byte> X86Machine::console_data(std::uint32_t port) {
  return port == kSerialPort ? serial().data() : devices_.console_data(port);
}

void X86Machine::console_take(std::uint32_t port, std::size_t n) {
  if (port == kSerialPort)
    serial().take(n);
  else
    devices_.console_take(port, n);
}

std::size_t X86Machine::entropy(std::span<std::byte> bytes) {
  const std::size_t done = features().rdrand ? processor_entropy(bytes) : 0;
  return done > 0 ? done : devices_.entropy(bytes);
}

Result<> X86Machine::disk_start(std::uint32_t disk, bool write, std::uint64_t block,
                                std::span<const PageNumber> pages, std::uint64_t tag) {
  return devices_.disk_start(disk, write, block, pages, tag);
}

void X86Machine::stop(std::uint64_t status) {
  devices_.drain(kDrainCycles);
  stop_machine(status);
}

void X86Machine::log(const char* line, std::size_t length) { x86::log({line, length}); }

}  // namespace xok::kernel::x86
