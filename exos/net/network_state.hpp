// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/units.hpp"
#include "exos/net/datagram_queue.hpp"
#include "exos/net/packet_io.hpp"
#include "exos/net/socket.hpp"
#include "exos/object_pool.hpp"
#include "libs/net/arp.hpp"
#include "libs/net/dhcp_client.hpp"
#include "libs/net/send_buffer.hpp"
#include "libs/net/tcp_demux.hpp"

/// What all processes share of the network: the protocols' state, sockets, and frames that wait.
/// Reached through `Network` (network.hpp), which holds the lock.
namespace xok::exos {

inline constexpr std::size_t kMaxSockets = 512;
inline constexpr std::size_t kMaxEndpoints = 512;
inline constexpr std::size_t kMaxListeners = 64;
inline constexpr std::size_t kMaxTimeWaits = 512;
inline constexpr std::uint32_t kServiceRingSlots = 128;
/// Slots ahead that the service watches. A process that takes more frames than that wakes it, so
/// that it watches the right ones again.
inline constexpr std::uint32_t kWatchedSlots = 8;

/// Ring and queue memory: 64 KiB pieces, kept for the next use.
inline constexpr std::size_t kBlockPages = 16;
inline constexpr std::uint64_t kSpareBlocks = 32;
inline constexpr std::size_t kBlockBytes = kBlockPages * kPageSize;

/// One end of a TCP connection. Outlives its socket: what was sent is still to be acknowledged.
struct TcpEndpoint {
  net::TcpConnection connection;
  net::SendBuffer send;
  std::byte* receive_block;
  std::byte* send_block;
  Socket* socket;           ///< nullptr: not accepted yet, or closed
  Socket* listener;         ///< not accepted yet: who will
  TcpEndpoint* next;        ///< in NetworkState::endpoints
  TcpEndpoint* next_ready;  ///< in the listener's queue
  bool ready;               ///< it is in that queue
};

/// A socket. `event` counts reasons to look again; the rest is under the lock.
struct Socket {
  std::uint64_t event;
  std::uint64_t number;  ///< names it: /proc, fstat
  Socket* next;          ///< in NetworkState::sockets
  SocketType type;
  std::uint8_t protocol;
  bool bound;
  bool connecting;  ///< TCP: under way
  bool read_shut;
  bool write_shut;
  bool listening;
  std::uint16_t backlog;
  std::uint16_t pending_error;  ///< an Errc, or 0
  Endpoint local;
  Endpoint peer;  ///< address zero: none
  SocketOptions options;
  TcpEndpoint* endpoint;
  TcpEndpoint* first_ready;  ///< listeners: connections to be accepted
  TcpEndpoint* last_ready;
  DatagramQueue queue;
  std::byte* queue_block;
};

/// Frames that wait until the next hop's link address is known.
struct HeldFrame {
  net::Ipv4Address hop;
  std::uint32_t length;  ///< 0: free
  std::array<std::uint8_t, kMaxFrame> bytes;
};
inline constexpr std::size_t kHeldFrames = 16;

struct NetworkState {
  std::uint64_t timer_event;      ///< counts reasons for the service to look again
  std::uint64_t service_wake_ns;  ///< when it will by itself
  std::uint32_t service_watches;  ///< frames that may be taken before it must look again
  std::uint32_t next_port;
  std::uint64_t next_number;
  ReceiveRing ring;
  net::ArpCache arp;
  net::DhcpClient dhcp;
  net::TcpDemux demux;
  net::TcpConfig tcp_config;
  Socket* sockets;
  TcpEndpoint* endpoints;
  std::uint32_t socket_count;
  std::uint32_t raw_sockets;
  std::uint32_t endpoint_count;
  ObjectPool socket_pool;
  ObjectPool endpoint_pool;
  void* free_blocks;  ///< linked through their first words
  std::uint64_t free_block_count;
  std::uint64_t lease_changed;  ///< the service has to look at `dhcp`
  std::array<net::TcpConnection*, 1024> table;
  std::array<net::TcpListener, kMaxListeners> listeners;
  std::array<net::DeadlineHeap::Slot, kMaxEndpoints> timers;
  std::array<net::TimeWaitTable::Entry, kMaxTimeWaits> time_waits;
  std::array<HeldFrame, kHeldFrames> held;
};
static_assert(sizeof(TcpEndpoint) <= kPageSize && sizeof(Socket) <= kPageSize);

}  // namespace xok::exos
