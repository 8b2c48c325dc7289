// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A directory block with the inodes in it: 16 entries of 256 bytes, each with eight runs of data
// blocks and the number of an indirect block.
#include "abi/graft.h"

namespace {

constexpr xok_u32 kData = 7;
constexpr xok_u32 kIndirect = 8;

struct Run {
  xok_u64 first;
  xok_u32 count;
  xok_u32 unused;
};

struct Entry {
  char name[96];  // empty: the entry is free
  xok_u64 size;
  xok_u32 links;
  xok_u32 mode;
  Run runs[8];
  xok_u64 indirect;
  xok_u64 times;
};
static_assert(sizeof(Entry) == 256);

struct Directory {
  Entry entries[16];
};

XOK_GRAFT_INLINE void own_all(xok_owned_set& set, const Entry& entry) {
  if (entry.name[0] == 0) return;
  for (const Run& run : entry.runs) xok_own(&set, run.first, run.count, kData);
  xok_own(&set, entry.indirect, 1, kIndirect);
}

}  // namespace

XOK_GRAFT(owns)
xok_u64 owns(const Directory* directory, xok_u64, xok_owned* output) {
  xok_owned_set set = xok_owned_begin(output);
  for (const Entry& entry : directory->entries) own_all(set, entry);
  return set.count;
}

/// A partition is an entry.
XOK_GRAFT(owns_partition)
xok_u64 owns_partition(const Directory* directory, xok_u64, xok_owned* output, xok_u64 partition) {
  xok_owned_set set = xok_owned_begin(output);
  if (partition < 16) own_all(set, directory->entries[partition]);
  return set.count;
}

// How often the name of entry `partition` is in the directory, with a function that stays one.

XOK_GRAFT_PART(count_name) bool same_name(const char* a, const char* b);

XOK_GRAFT(count_name)
xok_u64 count_name(const Directory* directory, xok_u64, xok_owned*, xok_u64 partition) {
  xok_u64 count = 0;
  if (partition >= 16) return 0;
  for (const Entry& entry : directory->entries)
    count += same_name(entry.name, directory->entries[partition].name);
  return count;
}

bool same_name(const char* a, const char* b) {
  for (int i = 0; i < 96; i++) {
    if (a[i] != b[i]) return false;
    if (a[i] == 0) return true;
  }
  return true;
}
