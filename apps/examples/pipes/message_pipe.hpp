// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "apps/examples/pipes/plain_pipe.hpp"
#include "exos/rt/message.hpp"

namespace xok::example {

/// A message ring: the kernel copies each message into a ring that only the reader has mapped, says
/// who sent it, and refuses whoever lacks the capability of the ring's gate. The writer sees
/// nothing of the reader's; the reader needs to check only whose message it is.
class MessageWriter {
 public:
  /// `slot`: of ours, opens the gate.
  MessageWriter(std::uint64_t slot, EnvId reader) : target_{make_target(slot, reader)} {}

  std::int64_t write(const std::byte* from, std::size_t n) const {
    n = std::min(n, kMaxMessageBytes);
    const std::int64_t error = sys::message_send(target_, reinterpret_cast<std::uint64_t>(from), n);
    if (error == -static_cast<std::int64_t>(Errc::WouldBlock)) return 0;
    return error < 0 ? kLiar : static_cast<std::int64_t>(n);
  }

 private:
  std::uint64_t target_;
};

class MessageReader {
 public:
  MessageReader(rt::Mailbox& box, EnvId writer) : box_{box}, writer_{writer} {}

  /// `n`: kMaxMessageBytes at least.
  std::int64_t read(std::byte* to, std::size_t n) {
    std::int64_t got = 0;
    box_.poll([&](const MessageSlot& message) {
      const std::size_t length = message.owner;
      got = message.sender == writer_ && length <= n ? static_cast<std::int64_t>(length) : kLiar;
      if (got > 0) std::memcpy(to, message.body, length);
    });
    return got;
  }

 private:
  rt::Mailbox& box_;
  EnvId writer_;
};

}  // namespace xok::example
