// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <Zydis/Zydis.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

/// What somebody else's disassembler (Debian's libzydis-dev) makes of our code. Tests only.
///
/// An instruction is written as "add rax, 5", a memory operand as "qword [rbx+rcx*8-16]", numbers
/// in decimal and signed; a jump's operand is its target's position, as "@12".
namespace xok::vcode {

inline std::string text_of_mem(const ZydisDecodedOperand& operand) {
  const char* size = operand.size == 8    ? "byte"
                     : operand.size == 16 ? "word"
                     : operand.size == 32 ? "dword"
                     : operand.size == 64 ? "qword"
                                          : "-";
  std::string out = std::string{size} + " [" + ZydisRegisterGetString(operand.mem.base);
  if (operand.mem.index != ZYDIS_REGISTER_NONE)
    out += std::string{"+"} + ZydisRegisterGetString(operand.mem.index) + "*" +
           std::to_string(operand.mem.scale);
  const auto displacement = operand.mem.disp.value;
  if (displacement != 0) out += (displacement > 0 ? "+" : "") + std::to_string(displacement);
  return out + "]";
}

inline std::string text_of(const ZydisDecodedInstruction& instruction,
                           std::span<const ZydisDecodedOperand> operands, std::size_t position) {
  std::string out = ZydisMnemonicGetString(instruction.mnemonic);
  const char* separator = " ";
  for (const ZydisDecodedOperand& operand : operands.first(instruction.operand_count_visible)) {
    out += separator;
    separator = ", ";
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
      out += ZydisRegisterGetString(operand.reg.value);
    } else if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) {
      out += text_of_mem(operand);
    } else if (operand.imm.is_relative) {
      out += "@" + std::to_string(static_cast<std::int64_t>(position + instruction.length) +
                                  operand.imm.value.s);
    } else {
      out += std::to_string(operand.imm.value.s);
    }
  }
  return out;
}

/// The instructions of `code`, or what is not one as "(bad)" at the end.
inline std::vector<std::string> disassembled(std::span<const std::byte> code) {
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  std::vector<std::string> out;
  for (std::size_t position = 0; position < code.size();) {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code.data() + position,
                                             code.size() - position, &instruction, operands))) {
      out.emplace_back("(bad)");
      break;
    }
    out.push_back(text_of(instruction, operands, position));
    position += instruction.length;
  }
  return out;
}

}  // namespace xok::vcode
