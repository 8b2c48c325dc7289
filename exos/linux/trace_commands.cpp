// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Calls of which one argument says what the others are: fcntl, ioctl, prctl, arch_prctl, clone and
// futex.
#include "exos/linux/trace_args.hpp"
#include "exos/linux/trace_names.hpp"

namespace xok::exos::trace {

using namespace linux_abi;

namespace {

void put_lock(const CallView& view, std::uint64_t address) {
  const auto lock = view.load<Flock>(address);
  if (!lock.has_value()) {
    view.text.pointer(address);
    return;
  }
  view.text.put("{l_type=");
  put_one_of(view.text, Group::LockType, static_cast<std::uint16_t>(lock->l_type));
  view.text.put(", l_whence=");
  put_one_of(view.text, Group::Whence, static_cast<std::uint16_t>(lock->l_whence));
  view.text.put(", l_start=").decimal(lock->l_start).put(", l_len=").decimal(lock->l_len);
  if (view.arguments[1] == kF_GETLK) view.text.put(", l_pid=").decimal(lock->l_pid);
  view.text.put('}');
}

void put_fcntl_argument(const CallView& view, std::uint64_t value) {
  const auto word = static_cast<std::uint32_t>(value);
  switch (static_cast<std::uint32_t>(view.arguments[1])) {
    case kF_GETFD:
    case kF_GETFL:
    case kF_GETOWN:
    case kF_GETSIG:
    case kF_GETPIPE_SZ:
    case kF_GET_SEALS:
      return;
    case kF_SETFD:
      return put_flags(view.text, Group::FdFlag, word);
    case kF_SETFL:
      put_one_of(view.text, Group::OpenMode, word & kO_ACCMODE);
      return put_more_flags(view.text, Group::Open, word & ~kO_ACCMODE);
    case kF_GETLK:
    case kF_SETLK:
    case kF_SETLKW:
    case kF_OFD_GETLK:
    case kF_OFD_SETLK:
    case kF_OFD_SETLKW:
      return put_lock(view, value);
    case kF_DUPFD:
    case kF_DUPFD_CLOEXEC:
    case kF_SETOWN:
    case kF_SETPIPE_SZ:
      view.text.decimal(static_cast<std::int32_t>(value));
      return;
    case kF_SETSIG:
      return put_signal(view.text, static_cast<std::int32_t>(value));
    default:
      view.text.hex(value);
  }
}

void put_ioctl_command(Text& text, std::uint32_t command) {
  const std::string_view name = name_of(Group::Ioctl, command);
  if (!name.empty()) {
    text.put(name);
    return;
  }
  constexpr std::string_view kDirections[] = {"_IOC_NONE", "_IOC_WRITE", "_IOC_READ",
                                              "_IOC_READ|_IOC_WRITE"};
  text.put("_IOC(").put(kDirections[command >> 30]).put(", ").hex((command >> 8) & 0xff);
  text.put(", ").hex(command & 0xff).put(", ").hex((command >> 16) & 0x3fff).put(')');
}

void put_termios(Text& text, const Termios& termios) {
  constexpr std::uint32_t kSpeedMask = 0x100f;
  constexpr std::string_view kSizes[] = {"CS5", "CS6", "CS7", "CS8"};
  text.put("{c_iflag=");
  put_flags(text, Group::TermiosInput, termios.c_iflag);
  text.put(", c_oflag=NL").unsigned_decimal((termios.c_oflag >> 8) & 1);
  text.put("|CR").unsigned_decimal((termios.c_oflag >> 9) & 3);
  const std::uint32_t tabs = (termios.c_oflag >> 11) & 3;
  if (tabs == 3) {
    text.put("|XTABS");
  } else {
    text.put("|TAB").unsigned_decimal(tabs);
  }
  text.put("|BS").unsigned_decimal((termios.c_oflag >> 13) & 1);
  text.put("|VT").unsigned_decimal((termios.c_oflag >> 14) & 1);
  text.put("|FF").unsigned_decimal((termios.c_oflag >> 15) & 1);
  put_more_flags(text, Group::TermiosOutput, termios.c_oflag & ~0xff00u);
  text.put(", c_cflag=");
  put_one_of(text, Group::TermiosSpeed, termios.c_cflag & kSpeedMask);
  text.put('|').put(kSizes[(termios.c_cflag >> 4) & 3]);
  put_more_flags(text, Group::TermiosLine, termios.c_cflag & ~(kSpeedMask | 0x30u));
  text.put(", c_lflag=");
  if (termios.c_lflag != 0) put_flags(text, Group::TermiosLocal, termios.c_lflag);
  text.put(", ...}");
}

void put_termios_at(const CallView& view, std::uint64_t address) {
  const auto termios = view.load<Termios>(address);
  if (termios.has_value()) {
    put_termios(view.text, *termios);
  } else {
    view.text.pointer(address);
  }
}

void put_window_size_at(const CallView& view, std::uint64_t address) {
  const auto size = view.load<WindowSize>(address);
  if (!size.has_value()) {
    view.text.pointer(address);
    return;
  }
  view.text.put("{ws_row=").unsigned_decimal(size->rows);
  view.text.put(", ws_col=").unsigned_decimal(size->columns);
  view.text.put(", ws_xpixel=").unsigned_decimal(size->x_pixels);
  view.text.put(", ws_ypixel=").unsigned_decimal(size->y_pixels).put('}');
}

void put_integer_at(const CallView& view, std::uint64_t address) {
  const auto value = view.load<std::int32_t>(address);
  if (value.has_value()) {
    view.text.put('[').decimal(*value).put(']');
  } else {
    view.text.pointer(address);
  }
}

void put_ioctl_argument(const CallView& view, std::uint64_t value) {
  const auto word = static_cast<std::uint32_t>(value);
  switch (static_cast<std::uint32_t>(view.arguments[1])) {
    case kTCSETS:
    case kTCSETSW:
    case kTCSETSF:
      return put_termios_at(view, value);
    case kTIOCSWINSZ:
      return put_window_size_at(view, value);
    case kTIOCSPGRP:
    case kFIONBIO:
    case kFIOASYNC:
      return put_integer_at(view, value);
    case kTCSBRK:
    case kTCSBRKP:
    case kTIOCSCTTY:
      view.text.decimal(static_cast<std::int32_t>(value));
      return;
    case kTCFLSH:
      return put_one_of(view.text, Group::FlushQueue, word);
    case kTCXONC:
      return put_one_of(view.text, Group::Flow, word);
    case kTIOCNOTTY:
    case kTIOCEXCL:
    case kTIOCNXCL:
    case kFIOCLEX:
    case kFIONCLEX:
      return;
    case kTCGETS:
      if (view.succeeded()) return put_termios_at(view, value);
      break;
    case kTIOCGWINSZ:
      if (view.succeeded()) return put_window_size_at(view, value);
      break;
    case kTIOCGPGRP:
    case kTIOCGSID:
    case kFIONREAD:
    case kTIOCOUTQ:
      if (view.succeeded()) return put_integer_at(view, value);
      break;
    default:
      view.text.hex(value);
      return;
  }
  view.text.pointer(value);
}

void put_prctl(const CallView& view) {
  const auto option = static_cast<std::uint32_t>(view.arguments[0]);
  const std::uint64_t value = view.arguments[1];
  Text& text = view.text;
  put_one_of(text, Group::PrctlOption, option);
  switch (option) {
    case kPR_GET_DUMPABLE:
      return;
    case kPR_SET_DUMPABLE:
    case kPR_SET_CHILD_SUBREAPER:
      text.put(", ").unsigned_decimal(value);
      return;
    case kPR_SET_NAME:
    case kPR_GET_NAME:
      text.put(", ");
      if (option == kPR_GET_NAME && !view.succeeded()) {
        text.pointer(value);
      } else {
        put_string(view, value, 15);
      }
      return;
    case kPR_SET_PDEATHSIG:
      text.put(", ");
      return put_signal(text, static_cast<std::int32_t>(value));
    default:
      for (std::size_t i = 1; i < 5; i++) text.put(", ").hex(view.arguments[i]);
  }
}

void put_arch_address(const CallView& view, std::uint64_t value) {
  const auto option = static_cast<std::uint32_t>(view.arguments[0]);
  const auto base = view.load<std::uint64_t>(value);
  const bool gets = option == kARCH_GET_FS || option == kARCH_GET_GS;
  if (gets && view.succeeded() && base.has_value()) {
    view.text.put('[').hex(*base).put(']');
  } else {
    view.text.hex(value);
  }
}

/// clone's arguments in strace's order, those that the flags give a meaning.
void put_clone(const CallView& view) {
  const auto flags = static_cast<std::uint32_t>(view.arguments[0]);
  const std::uint32_t signal = flags & static_cast<std::uint32_t>(kCSIGNAL);
  Text& text = view.text;
  text.put("child_stack=").pointer(view.arguments[1]).put(", flags=");
  if ((flags & ~signal) != 0) put_flags(text, Group::Clone, flags & ~signal);
  if (signal != 0) {
    if ((flags & ~signal) != 0) text.put('|');
    put_signal(text, static_cast<int>(signal));
  } else if (flags == 0) {
    text.put('0');
  }
  if ((flags & (kCLONE_PARENT_SETTID | kCLONE_PIDFD)) != 0) {
    text.put(", parent_tid=");
    if (view.succeeded()) {
      put_integer_at(view, view.arguments[2]);
    } else {
      text.pointer(view.arguments[2]);
    }
  }
  if ((flags & kCLONE_SETTLS) != 0) text.put(", tls=").hex(view.arguments[4]);
  if ((flags & (kCLONE_CHILD_SETTID | kCLONE_CHILD_CLEARTID)) != 0) {
    text.put(", child_tidptr=").pointer(view.arguments[3]);
  }
}

void put_futex_operation(Text& text, std::uint32_t word) {
  const std::uint32_t operation = word & ~(kFUTEX_PRIVATE_FLAG | kFUTEX_CLOCK_REALTIME);
  put_one_of(text, Group::Futex, operation);
  if ((word & kFUTEX_PRIVATE_FLAG) != 0) text.put("_PRIVATE");
  if ((word & kFUTEX_CLOCK_REALTIME) != 0) text.put("|FUTEX_CLOCK_REALTIME");
}

void put_futex_timeout(const CallView& view) {
  const auto timeout = view.load<Timespec>(view.arguments[3]);
  view.text.put(", ");
  if (timeout.has_value()) {
    put_timespec(view.text, *timeout);
  } else {
    view.text.pointer(view.arguments[3]);
  }
}

void put_futex_bits(Text& text, std::uint64_t bits) {
  if (static_cast<std::uint32_t>(bits) == ~std::uint32_t{0}) {
    text.put(", FUTEX_BITSET_MATCH_ANY");
  } else {
    text.put(", ").hex(static_cast<std::uint32_t>(bits));
  }
}

void put_futex(const CallView& view) {
  Text& text = view.text;
  const auto& words = view.arguments;
  const auto operation = static_cast<std::uint32_t>(words[1]) & 0x7f;
  text.pointer(words[0]).put(", ");
  put_futex_operation(text, static_cast<std::uint32_t>(words[1]));
  if (operation == kFUTEX_UNLOCK_PI || operation == kFUTEX_TRYLOCK_PI) return;
  if (operation == kFUTEX_LOCK_PI) return put_futex_timeout(view);
  text.put(", ").unsigned_decimal(static_cast<std::uint32_t>(words[2]));
  switch (operation) {
    case kFUTEX_WAKE:
      return;
    case kFUTEX_WAIT:
      return put_futex_timeout(view);
    case kFUTEX_WAIT_BITSET:
      put_futex_timeout(view);
      return put_futex_bits(text, words[5]);
    case kFUTEX_WAKE_BITSET:
      return put_futex_bits(text, words[5]);
    default:
      text.put(", ").unsigned_decimal(static_cast<std::uint32_t>(words[3]));
      text.put(", ").pointer(words[4]);
      if (operation == kFUTEX_REQUEUE) return;
      text.put(", ").unsigned_decimal(static_cast<std::uint32_t>(words[5]));
  }
}

}  // namespace

bool put_command(const CallView& view, ArgKind kind, std::size_t index) {
  const std::uint64_t value = view.arguments[index];
  switch (kind) {
    case ArgKind::FcntlCommand:
      put_one_of(view.text, Group::Fcntl, static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::FcntlArgument:
      put_fcntl_argument(view, value);
      return true;
    case ArgKind::IoctlCommand:
      put_ioctl_command(view.text, static_cast<std::uint32_t>(value));
      return true;
    case ArgKind::IoctlArgument:
      put_ioctl_argument(view, value);
      return true;
    case ArgKind::ArchAddress:
      put_arch_address(view, value);
      return true;
    case ArgKind::PrctlArguments:
      put_prctl(view);
      return true;
    case ArgKind::CloneArguments:
      put_clone(view);
      return true;
    case ArgKind::FutexArguments:
      put_futex(view);
      return true;
    default:
      return false;
  }
}

}  // namespace xok::exos::trace
