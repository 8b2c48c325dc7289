// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/drivers/virtio_console.hpp"

#include <algorithm>
#include <cstring>

#include "base/units.hpp"
#include "kernel/drivers/log.hpp"

namespace xok::kernel::drivers {
namespace {

constexpr std::uint64_t kFeatureMultiport = 1u << 1;
constexpr std::size_t kConfigMaxPorts = 4;
constexpr std::uint16_t kPlainReceiveQueue = 0;
constexpr std::uint16_t kControlReceiveQueue = 2;
constexpr std::uint16_t kControlTransmitQueue = 3;
constexpr std::uint32_t kPlainPort = 1;

constexpr std::uint16_t kDeviceReady = 0;
constexpr std::uint16_t kPortAdd = 1;
constexpr std::uint16_t kPortRemove = 2;
constexpr std::uint16_t kPortReady = 3;
constexpr std::uint16_t kPortOpen = 6;

constexpr std::size_t kTransmitHalf = kPageSize / 2;

std::uint16_t receive_queue_of(std::uint32_t port) {
  return static_cast<std::uint16_t>(2 * port + 2);
}

}  // namespace

Result<> VirtioConsole::start() {
  const std::uint64_t features =
      XOK_TRY(negotiate(transport_, kFeatureMultiport | kFeatureEventIndex));
  multiport_ = (features & kFeatureMultiport) != 0;
  transport_.connect_interrupt(on_interrupt, this);
  const Result<> queues = start_queues(features);
  if (!queues) {
    transport_.shut_off();
    return queues;
  }
  working_ = true;
  set_ready(transport_);
  if (!multiport_) {
    ports_[kPlainPort].attach();
    ports_[kPlainPort].set_host_open(true);
    return {};
  }
  for (std::uint16_t i = 0; i < control_receive_.size(); i++) post_control(i);
  control_receive_.kick();
  (void)send({.port = 0, .event = kDeviceReady, .value = 1});
  control_transmit_.kick();
  return {};
}

Result<> VirtioConsole::start_queues(std::uint64_t features) {
  if (!multiport_) {
    XOK_TRY(ports_[kPlainPort].start(platform_, transport_, kPlainReceiveQueue, features,
                                     info_.consoles[kPlainPort]));
    info_.console_count = std::max(info_.console_count, kPlainPort + 1);
    return {};
  }
  XOK_TRY(start_control(features));
  const std::uint32_t ports =
      std::min<std::uint32_t>(config32(transport_, kConfigMaxPorts), kMaxConsolePorts);
  for (std::uint32_t n = 1; n < ports; n++) {
    XOK_TRY(
        ports_[n].start(platform_, transport_, receive_queue_of(n), features, info_.consoles[n]));
  }
  info_.console_count = std::max(info_.console_count, ports);
  return {};
}

Result<> VirtioConsole::start_control(std::uint64_t features) {
  XOK_TRY(control_receive_.start(platform_, transport_, kControlReceiveQueue, kMessages, features));
  XOK_TRY(
      control_transmit_.start(platform_, transport_, kControlTransmitQueue, kMessages, features));
  static_assert(kMessages * kReceiveMessage <= kTransmitHalf);
  control_memory_ = platform_.allocate_dma(1);
  if (control_memory_.address == nullptr) return fail(Errc::NoMemory);
  for (std::uint16_t i = 0; i < control_transmit_.size(); i++) free_messages_[free_count_++] = i;
  control_receive_.interrupt_after(1);
  control_transmit_.interrupt_after(0);
  return {};
}

void VirtioConsole::post_control(std::uint16_t buffer) {
  const Segment segment{.physical = control_memory_.physical + kReceiveMessage * buffer,
                        .length = kReceiveMessage};
  // Cannot fail: as many buffers as entries, and this one is with us.
  (void)control_receive_.add({&segment, 1}, 0, buffer);
}

void VirtioConsole::settle(std::uint64_t deadline) {
  // The device answers a message before it gives the message's buffer back: when it has all of ours
  // back, and what it said made us say nothing new, that was all.
  while (working_ && multiport_ && platform_.cycles() < deadline) {
    const bool answered = control_transmit_.in_flight() == 0;
    serve();
    if (answered && control_transmit_.in_flight() == 0) return;
    platform_.relax();
  }
}

void VirtioConsole::on_interrupt(void* self) {
  auto& console = *static_cast<VirtioConsole*>(self);
  console.transport_.acknowledge();
  console.serve();
}

void VirtioConsole::serve() {
  if (!working_) return;
  bool changed = false;
  bool broken = false;
  for (ConsolePort& port : ports_) {
    if (port.serve()) changed = true;
    if (port.broken()) broken = true;
  }
  if (multiport_) {
    if (serve_control()) changed = true;
    broken = broken || control_receive_.broken() || control_transmit_.broken();
  }
  if (broken) give_up();
  if ((changed || broken) && callbacks_.input_arrived != nullptr)
    callbacks_.input_arrived(callbacks_.context);
}

bool VirtioConsole::serve_control() {
  bool changed = false;
  VirtQueue::Done done;
  unsigned messages = 0;
  do {
    while (control_transmit_.take(done))
      free_messages_[free_count_++] = static_cast<std::uint16_t>(done.token);
    while (messages < kMessagesPerServe && control_receive_.take(done)) {
      messages++;
      Control message{};
      std::memcpy(&message, control_memory_.address + kReceiveMessage * done.token, sizeof message);
      post_control(static_cast<std::uint16_t>(done.token));
      if (done.length >= sizeof message && handle(message)) changed = true;
    }
    control_receive_.kick();
    send_owed();
    control_receive_.interrupt_after(1);
    control_transmit_.interrupt_after(0);
  } while (messages < kMessagesPerServe && control_receive_.pending());
  return changed;
}

bool VirtioConsole::handle(const Control& message) {
  ConsolePort* const port = message.port < kMaxConsolePorts ? &ports_[message.port] : nullptr;
  if (port == nullptr || !port->started()) return false;
  switch (message.event) {
    case kPortAdd:
      port->attach();
      owes_ready_[message.port] = true;
      owes_open_[message.port] = true;
      return true;
    case kPortRemove:
      port->detach();
      return true;
    case kPortOpen:
      port->set_host_open(message.value != 0);
      return true;
    default:
      return false;
  }
}

bool VirtioConsole::send(const Control& message) {
  if (free_count_ == 0) return false;
  const std::uint16_t number = free_messages_[--free_count_];
  const std::size_t offset = kTransmitHalf + sizeof message * number;
  std::memcpy(control_memory_.address + offset, &message, sizeof message);
  const Segment segment{.physical = control_memory_.physical + offset, .length = sizeof message};
  // Cannot fail: as many messages as entries.
  (void)control_transmit_.add({&segment, 1}, 1, number);
  return true;
}

void VirtioConsole::send_owed() {
  for (std::uint32_t n = 0; n < kMaxConsolePorts; n++) {
    if (owes_ready_[n]) owes_ready_[n] = !send({.port = n, .event = kPortReady, .value = 1});
    if (owes_open_[n] && !owes_ready_[n])
      owes_open_[n] = !send({.port = n, .event = kPortOpen, .value = 1});
  }
  control_transmit_.kick();
}

bool VirtioConsole::has_output() const {
  if (!working_) return false;
  return std::ranges::any_of(info_.consoles.begin() + 1, info_.consoles.end(),
                             [](const ConsolePortInfo& port) { return port.queued != 0; });
}

ConsolePort* VirtioConsole::port(std::uint32_t number) {
  if (!working_ || number >= kMaxConsolePorts || !ports_[number].started()) return nullptr;
  return &ports_[number];
}

void VirtioConsole::give_up() {
  working_ = false;
  for (ConsolePort& port : ports_)
    if (port.started()) port.abandon();
  transport_.shut_off();
  (LogLine{} << "virtio-console: breach of the rules; device removed").write(platform_);
}

}  // namespace xok::kernel::drivers
