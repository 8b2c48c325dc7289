// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/testing/driver.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "abi/packet_ring.hpp"
#include "libs/dpf/builders.hpp"

namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

/// Few pages, so that memory runs out; now and then enough for a large page.
constexpr std::uint64_t kFewestPages = 80;  // the families have most of them
constexpr std::uint64_t kFewPages = 120;
constexpr std::uint64_t kManyPages = 1100;
constexpr std::uint32_t kProcessors = 3;  // at most
}  // namespace

std::array<std::uint64_t, kSyscallNumbers> Driver::succeeded{};
std::array<std::array<std::uint64_t, 32>, kSyscallNumbers> Driver::failed{};

std::uint64_t Driver::calls() {
  std::uint64_t sum = 0;
  for (const std::uint64_t n : succeeded) sum += n;
  for (const auto& errors : failed)
    for (const std::uint64_t n : errors) sum += n;
  return sum;
}

Driver::Driver(Choose choose, Watch watch)
    : choose_{std::move(choose)},
      watch_{watch},
      pages_{choose_(40) == 1  ? kManyPages
             : choose_(3) == 1 ? kFewestPages
                               : kFewPages},
      processors_{static_cast<std::uint32_t>(1 + choose_(kProcessors))},
      bed_{pages_, processors_} {
  const SystemInfo& info = bed_.machine.info();
  kernel_at_start_ = FakeMachine::kBootKernelPages + 1;
  free_at_start_ = info.usable_pages - kernel_at_start_ - FakeMachine::kModulePages;
  known_.push_back(bed_.current_id());
  found_families();
}

/// Three families under different names, one member of each with a thread, and a grandchild.
void Driver::found_families() {
  for (std::uint8_t i = 1; i <= 3; i++) {
    const auto name = Capability::make({1, i});
    bed_.call(cap_forge, 0, i, name.bits(), 0);
    known_.push_back(bed_.spawn(i));
    bed_.call(cap_forge, 0, 1, Capability::make({kFilterName}).bits(),
              make_target(i, known_.back()));
    bed_.call(cap_forge, 0, 2, Capability::make({kInterfaceName, 0}).bits(),
              make_target(i, known_.back()));
    bed_.call(cap_forge, 0, 3, Capability::make({kDiskName, 0}).bits(),
              make_target(i, known_.back()));
    bed_.call(cap_forge, 0, 4, Capability::make({kConsoleName}).bits(),
              make_target(i, known_.back()));
  }
  bed_.run(known_[1]);
  const std::int64_t thread = bed_.call(env_alloc, 0, kShareAddressSpace, 0x7000'1000);
  if (thread > 0) known_.push_back(static_cast<EnvId>(thread));
  for (const EnvId id : known_) {  // each lets in whoever covers its own name
    volatile IpcArea& area = bed_.machine.uenv(env_index(id)).ipc;
    area.entry = 0x20'0000;
    area.allow = 6;
    area.gate = bed_.env(id).capabilities[0].bits();
  }
}

// -- Steps

/// What a new page may hold: zeroes, or what the caller of pte_fill sees at its source.
std::vector<Driver::PageBytes> Driver::contents_of_new_pages(const Step& step) {
  constexpr auto kFill = static_cast<std::uint64_t>(pte_fill);
  const auto& a = step.arguments;
  if (step.caller == kNoEnv || step.number != kFill || a[4] == kFillZero) return {PageBytes{}};
  std::vector<PageBytes> contents;
  Translation seen;
  for (std::uint64_t i = 0; i < a[3] && i < kMaxFill; i++) {
    if (!bed_.machine.walk(bed_.machine.mine().loaded, a[4] + i * kPageSize, seen)) break;
    std::memcpy(contents.emplace_back().data(), bed_.machine.page(PageNumber{seen.page}),
                kPageSize);
  }
  return contents;
}

/// A page that a call has just allocated and that holds none of these; 0 if there is none. (Batches
/// and ranges may have written results into it meanwhile.)
std::uint64_t Driver::dirty_new_page(const Snapshot& before, const Snapshot& after,
                                     const Step& step, const std::vector<PageBytes>& contents) {
  const auto number = static_cast<SyscallNumber>(step.number);
  const bool allocates = number == pte_insert || number == pte_fill || number == env_alloc;
  if (step.caller == kNoEnv || !allocates) return 0;
  for (std::uint64_t page = 1; page < before.pages.size(); page++) {
    if (before.pages[page].status != PageStatus::Free) continue;
    if (after.pages[page].status != PageStatus::User) continue;
    const std::byte* const bytes = bed_.machine.page(PageNumber{page});
    const auto holds = [&](const PageBytes& content) {
      return std::memcmp(bytes, content.data(), kPageSize) == 0;
    };
    if (std::ranges::none_of(contents, holds)) return page;
  }
  return 0;
}

std::string Driver::judged(Step step, const std::function<std::int64_t()>& action) {
  if (watch_ == Watch::Sparsely && ++steps_ % kSparsely != 0) return action(), "";
  const Snapshot before{bed_};
  const auto contents = contents_of_new_pages(step);
  step.result = action();
  if (bed_.machine.stopped) return "";
  const Snapshot after{bed_};
  if (const std::uint64_t page = dirty_new_page(before, after, step, contents); page != 0)
    return "a new page holds old bytes: " + std::to_string(page);
  for (EnvIndex i = Snapshot::kEnvs; i < kMaxEnvironments; i++) {
    if (bed_.machine.tables().envs[i].id != 0) return "too many environments for the oracle";
  }
  return judge(before, after, step);
}

/// What a batch will find to do, for the trace.
std::string Driver::batch_text(const std::array<std::uint64_t, 6>& arguments) {
  std::string out;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(arguments[1], kMaxBatch); i++) {
    BatchEntry e;
    if (!bed_.machine.user_read(arguments[0] + i * sizeof e, &e, sizeof e)) break;
    out += "\n   " + std::string{syscall_name(e.number)};
    for (const std::uint64_t a : e.arguments) out += " " + std::to_string(a);
  }
  return out;
}

std::string Driver::random_call() {
  SyscallNumber number = pick_number();
  const bool crowded = known_.size() > 12 || bed_.machine.info().environments >= 8;
  if (number == env_alloc && crowded) number = env_free;
  const EnvIndex caller = bed_.current();
  const std::array<std::uint64_t, 6> arguments = arguments_for(number);
  fill_buffer(number);
  if (number == batch && bed_.machine.info().environments > 12) return "";
  if (one_in(25)) {  // offer a grant, perhaps a wrong one
    volatile Uenv& uenv = bed_.machine.uenv(caller);
    uenv.grant_to = env_id();
    uenv.grant_slot = slot();
    uenv.grant = one_in(2) ? capability() : bed_.self().capabilities[choose_(5)].bits();
  }
  if (one_in(10)) prepare_for_revocation();
  if (one_in(4)) prepare_for_transfers(bed_.machine.uenv(bed_.current()).ipc);
  Step step{.caller = caller, .number = static_cast<std::uint64_t>(number), .arguments = arguments};
  std::int64_t result = 0;
  log([&] {
    const std::string who = std::to_string(caller) + " ";
    std::string line = who + std::string{syscall_name(step.number)};
    for (const std::uint64_t a : arguments) line += " " + std::to_string(a);
    return number == batch ? line + batch_text(arguments) : line;
  });
  const bool slow = number == batch && one_in(8);  // its time is over before its work
  bed_.machine.clock_step = slow ? kBatchNanoseconds / 3 : 1;
  const std::string wrong =
      judged(step, [&] { return result = bed_.raw_call(step.number, arguments); });
  bed_.machine.clock_step = 1;
  if (watch_ == Watch::Everything) trace_.back() += " = " + std::to_string(result);
  if (result < 0 && result > -32) {
    failed[step.number][static_cast<std::size_t>(-result)]++;
  } else {
    succeeded[step.number]++;
  }
  if (number == env_alloc && result > 0) known_.push_back(static_cast<EnvId>(result));
  return wrong;
}

/// What follows happens on some processor; its interrupt has come, or not yet.
void Driver::pick_processor() {
  if (processors_ == 1) return;
  bed_.use(static_cast<std::uint32_t>(choose_(processors_)));
  if (bed_.machine.mine().kicked && one_in(2)) bed_.take_kicks();
}

std::string Driver::step() {
  pick_processor();
  if (bed_.current() == kNoEnv) {
    log([] { return "idle"; });
    bed_.machine.clock += 1'000'000;
    return judged({}, [&] { return bed_.timer(), 0; });
  }
  switch (choose_(24)) {
    case 0:
      log([] { return "timer"; });
      bed_.machine.clock += choose_(15'000'000);
      return judged({}, [&] { return bed_.timer(), 0; });
    case 1: {
      log([&] { return "fault of " + std::to_string(bed_.current()); });
      volatile Uenv& uenv = bed_.machine.uenv(bed_.current());
      if (!one_in(4) || bed_.current() == 1) {
        uenv.fault_entry = 0x20'0000;
        uenv.fault_depth = 0;
      }
      return judged({}, [&] { return bed_.fault(FaultVector::PageFault, 6, 0x1234), 0; });
    }
    case 2: {
      log([] { return "packet"; });
      std::string frame(one_in(10) ? choose_(2000) : 60, '\0');
      for (std::size_t i = 12; i < 20 && i < frame.size(); i++)
        frame[i] = static_cast<char>(choose_(3));
      return judged({}, [&] { return bed_.packet(1, frame), 0; });
    }
    case 3:
      if (bed_.machine.transfers.empty()) return "";
      log([] { return "disk done"; });
      return judged({}, [&] {
        bed_.finish_disk(choose_(bed_.machine.transfers.size()),
                         one_in(4) ? Result<>{fail(Errc::BadFormat)} : Result<>{});
        return 0;
      });
    case 4: {  // the program touches memory, so that the TLB knows it
      log([] { return "touch"; });
      const std::uint64_t at = address();
      if (!bed_.writable(at)) bed_.readable(at);
      return "";
    }
    case 5:
      log([] { return "device"; });
      bed_.machine.console_input += "typed";
      bed_.machine.entropy_available = 100;
      bed_.machine.console_output_room = 1000;
      return judged({}, [&] { return bed_.wake(), 0; });
    default:
      return random_call();
  }
}

std::string Driver::run(unsigned steps) {
  for (unsigned i = 0; i < steps && !bed_.machine.stopped; i++) {
    std::string wrong = step();
    const bool due = watch_ == Watch::Everything && i % 16 == 0;
    if (wrong.empty() && !bed_.machine.stopped && due) wrong = bed_.sweep();
    if (!wrong.empty()) return wrong;
  }
  return bed_.machine.stopped ? "" : bed_.sweep();
}

std::string Driver::finish() {
  bed_.end_all();
  while (!bed_.machine.transfers.empty()) bed_.finish_disk(0);
  const SystemInfo& info = bed_.machine.info();
  if (info.environments != 0) return "environments left: " + std::to_string(info.environments);
  std::uint64_t extended = 0;  // boot modules are never freed, nor are their ACLs
  for (std::uint64_t i = 0; i < FakeMachine::kModulePages; i++) {
    const PageInfo& p = bed_.machine.page_info(FakeMachine::kFirstModulePage + i);
    extended += p.acl[1].pointer() ? 1 : 0;
  }
  kernel_at_start_ += extended;
  free_at_start_ -= extended;
  if (info.kernel_pages != kernel_at_start_)
    return "kernel pages left: " + std::to_string(info.kernel_pages - kernel_at_start_);
  if (info.free_pages != free_at_start_)
    return "pages lost: " + std::to_string(free_at_start_ - info.free_pages);
  return bed_.sweep();
}

std::string Driver::trace() const {
  std::string out;
  for (const std::string& line : trace_) out += line + "\n";
  return out;
}

}  // namespace xok::kernel::testing
