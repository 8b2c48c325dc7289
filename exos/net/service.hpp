// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

namespace xok::exos {

/// The network service: an environment that owns the packet ring and its filters, gets an address,
/// and does what the sockets' owners do not do just then. Started by init; does not return.
/// Before it runs, shared().network_choice says what is wanted.
void run_network_service();

}  // namespace xok::exos
