// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstdint>

#include "exos/fd/open_file.hpp"
#include "exos/fs/vfs.hpp"
#include "exos/layout.hpp"
#include "exos/net/config.hpp"
#include "exos/net/network_state.hpp"
#include "exos/object_pool.hpp"
#include "exos/proc/proc.hpp"
#include "exos/rt/lock.hpp"
#include "exos/tty/line_discipline.hpp"

namespace xok::exos {

/// The terminal: the line discipline's state and who is in front of it.
struct Terminal {
  LineDiscipline line;
  std::uint64_t read_event;   ///< counts reasons to look again for input
  std::uint64_t write_event;  ///< counts reasons to look again for room
  Pid session;
  Pid foreground;
  std::uint32_t port;  ///< console port
  std::uint32_t hung_up;
};

/// Everything the processes of one trust domain share, at kSharedBase. Zero at the start; pages
/// come when they are first touched.
struct SharedState {
  rt::SharedLock arena_lock;  ///< the arena, and pages of this structure that come
  rt::SharedLock proc_lock;
  rt::SharedLock file_lock;  ///< file systems, open files, pipes
  rt::SharedLock tty_lock;
  rt::SharedLock net_lock;  ///< `net`; taken inside file_lock, never the other way
  std::uint64_t
      expected_deaths;        ///< exits made by processes themselves; compare SystemInfo::deaths
  std::uint64_t power_off;    ///< not 0: init ends the machine
  std::uint64_t alarm_event;  ///< counts changes of Proc::alarm_ns
  std::uint64_t slice_turn;   ///< environments placed: the next one's processor
  std::uint64_t arena_hint;
  std::uint64_t arena_used;
  std::uint64_t trace_calls;  ///< system calls are traced
  std::uint32_t trace_port;
  std::uint32_t trace_to_tty;
  VfsState vfs;
  ObjectPool open_files;
  ObjectPool pipes;
  ObjectPool unix_socket_pool;
  UnixSocket* unix_sockets;  ///< the first of all
  Terminal terminal;
  std::uint64_t network_wanted;  ///< not 0: init starts the network service
  NetworkChoice network_choice;
  NetworkRecord network;  ///< see network_config
  NetworkState net;
  Pid last_pid;
  std::uint32_t proc_count;
  std::uint64_t total_forks;
  std::array<char, 65> host_name;
  std::array<Proc, kMaxProcs> procs;
  std::array<std::uint64_t, kArenaPages / 64> arena_bitmap;
};
static_assert(sizeof(SharedState) < kSharedStateEnd - kSharedBase);

inline SharedState& shared() { return *reinterpret_cast<SharedState*>(kSharedBase); }

/// The network's present configuration. Down where the record holds none, which only a fault in one
/// of us can cause.
inline NetworkConfig network_config() {
  const rt::RecordReader<NetworkRecord, IsNetworkConfig> reader{shared().network};
  return reader.read().value_or(NetworkConfig{});
}
/// Changes with it: to be waited for.
inline const volatile std::uint64_t& network_event() { return shared().network.newest; }

inline Proc& proc_slot(Pid pid) {
  return shared().procs[static_cast<std::size_t>(pid) % kMaxProcs];
}

}  // namespace xok::exos
