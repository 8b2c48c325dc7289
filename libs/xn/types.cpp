// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/xn/types.hpp"

#include <algorithm>

namespace xok::xn {
namespace {

using graft::Memory;

constinit const std::array<std::byte, kBlockSize> kZeros{};

Errc error_of(graft::Stop stop) {
  return stop == graft::Stop::BadRead ? Errc::WrongReads : Errc::GraftFailed;
}

}  // namespace

graft::Outcome Runner::run(const Type& type, XnFunction which, const graft::Arguments& arguments,
                           std::uint64_t steps) {
  if (const auto& code = type.compiled[static_cast<std::size_t>(which)])
    return code->run(memory_, arguments, steps);
  return graft::run(*type.function(which), memory_, arguments, steps);
}

Result<std::uint64_t> Runner::call(const Type& type, XnFunction which, const Window& window,
                                   const std::byte* bytes, std::uint64_t partition) {
  // The structure's address is such that its window's bytes have theirs; the rest does not exist.
  const std::size_t length = static_cast<std::size_t>(window.end - window.first);
  XOK_TRY(memory_.set_input(0, {bytes + window.first, length}));
  const auto out =
      run(type, which,
          {Memory::input_address(0) - window.first, kBlockSize, Memory::kOutputAddress, partition},
          kFunctionSteps);
  if (!out) return fail(error_of(out.error()));
  return *out;
}

Result<> Runner::owns(const Type& type, std::size_t p, const std::byte* bytes, Owned& out) {
  out.count = 0;
  const Window& window = type.owns_window[p];
  if (window.empty()) return {};
  if (type.has(XnFunction::Size) && XOK_TRY(size(type, bytes)) < window.end) return {};
  // What an earlier run wrote must not be taken for this one's.
  const std::span<XnExtent> room = std::span{output_}.first(type.max_owned);
  std::ranges::fill(room, XnExtent{});
  XOK_TRY(memory_.set_output(std::as_writable_bytes(room)));
  const std::uint64_t count = XOK_TRY(call(type, XnFunction::Owns, window, bytes, p));
  if (count > room.size()) return fail(Errc::GraftFailed);
  for (std::size_t i = 0; i < count; ++i)
    if (room[i].count != 0) out.extents[out.count++] = room[i];
  return {};
}

Result<std::uint64_t> Runner::reference_count(const Type& type, const std::byte* bytes) {
  return call(type, XnFunction::RefCount, type.count_window, bytes, 0);
}

Result<std::size_t> Runner::size(const Type& type, const std::byte* bytes) {
  if (!type.has(XnFunction::Size)) return kBlockSize;
  const std::uint64_t size = XOK_TRY(call(type, XnFunction::Size, type.size_window, bytes, 0));
  if (size == 0 || size > kBlockSize) return fail(Errc::GraftFailed);
  return static_cast<std::size_t>(size);
}

Result<XnTypeId> Runner::select(const Type& type, const std::byte* bytes) {
  const std::uint64_t index = XOK_TRY(call(type, XnFunction::Select, type.select_window, bytes, 0));
  if (index == ~std::uint64_t{0}) return XnTypeId{0};
  if (index >= type.members) return fail(Errc::GraftFailed);
  return type.member[index];
}

Result<> Runner::allowed(const Type& type, const std::byte* bytes, const XnAclRequest& request,
                         std::span<const std::byte> data, std::span<const Capability> credentials) {
  if (!type.has(XnFunction::Acl)) return fail(Errc::Denied);
  XOK_TRY(memory_.set_input(0, {bytes, kBlockSize}));
  XOK_TRY(memory_.set_input(1, std::as_bytes(std::span{&request, 1})));
  XOK_TRY(memory_.set_input(2, data));
  XOK_TRY(memory_.set_input(3, std::as_bytes(credentials)));
  XOK_TRY(memory_.set_output({}));
  const auto out = run(type, XnFunction::Acl,
                       {Memory::input_address(0), Memory::input_address(1),
                        Memory::input_address(2), Memory::input_address(3), credentials.size()},
                       kAclSteps);
  for (std::size_t i = 1; i < 4; ++i) XOK_TRY(memory_.set_input(i, {}));
  if (!out) return fail(error_of(out.error()));
  if (*out == 0) return fail(Errc::Denied);
  return {};
}

Result<Window> Runner::trace_one(const graft::Program& program, std::uint64_t partition) {
  std::ranges::fill(read_map_, std::byte{0});
  XOK_TRY(memory_.set_input(0, kZeros, read_map_));
  std::uint64_t steps = kFunctionSteps;
  const auto out = graft::run(
      program, memory_, {Memory::input_address(0), kBlockSize, Memory::kOutputAddress, partition},
      steps, graft::Reads::Recorded);
  if (!out) return fail(error_of(out.error()));
  const auto read = [](std::byte b) { return b != std::byte{0}; };
  const auto first = std::ranges::find_if(read_map_, read);
  if (first == read_map_.end()) return Window{};
  const auto last = std::find_if(read_map_.rbegin(), read_map_.rend(), read);
  const auto begin = static_cast<std::size_t>(first - read_map_.begin());
  const auto end = static_cast<std::size_t>(read_map_.rend() - last);
  if (begin / kSectorSize != (end - 1) / kSectorSize) return fail(Errc::WrongReads);
  return Window{static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end)};
}

Result<> Runner::trace(Type& type) {
  XOK_TRY(memory_.set_output({}));
  if (const auto* f = type.function(XnFunction::Size)) {
    type.size_window = XOK_TRY(trace_one(*f, 0));
    (void)XOK_TRY(size(type, kZeros.data()));
  }
  if (const auto* f = type.function(XnFunction::RefCount)) {
    type.count_window = XOK_TRY(trace_one(*f, 0));
    // A new structure has the one pointer that it was allocated for.
    if (XOK_TRY(reference_count(type, kZeros.data())) != 1) return fail(Errc::WrongOwns);
  }
  if (const auto* f = type.function(XnFunction::Select)) {
    type.select_window = XOK_TRY(trace_one(*f, 0));
    if (XOK_TRY(select(type, kZeros.data())) != 0) return fail(Errc::GraftFailed);
  }
  XOK_TRY(find_windows(type));
  for (std::size_t p = 0; p < type.partitions; ++p) {
    Owned zero;
    // Without reading it can own only what it owns always: nothing, then.
    if (type.owns_window[p].empty()) {
      zero.count = XOK_TRY(call(type, XnFunction::Owns, {}, kZeros.data(), p));
    } else {
      XOK_TRY(owns(type, p, kZeros.data(), zero));
    }
    if (zero.count != 0) return fail(Errc::WrongOwns);
  }
  return {};
}

Result<> Runner::find_windows(Type& type) {
  const XnWindows& declared = type.windows;
  for (std::size_t p = 0; p < type.partitions; ++p) {
    Window& window = type.owns_window[p];
    if (declared.length != 0) {
      const std::size_t first = declared.first + p * declared.stride;
      const std::size_t end = first + declared.length;
      if (end > kBlockSize) return fail(Errc::BadArgument);
      if (first / kSectorSize != (end - 1) / kSectorSize) return fail(Errc::WrongReads);
      window = {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(end)};
    } else {
      XOK_TRY(memory_.set_output(std::as_writable_bytes(std::span{output_}.first(type.max_owned))));
      window = XOK_TRY(trace_one(*type.function(XnFunction::Owns), p));
    }
    for (std::size_t q = 0; q < p; ++q) {
      const Window& other = type.owns_window[q];
      if (!window.empty() && !other.empty() &&
          window.meets(other.first, static_cast<std::size_t>(other.end - other.first)))
        return fail(Errc::WrongReads);
    }
  }
  return {};
}

Result<graft::Program> load_program(std::span<const std::byte> code,
                                    std::span<graft::Program::Slot>& slots) {
  const std::size_t needed = code.size() / sizeof(graft::Instruction);
  if (needed > slots.size()) return fail(Errc::NoSpace);
  auto program = graft::Program::from(code, {}, slots.first(needed));
  if (program) slots = slots.subspan(needed);
  return program;
}

Result<> check_shape(const Type& type) {
  const bool owns = type.has(XnFunction::Owns);
  const bool acl = type.has(XnFunction::Acl);
  const bool select = type.has(XnFunction::Select);
  const bool others =
      type.has(XnFunction::RefCount) || type.has(XnFunction::Size) || type.has(XnFunction::Reboot);
  const bool plain = type.partitions == 0 && type.max_owned == 0 && type.windows == XnWindows{};
  bool good = false;
  switch (type.kind) {
    case XnTypeKind::Data:
      good = !owns && !acl && !select && !others && plain && type.members == 0;
      break;
    case XnTypeKind::Metadata:
      // A leaf (no partitions) needs no `owns`.
      good = acl && !select && type.members == 0 &&
             (owns ? type.partitions > 0 && type.partitions <= kXnMaxPartitions &&
                         type.max_owned > 0 && type.max_owned <= kXnMaxOwned
                   : plain);
      break;
    case XnTypeKind::Union:
      good = select && !owns && acl && !others && plain && type.members > 0 &&
             type.members <= kXnMaxMembers;
      break;
    case XnTypeKind::None:
      break;
  }
  if (!good) return fail(Errc::BadArgument);
  return {};
}

}  // namespace xok::xn
