// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "exos/net/network.hpp"

namespace xok::exos {

/// Handles one received frame: ARP, ICMP, UDP, TCP. Whatever it contains, nothing worse happens
/// than that it is dropped. What claims to come from this machine must have come by the loopback.
void receive_frame(Network& network, const ReceivedFrame& frame);

}  // namespace xok::exos
