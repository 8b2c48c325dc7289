// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A QEMU plugin that counts what the guest does: instructions, and the events that cost more than
// an instruction on real hardware. Guest instructions do not depend on the load of the host, so
// they are the first figure of every benchmark (docs: design section 8).
//
//   qemu-system-x86_64 ... -plugin count.so,out=COUNTERS[,log=MARKS]
//
// out  a file of 64-bit little-endian counters in the order of `Counter`, mapped and always up to
//      date: a driver samples it before and after a run
// log  one line per execution of a marker, "NN counter counter ...": where a program says that a
//      measured region begins (marker 1) and ends (marker 2). The marker is a long no-op that is
//      legal everywhere, bench/programs/marks.hpp; without this plugin it does nothing.
//
// An instruction belongs to the kernel when its address is in the upper half. Counting is by
// translated block, so a block left early by a fault counts in full. Exact for one processor only:
// the additions are not atomic. An iteration of rep movs or rep stos counts as an instruction,
// which is why every guest here runs without ERMS.
//
// Debian installs QEMU's plugin interface but not its header, so the part used is declared here.
// Source: QEMU 7.2 include/qemu/qemu-plugin.h, interface version 1.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>

#define XOK_EXPORT __attribute__((visibility("default")))

extern "C" {
using PluginId = std::uint64_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
constexpr int kInlineAdd = 0;    // QEMU_PLUGIN_INLINE_ADD_U64
constexpr int kNoRegisters = 0;  // QEMU_PLUGIN_CB_NO_REGS

void qemu_plugin_register_vcpu_tb_trans_cb(PluginId, void (*)(PluginId, qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_inline(qemu_plugin_tb*, int, void*, std::uint64_t);
void qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_insn*, int, void*, std::uint64_t);
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn*, void (*)(unsigned, void*), int,
                                            void*);
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb*);
std::uint64_t qemu_plugin_tb_vaddr(const qemu_plugin_tb*);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb*, std::size_t);
const void* qemu_plugin_insn_data(const qemu_plugin_insn*);
std::size_t qemu_plugin_insn_size(const qemu_plugin_insn*);

XOK_EXPORT extern int qemu_plugin_version;
int qemu_plugin_version = 1;
}

namespace {

/// The order in the file; bench/measure/counters.py has the same list.
enum Counter : std::size_t {
  kUser,    ///< instructions below the middle of the address space
  kKernel,  ///< instructions above it
  kBlocks,  ///< translated blocks entered
  kSyscall,
  kSysret,
  kInterruptReturn,
  kLoadCr3,  ///< address space switches (and flushes)
  kInvlpg,
  kWrmsr,
  kHalt,
  kPortIo,
  kSoftwareInterrupt,
  kSwapgs,
  kRepMovs,  ///< iterations
  kRepStos,  ///< iterations
  kCounters
};

constexpr std::size_t kFileBytes = 4096;
std::uint64_t* counters = nullptr;
std::FILE* marks = nullptr;

void on_mark(unsigned /*processor*/, void* number) {
  if (marks == nullptr) return;
  std::fprintf(marks, "%lu", reinterpret_cast<unsigned long>(number));
  for (std::size_t i = 0; i < kCounters; i++) std::fprintf(marks, " %lu", counters[i]);
  std::fputc('\n', marks);
  std::fflush(marks);
}

using Code = std::span<const std::uint8_t>;

/// The marker: nopl 0x5eed00NN(%rax). Returns NN.
std::optional<std::uint8_t> marker_number(Code code) {
  const bool is_marker = code.size() == 7 && code[0] == 0x0f && code[1] == 0x1f &&
                         code[2] == 0x80 && code[4] == 0x00 && code[5] == 0xed && code[6] == 0x5e;
  return is_marker ? std::optional{code[3]} : std::nullopt;
}

/// An instruction of the two-byte table, behind its 0x0f.
std::optional<Counter> classify_two_byte(Code code) {
  const std::uint8_t modrm = code.size() > 1 ? code[1] : 0;
  const unsigned reg = (modrm >> 3) & 7;
  switch (code.empty() ? 0 : code[0]) {
    case 0x05:
      return kSyscall;
    case 0x07:
      return kSysret;
    case 0x30:
      return kWrmsr;
    case 0x22:
      return reg == 3 ? std::optional{kLoadCr3} : std::nullopt;
    case 0x01:
      if (modrm == 0xf8) return kSwapgs;
      return (modrm >> 6) != 3 && reg == 7 ? std::optional{kInvlpg} : std::nullopt;
    default:
      return std::nullopt;
  }
}

/// What an instruction counts as besides being one.
std::optional<Counter> classify(Code code) {
  bool repeats = false;
  while (!code.empty() && (code[0] == 0x66 || code[0] == 0xf2 || code[0] == 0xf3 ||
                           (code[0] & 0xf0) == 0x40)) {  // prefixes, REX among them
    repeats = repeats || code[0] == 0xf3;
    code = code.subspan(1);
  }
  if (code.empty()) return std::nullopt;
  const std::uint8_t opcode = code[0];
  if (opcode == 0x0f) return classify_two_byte(code.subspan(1));
  if (opcode == 0xcf) return kInterruptReturn;
  if (opcode == 0xf4) return kHalt;
  if (opcode == 0xcd) return kSoftwareInterrupt;
  if ((opcode >= 0xe4 && opcode <= 0xe7) || (opcode >= 0xec && opcode <= 0xef)) return kPortIo;
  if (repeats && (opcode == 0xa4 || opcode == 0xa5)) return kRepMovs;
  if (repeats && (opcode == 0xaa || opcode == 0xab)) return kRepStos;
  return std::nullopt;
}

void instrument(qemu_plugin_insn* instruction) {
  const Code code{static_cast<const std::uint8_t*>(qemu_plugin_insn_data(instruction)),
                  qemu_plugin_insn_size(instruction)};
  if (const auto number = marker_number(code)) {
    auto* argument = reinterpret_cast<void*>(std::uintptr_t{*number});
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, kNoRegisters, argument);
  } else if (const auto counter = classify(code)) {
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, kInlineAdd, &counters[*counter], 1);
  }
}

void on_translation(PluginId /*id*/, qemu_plugin_tb* block) {
  const std::size_t count = qemu_plugin_tb_n_insns(block);
  const Counter owner = (qemu_plugin_tb_vaddr(block) >> 63) != 0 ? kKernel : kUser;
  qemu_plugin_register_vcpu_tb_exec_inline(block, kInlineAdd, &counters[owner], count);
  qemu_plugin_register_vcpu_tb_exec_inline(block, kInlineAdd, &counters[kBlocks], 1);
  for (std::size_t i = 0; i < count; i++) instrument(qemu_plugin_tb_get_insn(block, i));
}

bool map_counters(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || ftruncate(fd, kFileBytes) != 0) return false;
  void* memory = mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) return false;
  counters = static_cast<std::uint64_t*>(memory);
  return true;
}

}  // namespace

extern "C" XOK_EXPORT int qemu_plugin_install(PluginId id, const void* /*info*/, int argc,
                                              char** argv) {
  const char* out = nullptr;
  for (int i = 0; i < argc; i++) {
    if (std::strncmp(argv[i], "out=", 4) == 0) out = argv[i] + 4;
    if (std::strncmp(argv[i], "log=", 4) == 0) marks = std::fopen(argv[i] + 4, "w");
  }
  if (out == nullptr || !map_counters(out)) {
    std::fputs("count.so: needs out=FILE, a file that can be written\n", stderr);
    return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  return 0;
}
