// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// For authors of grafts, in C or C++:
//
//   clang-19 -target bpf -mcpu=v4 -O2 -I. -c mine.c        makes mine.o
//   ./exo graft check mine.o                               says whether it would be accepted
//
// A graft is a function of up to five numbers or pointers, which it gets from its embedder, as the
// embedder's interface says. It reads its inputs and writes its output, nothing else; it must not
// read its output. There are no global variables, constant tables included, and no C library.
// Loops may be of any length, for each run is metered.
//
// An `owns` function is a loop over the fields that name blocks:
//
//   XOK_GRAFT(owns)
//   xok_u64 owns(const struct indirect *block, xok_u64 bytes, struct xok_owned *output) {
//     struct xok_owned_set set = xok_owned_begin(output);
//     for (int i = 0; i < 512; i++) xok_own(&set, block->pointer[i], 1, kData);
//     return set.count;
//   }
#ifndef XOK_ABI_GRAFT_H
#define XOK_ABI_GRAFT_H

typedef __UINT8_TYPE__ xok_u8;    // NOLINT(modernize-use-using): C too
typedef __UINT16_TYPE__ xok_u16;  // NOLINT(modernize-use-using)
typedef __UINT32_TYPE__ xok_u32;  // NOLINT(modernize-use-using)
typedef __UINT64_TYPE__ xok_u64;  // NOLINT(modernize-use-using)

#ifdef __cplusplus
#define XOK_GRAFT_LINKAGE extern "C"
#else
#define XOK_GRAFT_LINKAGE
#endif

/// Before a function: it is a graft, and `name` is what it is found by in the object file. It must
/// be the first function with that name.
#define XOK_GRAFT(name) XOK_GRAFT_LINKAGE __attribute__((section("graft/" #name), used))

/// Before a helper function of any graft: it becomes part of each of its callers.
#define XOK_GRAFT_INLINE static inline __attribute__((always_inline))

/// Before a helper function that is to stay a function, of the graft `name` alone. Its declaration
/// stands before the graft, its definition behind it. Up to eight may be active at once, each with
/// 512 bytes of stack; none may call itself.
#define XOK_GRAFT_PART(name) __attribute__((section("graft/" #name), noinline)) static

/// Blocks that metadata owns: `count` of them from `first` on, of the type `type`.
struct xok_owned {
  xok_u64 first;
  xok_u32 count;
  xok_u32 type;
};

/// An array of `xok_owned` as it grows.
struct xok_owned_set {
  struct xok_owned* entries;
  xok_u64 count;
};

XOK_GRAFT_INLINE struct xok_owned_set xok_owned_begin(struct xok_owned* output) {
  struct xok_owned_set set = {output, 0};
  return set;
}

/// Adds `count` blocks from `first` on. Block 0 is nobody's: a pointer that is 0 adds nothing. The
/// run is stopped when the output is full.
XOK_GRAFT_INLINE void xok_own(struct xok_owned_set* set, xok_u64 first, xok_u32 count,
                              xok_u32 type) {
  if (first == 0) return;
  struct xok_owned* entry = &set->entries[set->count++];
  entry->first = first;
  entry->count = count;
  entry->type = type;
}

#endif
