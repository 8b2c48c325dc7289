// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A directory block with the inodes in it: 8 entries of one sector. An entry is a partition.
#include "abi/xn_graft.h"

namespace {

constexpr xok_u32 kData = 1;  // the type's id

struct Run {
  xok_u64 first;
  xok_u32 count;
  xok_u32 unused;
};

struct Entry {
  char name[248];  // empty: the entry is free
  xok_u64 owner;   // a capability; 0: nobody's
  Run runs[16];
};
static_assert(sizeof(Entry) == 512);

struct Directory {
  Entry entries[8];
};

}  // namespace

XOK_GRAFT(owns)
xok_u64 owns(const Directory* directory, xok_u64, xok_owned* output, xok_u64 partition) {
  xok_owned_set set = xok_owned_begin(output);
  const Entry& entry = directory->entries[partition];
  if (entry.name[0] == 0) return 0;
  for (const Run& run : entry.runs) xok_own(&set, run.first, run.count, kData);
  return set.count;
}

/// Changes of an entry are its owner's; looking is everybody's.
XOK_GRAFT(acl)
xok_u64 acl(const Directory* directory, const xok_acl_request* request, const void*,
            const xok_u64* credentials, xok_u64 count) {
  if (request->operation == kXokRead || request->operation == kXokReadData) return 1;
  for (xok_u32 i = 0; i < request->range_count; i++) {
    const xok_u64 last = request->ranges[i].offset + request->ranges[i].length - 1;
    const xok_u64 first = request->ranges[i].offset / sizeof(Entry);
    if (last / sizeof(Entry) != first) return 0;
    const xok_u64 owner = directory->entries[first].owner;
    if (owner != 0 && xok_holds(credentials, count, owner, 1) == 0) return 0;
  }
  return 1;
}
