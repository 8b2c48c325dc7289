// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fd/pipe.hpp"

namespace xok::exos {

std::span<const std::byte> Pipe::data() const {
  const std::size_t at = tail % kCapacity;
  const std::size_t within = at % kPageSize;
  std::size_t n = kPageSize - within;
  if (n > used()) n = used();
  return {pages[at / kPageSize] + within, n};
}

void Pipe::take(std::size_t n) {
  tail += n;
  if (tail == head) head = tail = 0;  // an empty pipe starts again in its first page
  write_event++;
}

void Pipe::put(std::size_t n) {
  head += n;
  read_event++;
}

}  // namespace xok::exos
