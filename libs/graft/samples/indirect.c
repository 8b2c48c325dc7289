// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// An indirect block: 512 numbers of data blocks, 0 where there is none.
#include "abi/graft.h"

enum { kPointers = 512, kData = 7 };

struct indirect {
  xok_u64 pointer[kPointers];
};

/// All blocks that it owns.
XOK_GRAFT(owns)
xok_u64 owns(const struct indirect *block, xok_u64 bytes, struct xok_owned *output) {
  struct xok_owned_set set = xok_owned_begin(output);
  (void)bytes;
  for (int i = 0; i < kPointers; i++) xok_own(&set, block->pointer[i], 1, kData);
  return set.count;
}

/// The same by partitions: number `partition` is one pointer.
XOK_GRAFT(owns_partition)
xok_u64 owns_partition(const struct indirect *block, xok_u64 bytes, struct xok_owned *output,
                       xok_u64 partition) {
  struct xok_owned_set set = xok_owned_begin(output);
  (void)bytes;
  if (partition < kPointers) xok_own(&set, block->pointer[partition], 1, kData);
  return set.count;
}
