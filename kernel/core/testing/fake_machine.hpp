// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <atomic>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernel/core/kernel.hpp"
#include "kernel/core/machine.hpp"
#include "kernel/core/requests.hpp"

/// The hardware as the host tests see it: pages of memory, page tables walked as the processor
/// walks them, for each processor a TLB that forgets nothing by itself but when another address
/// space is loaded, devices that record.
namespace xok::kernel::testing {

/// What went wrong outside the core's view (a wild page, an entry outside a table). Prints, aborts.
[[noreturn]] void broken(const char* what, std::uint64_t a = 0, std::uint64_t b = 0);

struct Translation {
  std::uint64_t page = 0;
  bool writable = false;
};

using Tlb = std::map<std::pair<std::uint64_t, std::uint64_t>, Translation>;  ///< (top, va / 4096)

struct FakeProcessor {
  std::uint64_t loaded = 0;
  std::uint64_t timer_deadline = ~0ull;
  Tlb tlb;
  std::uint64_t interrupted = 0;                 ///< by flush_others
  std::uint64_t interrupted_with_free_page = 0;  ///< while it could still reach a free page
  std::uint64_t seized = 0;
  bool kicked = false;
};

struct DiskTransfer {
  std::uint32_t disk;
  bool write;
  std::uint64_t block;
  std::vector<std::uint64_t> pages;
  std::uint64_t tag;
};

class FakeMachine final : public Machine {
 public:
  /// `pages` pages: 0 and 5 are Absent, 1-4 Kernel, 6-9 BootModule, the rest Free.
  explicit FakeMachine(std::size_t pages);

  static constexpr std::uint64_t kFirstModulePage = 6;
  static constexpr std::uint64_t kModulePages = 4;
  static constexpr std::uint64_t kBootKernelPages = 4;

  const ExposedTables& tables() const { return tables_; }
  SystemInfo& info() { return *tables_.info; }
  PageInfo& page_info(std::uint64_t page) { return tables_.pages[page]; }

  // -- As a user program would, in the address space that is loaded: through the TLB.
  bool user_read(std::uint64_t va, void* to, std::size_t n) { return load(to, va, n, {}); }
  bool user_write(std::uint64_t va, const void* from, std::size_t n) {
    return copy_to_user(va, from, n);
  }
  /// One 8-byte store of a program, atomic as the processor makes it. False: a fault.
  bool user_store(std::uint64_t va, std::uint64_t value);
  /// What the processor finds in the tables of `top` (no TLB), any level-4 slot. nullopt: a fault.
  bool walk(std::uint64_t top, std::uint64_t va, Translation& out);

  std::byte* page(PageNumber page) override;
  void zero_page(PageNumber page) override;
  void copy_page(PageNumber to, PageNumber from) override;
  void write_entry(std::uint64_t* entry, std::uint64_t value) override;
  void update_entry(std::uint64_t* entry, std::uint64_t expected, std::uint64_t value) override;
  void flush(std::uint64_t va) override;
  void flush_all() override;
  void fill_top_table(PageNumber table) override;
  void load_address_space(PageNumber table) override;
  void flush_others(ProcessorSet set, std::span<const std::uint64_t> addresses) override;
  void seize(std::uint32_t processor, PageNumber table) override;
  void kick(std::uint32_t processor) override;
  void answer() override;
  bool copy_from_user(void* to, std::uint64_t from, std::size_t n) override;
  bool copy_to_user(std::uint64_t to, const void* from, std::size_t n) override;
  Result<> context_create(EnvIndex env, PageNumber uenv_page) override;
  void context_destroy(EnvIndex env) override;
  void context_release(EnvIndex env, bool plain) override;
  void rest(EnvIndex env, bool plain) override;
  void let_in(EnvIndex env, const Rest& rest, std::uint64_t key) override;
  Context& context(EnvIndex env) override;
  std::uint64_t& result(EnvIndex env) override { return contexts_.at(env).first.rax; }
  volatile Uenv& uenv(EnvIndex env) override;
  void set_uenv(EnvIndex env, PageNumber page) override;
  void save_vectors(EnvIndex env, std::byte* area) override;
  void restore_vectors(EnvIndex env, const std::byte* area) override;
  std::uint64_t cycles() override { return clock += clock_step; }
  void set_timer(std::uint64_t deadline) override { mine().timer_deadline = deadline; }
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
  void log(const char* line, std::size_t length) override { lines.emplace_back(line, length); }

  /// A call as the machine carries it out by itself (Cpu::straight; straight.S is the real one).
  /// False: it cannot, and nothing has changed.
  bool straight(Kernel& kernel, Cpu& cpu, std::uint64_t number,
                const std::array<std::uint64_t, 6>& arguments);
  /// The registers of an environment, for a test to look at.
  const Context& registers(EnvIndex env) { return contexts_.at(env).first; }

  // -- What a test reads and sets.
  /// What another thread of the program does to each piece of memory as soon as the kernel has
  /// copied it: if the kernel looks again, it finds something else.
  using Rewrite = std::function<void(std::span<std::byte>)>;
  Rewrite rewrite;
  /// Called before each operation that other processors can notice: a test holds this one up.
  std::function<void()> hold_up;
  std::array<FakeProcessor, kMaxProcessors> processors;
  /// Which processor this thread is.
  static inline thread_local std::uint32_t here = 0;
  FakeProcessor& mine() { return processors[here]; }
  /// Each processor is a thread of its own and answers by itself: while it waits for the kernel's
  /// lock, and by calls of `answer` between its steps in user code. Otherwise this object answers
  /// for all.
  bool threads = false;
  std::map<EnvIndex, std::uint64_t> vectors;  ///< one word stands for the vector state
  std::uint64_t& loaded = processors[0].loaded;
  std::atomic<std::uint64_t> clock = 1000;
  std::uint64_t clock_step = 1;
  std::uint64_t& timer_deadline = processors[0].timer_deadline;
  std::uint64_t flushes = 0;
  std::uint64_t releases = 0;
  std::uint64_t straight_switches = 0;
  bool refuse_context = false;
  std::vector<std::pair<std::uint32_t, std::string>> sent;
  std::size_t transmit_room = 1514;
  std::string console_output;
  std::size_t console_output_room = 100'000;
  std::string console_input;
  std::size_t entropy_available = 1000;
  std::vector<DiskTransfer> transfers;
  std::size_t transfer_limit = 32;
  std::vector<std::string> lines;
  bool stopped = false;
  std::uint64_t stop_status = 0;
  /// Where `stop` goes: set by TestBed around every entry of the kernel.
  std::jmp_buf* on_stop = nullptr;

 private:
  bool yield_straight(Kernel& kernel, Cpu& cpu, std::uint64_t to);
  bool call_straight(Cpu& cpu, const std::array<std::uint64_t, 6>& arguments);
  bool reply_straight(Cpu& cpu, const std::array<std::uint64_t, 6>& arguments);
  void hand_over(Cpu& cpu, EnvIndex to);

  struct Resting {
    Rest rest;
    std::uint64_t key = 0;
    EnvId id = 0;  // while the machine may enter it
  };
  /// By index: the id of each environment that the machine may enter by itself; with bit 33 set, if
  /// its callee's answer may.
  std::array<std::uint64_t, kMaxEnvironments> parked_{~std::uint64_t{0}};
  std::array<Resting, kMaxEnvironments> resting_{};
  bool access(std::uint64_t va, bool write, std::size_t& left, std::byte*& at);
  void pause() const {
    if (hold_up) hold_up();
  }
  bool load(void* to, std::uint64_t from, std::size_t n, const Rewrite& then);
  void request(ProcessorSet set, const Requests::Request& wanted);
  void serve(FakeProcessor& processor, const Requests::Request& wanted);

  struct alignas(kPageSize) Frame {
    std::byte bytes[kPageSize];
  };
  std::unique_ptr<Frame[]> memory_;
  std::unique_ptr<SystemInfo> info_ = std::make_unique<SystemInfo>();
  std::vector<Env> envs_;
  std::vector<Slice> slices_;
  std::vector<FilterRecord> filters_;
  std::vector<PageInfo> page_infos_;
  ExposedTables tables_;
  Requests requests_;
  std::map<EnvIndex, std::pair<Context, std::uint64_t>> contexts_;
  std::byte transmit_[2048];
  std::byte console_[256];
};

}  // namespace xok::kernel::testing
