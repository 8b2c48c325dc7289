// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/first_environment.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/byte_order.hpp"
#include "base/checked.hpp"

/// Builds the environment that all others descend from: it has no parent to do it. Its ELF file is
/// part of the boot bundle, and still checked like any other: a bad one gives BadFormat.
namespace xok::kernel {
namespace {

constexpr EnvIndex kFirst = 1;
constexpr std::uint64_t kUserData = kPtePresent | kPteUser;

struct ElfHeader {  // System V ABI, ELF-64 file header
  std::array<std::uint8_t, 16> ident;
  std::uint16_t type, machine;
  std::uint32_t version;
  std::uint64_t entry, phoff, shoff;
  std::uint32_t flags;
  std::uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
static_assert(sizeof(ElfHeader) == 64);

struct ProgramHeader {
  std::uint32_t type, flags;
  std::uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(ProgramHeader) == 56);

constexpr std::uint32_t kLoad = 1, kExecutable = 1, kWritable = 2;
constexpr std::uint16_t kTypeExecutable = 2, kTypeDynamic = 3, kX86_64 = 62;

Result<ElfHeader> read_header(std::span<const std::byte> image) {
  if (image.size() < sizeof(ElfHeader)) return fail(Errc::BadFormat);
  const auto header = load<ElfHeader>(image.data());
  constexpr std::array<std::uint8_t, 6> kIdent{0x7f, 'E', 'L', 'F', 2, 1};
  if (!std::equal(kIdent.begin(), kIdent.end(), header.ident.begin())) return fail(Errc::BadFormat);
  const bool loadable = header.type == kTypeExecutable || header.type == kTypeDynamic;
  if (!loadable || header.machine != kX86_64 || header.phentsize != sizeof(ProgramHeader))
    return fail(Errc::BadFormat);
  const std::uint64_t table = std::uint64_t{header.phnum} * sizeof(ProgramHeader);
  if (!range_fits<std::uint64_t>(header.phoff, table, image.size())) return fail(Errc::BadFormat);
  return header;
}

/// Maps a fresh page, or one taken by `page`, for the first environment.
Result<std::uint64_t> map_page(Core& core, std::uint64_t va, std::uint64_t bits,
                               std::uint64_t page = kAnyPage) {
  const Space space = core.space(kFirst);
  Path path = core.page_tables.walk(space.top, va);
  if (!core.have_pages(path.reached)) return fail(Errc::NoMemory);
  if (page == kAnyPage) {
    page = core.pages.first_free();
    core.pages.take_user(page, kRootCapability, 0);
  }
  core.pages.map(page, (bits & kPteWritable) != 0);
  core.page_tables.complete(space, path, va);
  core.page_tables.store(space, path, va, page << kPageShift | bits);
  return page;
}

/// The page at `va`, with at least these rights; pages of two segments get both segments' rights.
Result<std::uint64_t> page_for_segment(Core& core, std::uint64_t va, std::uint64_t bits) {
  const Path path = core.page_tables.walk(core.env(kFirst).table_page, va);
  if (path.reached > 1 || *path.entry == 0) return map_page(core, va, bits);
  std::uint64_t both = *path.entry | (bits & kPteWritable);
  if ((bits & kPteNoExecute) == 0) both &= ~kPteNoExecute;
  core.page_tables.change_bits(path, va, both);
  return entry_page(both);
}

Result<> load_segment(Core& core, std::span<const std::byte> image, const ProgramHeader& segment,
                      std::uint64_t bias) {
  if (!range_fits<std::uint64_t>(segment.offset, segment.filesz, image.size()) ||
      segment.filesz > segment.memsz ||
      !range_fits<std::uint64_t>(segment.vaddr, segment.memsz, kInitBundleAddress - bias) ||
      segment.memsz > kMaxInitPages * kPageSize)
    return fail(Errc::BadFormat);
  std::uint64_t bits = kUserData;
  if ((segment.flags & kWritable) != 0) bits |= kPteWritable;
  if ((segment.flags & kExecutable) == 0) bits |= kPteNoExecute;
  const std::uint64_t start = segment.vaddr + bias;
  for (std::uint64_t at = 0; at < segment.memsz;) {
    const std::uint64_t va = start + at;
    const std::uint64_t page = XOK_TRY(page_for_segment(core, page_floor(va), bits));
    const std::uint64_t part = std::min(segment.memsz - at, kPageSize - (va & kPageMask));
    if (at < segment.filesz) {
      const std::uint64_t bytes = std::min(part, segment.filesz - at);
      std::memcpy(core.pages.bytes(page) + (va & kPageMask), image.data() + segment.offset + at,
                  bytes);
    }
    at += part;
  }
  return {};
}

Result<std::uint64_t> load_image(Core& core, std::span<const std::byte> image) {
  const ElfHeader header = XOK_TRY(read_header(image));
  const std::uint64_t bias = header.type == kTypeDynamic ? kInitLoadBias : 0;
  for (std::uint64_t i = 0; i < header.phnum; i++) {
    const auto segment =
        load<ProgramHeader>(image.data() + header.phoff + i * sizeof(ProgramHeader));
    if (segment.type == kLoad && segment.memsz > 0)
      XOK_TRY(load_segment(core, image, segment, bias));
  }
  if (header.entry >= kInitBundleAddress) return fail(Errc::BadFormat);
  return header.entry + bias;
}

Result<> map_bundle(Core& core, PageNumber first, std::uint64_t length) {
  const std::uint64_t count = page_ceil(length) / kPageSize;
  if (!range_fits(first.value, count, core.tables.info->page_count)) return fail(Errc::BadFormat);
  for (std::uint64_t i = 0; i < count; i++) {
    const std::uint64_t page = first.value + i;
    if (core.pages.info(page).status != PageStatus::BootModule) return fail(Errc::BadFormat);
    (void)XOK_TRY(
        map_page(core, kInitBundleAddress + i * kPageSize, kUserData | kPteNoExecute, page));
  }
  return {};
}

}  // namespace

Result<EnvIndex> start_first_environment(Core& core, std::span<const std::byte> elf_image,
                                         PageNumber bundle_first, std::uint64_t bundle_length) {
  const EnvIndex index =
      XOK_TRY(core.create_env(kNoEnv, kRootCapability, kInitUenvAddress, kNoEnv));
  const std::uint64_t entry = XOK_TRY(load_image(core, elf_image));
  for (std::uint64_t i = 1; i <= kInitStackPages; i++)
    (void)XOK_TRY(
        map_page(core, kInitStackTop - i * kPageSize, kUserData | kPteWritable | kPteNoExecute));
  XOK_TRY(map_bundle(core, bundle_first, bundle_length));
  Context& context = core.machine.context(index);
  context.rip = entry;
  context.rsp = kInitStackTop;
  context.rdi = kInitBundleAddress;
  context.rsi = bundle_length;
  core.state(index).context_set = true;
  core.env(index).status = EnvStatus::Runnable;
  core.scheduler.set_owner(0, 0, index, kRootCapability);
  return index;
}

}  // namespace xok::kernel
