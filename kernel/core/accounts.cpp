// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/accounts.hpp"

namespace xok::kernel {

Result<AccountIndex> Accounts::make(AccountIndex parent, std::uint64_t limit) {
  if (table_[parent].depth >= kMaxAccountDepth) return fail(Errc::NoSpace);
  for (std::size_t i = 1; i < kMaxAccounts; i++) {
    const auto account = static_cast<AccountIndex>(i);
    if (!unused(account)) continue;
    table_[account] = Account{};
    table_[account].limit = limit;
    table_[account].parent = parent;
    table_[account].depth = static_cast<std::uint8_t>(table_[parent].depth + 1);
    table_[parent].children++;
    return account;
  }
  return fail(Errc::NoSpace);
}

/// The last member, page or child went: so may, in turn, the account above.
void Accounts::end_if_unused(AccountIndex account) {
  while (account != 0 && unused(account) && table_[account].depth != 0) {
    const AccountIndex above = table_[account].parent;
    table_[account] = Account{};
    table_[above].children--;
    account = above;
  }
}

}  // namespace xok::kernel
