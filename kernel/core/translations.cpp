// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/translations.hpp"

namespace xok::kernel {

void Translations::add_processor(std::uint32_t number, std::uint64_t table) {
  processors_ = number + 1;
  loaded_[number] = idle_table_ = table;
}

void Translations::forget_elsewhere(std::uint64_t va, std::uint64_t top, bool shared) {
  ProcessorSet who = 0;
  for (std::uint32_t n = 0; n < processors_; n++) {
    const bool has = loaded_[n] == top || shown_[n] == top;
    const bool may_have = shared ? loaded_[n] != idle_table_ : has;
    if (n != here_ && may_have) who |= ProcessorSet{1} << n;
  }
  if (who == 0) return;
  waiting_ |= who;
  if (count_ < addresses_.size()) addresses_[count_] = va;
  if (count_ <= addresses_.size()) count_++;
}

void Translations::interrupt_others() {
  const bool all = count_ > addresses_.size();
  machine_.flush_others(waiting_, std::span{addresses_}.first(all ? 0 : count_));
  waiting_ = 0;
  count_ = 0;
}

}  // namespace xok::kernel
