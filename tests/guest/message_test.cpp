// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Message rings on the real kernel: a stream of numbers from another program arrives in order and
// whole; the receiver sleeps meanwhile; who may not send does not.
#include "exos/rt/message.hpp"

#include "tests/guest/child.hpp"

namespace xok::guest {
namespace {

constexpr std::uint64_t kSenderSlot = 1;
constexpr std::uint64_t kStrangerSlot = 2;
constexpr std::uint64_t kRing = 0x35'0000'0000;
constexpr std::uint64_t kMessages = 2000;
constexpr std::uint64_t kBadPointers[] = {
    0, 0x20'0000'0000, 0xffff'ffff'8000'0000, 0x8000'0000'0000, ~std::uint64_t{0}, kUserTop};

struct Numbered {
  std::uint64_t number, inverse;
};

volatile EnvId g_receiver = 0;
volatile std::uint64_t g_full = 0;
volatile std::int64_t g_refused = 0;

[[noreturn]] void sender() {
  for (std::uint64_t i = 0; i < kMessages;) {
    if (rt::send_message(0, g_receiver, Numbered{i, ~i}).has_value()) {
      i++;
    } else {
      g_full = g_full + 1;
      sys::yield(kSelf, 0);
    }
  }
  for (;;) sys::yield(kSelf, 0);
}

[[noreturn]] void stranger() {
  const auto sent = rt::send_message(0, g_receiver, Numbered{1, 1});
  g_refused = sent.has_value() ? -1 : static_cast<std::int64_t>(sent.error());
  for (;;) sys::yield(kSelf, 0);
}

[[gnu::noinline]] void stream(Checks& t, rt::Mailbox& box) {
  Child child = make_child(0, Space::Own, sender, kSenderSlot);
  sys::slice_alloc(kRoot, 0, kAnyPosition, child.id);
  bool right = true;
  for (std::uint64_t i = 0; i < kMessages; i++) {
    box.receive([&](const MessageSlot& m) {
      const auto& message = *reinterpret_cast<const Numbered*>(m.body);
      right = right && m.owner == sizeof message && m.sender == child.id && message.number == i &&
              message.inverse == ~i;
    });
  }
  t.holds("every message arrives whole and in order", right);
  t.holds("a full ring made the sender wait", g_full > 0);
  end_child(child);
}

[[gnu::noinline]] void c1_strangers(Checks& t) {
  Child child = make_child(1, Space::Own, stranger, kStrangerSlot);
  sys::slice_alloc(kRoot, 0, kAnyPosition, child.id);
  while (g_refused == 0 && is_alive(child.id)) sys::yield(child.id, 0);
  t.equal("C1 a stranger may not send", g_refused, static_cast<std::int64_t>(Errc::Denied));
  end_child(child);
}

[[gnu::noinline]] void s2_pointers(Checks& t) {
  for (const std::uint64_t bad : kBadPointers) {
    t.refused("S2 message_send from a bad pointer",
              sys::message_send(make_target(kSenderSlot, kSelf), bad, 8), Errc::Fault);
    sys::message_ring_delete();
    t.holds("S2 message_ring_create at a bad pointer",
            sys::message_ring_create(bad, 32, kRootCapability.bits()) < 0);
    sys::message_ring_create(kRing, 32, Capability::make({60, 1}).bits());
  }
}

[[noreturn]] void run() {
  set_up_self();
  Checks t;
  g_receiver = rt::env_id();
  sys::cap_forge(kRoot, kSenderSlot, Capability::make({60}).bits(), kSelf);
  sys::cap_forge(kRoot, kStrangerSlot, Capability::make({61}).bits(), kSelf);
  sys::pte_insert(kRoot, kData, kRing, kSelf);
  rt::Mailbox box;
  t.holds(
      "a ring is made",
      box.open(reinterpret_cast<MessageSlot*>(kRing), 32, Capability::make({60, 1})).has_value());
  stream(t, box);
  c1_strangers(t);
  s2_pointers(t);
  t.finish();
}

}  // namespace
}  // namespace xok::guest

XOK_GUEST_TEST(run())
