// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Addresses, socket options, messages.
#include <algorithm>
#include <cstring>

#include "exos/linux/trace_args.hpp"
#include "exos/linux/trace_names.hpp"

namespace xok::exos::trace {

using namespace linux_abi;

namespace {

void put_internet_address(Text& text, const SockaddrIn& address) {
  const auto* port = reinterpret_cast<const std::uint8_t*>(&address.sin_port);
  const auto* host = reinterpret_cast<const std::uint8_t*>(&address.sin_addr);
  text.put(", sin_port=htons(").unsigned_decimal(port[0] * 256u + port[1]);
  text.put("), sin_addr=inet_addr(\"");
  for (std::size_t i = 0; i < 4; i++) {
    if (i != 0) text.put('.');
    text.unsigned_decimal(host[i]);
  }
  text.put("\")");
}

void put_local_address(Text& text, std::span<const std::uint8_t> name) {
  text.put(", sun_path=");
  if (!name.empty() && name[0] == 0) {
    text.put('@').quoted(name.subspan(1));
    return;
  }
  const auto end = std::find(name.begin(), name.end(), std::uint8_t{0});
  text.quoted({name.begin(), end});
}

void put_address(const CallView& view, std::uint64_t address, std::uint64_t length) {
  std::uint8_t bytes[kSockaddrStorageBytes] = {};
  const std::size_t size = std::min<std::uint64_t>(length, sizeof bytes);
  if (address == 0 || size < 2 ||
      view.reader.read(view.reader.context, address, {bytes, size}) != size) {
    view.text.pointer(address);
    return;
  }
  std::uint16_t family = 0;
  std::memcpy(&family, bytes, sizeof family);
  view.text.put("{sa_family=");
  put_one_of(view.text, Group::SocketFamily, family);
  if (family == kAF_INET && size >= sizeof(SockaddrIn)) {
    SockaddrIn internet;
    std::memcpy(&internet, bytes, sizeof internet);
    put_internet_address(view.text, internet);
  } else if (family == kAF_UNIX && size > 2) {
    put_local_address(view.text, {bytes + 2, size - 2});
  } else if (size > 2) {
    view.text.put(", sa_data=").quoted({bytes + 2, size - 2});
  }
  view.text.put('}');
}

void put_filled_address(const CallView& view, std::size_t index) {
  const auto length = view.load<std::uint32_t>(view.arguments[index + 1]);
  if (!view.succeeded() || !length.has_value()) {
    view.text.pointer(view.arguments[index]);
    return;
  }
  put_address(view, view.arguments[index], std::min(*length, view.entry_length));
}

/// "[16]", or "[128 => 16]" when the call has changed it.
void put_length(const CallView& view, std::size_t index) {
  const auto length = view.load<std::uint32_t>(view.arguments[index]);
  if (!length.has_value()) {
    view.text.pointer(view.arguments[index]);
    return;
  }
  view.text.put('[').unsigned_decimal(view.entry_length);
  if (view.succeeded() && *length != view.entry_length) {
    view.text.put(" => ").unsigned_decimal(*length);
  }
  view.text.put(']');
}

void put_type(Text& text, std::uint32_t type) {
  constexpr std::uint32_t kTypeMask = 0xf;
  put_one_of(text, Group::SocketType, type & kTypeMask);
  put_more_flags(text, Group::SocketFlag, type & ~kTypeMask);
}

void put_protocol(const CallView& view, std::uint32_t protocol) {
  const auto family = static_cast<std::uint32_t>(view.arguments[0]);
  if (family == kAF_INET || family == kAF_INET6) {
    put_one_of(view.text, Group::Protocol, protocol);
  } else {
    view.text.unsigned_decimal(protocol);
  }
}

Group option_group(std::uint64_t level) {
  switch (level) {
    case kSOL_TCP:
      return Group::TcpOption;
    case kSOL_IP:
      return Group::IpOption;
    default:
      return Group::SocketOption;
  }
}

/// An option's value: a number when it has the size of one, else data.
void put_option_value(const CallView& view, std::uint64_t address, std::uint64_t length) {
  const auto number = view.load<std::int32_t>(address);
  if (number.has_value() && length == sizeof *number) {
    view.text.put('[').decimal(*number).put(']');
  } else if (const auto linger = view.load<Linger>(address);
             linger.has_value() && length == sizeof *linger && view.arguments[2] == kSO_LINGER) {
    view.text.put("{l_onoff=").decimal(linger->l_onoff);
    view.text.put(", l_linger=").decimal(linger->l_linger).put('}');
  } else {
    put_memory(view, address, length, kShown);
  }
}

void put_filled_option(const CallView& view, std::size_t index) {
  const auto length = view.load<std::uint32_t>(view.arguments[index + 1]);
  if (view.succeeded() && length.has_value()) {
    put_option_value(view, view.arguments[index], *length);
  } else {
    view.text.pointer(view.arguments[index]);
  }
}

void put_message(const CallView& view, std::uint64_t address, std::uint64_t length) {
  const auto message = view.load<Msghdr>(address);
  if (!message.has_value()) {
    view.text.pointer(address);
    return;
  }
  Text& text = view.text;
  text.put("{msg_name=");
  put_address(view, message->msg_name, message->msg_namelen);
  text.put(", msg_namelen=").unsigned_decimal(message->msg_namelen).put(", msg_iov=");
  const std::array<std::uint64_t, 6> vectors{message->msg_iov, message->msg_iovlen};
  const CallView inner{
      text, view.reader, view.call, vectors, static_cast<std::int64_t>(length), true, 0};
  put_data(inner, ArgKind::VectorsOut, 0);
  text.put(", msg_iovlen=").unsigned_decimal(message->msg_iovlen);
  text.put(", msg_controllen=").unsigned_decimal(message->msg_controllen).put(", msg_flags=");
  put_flags(text, Group::Message, message->msg_flags);
  text.put('}');
}

void put_received_message(const CallView& view, std::uint64_t address) {
  const auto message = view.load<Msghdr>(address);
  if (view.succeeded()) {
    put_message(view, address, static_cast<std::uint64_t>(view.result));
  } else if (message.has_value()) {
    view.text.put("{msg_namelen=").unsigned_decimal(message->msg_namelen).put('}');
  } else {
    view.text.pointer(address);
  }
}

}  // namespace

bool put_socket(const CallView& view, ArgKind kind, std::size_t index) {
  const std::uint64_t value = view.arguments[index];
  switch (kind) {
    case ArgKind::SocketType:
      put_type(view.text, static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::SocketProtocol:
      put_protocol(view, static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::SocketOption:
      put_one_of(view.text, option_group(view.arguments[index - 1]),
                 static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::OptionIn:
      put_option_value(view, value, static_cast<std::uint32_t>(view.arguments[index + 1]));
      return true;
    case ArgKind::OptionOut:
      put_filled_option(view, index);
      return true;
    case ArgKind::AddressIn:
      put_address(view, value, static_cast<std::uint32_t>(view.arguments[index + 1]));
      return true;
    case ArgKind::AddressOut:
      put_filled_address(view, index);
      return true;
    case ArgKind::LengthInOut:
      put_length(view, index);
      return true;
    case ArgKind::MessageIn:
      put_message(view, value, ~std::uint64_t{0} >> 1);
      return true;
    case ArgKind::MessageOut:
      put_received_message(view, value);
      return true;
    default:
      return false;
  }
}

}  // namespace xok::exos::trace
