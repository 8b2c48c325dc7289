// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/revoke.hpp"

#include <algorithm>
#include <array>

#include "abi/syscalls.hpp"
#include "kernel/core/capability.hpp"

/// The abort protocol. All that the environment says about it (Uenv::revocation) is read once and
/// believed only as far as it can harm nobody but itself: addresses are looked up in its own page
/// tables, and the records go into pages that it could write itself.
namespace xok::kernel {
namespace {

constexpr std::uint64_t at_most(std::uint64_t n) { return n < kMaxRequest ? n : kMaxRequest; }

/// One run of the protocol against one environment.
class Repossession {
 public:
  Repossession(Core& core, EnvIndex index)
      : core_{core},
        index_{index},
        space_{core.space(index)},
        uenv_{own_uenv(core, index)},
        revocation_{uenv_.revocation},
        vector_{revocation_.vector},
        slots_{at_most(revocation_.vector_slots)},
        give_{revocation_.give},
        give_count_{at_most(revocation_.give_count)},
        keep_{revocation_.keep} {
    const Context& context = own_context(core, index);
    vital_ = {context.rip,
              context.rsp,
              context.rsp - 8,
              uenv_.fault_entry,
              uenv_.fault_stack - 8,
              uenv_.double_fault_entry,
              uenv_.double_fault_stack - 8,
              revocation_.entry,
              revocation_.stack - 8,
              uenv_.slice_end_entry,
              uenv_.slice_end_stack - 8,
              uenv_.slice_start_entry,
              uenv_.slice_start_stack - 8,
              uenv_.foreign_entry};
  }

  std::uint64_t run() {
    const std::uint64_t returned = space_.record->pages_returned;
    for (std::uint64_t i = 0; i < give_count_ && wants_more(); i++) take_listed(give_ + i * 8);
    EnvState& state = core_.state(index_);
    while (wants_more() && budget_ > 0) {
      if (state.repossess_cursor < kUserTop) {
        state.repossess_cursor = visit(state.repossess_cursor, state.repossess_code);
      } else if (!state.repossess_code) {
        state.repossess_code = true;
        state.repossess_cursor = 0;
      } else {
        break;  // that was all of it
      }
    }
    space_.record->pages_returned = returned;  // given back is what it gave back itself
    if (budget_ > 0 || !wants_more()) {
      settle_request(core_, index_);
    } else {
      reduce_request(core_, index_, owed_ - taken_);
    }
    return taken_;
  }

 private:
  [[nodiscard]] std::uint64_t missing() const { return owed_ - taken_; }
  [[nodiscard]] std::uint64_t spare() const {
    const std::uint64_t kept = core_.env(index_).guaranteed;
    return space_.record->mapped_pages > kept ? space_.record->mapped_pages - kept : 0;
  }
  [[nodiscard]] bool wants_more() const { return missing() > 0 && spare() > 0; }

  /// Whether the page at `va` holds a byte of the range. Nothing is inside a range from 0.
  static bool inside(std::uint64_t va, std::uint64_t begin, std::uint64_t length) {
    if (begin == 0 || length == 0) return false;
    return va + kPageSize > begin && (va < begin || va - begin < length);
  }
  [[nodiscard]] bool is_vital(std::uint64_t va) const {
    const std::uint64_t guaranteed = std::uint64_t{core_.env(index_).guaranteed} * kPageSize;
    if (inside(va, keep_, guaranteed)) return true;
    if (inside(va, vector_, slots_ * sizeof(Repossessed)) || inside(va, give_, give_count_ * 8))
      return true;
    return std::ranges::any_of(vital_, [&](std::uint64_t a) { return page_floor(a) == va; });
  }
  /// Whether taking this page away gives memory back and takes it from nobody else.
  [[nodiscard]] bool is_free_to_take(std::uint64_t page) {
    const PageInfo& p = core_.pages.info(page);
    return p.status == PageStatus::User && p.mappings == 1 && p.pins == 0;
  }

  /// The word at `va` of its memory, as it could write it itself; nullptr if it could not.
  std::uint64_t* word(std::uint64_t va) {
    if (va >= kUserTop || va % 8 != 0) return nullptr;
    const std::uint64_t entry = core_.page_tables.lookup(space_.top, va);
    constexpr std::uint64_t kNeeded = kPtePresent | kPteWritable;
    if ((entry & kNeeded) != kNeeded) return nullptr;
    return reinterpret_cast<std::uint64_t*>(core_.pages.bytes(entry_page(entry)) +
                                            (va & kPageMask));
  }

  void take_listed(std::uint64_t at) {
    const std::uint64_t* const listed = word(at);
    if (listed == nullptr) return;
    const std::uint64_t va = page_floor(__atomic_load_n(listed, __ATOMIC_RELAXED));
    if (va >= kUserTop) return;
    const Path path = core_.page_tables.walk(space_.top, va);
    if (path.reached == 1 && core_.page_tables.counted(path)) take(path, va);
  }

  /// Looks at what is at `va`, and takes it if it is its turn; where to look next.
  std::uint64_t visit(std::uint64_t va, bool code) {
    budget_--;
    const Path path = core_.page_tables.walk(space_.top, va);
    const auto behind = [va](unsigned level) {
      return (va | ((std::uint64_t{1} << (kPageShift + 9 * level)) - 1)) + 1;
    };
    for (unsigned l = 4; l >= path.reached; l--) {
      if ((core_.pages.info(path.table[l]).reader_limit & PageTables::kShared) != 0)
        return behind(l);
    }
    if (path.large() && executable(*path.entry) == code) take_large(path, va);
    if (path.reached > 1) return behind(path.reached - 1);
    if (executable(*path.entry) == code) take(path, va);
    return va + kPageSize;
  }
  static bool executable(std::uint64_t entry) { return (entry & kPteNoExecute) == 0; }

  void take(const Path& path, std::uint64_t va) {
    const std::uint64_t entry = *path.entry;
    if ((entry & kPtePresent) == 0 || is_vital(va)) return;
    const std::uint64_t page = entry_page(entry);
    if (!is_free_to_take(page) || !core_.pages.pin(page)) return;
    core_.page_tables.store(space_, path, va, 0);
    taken_++;
    save(record(va, entry), page);
    core_.pages.unpin(page);
  }

  void take_large(const Path& path, std::uint64_t va) {
    if (missing() < kLargePages || spare() < kLargePages || budget_ < kLargePages) return;
    budget_ -= kLargePages;
    const std::uint64_t first = entry_page(*path.entry);
    for (std::uint64_t i = 0; i < kLargePages; i++) {
      if (!is_free_to_take(first + i) || is_vital(va + i * kPageSize)) return;
    }
    record(va, *path.entry);
    core_.page_tables.store_large(space_, path, 0);
    taken_ += kLargePages;
  }

  /// Writes the next entry of the vector; where it is, or nullptr when there is no room.
  std::uint64_t* record(std::uint64_t va, std::uint64_t entry) {
    const std::uint64_t count = revocation_.vector_count;
    revocation_.vector_count = count + 1;
    if (vector_ == 0 || vector_ % sizeof(Repossessed) != 0 || count >= slots_) return nullptr;
    record_address_ = vector_ + count * sizeof(Repossessed);
    std::uint64_t* const to = word(record_address_);
    if (to == nullptr) return nullptr;
    const std::array<std::uint64_t, 8> words = {
        va, entry, Repossessed::kNotSaved, 0, 0, core_.machine.cycles(), 0, 0};
    std::ranges::copy(words, to);
    return to;
  }

  /// Starts writing the page to the next block that the environment has named, if it may.
  void save(std::uint64_t* to, std::uint64_t page) {
    constexpr std::size_t kBlock = offsetof(Repossessed, block) / 8;
    constexpr std::size_t kPending = offsetof(Repossessed, pending) / 8;
    const std::uint64_t blocks = revocation_.save_blocks;
    const std::uint64_t slot = revocation_.save_slot;
    const std::uint64_t disk = revocation_.save_disk;
    const std::uint64_t block = revocation_.save_block;
    if (to == nullptr || blocks == 0 || slot >= kCapabilitySlots || disk >= kMaxDisks) return;
    const DiskInfo& info = core_.tables.info->disks[disk];
    const Capability guard = Capability::make({kDiskName, static_cast<std::uint8_t>(disk)});
    const Capability& held = core_.env(index_).capabilities[slot];
    if (info.present == 0 || info.read_only != 0 || block >= info.blocks) return;
    if (!access(held, std::span{&guard, 1}, Permission::Write).has_value()) return;
    const std::uint64_t home = entry_page(core_.page_tables.lookup(space_.top, record_address_));
    const std::uint64_t offset = record_address_ & kPageMask;
    DiskRequest request{};
    request.disk = static_cast<std::uint32_t>(disk);
    request.write = 1;
    request.block = block;
    request.count = 1;
    to[kBlock] = block;
    to[kPending] = 1;
    const PageNumber number{page};
    const auto started = core_.disks.start(request, std::span{&number, 1},
                                           {home, offset + offsetof(Repossessed, pending)},
                                           {home, offset + offsetof(Repossessed, status)});
    if (started.has_value()) {
      revocation_.save_block = block + 1;
      revocation_.save_blocks = blocks - 1;
    } else {
      to[kBlock] = Repossessed::kNotSaved;
      to[kPending] = 0;
    }
  }

  Core& core_;
  EnvIndex index_;
  Space space_;
  volatile Uenv& uenv_;
  volatile Revocation& revocation_;
  std::uint64_t vector_, slots_, give_, give_count_, keep_;
  std::array<std::uint64_t, 14> vital_{};
  std::uint64_t record_address_ = 0;
  std::uint64_t owed_ = pages_missing(core_, index_);
  std::uint64_t budget_ = kRepossessBudget;
  std::uint64_t taken_ = 0;
};

}  // namespace

void reduce_request(Core& core, EnvIndex index, std::uint64_t n) {
  EnvState& state = core.state(index);
  const Env& counts = *core.space(index).record;
  core.env(index).pages_wanted = n;
  own_uenv(core, index).pages_wanted = n;
  state.taken_before = counts.pages_taken;
  state.returned_before = counts.pages_returned;
}

void request_pages(Core& core, EnvIndex index, std::uint64_t n, std::uint64_t deadline) {
  EnvState& state = core.state(index);
  core.env(index).wanted_deadline = deadline;
  reduce_request(core, index, n);
  state.repossess_cursor = 0;
  state.repossess_code = false;
  state.revoke_due = true;
  core.scheduler.expect_more(index);
  own_uenv(core, index).revocation.deadline = deadline;
}

std::uint64_t pages_missing(Core& core, EnvIndex index) {
  const EnvState& state = core.state(index);
  const Env& counts = *core.space(index).record;
  const std::uint64_t wanted = core.env(index).pages_wanted;
  const std::uint64_t taken = counts.pages_taken - state.taken_before;
  const std::uint64_t returned = counts.pages_returned - state.returned_before;
  if (taken >= returned) return wanted;
  return wanted > returned - taken ? wanted - (returned - taken) : 0;
}

void settle_request(Core& core, EnvIndex index) {
  Env& record = core.env(index);
  record.pages_wanted = record.wanted_deadline = 0;
  core.state(index).revoke_due = false;
  volatile Uenv& uenv = own_uenv(core, index);
  uenv.pages_wanted = 0;
  uenv.revocation.deadline = 0;
}

std::uint64_t repossess(Core& core, EnvIndex index) {
  core.state(index).repossess_due = false;
  return Repossession{core, index}.run();
}

void repossess_overdue(Core& core, EnvIndex index) {
  core.state(index).repossess_due = false;
  const Env& record = core.env(index);
  if (record.pages_wanted == 0 || core.machine.cycles() < record.wanted_deadline) return;
  repossess(core, index);
}

}  // namespace xok::kernel
