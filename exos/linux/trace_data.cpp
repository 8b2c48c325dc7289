// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Strings, data, vectors of both, and lists of strings.
#include <algorithm>

#include "exos/linux/trace_args.hpp"

namespace xok::exos::trace {

using namespace linux_abi;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t kListShown = 32;

/// Takes `size` bytes, or what there is, from the program. Returns  bytes taken
std::size_t copy(const CallView& view, std::uint64_t address, std::uint8_t* to, std::size_t size) {
  return address == 0 ? 0 : view.reader.read(view.reader.context, address, {to, size});
}

void put_vectors(const CallView& view, std::size_t index, std::uint64_t limit) {
  const std::uint64_t address = view.arguments[index];
  const std::uint64_t count = view.arguments[index + 1];
  Text& text = view.text;
  if (count == 0) {
    text.put("[]");
    return;
  }
  if (!view.load<Iovec>(address).has_value()) {
    text.pointer(address);
    return;
  }
  text.put('[');
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, kListShown); i++) {
    if (i != 0) text.put(", ");
    const auto vector = view.load<Iovec>(address + i * sizeof(Iovec));
    if (!vector.has_value()) {
      text.put("... /* ").hex(address + i * sizeof(Iovec)).put(" */");
      break;
    }
    const std::uint64_t shown = std::min(vector->iov_len, limit);
    text.put("{iov_base=");
    if (limit == 0 && view.returned && !view.succeeded()) {
      text.pointer(vector->iov_base);
    } else {
      put_memory(view, vector->iov_base, shown, kShown);
    }
    text.put(", iov_len=").unsigned_decimal(vector->iov_len).put('}');
    limit -= shown;
  }
  if (count > kListShown) text.put(", ...");
  text.put(']');
}

void put_strings(const CallView& view, std::uint64_t list) {
  Text& text = view.text;
  if (!view.load<std::uint64_t>(list).has_value()) {
    text.pointer(list);
    return;
  }
  text.put('[');
  for (std::size_t i = 0;; i++) {
    const auto string = view.load<std::uint64_t>(list + i * 8);
    if (string.has_value() && *string == 0) break;
    if (i != 0) text.put(", ");
    if (!string.has_value() || i == kListShown) {
      text.put("...");
      break;
    }
    put_string(view, *string, kShown);
  }
  text.put(']');
}

void put_environment(const CallView& view, std::uint64_t list) {
  view.text.pointer(list);
  std::size_t count = 0;
  auto string = view.load<std::uint64_t>(list);
  if (!string.has_value()) return;
  while (string.has_value() && *string != 0 && count < 10'000) {
    string = view.load<std::uint64_t>(list + ++count * 8);
  }
  view.text.put(" /* ").unsigned_decimal(count).put(count == 1 ? " var */"sv : " vars */"sv);
}

/// getdents64: the address, and how many records lie there.
void put_entries(const CallView& view, std::uint64_t address) {
  view.text.pointer(address);
  if (!view.succeeded()) return;
  std::size_t count = 0;
  const auto size = static_cast<std::uint64_t>(view.result);
  for (std::uint64_t at = 0; at < size; count++) {
    const auto length = view.load<std::uint16_t>(address + at + offsetof(Dirent64, d_reclen));
    if (!length.has_value() || *length == 0) break;
    at += *length;
  }
  view.text.put(" /* ").unsigned_decimal(count).put(count == 1 ? " entry */"sv : " entries */"sv);
}

}  // namespace

void put_memory(const CallView& view, std::uint64_t address, std::uint64_t length,
                std::size_t limit, Text::Escape escape) {
  std::uint8_t bytes[kShown];
  const std::size_t wanted = std::min<std::uint64_t>({length, limit, sizeof bytes});
  if (address == 0 || copy(view, address, bytes, wanted) != wanted) {
    view.text.pointer(address);
    return;
  }
  view.text.quoted({bytes, wanted}, escape);
  if (length > wanted) view.text.put("...");
}

void put_string(const CallView& view, std::uint64_t address, std::size_t limit) {
  std::uint8_t bytes[kPATH_MAX];
  std::size_t length = 0;
  bool ended = false;
  while (!ended && length < limit + 1 && length < sizeof bytes) {
    // In pieces that stay within a page, so that a string before an unmapped page is whole.
    const std::size_t to_page = 4096 - (address + length) % 4096;
    const std::size_t piece = std::min({to_page, limit + 1 - length, sizeof bytes - length});
    const std::size_t got = copy(view, address + length, bytes + length, piece);
    const auto* end = std::find(bytes + length, bytes + length + got, std::uint8_t{0});
    if (end != bytes + length + got) {
      length = static_cast<std::size_t>(end - bytes);
      ended = true;
    } else if (got < piece) {
      view.text.pointer(address);
      return;
    } else {
      length += got;
    }
  }
  view.text.quoted({bytes, std::min(length, limit)});
  if (!ended) view.text.put("...");
}

bool put_data(const CallView& view, ArgKind kind, std::size_t index) {
  const std::uint64_t address = view.arguments[index];
  const auto produced = static_cast<std::uint64_t>(view.result);
  switch (kind) {
    case ArgKind::Path:
      put_string(view, address, kPATH_MAX - 1);
      return true;
    case ArgKind::Text:
      put_string(view, address, kShown);
      return true;
    case ArgKind::InData:
      put_memory(view, address, view.arguments[index + 1], kShown);
      return true;
    case ArgKind::VectorsIn:
      put_vectors(view, index, ~std::uint64_t{0});
      return true;
    case ArgKind::VectorsOut:
      put_vectors(view, index, view.succeeded() ? produced : 0);
      return true;
    case ArgKind::Strings:
      put_strings(view, address);
      return true;
    case ArgKind::Environment:
      put_environment(view, address);
      return true;
    case ArgKind::EntriesOut:
      put_entries(view, address);
      return true;
    case ArgKind::OutData:
    case ArgKind::OutPath:
    case ArgKind::RandomOut:
    case ArgKind::PathOut:
      break;
    default:
      return false;
  }
  if (!view.succeeded()) {
    view.text.pointer(address);
  } else if (kind == ArgKind::PathOut) {
    put_string(view, address, kPATH_MAX - 1);
  } else {
    put_memory(view, address, produced, kShown,
               kind == ArgKind::RandomOut ? Text::Escape::AllHex : Text::Escape::Shortest);
  }
  return true;
}

}  // namespace xok::exos::trace
