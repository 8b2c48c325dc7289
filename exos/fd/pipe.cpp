// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fd/pipe.hpp"

#include <cstring>

namespace xok::exos {

std::span<const std::byte> Pipe::data() const {
  const std::size_t at = tail % kCapacity;
  const std::size_t within = at % kPageSize;
  std::size_t n = kPageSize - within;
  if (n > used()) n = used();
  return {pages[at / kPageSize] + within, n};
}

std::size_t Pipe::peek(std::size_t skip, std::span<std::byte> to) const {
  std::size_t done = 0;
  while (done < to.size() && skip + done < used()) {
    const std::size_t at = (tail + skip + done) % kCapacity;
    const std::size_t within = at % kPageSize;
    std::size_t n = kPageSize - within;
    if (n > used() - skip - done) n = used() - skip - done;
    if (n > to.size() - done) n = to.size() - done;
    std::memcpy(to.data() + done, pages[at / kPageSize] + within, n);
    done += n;
  }
  return done;
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
