// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "apps/xtop/picture.hpp"

#include <algorithm>

namespace xok::xtop {
namespace {

constexpr std::size_t kLabel = 10;  // columns of what stands at the left of a line
constexpr std::size_t kRow = 64;    // signs in a row of the memory map and of a slice vector

/// An entry as it is at one moment, however it changes afterwards: nothing of it is read twice.
template <class T>
T copy_of(const T& entry) {
  T copy;
  std::memcpy(static_cast<void*>(&copy), &entry, sizeof copy);
  __asm__ volatile("" : "+m"(copy));
  return copy;
}

/// "root", "1", "50.2"
void put_name(const Capability& capability, std::size_t width, Canvas& canvas) {
  char text[32];
  char* end = text;
  if (!capability.valid() || capability.length() == 0) {
    canvas.left(capability.valid() ? "root" : "nobody", width);
    return;
  }
  for (std::size_t i = 0; i < capability.length(); i++) {
    if (i > 0) *end++ = '.';
    end = std::to_chars(end, text + sizeof text, capability.name[i]).ptr;
  }
  canvas.left({text, static_cast<std::size_t>(end - text)}, width);
}

std::string_view status_name(EnvStatus status) {
  switch (status) {
    case EnvStatus::Runnable:
      return "ready";
    case EnvStatus::Sleeping:
      return "asleep";
    case EnvStatus::Calling:
      return "calling";
    case EnvStatus::Resting:
      return "resting";
    case EnvStatus::Dead:
      return "dead";
    default:
      return "?";
  }
}

/// A share of time. `whole` is long: a thousand cycles and more. The kernel adds a stretch of time
/// when it is over, so one can count in an interval that it did not begin in: at most all of it.
std::uint64_t per_mille(std::uint64_t part, std::uint64_t whole) {
  return whole < 1000 ? 0 : std::min<std::uint64_t>(part / (whole / 1000), 1000);
}

constexpr std::size_t kStates = 5;  // of PageStatus

/// One sign for a stretch of memory: '.' all free, '-' mostly, else whose most of it is.
char sign_of(const std::array<std::uint64_t, kStates>& counts) {
  const auto of = [&](PageStatus status) { return counts[static_cast<std::size_t>(status)]; };
  const std::uint64_t free = of(PageStatus::Free);
  const std::uint64_t user = of(PageStatus::User);
  const std::uint64_t kernel = of(PageStatus::Kernel);
  const std::uint64_t boot = of(PageStatus::BootModule);
  if (user + kernel + boot == 0) return free > 0 ? '.' : ' ';
  if (user + kernel + boot < free) return '-';
  return user >= kernel && user >= boot ? 'u' : kernel >= boot ? 'k' : 'b';
}

struct Owner {
  std::uint64_t capability;  ///< bits(), permissions aside
  std::uint64_t pages;
};

/// Pages in use, counted by the name of their first ACL entry.
class Owners {
 public:
  void add(const Capability& owner) {
    Capability name = owner;
    name.header &= 0xf8;  // without permissions
    const std::uint64_t key = name.bits();
    if (last_ >= count_ || owners_[last_].capability != key) {
      last_ = 0;
      while (last_ < count_ && owners_[last_].capability != key) last_++;
      if (last_ == count_ && count_ == owners_.size()) {
        others_++;
        return;
      }
      if (last_ == count_) owners_[count_++] = {key, 0};
    }
    owners_[last_].pages++;
  }
  void draw(Canvas& canvas) {
    std::sort(owners_.begin(), owners_.begin() + static_cast<std::ptrdiff_t>(count_),
              [](const Owner& a, const Owner& b) { return a.pages > b.pages; });
    for (std::size_t i = 0; i < count_; i++) {
      canvas.left(i == 0 ? "owners" : "", kLabel);
      canvas.number(owners_[i].pages, 8);
      canvas.text(" pages of ");
      put_name(Capability::from_bits(owners_[i].capability), 0, canvas);
      canvas.end_line();
    }
    if (others_ == 0) return;
    canvas.gap(kLabel);
    canvas.number(others_, 8);
    canvas.text(" pages of others");
    canvas.end_line();
  }

 private:
  std::array<Owner, 24> owners_{};
  std::size_t count_ = 0;
  std::size_t last_ = 0;
  std::uint64_t others_ = 0;
};

}  // namespace

void Picture::draw(const Window& window, std::uint64_t now, std::uint64_t own_table,
                   Canvas& canvas) {
  elapsed_ = now - (seen_at_ == 0 ? window.info->tsc_boot : seen_at_);
  if (elapsed_ == 0) elapsed_ = 1;
  seen_at_ = now;
  std::size_t n = 0;
  letters_ = {};
  for (std::size_t i = 0; i < kMaxEnvironments; i++) {
    if (copy_of(window.envs[i].id) == 0) continue;
    letters_[i] = n < 26   ? static_cast<char>('a' + n)
                  : n < 52 ? static_cast<char>('A' + n - 26)
                           : '+';
    n++;
  }
  draw_machine(window, canvas);
  draw_pages(window, canvas);
  draw_accounts(window, canvas);
  draw_slices(window, canvas);
  draw_environments(window, own_table, canvas);
  draw_filters(window, canvas);
}

void Picture::draw_machine(const Window& window, Canvas& canvas) {
  const SystemInfo& info = *window.info;
  const std::uint64_t idle = copy_of(info.idle_cycles);
  const std::uint64_t processors = std::max<std::uint64_t>(copy_of(info.processors), 1);
  const std::uint64_t hz = std::max<std::uint64_t>(info.tsc_hz, 10);
  canvas.left("machine", kLabel);
  canvas.text("up ");
  canvas.tenths((seen_at_ - info.tsc_boot) / (hz / 10));
  canvas.text(" s  processors ");
  canvas.number(processors);
  canvas.text("  idle ");
  canvas.tenths(per_mille(idle - seen_idle_, elapsed_ * processors));
  canvas.text(" %  environments ");
  canvas.number(copy_of(info.environments));
  canvas.text("  ended ");
  canvas.number(copy_of(info.deaths));
  canvas.end_line();
  seen_idle_ = idle;
}

void Picture::draw_pages(const Window& window, Canvas& canvas) {
  const std::uint64_t count = window.info->page_count;
  const std::uint64_t stretch = (count + kRow - 1) / kRow;
  std::array<std::uint64_t, kStates> total{};
  std::array<char, kRow> map{};
  Owners owners;
  for (std::size_t i = 0; i < kRow; i++) {
    std::array<std::uint64_t, kStates> here{};
    for (std::uint64_t p = i * stretch; p < count && p < (i + 1) * stretch; p++) {
      const PageInfo page = copy_of(window.pages[p]);
      const auto status = static_cast<std::size_t>(page.status);
      if (status >= kStates) continue;
      here[status]++;
      if (page.status == PageStatus::User || page.status == PageStatus::BootModule)
        owners.add(page.acl[0]);
    }
    map[i] = sign_of(here);
    for (std::size_t s = 0; s < kStates; s++) total[s] += here[s];
  }
  const auto of = [&](PageStatus status) { return total[static_cast<std::size_t>(status)]; };
  canvas.left("pages", kLabel);
  canvas.number(of(PageStatus::Free) + of(PageStatus::User) + of(PageStatus::Kernel) +
                    of(PageStatus::BootModule),
                8);
  canvas.text("  free ");
  canvas.number(of(PageStatus::Free));
  canvas.text("  user ");
  canvas.number(of(PageStatus::User));
  canvas.text("  kernel ");
  canvas.number(of(PageStatus::Kernel));
  canvas.text("  boot ");
  canvas.number(of(PageStatus::BootModule));
  canvas.end_line();
  canvas.left("memory", kLabel);
  canvas.text({map.data(), map.size()});
  canvas.text("  ");
  canvas.number(stretch);
  canvas.text(" pages each");
  canvas.end_line();
  owners.draw(canvas);
}

void Picture::draw_accounts(const Window& window, Canvas& canvas) {
  for (std::size_t i = 1; i < kMaxAccounts; i++) {
    const Account account = copy_of(window.info->accounts[i]);
    if (account.members == 0 && account.used == 0) continue;
    canvas.left("account", kLabel);
    canvas.number(i, 8);
    canvas.text(" under ");
    canvas.number(account.parent);
    canvas.text(": ");
    canvas.number(account.used);
    canvas.text(" pages of ");
    if (account.limit == kUnlimited) {
      canvas.text("any number");
    } else {
      canvas.number(account.limit);
    }
    canvas.text(", environments ");
    canvas.number(account.members);
    canvas.end_line();
  }
}

void Picture::draw_slices(const Window& window, Canvas& canvas) {
  const std::uint64_t processors =
      std::min<std::uint64_t>(copy_of(window.info->processors), kMaxProcessors);
  for (std::uint64_t processor = 0; processor < processors; processor++) {
    for (std::size_t first = 0; first < kSlicesPerProcessor; first += kRow) {
      std::array<char, kRow> row{};
      bool owned = false;
      for (std::size_t i = 0; i < kRow; i++) {
        const EnvId owner =
            copy_of(window.slices[processor * kSlicesPerProcessor + first + i].owner);
        const bool known = copy_of(window.envs[env_index(owner)].id) == owner;
        const char letter = letters_[env_index(owner)];
        row[i] = owner == 0 ? '.' : known && letter != 0 ? letter : '?';
        owned = owned || owner != 0;
      }
      if (!owned && first > 0) continue;
      canvas.text("slices ");
      canvas.number(processor);
      canvas.gap(kLabel - 8);
      canvas.text({row.data(), row.size()});
      canvas.text("  from ");
      canvas.number(first);
      canvas.end_line();
    }
  }
}

void Picture::draw_environments(const Window& window, std::uint64_t own_table, Canvas& canvas) {
  canvas.text(
      "    id      status   on   time %    pages  tables  slices       calls    faults  switches"
      "  account  name");
  canvas.end_line();
  for (std::size_t i = 0; i < kMaxEnvironments; i++) {
    const Env env = copy_of(window.envs[i]);
    if (env.id == 0) continue;
    Seen& seen = seen_[i];
    const std::uint64_t before = seen.id == env.id ? seen.run_cycles : 0;
    seen = {env.id, env.run_cycles};
    canvas.text({&letters_[i], 1});
    canvas.text("   ");
    char digits[12];
    const auto end = std::to_chars(digits, digits + sizeof digits, env.id).ptr;
    canvas.left({digits, static_cast<std::size_t>(end - digits)}, 8);
    const bool is_own = own_table != 0 && env.table_page == own_table;
    canvas.left(is_own ? "drawing" : status_name(env.status), 9);
    canvas.number(env.processor, 2);
    canvas.gap(2);
    canvas.tenths(per_mille(env.run_cycles - before, elapsed_), 6);
    canvas.number(env.mapped_pages, 9);
    canvas.number(env.table_pages, 8);
    canvas.number(env.slices, 8);
    canvas.number(env.calls, 12);
    canvas.number(env.faults, 10);
    canvas.number(env.switches, 10);
    canvas.number(env.account, 9);
    canvas.text("  ");
    put_name(env.capabilities[0], 0, canvas);
    canvas.end_line();
  }
}

void Picture::draw_filters(const Window& window, Canvas& canvas) {
  for (std::size_t i = 0; i < kMaxFilters; i++) {
    const FilterRecord filter = copy_of(window.filters[i]);
    if (filter.owner == 0) continue;
    canvas.left("filter", kLabel);
    canvas.number(i, 8);
    canvas.text(" of ");
    canvas.number(filter.owner);
    canvas.text(", ring ");
    canvas.number(filter.ring);
    canvas.text(": packets ");
    canvas.number(filter.packets);
    canvas.text(", dropped ");
    canvas.number(filter.dropped);
    canvas.end_line();
  }
}

}  // namespace xok::xtop
