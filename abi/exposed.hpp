// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/capability.hpp"
#include "abi/env.hpp"
#include "abi/layout.hpp"

/// The exposed window: the kernel's own tables, mapped read-only at the same address in every
/// environment. Reading them needs no call. Nothing secret is ever in them, and no kernel address.
///
///   kExposedBase + 0          SystemInfo (kSystemInfoPages pages)
///   kExposedEnvs              Env[kMaxEnvironments]
///   kExposedSlices            Slice[kMaxProcessors][kSlicesPerProcessor]
///   kExposedFilters           FilterRecord[kMaxFilters]
///   kExposedPages             PageInfo[SystemInfo::page_count], indexed by physical page number
namespace xok {

inline constexpr std::uint32_t kExposedVersion = 2;
inline constexpr std::uint64_t kSystemInfoPages = 4;
inline constexpr std::uint64_t kExposedEnvs = kExposedBase + 0x100000;
inline constexpr std::uint64_t kExposedSlices = kExposedBase + 0x200000;
inline constexpr std::uint64_t kExposedFilters = kExposedBase + 0x300000;
inline constexpr std::uint64_t kExposedPages = kExposedBase + 0x40000000;

inline constexpr std::size_t kMaxProcessors = 8;
inline constexpr std::size_t kSlicesPerProcessor = 1024;
inline constexpr std::uint64_t kSliceNanoseconds = 10'000'000;
inline constexpr std::size_t kMaxFilters = 256;
inline constexpr std::size_t kMaxInterfaces = 4;
inline constexpr std::size_t kMaxConsolePorts = 8;
inline constexpr std::size_t kMaxDisks = 4;
inline constexpr std::size_t kPageAclEntries = 2;  ///< kept in PageInfo itself
/// Entries of the longest ACL: the first one, and a page of 512 (page_acl_resize).
inline constexpr std::size_t kMaxPageAcl = 1 + kPageSize / sizeof(Capability);
inline constexpr std::size_t kMaxAccounts = 256;
inline constexpr std::size_t kMaxAccountDepth = 8;
inline constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

enum class PageStatus : std::uint8_t {
  Free = 0,
  User = 1,        ///< mapped by, or pinned for, environments
  Kernel = 2,      ///< the kernel's: tables, stacks, page-table pages
  Absent = 3,      ///< no memory there (hole, device, firmware)
  BootModule = 4,  ///< the boot bundle: mapped read-only by whoever the first environment lets
};

/// Who pays for pages. Each page in use is counted in one account and in all those above it; an
/// allocation that would take one of them past its limit is refused (NoSpace). Account 0 has no
/// limit and counts nothing. An account ends when no page, environment or account below it is left.
struct Account {
  std::uint64_t limit;    ///< pages; kUnlimited
  std::uint64_t used;     ///< pages, those of the accounts below included
  std::uint32_t members;  ///< environments alive
  std::uint8_t parent;    ///< the account above
  std::uint8_t depth;     ///< 0 only for account 0
  std::uint8_t children;  ///< accounts right below
  std::uint8_t reserved;
};
static_assert(sizeof(Account) == 24);

/// One physical page. While free, `mappings` and `writers` link the free list (page numbers;
/// 0 ends it), first in, first out; `SystemInfo::free_list_head` starts it. In a page-table page
/// (Kernel) `mappings` counts its holders; the other counts are the kernel's own.
struct PageInfo {
  PageStatus status : 4;
  std::uint8_t reader_limit : 2;  ///< entries that may map it: 0 none, 1 one, 2 any number
  std::uint8_t writer_limit : 2;  ///< entries that may map it writable: the same
  std::uint8_t account;           ///< who pays for it (SystemInfo::accounts)
  std::uint16_t pins;             ///< DMA, rings, predicates: not reused before this is 0
  std::uint32_t mappings;         ///< present entries that map it
  std::uint32_t writers;          ///< those that map it writable
  std::uint32_t stamp;            ///< SystemInfo::ticks when it was last freed or allocated
  /// Of a Kernel page that is a page table, the first one is a map instead: bit g says that entries
  /// 8g to 8g+7 of the table may be other than 0.
  /// The last one may be a pointer: bytes 1-2 of its name hold a count, bytes 3-6 the number of a
  /// kernel page with that many more entries (page_acl_read shows them).
  std::array<Capability, kPageAclEntries> acl;
};
static_assert(sizeof(PageInfo) == 32);

/// One position of a processor's slice vector.
struct Slice {
  EnvId owner;                 ///< 0 = free
  std::uint32_t forfeited_us;  ///< excess time still to be taken from later turns
  Capability guard;
};
static_assert(sizeof(Slice) == 16);

/// One packet filter. Its program is not shown.
struct FilterRecord {
  EnvId owner;  ///< 0 = free
  std::uint32_t ring;
  Capability guard;
  std::uint64_t packets;  ///< delivered
  std::uint64_t dropped;  ///< matched, but the ring was full
};
static_assert(sizeof(FilterRecord) == 32);

/// One network interface. Number 0 is the loopback.
struct InterfaceInfo {
  std::uint8_t present;
  std::uint8_t loopback;
  std::array<std::uint8_t, 6> mac;
  Capability guard;
  std::uint32_t mtu;  ///< payload bytes of the largest frame (1500)
  std::uint32_t reserved;
  std::uint64_t received, sent, receive_dropped, send_dropped;
};
static_assert(sizeof(InterfaceInfo) == 56);

/// One console port: a pair of byte streams. Port 0 is the serial line; the others are numbered
/// as on the virtio console device (see docs/formats/boot.md).
/// Wait for input with `received != <what was seen>`; for room with `sent != <what was seen>`.
struct ConsolePortInfo {
  std::uint8_t present;
  std::uint8_t host_open;    ///< somebody is at the other end
  std::uint8_t input_ended;  ///< no more input will come once `received == consumed`
  std::uint8_t reserved[5];
  std::uint64_t received;   ///< bytes that ever arrived, plus 1 for each open or close of the host
  std::uint64_t available;  ///< bytes console_read would return now
  std::uint64_t sent;       ///< bytes the device has taken
  std::uint64_t queued;     ///< bytes accepted and not yet taken
};
static_assert(sizeof(ConsolePortInfo) == 40);

/// One disk, and the transfers it has made.
struct DiskInfo {
  std::uint8_t present;
  std::uint8_t read_only;
  std::uint8_t reserved[6];
  std::uint64_t blocks;  ///< of kPageSize bytes
  std::uint64_t reads, writes, errors;
};
static_assert(sizeof(DiskInfo) == 40);

/// Time and totals. Times without a call: ns since boot =
/// ((rdtsc - tsc_boot) * tsc_to_ns_multiplier) >> tsc_to_ns_shift  (128-bit product).
struct SystemInfo {
  std::uint32_t version;     ///< kExposedVersion
  std::uint32_t processors;  ///< started
  std::uint64_t page_count;  ///< entries of the page table: highest physical page + 1
  std::uint64_t usable_pages;
  std::uint64_t free_pages;
  std::uint64_t free_list_head;
  std::uint64_t kernel_pages;

  std::uint64_t tsc_boot;
  std::uint64_t tsc_hz;
  std::uint32_t tsc_to_ns_multiplier;
  std::uint32_t tsc_to_ns_shift;
  std::uint64_t boot_wall_ns;  ///< UTC at tsc_boot, ns since 1970
  std::uint64_t ticks;         ///< timer interrupts taken
  std::uint64_t idle_cycles;
  std::uint64_t environments;  ///< in use
  std::uint64_t deaths;        ///< environments that ended: wait on this word for exits

  std::uint32_t interface_count;
  std::uint32_t console_count;
  std::uint32_t disk_count;
  std::uint32_t reserved;
  std::array<InterfaceInfo, kMaxInterfaces> interfaces;
  std::array<ConsolePortInfo, kMaxConsolePorts> consoles;
  std::array<DiskInfo, kMaxDisks> disks;
  std::array<char, 64> build;  ///< kernel build, NUL-terminated
  std::array<char, 64> processor_name;
  std::array<char, 1024> command_line;
  std::array<Account, kMaxAccounts> accounts;
  /// Which of kPteWriteThrough and kPteCacheDisable an entry may carry; others are dropped.
  std::uint64_t caching_bits;
};
static_assert(sizeof(SystemInfo) <= kSystemInfoPages * kPageSize);

inline const SystemInfo& system_info() {
  return *reinterpret_cast<const SystemInfo*>(kExposedBase);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace xok
