// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libs/http/response.hpp"

namespace xok::cheetah {

/// The present time as a Date header wants it, made once a second.
class DateText {
 public:
  /// Brings it up to date. Cost: 200 instructions in a new second, else 2.
  void set(http::Seconds now) {
    if (now == second_) return;
    second_ = now;
    http::format_date(now, text_);
  }
  http::Seconds second() const { return second_; }
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  http::Seconds second_ = -1;
  std::array<char, http::kDateSize> text_{};
};

/// How a 200 answer's head may differ for one version of a file.
enum class HeadForm : std::uint8_t { Http11KeepAlive, Http10KeepAlive, Close };

/// The form for a Request or a Response: both say what the connection is to become.
template <class Message>
constexpr HeadForm head_form(const Message& message) {
  if (!message.keep_alive) return HeadForm::Close;
  return message.is_http11 ? HeadForm::Http11KeepAlive : HeadForm::Http10KeepAlive;
}

/// Remembers the heads of 200 answers: only the date in them ever changes. Direct-mapped.
///
/// Context  one thread at a time; zero bytes are a cache without memory
/// Cost     a hit 20 instructions, and 10 more in a new second
/// Source   own
class HeadCache {
 public:
  struct Entry {
    std::uint64_t version = 0;  ///< of the file; 0: empty
    http::Seconds second = 0;   ///< that the date in it tells
    std::uint16_t size = 0;
    std::uint16_t date_offset = 0;
    HeadForm form{};
    std::array<char, 299> bytes{};
  };
  static_assert(sizeof(Entry) == 320);

  /// Takes the memory: a power of two of entries, or none.
  void attach(std::span<Entry> memory) { entries_ = memory; }

  /// The head with the present date, or empty. Good until the next call.
  std::string_view find(std::uint64_t version, HeadForm form, const DateText& date) {
    if (entries_.empty()) return {};
    Entry& entry = place(version, form);
    if (entry.version != version || entry.form != form) return {};
    if (entry.second != date.second()) {
      entry.second = date.second();
      __builtin_memcpy(&entry.bytes[entry.date_offset], date.text().data(), http::kDateSize);
    }
    return {entry.bytes.data(), entry.size};
  }

  /// Keeps a head that was just written, unless it is too long.
  void put(std::uint64_t version, HeadForm form, std::string_view head, std::size_t date_offset,
           const DateText& date) {
    if (entries_.empty()) return;
    Entry& entry = place(version, form);
    if (head.size() > entry.bytes.size()) return;
    entry.version = version;
    entry.second = date.second();
    entry.size = static_cast<std::uint16_t>(head.size());
    entry.date_offset = static_cast<std::uint16_t>(date_offset);
    entry.form = form;
    __builtin_memcpy(entry.bytes.data(), head.data(), head.size());
  }

 private:
  Entry& place(std::uint64_t version, HeadForm form) {
    return entries_[(version * 3 + static_cast<std::size_t>(form)) & (entries_.size() - 1)];
  }

  std::span<Entry> entries_{};
};

}  // namespace xok::cheetah
