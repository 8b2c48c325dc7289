// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstddef>
#include <cstdint>

/// The parts of ELF64 that we read, as they lie in the file (little-endian).
/// Source: System V ABI, generic part, chapters 4 and 5; x86-64 supplement, chapter 4.
namespace xok::elf {

struct FileHeader {
  std::uint8_t ident[16];
  std::uint16_t type;
  std::uint16_t machine;
  std::uint32_t version;
  std::uint64_t entry;
  std::uint64_t program_headers;  // file offset
  std::uint64_t section_headers;  // file offset
  std::uint32_t flags;
  std::uint16_t header_size;
  std::uint16_t program_header_size;
  std::uint16_t program_header_count;
  std::uint16_t section_header_size;
  std::uint16_t section_header_count;
  std::uint16_t section_names;
};
static_assert(sizeof(FileHeader) == 64 && offsetof(FileHeader, entry) == 24 &&
              offsetof(FileHeader, program_header_count) == 56);

struct ProgramHeader {
  std::uint32_t type;
  std::uint32_t flags;
  std::uint64_t file_offset;
  std::uint64_t address;
  std::uint64_t physical_address;
  std::uint64_t file_size;
  std::uint64_t memory_size;
  std::uint64_t alignment;
};
static_assert(sizeof(ProgramHeader) == 56 && offsetof(ProgramHeader, memory_size) == 40);

struct SectionHeader {
  std::uint32_t name;
  std::uint32_t type;
  std::uint64_t flags;
  std::uint64_t address;
  std::uint64_t file_offset;
  std::uint64_t size;
  std::uint32_t link;
  std::uint32_t info;
  std::uint64_t alignment;
  std::uint64_t entry_size;
};
static_assert(sizeof(SectionHeader) == 64 && offsetof(SectionHeader, link) == 40);

struct SymbolEntry {
  std::uint32_t name;
  std::uint8_t info;
  std::uint8_t other;
  std::uint16_t section;
  std::uint64_t value;
  std::uint64_t size;
};
static_assert(sizeof(SymbolEntry) == 24 && offsetof(SymbolEntry, value) == 8);

inline constexpr std::uint8_t kIdent[8] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0};  // ABI byte: see parse
inline constexpr std::uint8_t kOsAbiSystemV = 0;
inline constexpr std::uint8_t kOsAbiLinux = 3;
inline constexpr std::uint16_t kTypeRelocatable = 1;
inline constexpr std::uint16_t kTypeExecutable = 2;
inline constexpr std::uint16_t kTypeDynamic = 3;
inline constexpr std::uint16_t kMachineX86_64 = 62;
inline constexpr std::uint16_t kMachineBpf = 247;

inline constexpr std::uint32_t kPtLoad = 1;
inline constexpr std::uint32_t kPtDynamic = 2;
inline constexpr std::uint32_t kPtInterp = 3;
inline constexpr std::uint32_t kPtPhdr = 6;
inline constexpr std::uint32_t kPtTls = 7;
inline constexpr std::uint32_t kPtGnuStack = 0x6474e551;

inline constexpr std::uint32_t kFlagExecute = 1;
inline constexpr std::uint32_t kFlagWrite = 2;
inline constexpr std::uint32_t kFlagRead = 4;

inline constexpr std::uint32_t kSectionContent = 1;  // SHT_PROGBITS
inline constexpr std::uint32_t kSectionSymbols = 2;
inline constexpr std::uint32_t kSectionStrings = 3;
inline constexpr std::uint32_t kSectionRelocationsWithAddend = 4;
inline constexpr std::uint32_t kSectionRelocations = 9;
inline constexpr std::uint64_t kSectionIsExecutable = 4;  // of SectionHeader::flags
inline constexpr std::uint8_t kSymbolFunction = 2;        // low 4 bits of SymbolEntry::info

}  // namespace xok::elf
