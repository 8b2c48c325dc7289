// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>

namespace xok::exos {

/// Where the file systems get memory. Passed with every call and never stored: file-system state is
/// shared by all processes, the source belongs to the calling one.
///
/// In the guest a page lies in the shared region, at the same address in every process. Processes
/// may still have a page mapped (mmap of a file) when it is given back: the implementation leaves
/// the physical page alive until the kernel's reference count says that nobody maps it.
class PageSource {
 public:
  PageSource() = default;
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;

  /// Takes `count` (>= 1) zeroed pages that follow one another in virtual memory.
  /// Returns  the page-aligned address of the first; nullptr when there are none
  virtual void* allocate_pages(std::size_t count) = 0;

  /// Gives back exactly what one `allocate_pages(count)` returned.
  virtual void free_pages(void* first, std::size_t count) = 0;

 protected:
  ~PageSource() = default;
};

}  // namespace xok::exos
