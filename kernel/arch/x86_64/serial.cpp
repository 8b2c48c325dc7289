// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/arch/x86_64/serial.hpp"

#include <algorithm>

#include "kernel/arch/x86_64/registers.hpp"

// Registers: National Semiconductor PC16550D data sheet, table II.
namespace xok::kernel::x86 {
namespace {

constexpr std::uint16_t kPort = 0x3f8;
constexpr std::uint16_t kData = kPort + 0;
constexpr std::uint16_t kInterruptEnable = kPort + 1;
constexpr std::uint16_t kFifoControl = kPort + 2;
constexpr std::uint16_t kLineControl = kPort + 3;
constexpr std::uint16_t kModemControl = kPort + 4;
constexpr std::uint16_t kLineStatus = kPort + 5;
constexpr std::uint16_t kScratch = kPort + 7;

constexpr std::uint8_t kDataReady = 1;
constexpr std::uint8_t kTransmitterEmpty = 0x20;  // the FIFO; the last byte may be on its way
constexpr std::uint8_t kTransmitterIdle = 0x40;
constexpr std::size_t kFifoDepth = 16;
/// Looks at the line state before a byte is given up: a stuck line must not stop the kernel.
constexpr unsigned kPatience = 100'000;

constinit Serial g_serial;

}  // namespace

Serial& serial() { return g_serial; }

void Serial::initialize() {
  out8(kScratch, 0x5a);
  if (in8(kScratch) != 0x5a) return;
  present_ = true;
  out8(kInterruptEnable, 0);
  out8(kLineControl, 0x80);  // the next two are the divisor
  out8(kData, 1);
  out8(kInterruptEnable, 0);
  out8(kLineControl, 0x03);  // 8 bits, no parity, 1 stop bit
  out8(kFifoControl, 0x07);
  out8(kModemControl, 0x0b);  // DTR, RTS, interrupt line on
}

void Serial::attach(ConsolePortInfo& record) {
  record_ = &record;
  record.present = present_ ? 1 : 0;
  record.host_open = record.present;
  if (!present_) return;
  out8(kInterruptEnable, 1);
  interrupt();
}

void Serial::send(std::string_view text) {
  if (!present_) return;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (i % kFifoDepth == 0) {
      unsigned patience = kPatience;
      while ((in8(kLineStatus) & kTransmitterEmpty) == 0 && --patience > 0) relax();
    }
    out8(kData, static_cast<std::uint8_t>(text[i]));
  }
}

void Serial::drain() {
  if (!present_) return;
  unsigned patience = kPatience;
  while ((in8(kLineStatus) & kTransmitterIdle) == 0 && --patience > 0) relax();
}

void Serial::put(std::size_t n) {
  send({reinterpret_cast<const char*>(output_.data()), n});
  if (record_ != nullptr) record_->sent += n;
}

std::span<const std::byte> Serial::data() {
  const std::size_t at = taken_ % input_.size();
  const std::size_t n = std::min<std::size_t>(received_ - taken_, input_.size() - at);
  return std::span<const std::byte>{input_}.subspan(at, n);
}

void Serial::take(std::size_t n) {
  taken_ += n;
  update_record();
}

void Serial::interrupt() {
  if (!present_) return;
  for (unsigned i = 0; i < 4 * kFifoDepth && (in8(kLineStatus) & kDataReady) != 0; i++) {
    const auto byte = static_cast<std::byte>(in8(kData));
    if (received_ - taken_ < input_.size()) input_[received_++ % input_.size()] = byte;
  }
  update_record();
}

void Serial::update_record() {
  if (record_ == nullptr) return;
  record_->received = received_;
  record_->available = received_ - taken_;
}

}  // namespace xok::kernel::x86
