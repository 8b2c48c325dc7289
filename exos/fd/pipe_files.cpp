// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fd/pipe_files.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "exos/arena.hpp"
#include "exos/fd/descriptors.hpp"
#include "exos/fd/operations.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/registers.hpp"
#include "exos/rt/self.hpp"

namespace xok::exos {
namespace {

std::byte* new_pipe_page() { return static_cast<std::byte*>(arena().allocate_pages(1)); }

/// What has been moved, until everything was, or nothing was left, or memory could not be touched.
struct Moved {
  std::size_t bytes = 0;
  bool fault = false;
};

Moved drain(Pipe& pipe, std::span<std::byte> to) {
  Moved done;
  while (done.bytes < to.size() && !done.fault) {
    const std::span<const std::byte> data = pipe.data();
    if (data.empty()) break;
    const std::size_t n = std::min(data.size(), to.size() - done.bytes);
    const std::size_t left = rt::rt_user_copy(to.data() + done.bytes, data.data(), n);
    pipe.take(n - left);
    done.bytes += n - left;
    done.fault = left != 0;
  }
  return done;
}

Moved fill(Pipe& pipe, std::span<const std::byte> from) {
  Moved done;
  while (done.bytes < from.size() && !done.fault) {
    const std::span<std::byte> space = pipe.space(new_pipe_page);
    if (space.empty()) break;
    const std::size_t n = std::min(space.size(), from.size() - done.bytes);
    const std::size_t left = rt::rt_user_copy(space.data(), from.data() + done.bytes, n);
    pipe.put(n - left);
    done.bytes += n - left;
    done.fault = left != 0;
  }
  return done;
}

void release_pipe(Pipe& pipe) {
  if (--pipe.references != 0) return;
  empty_pipe(pipe);
  pool_give(shared().pipes, &pipe);
}

/// Whom this process has given something to do: when it waits itself, they get the processor
/// without anybody else being asked. A hint; who has ended meanwhile is passed over.
constinit EnvId g_next = 0;

/// Notes that `waiting`, if anybody, has something to do.
void rouse(EnvId& waiting) {
  if (waiting != 0) g_next = std::exchange(waiting, 0);
}

/// Sleeps until the word changes or a signal comes; the word was read before the condition was
/// tested.
Outcome<> wait_for(rt::WaitSet& wait) {
  wait.watch(process().proc->signal_event);
  if (signal_pending()) return std::unexpected{Errc::Interrupted};
  wait.sleep(std::exchange(g_next, 0));
  return {};
}

void count_ends(Pipe& pipe, const OpenFile& file) {
  if (readable_mode(file)) {
    pipe.readers++;
    pipe.readers_ever++;
  }
  if (writable_mode(file)) {
    pipe.writers++;
    pipe.writers_ever++;
  }
  pipe.read_event++;
  pipe.write_event++;
}

}  // namespace

std::size_t fill_pipe(Pipe& pipe, std::span<const std::byte> from) {
  std::size_t done = 0;
  while (done < from.size()) {
    const std::span<std::byte> space = pipe.space(new_pipe_page);
    if (space.empty()) break;
    const std::size_t n = space.size() < from.size() - done ? space.size() : from.size() - done;
    std::memcpy(space.data(), from.data() + done, n);
    pipe.put(n);
    done += n;
  }
  return done;
}

void empty_pipe(Pipe& pipe) {
  pipe.head = pipe.tail = 0;
  for (std::byte*& page : pipe.pages) {
    if (page != nullptr) arena().free_pages(page, 1);
    page = nullptr;
  }
}

Outcome<std::size_t> read_pipe(OpenFile& file, std::span<std::byte> to) {
  Pipe& pipe = *file.pipe;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(pipe.read_event);
    // Without the lock: what changes in between changes the event, too.
    if (pipe.used() != 0 || pipe.writers == 0 || to.empty()) {
      const FileSystemLock lock;
      const Moved done = drain(pipe, to);
      if (done.bytes != 0) rouse(pipe.waiting_writer);
      if (done.bytes != 0 || to.empty()) return done.bytes;
      if (done.fault) return std::unexpected{Errc::Fault};
      if (pipe.writers == 0) return 0;
    }
    pipe.waiting_reader = rt::env_id();
    if ((file.flags & kOpenNonBlocking) != 0) return std::unexpected{Errc::WouldBlock};
    XOK_TRY(wait_for(wait));
  }
}

Outcome<std::size_t> write_pipe(OpenFile& file, std::span<const std::byte> from) {
  Pipe& pipe = *file.pipe;
  std::size_t done = 0;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(pipe.write_event);
    {
      const FileSystemLock lock;
      if (pipe.readers == 0) {
        if (done != 0) return done;
        return std::unexpected{Errc::Closed};
      }
      // Up to PIPE_BUF bytes go in one piece.
      const std::size_t left = from.size() - done;
      const std::size_t need = from.size() <= Pipe::kAtomic ? left : 1;
      if (pipe.room() >= need) {
        const Moved moved = fill(pipe, from.subspan(done));
        done += moved.bytes;
        rouse(pipe.waiting_reader);
        if (moved.fault && done == 0) return std::unexpected{Errc::Fault};
        if (moved.fault) return done;
      }
      if (done == from.size()) return done;
      pipe.waiting_writer = rt::env_id();
    }
    if ((file.flags & kOpenNonBlocking) != 0) {
      if (done != 0) return done;
      return std::unexpected{Errc::WouldBlock};
    }
    if (auto waited = wait_for(wait); !waited.has_value()) {
      if (done != 0) return done;
      return std::unexpected{waited.error()};
    }
  }
}

std::uint32_t poll_pipe(const OpenFile& file) {
  const Pipe& pipe = *file.pipe;
  std::uint32_t bits = 0;
  if (readable_mode(file)) {
    if (pipe.used() != 0) bits |= kPollIn;
    if (pipe.writers == 0 && (pipe.fifo == 0 || pipe.writers_ever != 0)) bits |= kPollHangUp;
  }
  if (writable_mode(file)) {
    if (pipe.readers == 0)
      bits |= kPollError;
    else if (pipe.room() >= Pipe::kAtomic)
      bits |= kPollOut;
  }
  return bits;
}

void watch_pipe(const OpenFile& file, rt::WaitSet& wait) {
  if (readable_mode(file)) wait.watch(file.pipe->read_event);
  if (writable_mode(file)) wait.watch(file.pipe->write_event);
}

void close_pipe(OpenFile& file) {
  Pipe& pipe = *file.pipe;
  if (readable_mode(file)) pipe.readers--;
  if (writable_mode(file)) pipe.writers--;
  pipe.read_event++;
  pipe.write_event++;
  if (pipe.fifo != 0 && pipe.references == 1 && file.node.valid()) {
    if (void** slot = file_system().attached(file.node)) *slot = nullptr;
  }
  release_pipe(pipe);
}

Outcome<PipeEnds> make_pipe(std::uint32_t flags) {
  const FileSystemLock lock;
  auto* pipe = pool_new<Pipe>(shared().pipes);
  OpenFile* read = new_open_file(FileKind::Pipe, flags | kOpenReadOnly);
  OpenFile* write = new_open_file(FileKind::Pipe, flags | kOpenWriteOnly);
  if (pipe == nullptr || read == nullptr || write == nullptr) {
    if (pipe != nullptr) pool_give(shared().pipes, pipe);
    if (read != nullptr) pool_give(shared().open_files, read);
    if (write != nullptr) pool_give(shared().open_files, write);
    return std::unexpected{Errc::NoMemory};
  }
  for (OpenFile* end : {read, write}) {
    end->pipe = pipe;
    pipe->references++;
    count_ends(*pipe, *end);
  }
  return PipeEnds{read, write};
}

Outcome<> attach_fifo(OpenFile& file) {
  Pipe* pipe = nullptr;
  {
    const FileSystemLock lock;
    void** slot = file_system().attached(file.node);
    if (slot == nullptr) return std::unexpected{Errc::NotSupported};
    if (*slot == nullptr) {
      *slot = pool_new<Pipe>(shared().pipes);
      if (*slot == nullptr) return std::unexpected{Errc::NoMemory};
      static_cast<Pipe*>(*slot)->fifo = 1;
    }
    pipe = static_cast<Pipe*>(*slot);
    const bool lonely_writer = !readable_mode(file) && pipe->readers == 0;
    if (lonely_writer && (file.flags & kOpenNonBlocking) != 0) {
      if (pipe->references == 0) {
        *slot = nullptr;
        pool_give(shared().pipes, pipe);
      }
      return std::unexpected{Errc::Unreachable};
    }
    file.pipe = pipe;
    file.kind = FileKind::Pipe;
    pipe->references++;
    count_ends(*pipe, file);
  }
  if ((file.flags & kOpenNonBlocking) != 0) return {};
  const std::uint64_t writers_before = pipe->writers_ever;
  const std::uint64_t readers_before = pipe->readers_ever;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(pipe->read_event);
    const bool have_writer = pipe->writers != 0 || pipe->writers_ever != writers_before;
    const bool have_reader = pipe->readers != 0 || pipe->readers_ever != readers_before;
    if ((!readable_mode(file) || have_writer) && (!writable_mode(file) || have_reader)) return {};
    XOK_TRY(wait_for(wait));
  }
}

}  // namespace xok::exos
