// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "kernel/arch/x86_64/context.hpp"
#include "kernel/core/kernel.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/drivers/devices.hpp"

namespace xok::kernel::x86 {

/// The real machine behind the core's seam (kernel/core/machine.hpp has the contract).
class X86Machine final : public Machine {
 public:
  X86Machine(Kernel& kernel, drivers::Devices& devices) : kernel_{kernel}, devices_{devices} {}

  /// The exposed environment records: for the fault counters.
  void attach(Env* envs) { envs_ = envs; }

  std::byte* page(PageNumber page) override;
  void zero_page(PageNumber page) override;
  void copy_page(PageNumber to, PageNumber from) override;
  void write_entry(std::uint64_t* entry, std::uint64_t value) override;
  void update_entry(std::uint64_t* entry, std::uint64_t expected, std::uint64_t value) override;
  void flush(std::uint64_t va) override;
  void flush_all() override;
  void flush_others(ProcessorSet processors, std::span<const std::uint64_t> addresses) override;
  void seize(std::uint32_t processor, PageNumber table) override;
  void kick(std::uint32_t processor) override;
  void answer() override;
  void fill_top_table(PageNumber table) override;
  void load_address_space(PageNumber table) override;
  bool copy_from_user(void* to, std::uint64_t from, std::size_t n) override;
  bool copy_to_user(std::uint64_t to, const void* from, std::size_t n) override;

  Result<> context_create(EnvIndex env, PageNumber uenv_page) override;
  void context_destroy(EnvIndex env) override;
  void context_release(EnvIndex env, bool plain) override;
  void rest(EnvIndex env, bool plain) override;
  void let_in(EnvIndex env, const Rest& rest, std::uint64_t key) override;
  std::uint64_t& result(EnvIndex env) override;
  Context& context(EnvIndex env) override;
  volatile Uenv& uenv(EnvIndex env) override;

  std::uint64_t cycles() override;
  void set_timer(std::uint64_t deadline_cycles) override;

  std::span<std::byte> transmit_buffer(std::uint32_t interface) override;
  void transmit(std::uint32_t interface, std::size_t n) override;
  std::span<std::byte> console_room(std::uint32_t port) override;
  void console_put(std::uint32_t port, std::size_t n) override;
  std::span<const std::byte> console_data(std::uint32_t port) override;
  void console_take(std::uint32_t port, std::size_t n) override;
  std::size_t entropy(std::span<std::byte> bytes) override;
  Result<> disk_start(std::uint32_t disk, bool write, std::uint64_t block,
                      std::span<const PageNumber> pages, std::uint64_t tag) override;
  [[noreturn]] void stop(std::uint64_t status) override;
  void set_uenv(EnvIndex env, PageNumber page) override;
  void save_vectors(EnvIndex env, std::byte* area) override;
  void restore_vectors(EnvIndex env, const std::byte* area) override;
  void log(const char* line, std::size_t length) override;

 private:
  Kernel& kernel_;
  drivers::Devices& devices_;
  Env* envs_ = nullptr;
};

}  // namespace xok::kernel::x86
