// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// Linux system calls on user and group ids. Source: credentials(7).
#include "exos/linux/call.hpp"

namespace xok::exos::linux_abi {
namespace {

constexpr std::uint32_t kKeep = ~std::uint32_t{0};

Proc& self() { return *process().proc; }
bool privileged() { return self().euid == 0; }

/// The three ids of one kind.
struct Ids {
  std::uint32_t& real;
  std::uint32_t& effective;
  std::uint32_t& saved;

  [[nodiscard]] bool has(std::uint32_t id) const {
    return id == kKeep || id == real || id == effective || id == saved;
  }
};

Ids user_ids() { return {self().uid, self().euid, self().suid}; }
Ids group_ids() { return {self().gid, self().egid, self().sgid}; }

std::int64_t set_one(Ids ids, std::uint32_t id) {
  if (id == kKeep) return -kEINVAL;
  if (privileged()) {
    ids.real = ids.effective = ids.saved = id;
    return 0;
  }
  if (id != ids.real && id != ids.saved) return -kEPERM;
  ids.effective = id;
  return 0;
}

std::int64_t set_three(Ids ids, std::uint32_t real, std::uint32_t effective, std::uint32_t saved) {
  if (!privileged() && (!ids.has(real) || !ids.has(effective) || !ids.has(saved))) return -kEPERM;
  if (real != kKeep) ids.real = real;
  if (effective != kKeep) ids.effective = effective;
  if (saved != kKeep) ids.saved = saved;
  return 0;
}

std::int64_t set_two(Ids ids, std::uint32_t real, std::uint32_t effective) {
  const bool allowed =
      (real == kKeep || real == ids.real || real == ids.effective) && ids.has(effective);
  if (!privileged() && !allowed) return -kEPERM;
  const std::uint32_t old_real = ids.real;
  if (real != kKeep) ids.real = real;
  if (effective != kKeep) ids.effective = effective;
  if (real != kKeep || (effective != kKeep && effective != old_real)) ids.saved = ids.effective;
  return 0;
}

std::int64_t put_three(const Arguments& a, Ids ids) {
  return put(a[0], ids.real) && put(a[1], ids.effective) && put(a[2], ids.saved) ? 0 : -kEFAULT;
}

}  // namespace

std::int64_t call_getuid(const Arguments& /*a*/) { return self().uid; }
std::int64_t call_geteuid(const Arguments& /*a*/) { return self().euid; }
std::int64_t call_getgid(const Arguments& /*a*/) { return self().gid; }
std::int64_t call_getegid(const Arguments& /*a*/) { return self().egid; }
std::int64_t call_getresuid(const Arguments& a) { return put_three(a, user_ids()); }
std::int64_t call_getresgid(const Arguments& a) { return put_three(a, group_ids()); }
std::int64_t call_setuid(const Arguments& a) { return set_one(user_ids(), a.as_u32(0)); }
std::int64_t call_setgid(const Arguments& a) { return set_one(group_ids(), a.as_u32(0)); }
std::int64_t call_setreuid(const Arguments& a) {
  return set_two(user_ids(), a.as_u32(0), a.as_u32(1));
}
std::int64_t call_setregid(const Arguments& a) {
  return set_two(group_ids(), a.as_u32(0), a.as_u32(1));
}
std::int64_t call_setresuid(const Arguments& a) {
  return set_three(user_ids(), a.as_u32(0), a.as_u32(1), a.as_u32(2));
}
std::int64_t call_setresgid(const Arguments& a) {
  return set_three(group_ids(), a.as_u32(0), a.as_u32(1), a.as_u32(2));
}
// The file-system ids follow the effective ones; both calls return what was in force.
std::int64_t call_setfsuid(const Arguments& /*a*/) { return self().euid; }
std::int64_t call_setfsgid(const Arguments& /*a*/) { return self().egid; }

std::int64_t call_getgroups(const Arguments& a) {
  const Process& p = process();
  const std::size_t bytes = p.group_count * sizeof(std::uint32_t);
  if (a.as_int(0) < 0) return -kEINVAL;
  if (a[0] == 0) return p.group_count;
  if (a[0] < p.group_count) return -kEINVAL;
  return copy_out(a[1], p.groups.data(), bytes) ? p.group_count : -kEFAULT;
}

std::int64_t call_setgroups(const Arguments& a) {
  Process& p = process();
  if (!privileged()) return -kEPERM;
  if (a[0] > kMaxGroups) return -kEINVAL;
  std::array<std::uint32_t, kMaxGroups> groups{};
  if (!copy_in(groups.data(), a[1], a[0] * sizeof(std::uint32_t))) return -kEFAULT;
  p.groups = groups;
  p.group_count = a.as_u32(0);
  return 0;
}

}  // namespace xok::exos::linux_abi
