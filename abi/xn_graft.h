// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// For authors of a file system's types, in C or C++, beside abi/graft.h. The functions of a type:
//
//   XOK_GRAFT(owns)    xok_u64 owns(const T *block, xok_u64 bytes, struct xok_owned *output,
//                                   xok_u64 partition);
//   XOK_GRAFT(refcnt)  xok_u64 refcnt(const T *block);          zeros have one pointer
//   XOK_GRAFT(acl)     xok_u64 acl(const T *block, const struct xok_acl_request *request,
//                                  const void *data, const xok_u64 *credentials, xok_u64 count);
//   XOK_GRAFT(size)    xok_u64 size(const T *block);            1 to 4096
//   XOK_GRAFT(select)  xok_u64 select(const T *block);          of a union: a member's index, or -1
//
// libs/xn/types.hpp says what they may read, abi/xn.hpp what the numbers mean.
#ifndef XOK_ABI_XN_GRAFT_H
#define XOK_ABI_XN_GRAFT_H

#include "abi/graft.h"

enum xok_operation {
  kXokRead = 1,
  kXokWrite,
  kXokAllocate,
  kXokFree,
  kXokAddEdge,
  kXokReference,
  kXokSetType,
  kXokReadData,
  kXokWriteData,
  kXokLock,
  kXokMoveOut,
  kXokMoveIn,
};

struct xok_range {
  xok_u16 offset;
  xok_u16 length;
};

/// What is asked of `acl`. The new bytes of the ranges follow one another at `data`.
struct xok_acl_request {
  xok_u32 operation;
  xok_u32 range_count;
  xok_u64 block;  ///< the structure's own
  struct xok_owned extent;
  xok_u64 time_ns;
  xok_u64 caller;
  struct xok_range ranges[16];
};

/// Whether one of the credentials is `capability`, or a shorter name above it, with all of the
/// permissions `want` (1 write, 2 allocate, 4 modify).
XOK_GRAFT_INLINE int xok_holds(const xok_u64* credentials, xok_u64 count, xok_u64 capability,
                               xok_u64 want) {
  for (xok_u64 i = 0; i < count; i++) {
    const xok_u64 held = credentials[i];
    const xok_u64 bits = 8 * (held >> 5 & 7);
    if ((held & 0x18) != 8 || (held & want) != want) continue;  // valid, no pointer
    if ((held >> 5 & 7) > (capability >> 5 & 7)) continue;
    if (((held ^ capability) >> 8 & ~(~0ull << bits)) == 0) return 1;
  }
  return 0;
}

#endif
