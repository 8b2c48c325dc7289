// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/fake_machine.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace xok::kernel::testing {

void broken(const char* what, std::uint64_t a, std::uint64_t b) {
  std::fprintf(stderr, "fake machine: %s (%#lx, %#lx)\n", what, a, b);
  std::abort();
}

FakeMachine::FakeMachine(std::size_t pages)
    : memory_{new Frame[pages]},
      envs_(kMaxEnvironments),
      slices_(kMaxProcessors * kSlicesPerProcessor),
      filters_(kMaxFilters),
      page_infos_(pages) {
  for (std::size_t i = 0; i < pages; i++) {  // what was in memory before
    std::memset(memory_[i].bytes, 0xa5, kPageSize);
    page_infos_[i].status = PageStatus::Free;
  }
  page_infos_[0].status = page_infos_[5].status = PageStatus::Absent;
  for (std::size_t i = 1; i <= kBootKernelPages; i++) page_infos_[i].status = PageStatus::Kernel;
  for (std::size_t i = 0; i < kModulePages; i++)
    page_infos_[kFirstModulePage + i].status = PageStatus::BootModule;
  info_->page_count = pages;
  info_->processors = 1;
  info_->caching_bits = kPteWriteThrough | kPteCacheDisable;
  info_->tsc_hz = 1'000'000'000;
  info_->interfaces[1].present = 1;
  info_->interface_count = 2;
  for (auto& port : info_->consoles) port.present = 0;
  info_->consoles[0].present = info_->consoles[1].present = 1;
  info_->disks[0] = {.present = 1,
                     .read_only = 0,
                     .reserved = {},
                     .blocks = 1000,
                     .reads = 0,
                     .writes = 0,
                     .errors = 0};
  info_->disks[1] = info_->disks[0];
  info_->disks[1].read_only = 1;
  tables_ = {info_.get(), envs_.data(), slices_.data(), filters_.data(), page_infos_.data()};
}

// -- Memory

std::byte* FakeMachine::page(PageNumber page) {
  if (page.value >= page_infos_.size()) broken("page past the end of memory", page.value);
  if (page_infos_[page.value].status == PageStatus::Absent) broken("no memory here", page.value);
  return memory_[page.value].bytes;
}

void FakeMachine::zero_page(PageNumber number) {
  pause();
  std::memset(page(number), 0, kPageSize);
}
void FakeMachine::copy_page(PageNumber to, PageNumber from) {
  pause();
  std::memcpy(page(to), page(from), kPageSize);
}

void FakeMachine::write_entry(std::uint64_t* entry, std::uint64_t value) {
  pause();
  const auto offset =
      static_cast<std::uint64_t>(reinterpret_cast<std::byte*>(entry) - memory_[0].bytes);
  const std::uint64_t in = offset / kPageSize;
  if (in >= page_infos_.size() || offset % 8 != 0) broken("entry outside memory", offset);
  if (page_infos_[in].status != PageStatus::Kernel) broken("entry outside a kernel page", in);
  if (in <= kBootKernelPages) broken("entry in a boot page", in);
  __atomic_store_n(entry, value, __ATOMIC_RELEASE);  // pairs with the walk
}

void FakeMachine::update_entry(std::uint64_t* entry, std::uint64_t expected, std::uint64_t value) {
  if (*entry != expected) broken("an entry is not as expected", *entry, expected);
  write_entry(entry, value);
}

void FakeMachine::flush(std::uint64_t va) {
  pause();
  flushes++;
  std::erase_if(mine().tlb,
                [&](const auto& item) { return item.first.second == va >> kPageShift; });
}

void FakeMachine::flush_all() {
  pause();
  flushes++;
  mine().tlb.clear();
}

void FakeMachine::load_address_space(PageNumber table) {
  pause();
  mine().loaded = table.value;
  mine().tlb.clear();
}

// -- Other processors

void FakeMachine::serve(FakeProcessor& processor, const Requests::Request& wanted) {
  pause();
  if (wanted.table != 0) {
    processor.seized++;
    processor.loaded = wanted.table;
    processor.tlb.clear();
    return;
  }
  processor.interrupted++;
  const auto reaches_free_page = [&](const auto& item) {
    return page_infos_[item.second.page].status == PageStatus::Free;
  };
  if (!threads && std::ranges::any_of(processor.tlb, reaches_free_page))
    processor.interrupted_with_free_page++;
  if (wanted.count == 0) processor.tlb.clear();
  for (std::size_t i = 0; i < wanted.count; i++) {
    std::erase_if(processor.tlb, [&](const auto& item) {
      return item.first.second == wanted.addresses[i] >> kPageShift;
    });
  }
}

void FakeMachine::request(ProcessorSet set, const Requests::Request& wanted) {
  pause();
  if ((set >> here & 1) != 0) broken("a processor interrupts itself", here);
  if (set == 0 || set >> info_->processors != 0) broken("no such processor", set);
  requests_.post(set, wanted);
  pause();
  for (std::uint32_t n = 0; n < info_->processors && !threads; n++)
    requests_.answer(n, [&](const auto& asked) { serve(processors[n], asked); });
  while (!requests_.answered()) std::this_thread::yield();
}

void FakeMachine::flush_others(ProcessorSet set, std::span<const std::uint64_t> addresses) {
  Requests::Request wanted;
  if (addresses.size() > wanted.addresses.size()) broken("too many addresses", addresses.size());
  wanted.count = addresses.size();
  std::ranges::copy(addresses, wanted.addresses.begin());
  request(set, wanted);
}

void FakeMachine::seize(std::uint32_t processor, PageNumber table) {
  Requests::Request wanted;
  wanted.table = table.value;
  request(ProcessorSet{1} << processor, wanted);
}

void FakeMachine::kick(std::uint32_t processor) {
  if (processor == here || processor >= info_->processors) broken("wrong processor", processor);
  if (!threads) processors[processor].kicked = true;
}

/// Called over and over by who waits, which lets those go on that it waits for.
void FakeMachine::answer() {
  if (threads) std::this_thread::yield();
  requests_.answer(here, [this](const auto& asked) { serve(mine(), asked); });
}

void FakeMachine::fill_top_table(PageNumber table) {
  auto* const entries = reinterpret_cast<std::uint64_t*>(page(table));
  if (std::any_of(entries, entries + 512, [](std::uint64_t e) { return e != 0; }))
    broken("top-level table not zeroed", table.value);
  // The kernel's half: present, writable, not for users.
  for (unsigned i = 256; i < 512; i++) entries[i] = 1 << kPageShift | kPtePresent | kPteWritable;
}

bool FakeMachine::walk(std::uint64_t top, std::uint64_t va, Translation& out) {
  std::uint64_t table = top;
  bool writable = true;
  for (unsigned level = 4;; level--) {
    if (table >= page_infos_.size()) broken("table past the end of memory", table, va);
    const auto* const entries = reinterpret_cast<const std::uint64_t*>(memory_[table].bytes);
    const std::uint64_t entry =
        __atomic_load_n(&entries[va >> (12 + 9 * (level - 1)) & 511], __ATOMIC_ACQUIRE);
    if ((entry & kPtePresent) == 0 || (entry & kPteUser) == 0) return false;
    const bool large = level > 1 && (entry & kPteLarge) != 0;
    if (large && level != 2) broken("a huge page", entry, va);
    if ((entry & 0x7800'0000'0000'0000) != 0) broken("reserved bits", entry, va);
    writable = writable && (entry & kPteWritable) != 0;
    table = (entry & kPtePageMask) >> kPageShift;
    if (large && table % 512 != 0) broken("a large page out of place", entry, va);
    if (large) table += va >> kPageShift & 511;
    if (level == 1 || large) break;
  }
  out = {table, writable};
  return true;
}

/// The bytes at `va` up to the end of its page, if the program may touch them so.
bool FakeMachine::access(std::uint64_t va, bool write, std::size_t& left, std::byte*& at) {
  if (va >= kUserTop) return false;
  const std::pair key{mine().loaded, va >> kPageShift};
  auto cached = mine().tlb.find(key);
  if (cached == mine().tlb.end()) {
    Translation found;
    if (!walk(mine().loaded, va, found)) return false;
    cached = mine().tlb.emplace(key, found).first;
  }
  if (write && !cached->second.writable) return false;
  left = kPageSize - (va & kPageMask);
  at = memory_[cached->second.page].bytes + (va & kPageMask);
  return true;
}

bool FakeMachine::user_store(std::uint64_t va, std::uint64_t value) {
  std::size_t left = 0;
  std::byte* at = nullptr;
  if (!access(va, true, left, at)) return false;
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(at), value, __ATOMIC_RELAXED);
  return true;
}

bool FakeMachine::copy_from_user(void* to, std::uint64_t from, std::size_t n) {
  return load(to, from, n, rewrite);
}

bool FakeMachine::load(void* to, std::uint64_t from, std::size_t n, const Rewrite& then) {
  pause();
  auto* out = static_cast<std::byte*>(to);
  while (n > 0) {
    std::size_t left = 0;
    std::byte* at = nullptr;
    if (!access(from, false, left, at)) return false;
    const std::size_t part = std::min(left, n);
    std::memcpy(out, at, part);
    if (then) then(std::span{at, part});
    out += part, from += part, n -= part;
  }
  return true;
}

bool FakeMachine::copy_to_user(std::uint64_t to, const void* from, std::size_t n) {
  pause();
  const auto* in = static_cast<const std::byte*>(from);
  while (n > 0) {
    std::size_t left = 0;
    std::byte* at = nullptr;
    if (!access(to, true, left, at)) return false;
    const std::size_t part = std::min(left, n);
    std::memmove(at, in, part);
    in += part, to += part, n -= part;
  }
  return true;
}

// -- Contexts

Result<> FakeMachine::context_create(EnvIndex env, PageNumber uenv_page) {
  if (refuse_context) return fail(Errc::NoMemory);
  if (contexts_.contains(env)) broken("context made twice", env);
  Context fresh{};
  fresh.rflags = 0x202;
  contexts_[env] = {fresh, uenv_page.value};
  return {};
}

void FakeMachine::context_destroy(EnvIndex env) {
  vectors.erase(env);
  if (contexts_.erase(env) != 1) broken("no context to destroy", env);
  parked_[env] = 0;
  resting_[env] = {};
}

Context& FakeMachine::context(EnvIndex env) {
  const auto found = contexts_.find(env);
  if (found == contexts_.end()) broken("no context", env);
  parked_[env] = 0;
  resting_[env].id = 0;
  return found->second.first;
}

volatile Uenv& FakeMachine::uenv(EnvIndex env) {
  const auto found = contexts_.find(env);
  if (found == contexts_.end()) broken("no Uenv", env);
  return *reinterpret_cast<volatile Uenv*>(memory_[found->second.second].bytes);
}

void FakeMachine::set_uenv(EnvIndex env, PageNumber page) {
  const auto found = contexts_.find(env);
  if (found == contexts_.end()) broken("no context", env);
  found->second.second = page.value;
}

void FakeMachine::save_vectors(EnvIndex env, std::byte* area) {
  std::memcpy(area, &vectors[env], sizeof vectors[env]);
  vectors[env] = 0;
}

void FakeMachine::restore_vectors(EnvIndex env, const std::byte* area) {
  std::memcpy(&vectors[env], area, sizeof vectors[env]);
}

// -- Devices

std::span<std::byte> FakeMachine::transmit_buffer(std::uint32_t) {
  return std::span{transmit_}.first(transmit_room);
}

void FakeMachine::transmit(std::uint32_t interface, std::size_t n) {
  sent.emplace_back(interface, std::string{reinterpret_cast<const char*>(transmit_), n});
}

std::span<std::byte> FakeMachine::console_room(std::uint32_t) {
  return std::span{console_}.first(std::min(console_output_room, sizeof console_));
}

void FakeMachine::console_put(std::uint32_t, std::size_t n) {
  console_output.append(reinterpret_cast<const char*>(console_), n);
  console_output_room -= n;
}

std::span<const std::byte> FakeMachine::console_data(std::uint32_t) {
  return std::as_bytes(std::span{console_input});
}

void FakeMachine::console_take(std::uint32_t, std::size_t n) { console_input.erase(0, n); }

std::size_t FakeMachine::entropy(std::span<std::byte> bytes) {
  const std::size_t n = std::min(bytes.size(), entropy_available);
  std::fill_n(bytes.begin(), n, std::byte{0x5e});
  entropy_available -= n;
  return n;
}

Result<> FakeMachine::disk_start(std::uint32_t disk, bool write, std::uint64_t block,
                                 std::span<const PageNumber> pages, std::uint64_t tag) {
  if (transfers.size() >= transfer_limit) return fail(Errc::WouldBlock);
  DiskTransfer transfer{disk, write, block, {}, tag};
  for (const PageNumber p : pages) transfer.pages.push_back(p.value);
  transfers.push_back(std::move(transfer));
  return {};
}

void FakeMachine::stop(std::uint64_t status) {
  stopped = true;
  stop_status = status;
  if (on_stop == nullptr) broken("stopped", status);
  std::longjmp(*on_stop, 1);
}

}  // namespace xok::kernel::testing
