// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>

#include "abi/exposed.hpp"
#include "base/result.hpp"

/// Accounts: the limits on pages. They form a tree (`Account::parent`), so that an environment can
/// limit what it makes and can never make more than its own limit allows.
///
/// Invariants, for each account a but 0:
///   used      = pages whose PageInfo::account is a or below it
///   members   = environments alive with Env::account == a;   children = accounts right below
///   in use    exactly while one of these is not 0
/// Account 0 has no limit and is not counted: what nobody limits costs nothing.
/// Source  own; the original has no quota (MEM-3)
namespace xok::kernel {

using AccountIndex = std::uint8_t;

class Accounts {
 public:
  Accounts() = default;
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  void initialize(SystemInfo* system) {
    table_ = system->accounts.data();
    for (std::size_t i = 0; i < kMaxAccounts; i++) table_[i] = Account{};
    table_[0].limit = kUnlimited;
  }

  /// Whether `n` more pages fit the account and all above it. Cost O(kMaxAccountDepth).
  [[nodiscard]] bool fits(AccountIndex account, std::uint64_t n) const {
    for (AccountIndex a = account; a != 0; a = table_[a].parent) {
      const std::uint64_t used = table_[a].used;
      const std::uint64_t limit = table_[a].limit;
      if (n > (limit > used ? limit - used : 0)) return false;
    }
    return true;
  }
  /// Counts one page; `fits` has said yes.
  void charge(AccountIndex account) {
    for (AccountIndex a = account; a != 0; a = table_[a].parent) table_[a].used++;
  }
  /// A page of the account was freed.
  void refund(AccountIndex account) {
    for (AccountIndex a = account; a != 0;) {
      const AccountIndex above = table_[a].parent;
      table_[a].used--;
      end_if_unused(a);
      a = above;
    }
  }

  /// A new account below `parent`. It must get a member before anything else happens.
  /// Errors  NoSpace  kMaxAccounts are in use, or `parent` is kMaxAccountDepth deep
  Result<AccountIndex> make(AccountIndex parent, std::uint64_t limit);
  void join(AccountIndex account) { table_[account].members++; }
  void leave(AccountIndex account) {
    table_[account].members--;
    end_if_unused(account);
  }
  void set_limit(AccountIndex account, std::uint64_t limit) { table_[account].limit = limit; }
  /// Whether `above` is on the way from `below` (not included) to account 0.
  [[nodiscard]] bool is_above(AccountIndex above, AccountIndex below) const {
    while (below != 0) {
      below = table_[below].parent;
      if (below == above) return true;
    }
    return false;
  }

 private:
  [[nodiscard]] bool unused(AccountIndex a) const {
    return table_[a].used == 0 && table_[a].members == 0 && table_[a].children == 0;
  }
  void end_if_unused(AccountIndex account);

  Account* table_ = nullptr;
};

}  // namespace xok::kernel
