// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include "tests/guest/counts.hpp"

/// Environments that a guest test starts to run functions of its own image.
namespace xok::guest {

inline constexpr std::uint64_t kImage =
    0x40'0000;  // apps/bare.ld: text and data, one 2 MiB stretch
inline constexpr std::uint64_t kData = kPtePresent | kPteWritable | kPteUser | kPteNoExecute;
inline constexpr std::uint64_t kChildUenvs = 0x30'0000'0000;  // of child n: + n pages, in its space
inline constexpr std::uint64_t kChildStacks = 0x31'0000'0000;  // of child n: + n * 64 KiB
inline constexpr std::uint64_t kUenvViews = 0x32'0000'0000;    // the Uenv of child n in our space
inline constexpr std::uint64_t kStackPages = 4;

enum class Space { Own, Ours };

struct Child {
  EnvId id = 0;
  Uenv* uenv = nullptr;  ///< as we see it
  std::uint64_t stack_top = 0;
  std::uint64_t number = 0;
  Space space = Space::Own;
};

/// Child n, made with capability `slot`, that will run `run` once it has a slice or is given one.
/// It shares the image (globals included). Space::Own: beside that its address space is empty.
inline Child make_child(std::uint64_t n, Space space, void (*run)(), std::uint64_t slot = kRoot) {
  Child child;
  child.number = n;
  child.space = space;
  const std::uint64_t uenv = kChildUenvs + n * kPageSize;
  const std::uint64_t stack = kChildStacks + n * 0x10000;
  const std::int64_t made =
      sys::env_alloc(slot, space == Space::Ours ? kShareAddressSpace : 0, uenv);
  if (made <= 0) return child;
  child.id = static_cast<EnvId>(made);
  const std::uint64_t target = make_target(kRoot, child.id);
  if (space == Space::Own) sys::table_share(kImage, 1, kSelf, target);
  for (std::uint64_t i = 0; i < kStackPages; i++)
    sys::pte_insert(slot, kData, stack + i * kPageSize, target);
  child.stack_top = stack + kStackPages * kPageSize;
  child.uenv = reinterpret_cast<Uenv*>(kUenvViews + n * kPageSize);
  sys::pte_insert(kRoot, rt::env_record(child.id).uenv_page << kPageShift | kData,
                  kUenvViews + n * kPageSize, kSelf);
  child.uenv->library[rt::kSelfWord] = uenv;
  child.uenv->library[rt::kEnvIdWord] = child.id;
  Context context{};
  context.rip = reinterpret_cast<std::uint64_t>(run);
  context.rsp = child.stack_top - 8;
  context.gs_base = uenv;
  sys::env_set_context(target, reinterpret_cast<std::uint64_t>(&context));
  return child;
}

/// Ends a child and takes what it had in our space away.
inline void end_child(Child& child) {
  sys::env_free(make_target(kRoot, child.id));
  if (child.space == Space::Ours) {
    sys::pte_insert(kRoot, 0, kChildUenvs + child.number * kPageSize, kSelf);
    for (std::uint64_t i = 1; i <= kStackPages; i++)
      sys::pte_insert(kRoot, 0, child.stack_top - i * kPageSize, kSelf);
  }
  sys::pte_insert(kRoot, 0, reinterpret_cast<std::uint64_t>(child.uenv), kSelf);
  child = {};
}

}  // namespace xok::guest
