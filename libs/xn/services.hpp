// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/xn.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

/// What a volume needs from where it runs: the kernel, a host tool or a test.
namespace xok::xn {

/// A disk of blocks of kBlockSize bytes.
///
/// Transfers are asynchronous: whoever runs the disk calls `Volume::completed(tag, result)` once
/// for each that `submit` took, in any order, not from within `submit`. A disk writes sectors of
/// kSectorSize bytes wholly or not at all; blocks may tear between them.
class Disk {
 public:
  enum class Kind : std::uint8_t { Read, Write, Flush };
  struct Transfer {
    Kind kind;
    BlockNumber block;                  ///< the first one
    std::span<const PageNumber> pages;  ///< one for each block; copied by `submit`
    std::uint64_t tag;
  };

  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk() = default;

  virtual std::uint64_t blocks() const = 0;
  /// Whether a completed write survives a loss of power. If not, it does once a flush that was
  /// submitted after its completion has completed.
  virtual bool durable_on_completion() const = 0;
  /// Starts a transfer. The pages stay pinned until its completion.
  /// Errors  WouldBlock  its queue is full;  Device  it is gone. Nothing was started
  virtual Result<> submit(const Transfer& transfer) = 0;

  // At start and end, and for the catalogues: one block, waiting for it.
  virtual Result<> read_now(BlockNumber block, std::span<std::byte, kBlockSize> bytes) = 0;
  virtual Result<> write_now(BlockNumber block, std::span<const std::byte, kBlockSize> bytes) = 0;
  /// All that was written survives from here on.
  virtual Result<> flush_now() = 0;
};

/// Pages for cached blocks. Page 0 is never one of them.
class PageSource {
 public:
  PageSource() = default;
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;
  virtual ~PageSource() = default;

  /// A page full of zeros, held by the registry. Errors: NoMemory
  virtual Result<PageNumber> allocate() = 0;
  /// The registry holds `page`, too, which an application has.
  /// Errors  those of the source, which refuses a page that holds a block already (Exists), or one
  ///         that the caller of the operation has no right to give
  virtual Result<> hold(PageNumber page) = 0;
  /// The registry no longer holds it. Who has it mapped keeps it.
  virtual void release(PageNumber page) = 0;
  virtual std::byte* bytes(PageNumber page) = 0;
};

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  virtual std::uint64_t now_ns() = 0;
};

/// Who hears of the end of transfers: decrements the counter word that an application watches.
class Completions {
 public:
  Completions() = default;
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;
  virtual ~Completions() = default;
  /// `cookie` is what came with the call that started it. Called from within `Volume::completed`.
  virtual void transfer_done(std::uint64_t cookie, Result<> result) = 0;
};

/// Where machine code of types' functions lies: memory that is written before it is executable, and
/// never both at once.
class CodeSpace {
 public:
  CodeSpace() = default;
  CodeSpace(const CodeSpace&) = delete;
  CodeSpace& operator=(const CodeSpace&) = delete;
  virtual ~CodeSpace() = default;
  /// An executable copy of `code`. Errors: NoSpace (the function is interpreted, then)
  virtual Result<const std::byte*> place(std::span<const std::byte> code) = 0;
  /// All copies go.
  virtual void clear() = 0;
};

struct Services {
  Disk& disk;
  PageSource& pages;
  Clock& clock;
  Completions& completions;
  CodeSpace* code = nullptr;  ///< without one, functions are interpreted
};

}  // namespace xok::xn
