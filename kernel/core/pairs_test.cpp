// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "abi/packet_ring.hpp"
#include "kernel/core/lock.hpp"
#include "kernel/core/testing/fingerprint.hpp"
#include "kernel/core/testing/settings.hpp"
#include "kernel/core/testing/snapshot.hpp"
#include "libs/dpf/builders.hpp"

/// every ordered pair of the kernel's calls, made at once by two environments that rule each
/// other, on two processors, with something that happens by itself between the two: a packet, the
/// end of a disk transfer or of a slice, a wakeup, a fault. While the first one has the kernel's
/// lock, the second one and the event already wait for it, answering what the first one asks of
/// their processors (that is when an environment is taken from its processor, and translations are
/// shot down). What comes out, results and whole state, must be what the same entries give one
/// after the other on one thread of a new machine, which the oracle and the model judge elsewhere.
///
/// XOK_PAIRS_EVERY  one of so many combinations of a pair and an event is tried (default 15: each
///                  pair with one of the seven events, or none; 1: all)
namespace xok::kernel::testing {
namespace {

using enum SyscallNumber;

constexpr std::uint64_t kPages = 140;
constexpr std::uint64_t kTable = kScratch & ~0x1f'ffffull;
constexpr std::uint64_t kPage = kScratch + kPageSize;      // a second page of each
constexpr std::uint64_t kFree = kScratch + 2 * kPageSize;  // nothing is there
constexpr std::uint64_t kRing = kScratch + 4 * kPageSize;  // two pages
constexpr std::uint64_t kMessages = kScratch + 6 * kPageSize;
constexpr std::uint64_t kArguments = kScratch + 1024;  // what the calls' pointers lead to
constexpr std::uint64_t kUenv = 0x7000'0000, kOtherUenv = 0x7000'1000;
constexpr std::uint64_t kFirstSlice = 0;
constexpr std::uint64_t kLongerThanASlice = 30'000'000;

/// What happens by itself between the two calls, and on which processor.
enum class Event : std::uint8_t { None, Packet, DiskDone, SliceEnd, OwnSliceEnd, Wakeup, Fault };
constexpr Event kEvents[] = {Event::None,        Event::Packet, Event::DiskDone, Event::SliceEnd,
                             Event::OwnSliceEnd, Event::Wakeup, Event::Fault};

struct Action {
  SyscallNumber number;
  std::array<std::uint64_t, 6> words{};
};

/// Three processors: 0 has the first environment, 1 and 2 those that make the calls. Each of the
/// two holds its own name as slot 0 and the other's as slot 1, and the names for devices.
struct World {
  TestBed bed{kPages, 3};
  std::array<EnvId, 2> who{};
  std::array<EnvId, 2> child{};
  std::array<std::uint64_t, 2> page{};  ///< at kPage
  MethodId method = 0;                  ///< of environment 0
  std::array<RegionId, 2> region{};
  std::array<std::uint64_t, 2> ring{}, spare_ring{}, filter{};

  World() {
    for (std::uint8_t n = 0; n < 2; n++) {
      bed.call(cap_forge, 0, 1, name(n), 0);
      who[n] = bed.spawn(1, false, kUenv, n + 1u);
      const std::uint64_t target = make_target(0, who[n]);
      bed.call(cap_forge, 0, 1, name(1u - n), target);
      bed.call(cap_forge, 0, 2, Capability::make({kInterfaceName, 0}).bits(), target);
      bed.call(cap_forge, 0, 3, Capability::make({kDiskName, 0}).bits(), target);
      bed.call(cap_forge, 0, 4, Capability::make({kConsoleName, 0}).bits(), target);
      bed.call(cap_forge, 0, 5, Capability::make({kFilterName}).bits(), target);
    }
    for (std::uint32_t n = 0; n < 2; n++) {
      bed.use(n + 1);
      bed.wake();
      if (bed.current() == kNoEnv || bed.current_id() != who[n]) broken("a processor idles", n);
      furnish(n);
    }
    bed.use(0);
    for (const EnvId id : {who[1], child[1]})
      must(bed.call(pages_request, make_target(0, id), 1, 0));
    bed.machine.console_input = "input for two";
    for (FakeProcessor& processor : bed.machine.processors) processor.kicked = false;
  }

  /// Where environment n has a page in a page table that the other one does not have.
  static constexpr std::uint64_t own_table(unsigned n) { return 0x80'0000 + n * kLargeSize; }
  static std::uint64_t name(unsigned n) {
    return Capability::make({1, static_cast<std::uint8_t>(n + 1)}).bits();
  }

  /// What environment n has before it makes its call.
  void furnish(std::uint32_t n) {
    page[n] = static_cast<std::uint64_t>(must(bed.call(pte_insert, 0, fresh_page(), kPage, 0)));
    for (const std::uint64_t va :
         {kRing, kRing + kPageSize, kMessages, kMethodBase, kMethodBase + kPageSize})
      must(bed.call(pte_insert, 0, fresh_page(), va, 0));
    ring[n] = static_cast<std::uint64_t>(must(bed.call(ring_create, kRing, 2)));
    spare_ring[n] = static_cast<std::uint64_t>(must(bed.call(ring_create, kRing, 2)));
    bed.put(kArguments, dpf::eq8(12, static_cast<std::uint8_t>(8 + n)));
    filter[n] =
        static_cast<std::uint64_t>(must(bed.call(filter_insert, 5, 0, kArguments, 1, ring[n])));
    region[n] = static_cast<RegionId>(must(bed.call(region_create, 0, 64, name(1 - n))));
    must(bed.call(pte_insert, 0, fresh_page(), own_table(n), 0));
    if (n == 0) {
      must(bed.call(message_ring_create, kMessages, 32, name(n)));
      method = static_cast<MethodId>(must(
          bed.call(method_define, 0, 0, kMethodBase + 8, kMethodBase + kPageSize, kMethodBase)));
    }
    child[n] = static_cast<EnvId>(must(bed.call(env_alloc, 0, 0, kUenv)));
    Context context{};
    context.rip = 0x20'0000;
    bed.put(kArguments, context);
    must(bed.call(env_set_context, make_target(0, child[n]), kArguments));
    volatile Uenv& uenv = bed.machine.uenv(env_index(child[n]));
    uenv.ipc.entry = 0x20'0100;
    uenv.ipc.allow = 6;
    uenv.ipc.gate = name(n);
    volatile Uenv& mine = bed.machine.uenv(env_index(who[n]));
    mine.fault_entry = 0x20'0200;
    mine.grant_to = who[1 - n];
    mine.grant = name(n);
    const DiskRequest request{0, 0, 3 + n, 1, kPage, kScratch + 8, kScratch + 16};
    bed.put(kArguments, request);
    if (n == 0) must(bed.call(disk_transfer, 3, kArguments));
  }
  static std::int64_t must(std::int64_t result) {
    if (result < 0) broken("set-up", static_cast<std::uint64_t>(-result));
    return result;
  }

  /// The calls of environment n: each call of the table at least once, most of them about the other
  /// one.
  [[nodiscard]] std::vector<Action> actions(std::uint32_t n) const {
    const std::uint64_t other = make_target(1, who[1 - n]);
    const std::uint64_t others_child = make_target(1, child[1 - n]);
    const std::uint64_t mine = page[n], theirs = page[1 - n];
    return {
        {null_call},
        {env_alloc, {0, 0, kOtherUenv}},
        {env_alloc, {0, kShareAddressSpace, kOtherUenv}},
        {env_free, {other}},
        {env_free, {others_child}},
        {env_free, {0}},
        {env_set_context, {others_child, kArguments}},
        {env_get_context, {others_child, kArguments}},
        {cap_forge, {0, 7, name(n), other}},
        {cap_forge, {1, 0, name(1 - n), other}},
        {cap_acquire, {7, who[1 - n]}},
        {cap_release, {1, other}},
        {cap_release, {1, 0}},
        {pte_insert, {0, fresh_page(), kFree, 0}},
        {pte_insert, {1, this_page(theirs), kFree, 0}},
        {pte_insert, {0, this_page(mine), kFree, other}},
        {pte_insert, {0, 0, kPage, other}},
        {pte_insert, {0, 0, kPage, 0}},
        {pte_insert_range, {0, kArguments, 3, kPage, kScratch, other}},
        {pte_fill, {0, fresh_page(), kFree, 2, kScratch, 0}},
        {pte_fill, {0, fresh_page(), kFree, 1, kFillZero, other}},
        {pte_fill, {0, fresh_page(), kPage, 1, kPage, 0}},
        {pte_modify_range, {kScratch, 2, 0, kPteWritable, 0, other}},
        {pte_modify_range, {kScratch, 2, kPteWritable, 0, 1, other}},
        {table_share, {own_table(1 - n), 1, other, 0}},
        {table_share, {own_table(n), 1, 0, others_child}},
        {table_share, {kTable, 1, other, 0}},
        {table_fork, {kTable, 1, other, others_child}},
        {table_fork, {own_table(1 - n), 1, other, 0}},
        {table_own, {0, kScratch, 0}},
        {table_drop, {kTable, 1, other}},
        {page_set_acl, {1, theirs, 1, name(n)}},
        {page_set_acl, {0, mine, 0, name(1 - n)}},
        {page_acl_resize, {1, theirs, 5}},
        {page_acl_read, {theirs, 0, kArguments, 2}},
        {page_set_limits, {1, theirs, 1, 1}},
        {large_insert, {0, 512 << kPageShift | fresh_page() | kPteLarge, 0x100'0000, 0}},
        {env_set_quota, {other, 30, 2}},
        {pages_request, {other, 2, 0}},
        {pages_repossess, {other}},
        {pages_repossess, {others_child}},
        {slice_alloc, {0, n + 1, kAnyPosition, who[1 - n]}},
        {slice_free, {1, 2 - n, kFirstSlice}},
        {slice_transfer, {1, 2 - n, kFirstSlice, who[n]}},
        {yield, {0, 0}},
        {yield, {child[n], 0}},
        {yield, {who[1 - n], 0}},
        {wakeup_set, {kArguments, 1}},
        {ipc_call, {others_child, 1}},
        {ipc_call, {other, 1}},
        {ipc_send, {others_child, 1}},
        {ipc_reply, {make_reply(0, who[1 - n])}},
        {message_ring_create, {kRing, 32, name(n)}},
        {message_ring_delete},
        {message_send, {other, kArguments, 8}},
        {ring_create, {kRing, 2}},
        {ring_delete, {spare_ring[n]}},
        {filter_insert, {5, 0, kArguments, 1, ring[n]}},
        {filter_delete, {1, filter[1 - n]}},
        {packet_send, {2, 0, kArguments, 1}},
        {console_write, {4, 0, kArguments, 20}},
        {console_read, {4, 0, kArguments, 20}},
        {entropy_read, {kArguments, 16}},
        {disk_transfer, {3, kArguments}},
        {batch, {kArguments, 2, kScratch}},
        {region_create, {0, 100, 0}},
        {region_read, {1, region[1 - n], 0, kArguments, 16}},
        {region_write, {1, region[1 - n], 0, kArguments, 16}},
        {region_delete, {1, region[1 - n]}},
        {method_define, {0, 0, kMethodBase + 8, kMethodBase + kPageSize, kMethodBase}},
        {method_call, {make_target(n, method), 1, 2, 3, 4, 0}},
        {method_call, {make_target(n, method), 1, 2, 3, 4, kScratch | 1}},
        {method_exit, {1}},
        {method_delete, {n, method}},
    };
  }

  /// Puts where the call's pointers lead what it needs.
  void prepare(std::uint32_t n, const Action& action) {
    bed.use(n + 1);
    switch (action.number) {
      case pte_insert_range:
        bed.put(kArguments, std::array<std::uint64_t, 3>{0, this_page(page[n]), fresh_page()});
        return bed.poke(kScratch, 0);
      case env_set_context: {
        Context context{};
        context.rip = 0x20'0300;
        return bed.put(kArguments, context);
      }
      case wakeup_set:
        return bed.put(kArguments, WakeTerm{.left = kPage,
                                            .right = 1,
                                            .left_kind = WakeOperand::Word64,
                                            .right_kind = WakeOperand::Immediate,
                                            .comparison = WakeComparison::Equal,
                                            .ends_product = 1,
                                            .tag = 7});
      case filter_insert:
        return bed.put(kArguments, dpf::eq8(12, static_cast<std::uint8_t>(20 + n)));
      case packet_send:
        return bed.put(kArguments, SendPiece{kScratch, 60});
      case disk_transfer:
        return bed.put(kArguments,
                       DiskRequest{0, 0, 5 + n, 1, kPage, kScratch + 24, kScratch + 32});
      case batch:
        bed.put(kArguments,
                BatchEntry{static_cast<std::uint64_t>(pte_insert), {0, fresh_page(), kFree, 0}, 0});
        return bed.put(kArguments + sizeof(BatchEntry),
                       BatchEntry{static_cast<std::uint64_t>(cap_forge),
                                  {0, 7, name(n), make_target(1, who[1 - n])},
                                  0});
      default:
        return;
    }
  }

  std::int64_t call(std::uint32_t n, const Action& action) {
    bed.use(n + 1);
    return bed.kernel->system_call(bed.cpus[n + 1], static_cast<std::uint64_t>(action.number),
                                   action.words);
  }
  /// Events of devices come to processor 0; a slice ends there, or where the first call was made.
  static std::uint32_t processor_of(Event event, std::uint32_t first) {
    return event == Event::OwnSliceEnd || event == Event::Fault ? first + 1 : 0;
  }
  void happen(Event event, std::uint32_t processor) {
    bed.use(processor);
    Cpu& cpu = bed.cpus[processor];
    switch (event) {
      case Event::None:
        return;
      case Event::Packet: {
        std::array<std::byte, 60> frame{};
        frame[12] = std::byte{8};
        frame[13] = std::byte{1};
        const auto arrived = [this, frame] { bed.kernel->packet_received(1, frame); };
        return serve(cpu, arrived);
      }
      case Event::DiskDone: {
        if (bed.machine.transfers.empty()) broken("no transfer is under way");
        const std::uint64_t tag = bed.machine.transfers.front().tag;
        bed.machine.transfers.erase(bed.machine.transfers.begin());
        return serve(cpu, [this, tag] { bed.kernel->disk_done(tag, {}); });
      }
      case Event::SliceEnd:
      case Event::OwnSliceEnd:
        return bed.kernel->timer(cpu);
      case Event::Wakeup:
        return bed.kernel->wake(cpu);
      case Event::Fault:
        return bed.kernel->exception(cpu, FaultVector::PageFault, 6, 0x123'4000);
    }
  }
  template <class Action>
  void serve(Cpu& cpu, const Action& action) {
    const auto handler = [](void* context) { (*static_cast<const Action*>(context))(); };
    bed.kernel->serve_device(cpu, handler, const_cast<Action*>(&action));
  }

  /// All that later entries can depend on.
  std::string state() {
    std::string out = std::to_string(fingerprint(bed));
    for (const Cpu& cpu : bed.cpus) out += " " + std::to_string(cpu.current);
    const Snapshot now{bed};
    for (const auto& env : now.envs) {
      out += " " + std::to_string(static_cast<unsigned>(env.status)) + "," +
             std::to_string(env.waits_for) + "," + std::to_string(env.rip) + "," +
             std::to_string(env.method);
    }
    for (const auto& [id, r] : now.regions) out += " region " + std::to_string(id) + r.bytes;
    for (const auto& [id, m] : now.methods) out += " method " + std::to_string(id);
    for (std::size_t i = 0; i < kMaxProcessors * kSlicesPerProcessor; i++) {
      const Slice& s = bed.machine.tables().slices[i];
      if (s.owner != 0) out += " slice " + std::to_string(i) + "," + std::to_string(s.owner);
    }
    for (std::size_t i = 0; i < kMaxFilters; i++)
      out += bed.machine.tables().filters[i].owner != 0 ? " filter " + std::to_string(i) : "";
    return out;
  }
};

struct Outcome {
  std::int64_t first = 0, second = 0;
  std::string state;
  bool operator==(const Outcome&) const = default;
};

constexpr bool ends_slice(Event event) {
  return event == Event::SliceEnd || event == Event::OwnSliceEnd;
}

/// Environment n makes call a, the other one call b.
struct Pair {
  std::uint32_t n;
  Action a, b;
  Event event;
};

/// The entries on one thread, in this order.
Outcome in_turn(const Pair& pair) {
  World world;
  world.prepare(pair.n, pair.a);
  world.prepare(1 - pair.n, pair.b);
  Outcome out;
  out.first = world.call(pair.n, pair.a);
  if (ends_slice(pair.event)) world.bed.machine.clock += kLongerThanASlice;
  world.happen(pair.event, World::processor_of(pair.event, pair.n));
  out.second = world.call(1 - pair.n, pair.b);
  world.bed.use(0);
  out.state = world.state();
  return out;
}

/// Lets processors that are threads into the kernel in a given order. Those that can be are at its
/// door before the first one is let in, and answer requests while they wait.
class Order {
 public:
  /// at_once: threads that come to the door before the first one is let in, that one included.
  Order(FakeMachine& machine, std::uint32_t at_once) : machine_{machine}, at_once_{at_once} {
    now_ = this;
    at_lock_point = [](LockPoint point) { now_->pass(point); };
  }
  ~Order() { at_lock_point = nullptr; }
  Order(const Order&) = delete;
  Order& operator=(const Order&) = delete;

  /// Of this thread's next entry: which it is, and how much time passes before it.
  static inline thread_local std::uint32_t place = 0;
  static inline thread_local std::uint64_t time = 0;

 private:
  void pass(LockPoint point) {
    if (point == LockPoint::Wanted) {
      waiting_++;
      while (turn_ != place || waiting_ < at_once_) machine_.answer();
    } else if (point == LockPoint::Taken) {
      machine_.clock += time;
    } else if (point == LockPoint::Left) {
      turn_++;
    }
  }

  static inline Order* now_ = nullptr;
  FakeMachine& machine_;
  std::uint32_t at_once_;
  std::atomic<std::uint32_t> waiting_ = 0, turn_ = 0;
};

/// The same entries by processors at once.
Outcome at_once(const Pair& pair, std::string& broken_invariant) {
  World world;
  world.prepare(pair.n, pair.a);
  world.prepare(1 - pair.n, pair.b);
  const std::uint32_t where = World::processor_of(pair.event, pair.n);
  const bool none = pair.event == Event::None;
  Outcome out;
  {
    world.bed.machine.threads = true;
    const Order order{world.bed.machine, none || where != 0 ? 2u : 3u};
    std::atomic<std::uint32_t> done = 0;
    const auto finish = [&] {
      for (done++; done != 3;) world.bed.machine.answer();
    };
    const auto event = [&] {
      Order::place = 1;
      Order::time = ends_slice(pair.event) ? kLongerThanASlice : 0;
      world.happen(pair.event, where);
    };
    std::thread first{[&] {
      Order::place = 0;
      out.first = world.call(pair.n, pair.a);
      if (!none && where != 0) event();
      finish();
    }};
    std::thread second{[&] {
      Order::place = none ? 1 : 2;
      out.second = world.call(1 - pair.n, pair.b);
      finish();
    }};
    std::thread zero{[&] {
      world.bed.use(0);
      if (!none && where == 0) event();
      finish();
    }};
    first.join();
    second.join();
    zero.join();
    world.bed.machine.threads = false;
  }
  world.bed.use(0);
  out.state = world.state();
  broken_invariant = world.bed.sweep();
  return out;
}

std::string text(const Pair& pair) {
  std::string out = "event " + std::to_string(static_cast<unsigned>(pair.event)) +
                    ", environment " + std::to_string(pair.n) + " first:";
  for (const Action* action : {&pair.a, &pair.b}) {
    out += " " + std::string{syscall_name(static_cast<std::uint64_t>(action->number))};
    for (const std::uint64_t word : action->words) out += " " + std::to_string(word);
    out += ";";
  }
  return out;
}

TEST(Pairs, EveryCallOfTheTableIsThereAndMostSucceed) {
  const World world;
  std::map<SyscallNumber, bool> good;
  for (std::uint32_t n = 0; n < 2; n++) {
    for (const Action& action : world.actions(n)) {
      World other;
      other.prepare(n, action);
      const bool succeeds = other.call(n, action) >= 0;
      good[action.number] = good[action.number] || succeeds;
    }
  }
  // Ends the machine: nothing could come behind it.
  good.insert({machine_stop, true});
  std::string failing;
  for (std::uint64_t n = 0; n < kSyscallNumbers; n++) {
    if (syscall_name(n).empty()) continue;
    const auto found = good.find(static_cast<SyscallNumber>(n));
    EXPECT_NE(found, good.end()) << syscall_name(n);
    if (found != good.end() && !found->second) failing += std::string{syscall_name(n)} + " ";
  }
  // Nobody calls either of them here, and there are no 512 free pages in a row.
  EXPECT_EQ(failing, "large_insert ipc_reply method_exit ");
}

TEST(Pairs, MadeAtOnceAreAsOneAfterTheOther) {
  const World world;
  const std::array<std::vector<Action>, 2> actions{world.actions(0), world.actions(1)};
  const std::uint64_t stride = setting("XOK_PAIRS_EVERY", 15);
  std::uint64_t pairs = 0, number = 0;
  for (const Event event : kEvents) {
    for (std::uint32_t n = 0; n < 2; n++) {
      for (const Action& a : actions[n]) {
        for (const Action& b : actions[1 - n]) {
          if (number++ % stride != 0) continue;
          const Pair pair{n, a, b, event};
          std::string broken;
          const Outcome together = at_once(pair, broken);
          ASSERT_EQ(broken, "") << text(pair);
          const Outcome apart = in_turn(pair);
          ASSERT_EQ(together.first, apart.first) << text(pair);
          ASSERT_EQ(together.second, apart.second) << text(pair);
          ASSERT_EQ(together.state, apart.state) << text(pair);
          pairs++;
        }
      }
    }
  }
  std::printf("%llu pairs with an event\n", static_cast<unsigned long long>(pairs));
}

}  // namespace
}  // namespace xok::kernel::testing
