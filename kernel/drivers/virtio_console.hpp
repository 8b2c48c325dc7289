// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/exposed.hpp"
#include "kernel/drivers/console_port.hpp"
#include "kernel/drivers/devices.hpp"
#include "kernel/drivers/transport.hpp"
#include "kernel/drivers/virt_queue.hpp"

namespace xok::kernel::drivers {

/// A virtio console device with many ports, or with one that then is port 1.
///
/// Of a device with many, port n is record n, for 1 to 7; its port 0 and the others are left alone.
/// The order of control messages: we say that the device may start; it names its ports; to each we
/// answer that it is ready and that our end is open; it then says whether the host's is. Names and
/// sizes are not looked at: the number says what a port is for (docs/formats/boot.md), and sizes
/// come by the control port.
/// Source: virtio 1.2, section 5.3.
class VirtioConsole {
 public:
  VirtioConsole(Platform& platform, Transport& transport, const Callbacks& callbacks,
                SystemInfo& info)
      : platform_{platform}, transport_{transport}, callbacks_{callbacks}, info_{info} {}

  /// Starts the device and its ports' queues, and asks for its ports.
  /// Errors  NotSupported, NotFound (features, queues), NoMemory
  Result<> start();
  /// Serves the device until it has nothing more to say about its ports, or `deadline` (cycles).
  void settle(std::uint64_t deadline);

  void serve();
  /// Whether output waits for the host.
  [[nodiscard]] bool has_output() const;

  /// The port of that number, or nullptr.
  ConsolePort* port(std::uint32_t number);

 private:
  static constexpr std::uint16_t kMessages = 32;      ///< control buffers each way
  static constexpr std::size_t kReceiveMessage = 64;  ///< longer ones (names) are cut off
  static constexpr std::uint16_t kMessagesPerServe = 128;

  /// struct virtio_console_control
  struct Control {
    std::uint32_t port;
    std::uint16_t event;
    std::uint16_t value;
  };
  static_assert(sizeof(Control) == 8);

  static void on_interrupt(void* self);
  Result<> start_queues(std::uint64_t features);
  Result<> start_control(std::uint64_t features);
  void post_control(std::uint16_t buffer);
  bool serve_control();
  bool handle(const Control& message);
  void add_port(std::uint32_t number);
  bool send(const Control& message);
  void send_owed();
  void give_up();

  Platform& platform_;
  Transport& transport_;
  const Callbacks& callbacks_;
  SystemInfo& info_;
  bool working_ = false;
  bool multiport_ = false;

  VirtQueue control_receive_;
  VirtQueue control_transmit_;
  DmaMemory control_memory_;  ///< received messages, then (half a page on) those to send
  std::array<std::uint16_t, kMessages> free_messages_{};
  std::uint16_t free_count_ = 0;
  std::array<bool, kMaxConsolePorts> owes_ready_{};  ///< answers that found no room yet
  std::array<bool, kMaxConsolePorts> owes_open_{};
  std::array<ConsolePort, kMaxConsolePorts> ports_;  ///< by number; 0 is not ours
};

}  // namespace xok::kernel::drivers
