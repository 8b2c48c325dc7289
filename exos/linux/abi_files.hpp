// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

namespace xok::exos::linux_abi {

struct Timespec {
  std::int64_t tv_sec;
  std::int64_t tv_nsec;
};
static_assert(sizeof(Timespec) == 16);

struct Timeval {
  std::int64_t tv_sec;
  std::int64_t tv_usec;
};
static_assert(sizeof(Timeval) == 16);

/// stat(2), fstat(2), newfstatat(2).
struct Stat {
  std::uint64_t st_dev;
  std::uint64_t st_ino;
  std::uint64_t st_nlink;
  std::uint32_t st_mode;
  std::uint32_t st_uid;
  std::uint32_t st_gid;
  std::uint32_t padding;
  std::uint64_t st_rdev;
  std::int64_t st_size;
  std::int64_t st_blksize;
  std::int64_t st_blocks;  ///< units of 512 bytes
  Timespec st_atim;
  Timespec st_mtim;
  Timespec st_ctim;
  std::int64_t reserved[3];
};
static_assert(sizeof(Stat) == 144 && offsetof(Stat, st_rdev) == 40 &&
              offsetof(Stat, st_atim) == 72);

/// A device number as st_rdev and mknod(2) carry it: 12 + 20 bits, scattered.
constexpr std::uint64_t make_device(std::uint32_t major, std::uint32_t minor) {
  return (minor & 0xffu) | ((major & 0xfffu) << 8) | (std::uint64_t{minor & 0xfff00u} << 12);
}
constexpr std::uint32_t device_major(std::uint64_t device) {
  return static_cast<std::uint32_t>((device >> 8) & 0xfff);
}
constexpr std::uint32_t device_minor(std::uint64_t device) {
  return static_cast<std::uint32_t>((device & 0xff) | ((device >> 12) & 0xfff00));
}

struct StatxTimestamp {
  std::int64_t tv_sec;
  std::uint32_t tv_nsec;
  std::int32_t reserved;
};
static_assert(sizeof(StatxTimestamp) == 16);

/// statx(2).
struct Statx {
  std::uint32_t stx_mask;  ///< which members are valid: kSTATX_...
  std::uint32_t stx_blksize;
  std::uint64_t stx_attributes;
  std::uint32_t stx_nlink;
  std::uint32_t stx_uid;
  std::uint32_t stx_gid;
  std::uint16_t stx_mode;
  std::uint16_t padding;
  std::uint64_t stx_ino;
  std::uint64_t stx_size;
  std::uint64_t stx_blocks;
  std::uint64_t stx_attributes_mask;
  StatxTimestamp stx_atime;
  StatxTimestamp stx_btime;
  StatxTimestamp stx_ctime;
  StatxTimestamp stx_mtime;
  std::uint32_t stx_rdev_major;
  std::uint32_t stx_rdev_minor;
  std::uint32_t stx_dev_major;
  std::uint32_t stx_dev_minor;
  std::uint64_t stx_mnt_id;
  std::uint32_t stx_dio_mem_align;
  std::uint32_t stx_dio_offset_align;
  std::uint64_t reserved[12];
};
static_assert(sizeof(Statx) == 256 && offsetof(Statx, stx_atime) == 64 &&
              offsetof(Statx, stx_rdev_major) == 128 && offsetof(Statx, stx_mnt_id) == 144);

/// statfs(2), fstatfs(2).
struct Statfs {
  std::int64_t f_type;
  std::int64_t f_bsize;
  std::uint64_t f_blocks;
  std::uint64_t f_bfree;
  std::uint64_t f_bavail;
  std::uint64_t f_files;
  std::uint64_t f_ffree;
  std::int32_t f_fsid[2];
  std::int64_t f_namelen;
  std::int64_t f_frsize;
  std::int64_t f_flags;
  std::int64_t reserved[4];
};
static_assert(sizeof(Statfs) == 120 && offsetof(Statfs, f_namelen) == 64);

inline constexpr std::int64_t kTMPFS_MAGIC = 0x01021994;
inline constexpr std::int64_t kPROC_SUPER_MAGIC = 0x9fa0;
inline constexpr std::int64_t kEXT2_SUPER_MAGIC = 0xef53;

/// One record of getdents64(2): this head, the name and its 0 byte, padding to 8 bytes.
struct Dirent64 {
  std::uint64_t d_ino;
  std::int64_t d_off;  ///< where the next record is: an opaque position for lseek(2)
  std::uint16_t d_reclen;
  std::uint8_t d_type;  ///< kDT_...
  char d_name[5];       ///< really up to 256 bytes; the head ends at offsetof(d_name)
};
static_assert(offsetof(Dirent64, d_type) == 18 && offsetof(Dirent64, d_name) == 19);

inline constexpr std::uint8_t kDT_UNKNOWN = 0;
inline constexpr std::uint8_t kDT_FIFO = 1;
inline constexpr std::uint8_t kDT_CHR = 2;
inline constexpr std::uint8_t kDT_DIR = 4;
inline constexpr std::uint8_t kDT_BLK = 6;
inline constexpr std::uint8_t kDT_REG = 8;
inline constexpr std::uint8_t kDT_LNK = 10;
inline constexpr std::uint8_t kDT_SOCK = 12;

/// readv(2), writev(2).
struct Iovec {
  std::uint64_t iov_base;
  std::uint64_t iov_len;
};
static_assert(sizeof(Iovec) == 16);
inline constexpr std::size_t kIOV_MAX = 1024;

/// fcntl(2), record locks.
struct Flock {
  std::int16_t l_type;
  std::int16_t l_whence;
  std::uint32_t padding;
  std::int64_t l_start;
  std::int64_t l_len;
  std::int32_t l_pid;
  std::uint32_t padding_end;
};
static_assert(sizeof(Flock) == 32 && offsetof(Flock, l_start) == 8);

struct Pollfd {
  std::int32_t fd;
  std::int16_t events;
  std::int16_t revents;
};
static_assert(sizeof(Pollfd) == 8);

/// epoll_ctl(2), epoll_wait(2): packed on x86-64, so that 32-bit programs agree.
struct [[gnu::packed]] EpollEvent {
  std::uint32_t events;
  std::uint64_t data;
};
static_assert(sizeof(EpollEvent) == 12);

/// select(2): descriptor n is bit n % 64 of word n / 64.
inline constexpr std::size_t kFD_SETSIZE = 1024;
struct FdSet {
  std::uint64_t bits[kFD_SETSIZE / 64];
};
static_assert(sizeof(FdSet) == 128);

inline constexpr std::int64_t kUTIME_NOW = 0x3fffffff;
inline constexpr std::int64_t kUTIME_OMIT = 0x3ffffffe;
inline constexpr std::size_t kPATH_MAX = 4096;
inline constexpr std::size_t kNAME_MAX = 255;

}  // namespace xok::exos::linux_abi
