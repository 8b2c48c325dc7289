// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A line is "name(", the arguments, ")", blanks up to column 40, "= ", the result. Arguments are
// written when the call begins, up to the first that the call itself fills in; the rest when it
// ends.
#include "exos/linux/trace.hpp"

#include <algorithm>
#include <iterator>

#include "exos/linux/trace_args.hpp"
#include "exos/linux/trace_names.hpp"

namespace xok::exos::trace {

using namespace linux_abi;

namespace {

constexpr std::size_t kResultColumn = 40;

struct CallDescription {
  std::uint32_t number;
  std::string_view name;
  std::array<ArgKind, 6> kinds;
  std::size_t count;
};

template <class... Kinds>
constexpr CallDescription describe(std::uint32_t number, std::string_view name, Kinds... kinds) {
  return {number, name, {kinds...}, sizeof...(kinds)};
}

constexpr auto kCalls = [] {
  using enum ArgKind;
  return std::to_array<CallDescription>({
#define XOK_LINUX_CALL(number, name, ...) describe(number, #name, __VA_ARGS__),
#include "exos/linux/syscalls.def"
#undef XOK_LINUX_CALL
  });
}();
static_assert(std::ranges::is_sorted(kCalls, {}, &CallDescription::number));

const CallDescription* find_call(std::uint32_t number) {
  const auto* found = std::ranges::lower_bound(kCalls, number, {}, &CallDescription::number);
  return found != kCalls.end() && found->number == number ? found : nullptr;
}

ArgKind kind_of(const CallDescription* call, std::size_t index) {
  return call != nullptr ? call->kinds[index] : ArgKind::Unknown;
}

std::size_t count_of(const CallDescription* call) { return call != nullptr ? call->count : 1; }

/// Calls whose result is an address or a mask.
bool returns_hex(Call call, const std::array<std::uint64_t, 6>& arguments) {
  switch (call) {
    case Call::mmap:
    case Call::brk:
    case Call::mremap:
    case Call::shmat:
      return true;
    case Call::fcntl:
      return arguments[1] == kF_GETFL || arguments[1] == kF_GETFD;
    default:
      return false;
  }
}

void put_result(const CallView& view) {
  Text& text = view.text;
  if (!view.returned) {
    text.put('?');
  } else if (is_error(view.result)) {
    text.put("-1 ");
    put_errno(text, static_cast<int>(-view.result));
  } else if (view.call == Call::umask) {
    text.octal_mode(static_cast<std::uint64_t>(view.result));
  } else if (returns_hex(view.call, view.arguments)) {
    text.hex(static_cast<std::uint64_t>(view.result));
  } else {
    text.decimal(view.result);
  }
  put_result_note(view);
}

std::string_view with_newline(std::span<char> buffer, const Text& text) {
  const std::size_t end = std::min(text.size(), buffer.size() - 1);
  buffer[end] = '\n';
  return {buffer.data(), end + 1};
}

void put_code(Text& text, const Siginfo& info) {
  const auto code = static_cast<std::uint32_t>(info.si_code);
  const auto group = [&] {
    switch (info.si_signo) {
      case kSIGCHLD:
        return Group::ChildCode;
      case kSIGSEGV:
        return Group::SegvCode;
      case kSIGBUS:
        return Group::BusCode;
      case kSIGFPE:
        return Group::FpeCode;
      case kSIGILL:
        return Group::IllCode;
      case kSIGTRAP:
        return Group::TrapCode;
      default:
        return Group::SigCode;
    }
  }();
  const bool general = info.si_code <= 0 || code == kSI_KERNEL;
  put_one_of(text, general ? Group::SigCode : group, code);
}

void put_child(Text& text, const Siginfo& info) {
  text.put(", si_pid=").decimal(info.child.si_pid).put(", si_uid=");
  text.unsigned_decimal(info.child.si_uid).put(", si_status=");
  if (info.si_code == static_cast<std::int32_t>(kCLD_EXITED)) {
    text.decimal(info.child.si_status);
  } else {
    put_signal(text, info.child.si_status);
  }
  text.put(", si_utime=").decimal(info.child.si_utime);
  text.put(", si_stime=").decimal(info.child.si_stime);
}

}  // namespace

void CallTrace::begin(std::uint32_t number, const std::array<std::uint64_t, 6>& arguments) {
  number_ = number;
  arguments_ = arguments;
  next_ = 0;
  entry_length_ = 0;
  text_ = Text{buffer_};
  const CallDescription* call = find_call(number);
  if (call != nullptr) {
    text_.put(call->name);
  } else {
    text_.put("syscall_").hex(number);
  }
  text_.put('(');
  const CallView view{text_, reader_, Call{number}, arguments_, 0, false, 0};
  for (std::size_t i = 0; i < count_of(call); i++) {
    if (kind_of(call, i) != ArgKind::LengthInOut) continue;
    entry_length_ = view.load<std::uint32_t>(arguments[i]).value_or(0);
  }
  for (; next_ < count_of(call) && !is_output(kind_of(call, next_)); next_++) {
    const std::size_t before = text_.size();
    if (next_ != 0) text_.put(", ");
    if (!put_argument(view, kind_of(call, next_), next_)) text_.cut(before);
  }
}

std::string_view CallTrace::finish(std::int64_t result) { return finish_line(true, result); }

std::string_view CallTrace::finish_without_result() { return finish_line(false, 0); }

std::string_view CallTrace::finish_line(bool returned, std::int64_t result) {
  const CallDescription* call = find_call(number_);
  const CallView view{text_, reader_, Call{number_}, arguments_, result, returned, entry_length_};
  for (; next_ < count_of(call); next_++) {
    const std::size_t before = text_.size();
    if (next_ != 0) text_.put(", ");
    if (!put_argument(view, kind_of(call, next_), next_)) text_.cut(before);
  }
  text_.put(')').pad_to(kResultColumn).put("= ");
  put_result(view);
  return with_newline(buffer_, text_);
}

std::string_view signal_line(std::span<char> line, const Siginfo& info) {
  Text text{line};
  text.put("--- ");
  put_signal(text, info.si_signo);
  text.put(" {si_signo=");
  put_signal(text, info.si_signo);
  text.put(", si_code=");
  put_code(text, info);
  const auto code = static_cast<std::uint32_t>(info.si_code);
  const bool from_process = info.si_code <= 0;
  if (from_process) {
    text.put(", si_pid=").decimal(info.process.si_pid);
    text.put(", si_uid=").unsigned_decimal(info.process.si_uid);
  } else if (info.si_signo == static_cast<std::int32_t>(kSIGCHLD)) {
    put_child(text, info);
  } else if (name_of(Group::SegvCode, code) != "" || code == kSI_KERNEL) {
    text.put(", si_addr=").pointer(info.fault.si_addr);
  }
  text.put("} ---");
  return with_newline(line, text);
}

std::string_view end_line(std::span<char> line, std::uint32_t wait_status) {
  Text text{line};
  if ((wait_status & 0x7f) == 0) {
    text.put("+++ exited with ").unsigned_decimal((wait_status >> 8) & 0xff).put(" +++");
  } else {
    text.put("+++ killed by ");
    put_signal(text, static_cast<int>(wait_status & 0x7f));
    if ((wait_status & kCoreDumpedStatus) != 0) text.put(" (core dumped)");
    text.put(" +++");
  }
  return with_newline(line, text);
}

}  // namespace xok::exos::trace
