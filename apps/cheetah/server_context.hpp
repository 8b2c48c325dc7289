// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

// Private to Server: how TCP reaches files and network while it handles an event.

#include "apps/cheetah/server.hpp"

namespace xok::cheetah {

template <class Action>
void Server::with_context(std::uint64_t now_ns, Action action) {
  const auto source = [this](const net::TcpConnection& tcp, std::uint64_t offset,
                             std::uint32_t length, std::span<net::PayloadPiece> out) {
    AnswerQueue& answers = connection_of(tcp).answers;
    const std::size_t pieces = answers.gather(*files_, sums_, offset, length, out);
    if (answers.is_broken()) any_broken_ = true;
    if (pieces == 0) files_->sent();  // nothing will be
    return pieces;
  };
  const auto sink = [this](const net::OutPacket& packet) {
    sink_->send(packet);
    if (!packet.payload.empty()) files_->sent();
  };
  action(net::TcpContext{.now_ns = now_ns, .config = config_, .source = source, .sink = sink});
}

}  // namespace xok::cheetah
