// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/result.hpp"
#include "base/units.hpp"

/// Copy-modify-replace: state of type T in memory that programs share which do not trust each
/// other, on any number of processors, without a lock that one of them could keep.
///
///   struct Score { std::uint64_t player, points; };
///   struct IsScore { bool operator()(const Score& s) const { return s.player < kPlayers; } };
///   using Scores = rt::Record<Score, 2>;            // two programs write it
///   auto& shared = *reinterpret_cast<Scores*>(address);            // zeroes at the start
///   rt::RecordWriter<Scores, IsScore> mine{shared, 1};             // we are writer 1
///   mine.update([](Score& s) { s.points++; });
///   if (const auto now = mine.read(); now.has_value()) use(now->points);
///
/// Each writer has two copies, that only it writes; one word says which copy of whom is the newest
/// version. Who writes copies the newest out, checks it, modifies the private copy, stores it in
/// the copy of its own that is not the newest, and replaces the word by a compare-and-swap; when
/// another one was faster it starts again. Who reads copies the newest out, sees that it was the
/// newest all the time, and checks the private copy. So nobody ever waits for anybody, and who
/// stops in the middle has changed nothing.
///
/// What another one who may write the memory (a *collider*) can do, whatever it stores and
/// whenever:
/// - publish any T that the check accepts, an old one among them, and undo what others have
///   published. An honest one may do that too: what is not to be believed of a peer belongs into
///   the check, which may point to what was seen before;
/// - make operations fail: BadFormat (what is there is no version, or the check refuses it) until
///   somebody calls `replace`, Busy by publishing all the time. Each is found after a bounded time.
/// It cannot crash, hold up or mislead anybody beyond that: everything that is used is a private
/// copy, each word of the shared memory is read once, and no index in it is used unchecked.
/// Map the pages of the others' copies read-only where they are pages of their own (kApart): then
/// a collider cannot even disturb them, only the word.
///
/// T is copied as bytes and may then hold any: integers, enumerations with an underlying type, and
/// arrays of such; no bool, no pointer, no address that is used without a check.
namespace xok::rt {

/// How often an operation starts again before it gives up with Busy.
inline constexpr unsigned kRecordTries = 64;

/// The shared memory: zeroes are version 0, in the first copy of writer 0.
///
/// kWriters  programs that may write it, numbered from 0; any number may read
/// kApart    alignment of each writer's copies: a page, so that a writer's copies are in pages of
///           its own, or a cache line where all may write all
template <class T, std::size_t kWriters, std::size_t kApart = kPageSize>
struct Record {
  using Value = T;
  static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;
  static constexpr std::size_t kCopies = 2 * kWriters;
  static constexpr std::size_t bytes_of_word(std::size_t i) {
    return i + 1 < kWords ? 8 : sizeof(T) - 8 * (kWords - 1);
  }
  static_assert(std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>);
  static_assert(std::has_single_bit(kApart) && kApart >= 64 && kWriters > 0 && kCopies <= 0x1'0000);

  struct alignas(64) Copy {
    std::array<std::uint64_t, kWords> words;
  };
  struct alignas(kApart) Writer {
    std::array<Copy, 2> copies;
  };

  /// Bits 0-15: which copy, 2 * writer + 0 or 1. Above: the version, counting up.
  alignas(kApart) std::uint64_t newest;
  std::array<Writer, kWriters> writers;
};

/// Reads a Record. `Check`: bool(const T&), whether a copy is one that an honest writer publishes.
template <class R, class Check>
class RecordReader {
 public:
  using T = typename R::Value;

  explicit RecordReader(R& record, Check check = {}) : record_{record}, check_{std::move(check)} {}

  /// The newest version, a private copy.
  ///
  /// Errors   BadFormat  what is there names no copy, or the check refuses it
  ///          Busy       each of kRecordTries times it was replaced while it was copied
  /// Context  any, upcalls included. Cost about 20 instructions, 3 a word, and the check
  [[nodiscard]] Result<T> read() const {
    T copy;
    (void)XOK_TRY(localise(copy));
    return copy;
  }

  /// Changes with every version: to be watched (rt::WaitSet::watch). Take its value, then read.
  [[nodiscard]] const volatile std::uint64_t& event() const { return record_.newest; }

 protected:
  static constexpr std::uint64_t kCopyBits = 16;

  /// Copies the newest version out. Returns  the word that says which that was
  [[nodiscard]] Result<std::uint64_t> localise(T& to) const {
    for (unsigned i = 0; i < kRecordTries; i++) {
      // acquire; pairs with the compare-and-swap of `publish`
      const std::uint64_t newest = __atomic_load_n(&record_.newest, __ATOMIC_ACQUIRE);
      const std::uint64_t copy = newest & ((1u << kCopyBits) - 1);
      if (copy >= R::kCopies) return fail(Errc::BadFormat);
      load(to, record_.writers[copy / 2].copies[copy % 2]);
      // The owner stores into the copy again only after another version was published, and the
      // loads were acquires: whoever has seen such a store sees another word here.
      if (__atomic_load_n(&record_.newest, __ATOMIC_RELAXED) != newest) continue;
      if (!check_(std::as_const(to))) return fail(Errc::BadFormat);
      return newest;
    }
    return fail(Errc::Busy);
  }

  [[nodiscard]] bool admits(const T& value) const { return check_(value); }
  [[nodiscard]] R& record() const { return record_; }

 private:
  static void load(T& to, const typename R::Copy& copy) {
    auto* const bytes = reinterpret_cast<std::byte*>(&to);
    // acquire; pairs with the releases of RecordWriter::store
#pragma GCC unroll 8
    for (std::size_t i = 0; i < R::kWords; i++) {
      const std::uint64_t word = __atomic_load_n(&copy.words[i], __ATOMIC_ACQUIRE);
      std::memcpy(bytes + 8 * i, &word, R::bytes_of_word(i));
    }
  }

  R& record_;
  Check check_;
};

/// Reads and writes a Record, as one of its writers.
template <class R, class Check>
class RecordWriter : public RecordReader<R, Check> {
  using Base = RecordReader<R, Check>;

 public:
  using T = typename R::Value;

  /// `writer`: below kWriters; one handle at a time is that writer.
  RecordWriter(R& record, std::size_t writer, Check check = {})
      : Base{record, std::move(check)}, writer_{writer} {}

  /// Publishes what `change(T&)` makes of the newest version. `change` may return a Result<>: its
  /// error is handed on and nothing is published. It is called again for each try, each time with
  /// another copy, so it should do nothing else.
  ///
  /// Errors   BadFormat    as `read`
  ///          Busy         each of kRecordTries times another version came first
  ///          BadArgument  the check refuses what `change` made
  /// Context  as `read`. Cost about 40 instructions, 6 a word, the check twice, and `change`
  template <class Change>
  Result<> update(const Change& change) {
    for (unsigned i = 0; i < kRecordTries; i++) {
      T copy;
      const std::uint64_t newest = XOK_TRY(Base::localise(copy));
      if constexpr (std::is_void_v<decltype(change(copy))>) {
        change(copy);
      } else {
        XOK_TRY(change(copy));
      }
      if (!Base::admits(copy)) return fail(Errc::BadArgument);
      if (publish(newest, copy)) return {};
    }
    return fail(Errc::Busy);
  }

  /// Publishes `value` whatever the newest version is: to begin, and to repair what a collider did.
  ///
  /// Errors   BadArgument  the check refuses it
  ///          Busy         as `update`
  Result<> replace(const T& value) {
    if (!Base::admits(value)) return fail(Errc::BadArgument);
    for (unsigned i = 0; i < kRecordTries; i++) {
      if (publish(__atomic_load_n(&this->record().newest, __ATOMIC_ACQUIRE), value)) return {};
    }
    return fail(Errc::Busy);
  }

 private:
  /// False: `newest` was not the newest any more.
  bool publish(std::uint64_t newest, const T& value) {
    constexpr std::uint64_t kOneVersion = std::uint64_t{1} << Base::kCopyBits;
    const std::uint64_t old_copy = newest & (kOneVersion - 1);
    const std::uint64_t copy = 2 * writer_ + (old_copy == 2 * writer_ ? 1 : 0);
    store(this->record().writers[writer_].copies[copy % 2], value);
    const std::uint64_t next = ((newest | (kOneVersion - 1)) + 1) | copy;
    // release; pairs with the acquire in `localise`. acquire: later stores into our other copy stay
    // behind it.
    return __atomic_compare_exchange_n(&this->record().newest, &newest, next, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
  }
  static void store(typename R::Copy& copy, const T& value) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(&value);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < R::kWords; i++) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + 8 * i, R::bytes_of_word(i));
      __atomic_store_n(&copy.words[i], word, __ATOMIC_RELEASE);
    }
  }

  std::size_t writer_;
};

}  // namespace xok::rt
