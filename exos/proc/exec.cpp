// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/proc/exec.hpp"

#include <algorithm>
#include <cstring>

#include "exos/fd/descriptors.hpp"
#include "exos/linux/abi_process.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/calls.hpp"
#include "exos/rt/random.hpp"
#include "exos/rt/self.hpp"
#include "exos/shared.hpp"
#include "exos/vm/memory.hpp"
#include "exos/vm/tables.hpp"
#include "libs/elf/image.hpp"

// The stage is a window of private memory, filled while the old program is whole:
//
//   ExecStage | argv strings, each with its NUL | environment strings
//
// The new program's stack, from the top down: the name of the file, the strings, 16 random bytes,
// the platform's name; then, aligned, argc, argv[], 0, envp[], 0, the auxiliary vector.
// Source: System V ABI x86-64, section 3.4.1.
namespace xok::exos {
namespace {

namespace abi = linux_abi;

constexpr int kMaxInterpreterLines = 4;
constexpr std::size_t kMaxShebang = 256;
constexpr std::uint64_t kInitialStack = 128 * 1024;

struct ExecStage {
  Vnode program;
  Vnode interpreter;  ///< invalid: statically linked
  elf::Image image;
  elf::Image interpreter_image;
  std::size_t argument_count;
  std::size_t environment_count;
  std::size_t string_bytes;
  std::uint32_t set_uid, uid;
  std::uint32_t set_gid, gid;
  std::array<char, 16> comm;
  std::array<char, 256> path;
};

ExecStage& stage() { return *reinterpret_cast<ExecStage*>(kStageWindow); }
char* stage_strings() { return reinterpret_cast<char*>(kStageWindow + sizeof(ExecStage)); }
constexpr std::size_t kStringRoom = kStageSize - sizeof(ExecStage);

std::span<char> string_room() {
  return {stage_strings() + stage().string_bytes, kStringRoom - stage().string_bytes};
}

Outcome<std::size_t> add_strings(StringVector& from, std::size_t first) {
  for (std::size_t i = first;; i++) {
    const std::size_t n = XOK_TRY(from.copy(i, string_room()));
    if (n == 0) return i - first;
    stage().string_bytes += n;
  }
}

Outcome<std::size_t> read_start(const Vnode& file, std::uint64_t offset, std::span<std::byte> to) {
  return file_system().read(file, offset, to, nullptr);
}

Outcome<elf::Image> read_image(const Vnode& file) {
  std::array<std::byte, elf::kHeaderSize> start{};
  const std::size_t n = XOK_TRY(read_start(file, 0, start));
  const std::uint64_t size = file_system().attributes(file).size;
  const auto header = elf::parse_header(std::span{start}.first(n), size);
  if (!header.has_value()) return std::unexpected{Errc::BadFormat};
  std::array<std::byte, elf::kMaxProgramHeaders * 56> headers;
  const std::span<std::byte> bytes = std::span{headers}.first(header->program_headers.size);
  const std::size_t got = XOK_TRY(read_start(file, header->program_headers.offset, bytes));
  if (got != bytes.size()) return std::unexpected{Errc::BadFormat};
  const auto image =
      elf::parse_program_headers(*header, bytes, {.lowest = kLowestAddress, .end = kMmapTop});
  if (!image.has_value()) return std::unexpected{Errc::BadFormat};
  return *image;
}

Outcome<Vnode> find_executable(const Vnode& start, std::string_view path) {
  Vfs fs = file_system();
  const Credentials who = credentials();
  const Vnode file = XOK_TRY(fs.walk(caller(who), start, path, Follow::Always));
  if (fs.type(file) != FileType::Regular) return std::unexpected{FsError::AccessDenied};
  XOK_TRY(fs.check_access(who, file, kAccessExecute));
  return file;
}

/// The words of a `#!` line: interpreter and optional argument. Empty: not such a file.
struct Shebang {
  std::string_view interpreter;
  std::string_view argument;
};

Shebang parse_shebang(std::string_view text) {
  if (!text.starts_with("#!")) return {};
  const std::size_t line_end = text.find('\n');
  std::string_view line = text.substr(2, line_end == text.npos ? text.npos : line_end - 2);
  const auto skip_blanks = [&line] {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  };
  skip_blanks();
  const std::size_t word_end = std::min(line.find(' '), line.find('\t'));
  Shebang out{.interpreter = line.substr(0, word_end), .argument = {}};
  if (word_end == line.npos) return out;
  line.remove_prefix(word_end);
  skip_blanks();
  out.argument = line;
  return out;
}

void set_comm(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == path.npos ? path : path.substr(slash + 1);
  stage().comm = {};
  std::memcpy(stage().comm.data(), name.data(), std::min<std::size_t>(name.size(), 15));
}

/// Follows `#!` lines, adding their words to the arguments; then reads the ELF headers.
Outcome<> find_program(const Vnode& start, std::string_view path, StringVector& arguments) {
  ExecStage& s = stage();
  std::array<char, kMaxShebang> line;
  std::array<char, abi::kPATH_MAX> script;
  if (path.size() >= script.size()) return std::unexpected{FsError::NameTooLong};
  std::memcpy(script.data(), path.data(), path.size());
  std::string_view current{script.data(), path.size()};
  set_comm(current);
  Vnode file = XOK_TRY(find_executable(start, current));
  for (int depth = 0;; depth++) {
    const std::size_t n = XOK_TRY(read_start(file, 0, std::as_writable_bytes(std::span{line})));
    const Shebang shebang = parse_shebang({line.data(), n});
    if (shebang.interpreter.empty()) break;
    if (depth == kMaxInterpreterLines) return std::unexpected{FsError::Loop};
    // The new first words go before the ones already there: the nearest interpreter comes first.
    std::array<char, 2 * kMaxShebang + abi::kPATH_MAX> words;
    std::size_t length = 0;
    std::size_t count = 0;
    const auto add = [&](std::string_view word) {
      std::memcpy(words.data() + length, word.data(), word.size());
      length += word.size();
      words[length++] = 0;
      count++;
    };
    add(shebang.interpreter);
    if (!shebang.argument.empty()) add(shebang.argument);
    if (depth == 0) add(current);
    if (length > string_room().size()) return std::unexpected{Errc::TooBig};
    // An outer interpreter's own first word is replaced by its path, which is already there.
    std::memmove(stage_strings() + length, stage_strings(), s.string_bytes);
    std::memcpy(stage_strings(), words.data(), length);
    s.string_bytes += length;
    s.argument_count += count;
    std::memcpy(script.data(), shebang.interpreter.data(), shebang.interpreter.size());
    current = {script.data(), shebang.interpreter.size()};
    file = XOK_TRY(find_executable(process().root, current));
  }
  s.image = XOK_TRY(read_image(file));
  s.program = file;
  std::memcpy(s.path.data(), current.data(), std::min(current.size(), s.path.size() - 1));
  s.path[std::min(current.size(), s.path.size() - 1)] = 0;
  const std::size_t skip = s.argument_count != 0 ? 1 : 0;
  s.argument_count += XOK_TRY(add_strings(arguments, skip));
  return {};
}

Outcome<> find_interpreter() {
  ExecStage& s = stage();
  if (!s.image.interpreter.has_value()) return {};
  std::array<std::byte, abi::kPATH_MAX> bytes;
  const std::span<std::byte> text =
      std::span{bytes}.first(std::min<std::size_t>(s.image.interpreter->size, bytes.size()));
  const std::size_t got = XOK_TRY(read_start(s.program, s.image.interpreter->offset, text));
  if (got != text.size()) return std::unexpected{Errc::BadFormat};
  const auto path = elf::interpreter_path(text);
  if (!path.has_value()) return std::unexpected{Errc::BadFormat};
  const Vnode file = XOK_TRY(find_executable(process().root, *path));
  s.interpreter_image = XOK_TRY(read_image(file));
  s.interpreter = file;
  return {};
}

void note_set_id(const Vnode& program) {
  ExecStage& s = stage();
  const Attributes attributes = file_system().attributes(program);
  s.set_uid = (attributes.permissions & kSetUid) != 0 ? 1 : 0;
  s.uid = attributes.uid;
  s.set_gid =
      (attributes.permissions & kSetGid) != 0 && (attributes.permissions & kGroupExecute) != 0 ? 1
                                                                                               : 0;
  s.gid = attributes.gid;
}

// --- Loading -------------------------------------------------------------------------------------

void must(const Result<>& result) {
  if (!result.has_value()) exit_process(kSigKill);
}

std::uint64_t bias_of(const elf::Image& image, std::uint64_t base) {
  return image.type == elf::Type::Dynamic ? base - image.first_page() : 0;
}

void map_segment(const Vnode& file, const elf::Segment& segment, std::uint64_t bias) {
  std::uint32_t protection = 0;
  if (segment.readable) protection |= kProtRead;
  if (segment.writable) protection |= kProtWrite;
  if (segment.executable) protection |= kProtExecute;
  const std::uint64_t start = page_floor(segment.address + bias);
  const std::uint64_t file_end = segment.address + bias + segment.file.size;
  const std::uint64_t end = page_ceil(segment.end() + bias);
  const std::uint64_t file_pages_end = segment.file.size == 0 ? start : page_ceil(file_end);
  if (segment.file.size != 0) {
    must(add_region({.start = start,
                     .end = file_pages_end,
                     .protection = protection,
                     .flags = 0,
                     .file = file,
                     .first_page = page_floor(segment.file.offset) >> kPageShift,
                     .file_end = segment.memory_size > segment.file.size ? file_end : 0}));
  }
  if (file_pages_end < end)
    must(add_region({.start = file_pages_end, .end = end, .protection = protection}));
}

void map_image(const Vnode& file, const elf::Image& image, std::uint64_t bias) {
  for (const elf::Segment& segment : image.segments()) map_segment(file, segment, bias);
}

/// Builds the start of the program's stack; returns its rsp.
std::uint64_t build_stack(std::uint64_t bias, std::uint64_t interpreter_bias) {
  const ExecStage& s = stage();
  const auto put = [](std::uint64_t& at, const void* bytes, std::size_t n) {
    at -= n;
    std::memcpy(reinterpret_cast<void*>(at), bytes, n);
    return at;
  };
  std::uint64_t at = kStackTop - 8;
  const std::uint64_t name = put(at, s.path.data(), std::strlen(s.path.data()) + 1);
  const std::uint64_t strings = put(at, stage_strings(), s.string_bytes);
  std::array<std::byte, 16> random;
  rt::fill_random(random);
  const std::uint64_t random_at = put(at, random.data(), random.size());
  const std::uint64_t platform = put(at, "x86_64", 7);

  std::uint32_t eax = 1;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  const Proc& proc = *process().proc;
  const bool dynamic = s.interpreter.valid();
  const std::array<abi::AuxEntry, 19> auxiliary = {{
      {abi::kAT_PHDR, s.image.program_headers.has_value() ? *s.image.program_headers + bias : 0},
      {abi::kAT_PHENT, 56},
      {abi::kAT_PHNUM, s.image.program_header_count},
      {abi::kAT_PAGESZ, kPageSize},
      {abi::kAT_BASE, dynamic ? interpreter_bias + s.interpreter_image.first_page() : 0},
      {abi::kAT_FLAGS, 0},
      {abi::kAT_ENTRY, s.image.entry + bias},
      {abi::kAT_UID, proc.uid},
      {abi::kAT_EUID, proc.euid},
      {abi::kAT_GID, proc.gid},
      {abi::kAT_EGID, proc.egid},
      {abi::kAT_PLATFORM, platform},
      {abi::kAT_HWCAP, edx},
      {abi::kAT_CLKTCK, abi::kClockTicksPerSecond},
      {abi::kAT_SECURE, proc.uid != proc.euid || proc.gid != proc.egid ? 1u : 0u},
      {abi::kAT_RANDOM, random_at},
      {abi::kAT_MINSIGSTKSZ, 2048},
      {abi::kAT_EXECFN, name},
      {abi::kAT_NULL, 0},
  }};
  const std::size_t words = 1 + s.argument_count + 1 + s.environment_count + 1;
  at = (at - words * 8 - sizeof auxiliary) & ~std::uint64_t{15};
  auto* word = reinterpret_cast<std::uint64_t*>(at);
  std::uint64_t string = strings;
  const auto put_strings = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; i++) {
      *word++ = string;
      string += std::strlen(reinterpret_cast<const char*>(string)) + 1;
    }
    *word++ = 0;
  };
  *word++ = s.argument_count;
  put_strings(s.argument_count);
  put_strings(s.environment_count);
  std::memcpy(word, auxiliary.data(), sizeof auxiliary);
  return at;
}

void take_identity() {
  const ExecStage& s = stage();
  Proc& proc = *process().proc;
  if (s.set_uid != 0) proc.euid = s.uid;
  if (s.set_gid != 0) proc.egid = s.gid;
  proc.suid = proc.euid;
  proc.sgid = proc.egid;
  proc.comm = s.comm;
  proc.executed = 1;
  // The command line for /proc: as many of argv's bytes as there is room for.
  std::size_t length = 0;
  const char* strings = stage_strings();
  for (std::size_t i = 0; i < s.argument_count; i++) length += std::strlen(strings + length) + 1;
  length = std::min(length, proc.command.size());
  std::memcpy(proc.command.data(), strings, length);
  proc.command_length = static_cast<std::uint32_t>(length);
}

void reset_vectors() {
  alignas(64) static constinit rt::VectorState clean{};
  clean.bytes[24] = 0x80;  // MXCSR = 0x1f80: all exceptions masked
  clean.bytes[25] = 0x1f;
  rt::rt_restore_vectors(&clean);
}

void free_stage() {
  for_each_present(
      kStageWindow, kStageWindow + kStageSize,
      [](std::uint64_t va, std::uint64_t /*entry*/) { sys::pte_insert(kCapPages, 0, va, kSelf); });
}

}  // namespace

Outcome<> prepare_exec(const Vnode& start, std::string_view path, StringVector& arguments,
                       StringVector& environment) {
  const FileSystemLock lock;
  ExecStage& s = stage();
  std::memset(static_cast<void*>(&s), 0, sizeof s);
  XOK_TRY(find_program(start, path, arguments));
  s.environment_count = XOK_TRY(add_strings(environment, 0));
  XOK_TRY(find_interpreter());
  note_set_id(s.program);
  Vfs fs = file_system();
  fs.hold(s.program);
  if (s.interpreter.valid()) fs.hold(s.interpreter);
  return {};
}

void forget_exec_stage() { free_stage(); }

void load_prepared_image() {
  ExecStage& s = stage();
  Process& p = process();
  remove_all_regions();
  close_marked_descriptors();
  reset_handlers();
  take_identity();

  const std::uint64_t bias = bias_of(s.image, kPieBase);
  std::uint64_t interpreter_bias = 0;
  map_image(s.program, s.image, bias);
  if (s.interpreter.valid()) {
    interpreter_bias = bias_of(s.interpreter_image, kInterpreterBase);
    map_image(s.interpreter, s.interpreter_image, interpreter_bias);
  }
  p.heap_start = p.heap_end = s.image.end_page() + bias;
  std::uint32_t stack_protection = kProtRead | kProtWrite;
  if (s.image.executable_stack) stack_protection |= kProtExecute;
  must(add_region({.start = kStackTop - kInitialStack,
                   .end = kStackTop,
                   .protection = stack_protection,
                   .flags = kRegionGrowsDown}));
  rt::Registers registers{};
  registers.rsp = build_stack(bias, interpreter_bias);
  registers.rip =
      s.interpreter.valid() ? s.interpreter_image.entry + interpreter_bias : s.image.entry + bias;
  registers.rflags = 0x202;
  {
    const FileSystemLock lock;
    Vfs fs = file_system();
    if (p.executable.valid()) fs.release(p.executable);
    if (s.interpreter.valid()) fs.release(s.interpreter);
    p.executable = s.program;  // takes over prepare_exec's hold
  }
  p.clear_child_tid = 0;
  rt::set_fs_base(0);
  free_stage();
  reset_vectors();
  rt::rt_resume(&registers);
}

}  // namespace xok::exos
