// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// poll, select and epoll, and the notes behind results, most of which are theirs.
#include <algorithm>

#include "exos/linux/trace_args.hpp"
#include "exos/linux/trace_names.hpp"

namespace xok::exos::trace {

using namespace linux_abi;
using namespace std::string_view_literals;

namespace {

constexpr std::uint64_t kListShown = 32;

void put_poll_request(const CallView& view, std::uint64_t address, std::uint64_t count) {
  Text& text = view.text;
  if (count == 0 || !view.load<Pollfd>(address).has_value()) {
    if (address != 0 && count == 0) {
      text.put("[]");
    } else {
      text.pointer(address);
    }
    return;
  }
  text.put('[');
  for (std::uint64_t i = 0; i < std::min(count, kListShown); i++) {
    const auto entry = view.load<Pollfd>(address + i * sizeof(Pollfd));
    if (!entry.has_value()) break;
    text.put(i == 0 ? "{fd="sv : ", {fd="sv).decimal(entry->fd);
    if (entry->fd >= 0) {
      text.put(", events=");
      put_flags(text, Group::Poll, static_cast<std::uint16_t>(entry->events));
    }
    text.put('}');
  }
  if (count > kListShown) text.put(", ...");
  text.put(']');
}

/// "[{fd=3, revents=POLLIN}]": those that are ready.
void put_poll_answer(const CallView& view, std::uint64_t address, std::uint64_t count) {
  Text& text = view.text;
  text.put('[');
  bool first = true;
  for (std::uint64_t i = 0; i < std::min(count, kListShown); i++) {
    const auto entry = view.load<Pollfd>(address + i * sizeof(Pollfd));
    if (!entry.has_value()) break;
    if (entry->revents == 0) continue;
    text.put(first ? "{fd="sv : ", {fd="sv).decimal(entry->fd).put(", revents=");
    put_flags(text, Group::Poll, static_cast<std::uint16_t>(entry->revents));
    text.put('}');
    first = false;
  }
  text.put(']');
}

/// "[0 2]": the members of a select set.
void put_descriptor_set(const CallView& view, std::uint64_t address) {
  const auto highest = static_cast<std::int32_t>(view.arguments[0]);
  const auto limit = std::clamp<std::int64_t>(highest, 0, kFD_SETSIZE);
  if (!view.load<std::uint64_t>(address).has_value()) {
    view.text.pointer(address);
    return;
  }
  view.text.put('[');
  bool first = true;
  for (std::int64_t fd = 0; fd < limit; fd++) {
    const auto at = address + static_cast<std::uint64_t>(fd / 64) * 8;
    if (((view.load<std::uint64_t>(at).value_or(0) >> (fd % 64)) & 1) == 0) continue;
    if (!first) view.text.put(' ');
    first = false;
    view.text.decimal(fd);
  }
  view.text.put(']');
}

void put_epoll_event(Text& text, const EpollEvent& event) {
  const std::uint64_t data = event.data;
  text.put("{events=");
  put_flags(text, Group::Epoll, event.events);
  text.put(", data={u32=").unsigned_decimal(static_cast<std::uint32_t>(data));
  text.put(", u64=").unsigned_decimal(data).put("}}");
}

void put_epoll_request(const CallView& view, std::uint64_t address) {
  const auto event = view.load<EpollEvent>(address);
  const bool removes = static_cast<std::uint32_t>(view.arguments[1]) == kEPOLL_CTL_DEL;
  if (event.has_value() && !removes) {
    put_epoll_event(view.text, *event);
  } else {
    view.text.pointer(address);
  }
}

void put_epoll_answer(const CallView& view, std::uint64_t address) {
  if (!view.succeeded()) {
    view.text.pointer(address);
    return;
  }
  view.text.put('[');
  for (std::int64_t i = 0; i < std::min<std::int64_t>(view.result, kListShown); i++) {
    const auto at = address + static_cast<std::uint64_t>(i) * sizeof(EpollEvent);
    const auto event = view.load<EpollEvent>(at);
    if (!event.has_value()) break;
    if (i != 0) view.text.put(", ");
    put_epoll_event(view.text, *event);
  }
  view.text.put(']');
}

template <class T, class Put>
void put_time_left(const CallView& view, std::uint64_t address, Put put) {
  const auto left = view.load<T>(address);
  if (!left.has_value()) return;
  view.text.put(", left ");
  put(view.text, *left);
}

void put_poll_note(const CallView& view) {
  if (view.result == 0) {
    view.text.put(" (Timeout)");
    return;
  }
  view.text.put(" (");
  put_poll_answer(view, view.arguments[0], static_cast<std::uint32_t>(view.arguments[1]));
  if (view.call == Call::ppoll) put_time_left<Timespec>(view, view.arguments[2], put_timespec);
  view.text.put(')');
}

void put_select_note(const CallView& view) {
  if (view.result == 0) {
    view.text.put(" (Timeout)");
    return;
  }
  constexpr std::string_view kNames[] = {"in ", "out ", "except "};
  view.text.put(" (");
  bool first = true;
  for (std::size_t i = 0; i < 3; i++) {
    if (view.arguments[i + 1] == 0) continue;
    view.text.put(first ? ""sv : ", "sv).put(kNames[i]);
    first = false;
    put_descriptor_set(view, view.arguments[i + 1]);
  }
  if (view.call == Call::select) {
    put_time_left<Timeval>(view, view.arguments[4], put_timeval);
  } else {
    put_time_left<Timespec>(view, view.arguments[4], put_timespec);
  }
  view.text.put(')');
}

}  // namespace

bool put_event(const CallView& view, ArgKind kind, std::size_t index) {
  const std::uint64_t address = view.arguments[index];
  switch (kind) {
    case ArgKind::PollFds:
      put_poll_request(view, address, static_cast<std::uint32_t>(view.arguments[index + 1]));
      return true;
    case ArgKind::FdSet:
      put_descriptor_set(view, address);
      return true;
    case ArgKind::EpollEventIn:
      put_epoll_request(view, address);
      return true;
    case ArgKind::EpollEventsOut:
      put_epoll_answer(view, address);
      return true;
    default:
      return false;
  }
}

void put_result_note(const CallView& view) {
  if (!view.succeeded()) return;
  const auto command = static_cast<std::uint32_t>(view.arguments[1]);
  switch (view.call) {
    case Call::poll:
    case Call::ppoll:
      put_poll_note(view);
      return;
    case Call::select:
    case Call::pselect6:
      put_select_note(view);
      return;
    case Call::fcntl:
      if (command == kF_GETFL) {
        const auto flags = static_cast<std::uint32_t>(view.result);
        view.text.put(" (flags ");
        put_one_of(view.text, Group::OpenMode, flags & kO_ACCMODE);
        put_more_flags(view.text, Group::Open, flags & ~kO_ACCMODE);
        view.text.put(')');
      } else if (command == kF_GETFD && view.result != 0) {
        view.text.put(" (flags ");
        put_flags(view.text, Group::FdFlag, static_cast<std::uint32_t>(view.result));
        view.text.put(')');
      }
      return;
    default:
      return;
  }
}

}  // namespace xok::exos::trace
