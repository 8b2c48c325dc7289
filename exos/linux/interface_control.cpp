// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// The commands of ioctl that tell of network interfaces. There are two: lo, which is always up, and
// eth0 when there is a card. Both are what the network service made of them: no command changes
// one.
#include <algorithm>
#include <string_view>

#include "base/byte_order.hpp"
#include "exos/linux/socket_calls.hpp"
#include "exos/net/packet_io.hpp"
#include "exos/proc/signals.hpp"
#include "exos/rt/self.hpp"
#include "exos/rt/wait.hpp"
#include "exos/shared.hpp"

namespace xok::exos::linux_abi {
namespace {

enum class Card : std::int32_t { Loopback = 1, Ethernet = 2 };  ///< values: Linux' index
constexpr Card kCards[] = {Card::Loopback, Card::Ethernet};

constexpr std::int32_t kLoopbackMtu = 65536;
constexpr net::Ipv4Interface kLoopback = {.address = kLocalhost,
                                          .mask = net::Ipv4Address::of(255, 0, 0, 0)};

const xok::InterfaceInfo& ethernet() { return system_info().interfaces[kCardInterface]; }

bool is_present(Card card) { return card == Card::Loopback || ethernet().present != 0; }
bool is_up(Card card) {
  return card == Card::Loopback || network_config().phase != NetworkPhase::Loopback;
}
std::string_view name_of(Card card) { return card == Card::Loopback ? "lo" : "eth0"; }

/// Zero addresses: it has none.
net::Ipv4Interface addresses_of(Card card) {
  if (card == Card::Loopback) return kLoopback;
  const NetworkConfig now = network_config();
  return now.phase == NetworkPhase::Up ? now.interface : net::Ipv4Interface{};
}

/// The network starts with the first socket, and whoever asks for the addresses with that socket
/// would otherwise find none. Not for long: without an answer he is told what there is.
void wait_for_addresses() {
  constexpr std::uint64_t kPatience = 5 * kNanosecondsPerSecond;
  const std::uint64_t give_up = rt::monotonic_ns() + kPatience;
  for (;;) {
    rt::WaitSet wait;
    wait.watch(network_event());
    wait.watch(process().proc->signal_event);
    wait.deadline(give_up);
    if (network_config().phase != NetworkPhase::Starting || signal_pending() ||
        rt::monotonic_ns() >= give_up)
      return;
    wait.sleep();
  }
}

SockaddrIn socket_address(net::Ipv4Address address) {
  return {
      .sin_family = kAF_INET, .sin_port = 0, .sin_addr = big_endian(address.value), .padding = {}};
}

void set_name(Ifreq& request, Card card) {
  const std::string_view name = name_of(card);
  std::fill(std::begin(request.ifr_name), std::end(request.ifr_name), '\0');
  std::copy(name.begin(), name.end(), request.ifr_name);
}

/// Errors  ENODEV
Answer<Card> card_named(const Ifreq& request) {
  std::string_view name{request.ifr_name, strnlen(request.ifr_name, sizeof request.ifr_name)};
  // A name of an alias, "eth0:1", means the card.
  name = name.substr(0, name.find(':'));
  for (const Card card : kCards)
    if (name == name_of(card) && is_present(card)) return card;
  return refuse(kENODEV);
}

Answer<Card> card_numbered(std::int32_t index) {
  for (const Card card : kCards)
    if (index == static_cast<std::int32_t>(card) && is_present(card)) return card;
  return refuse(kENODEV);
}

std::int16_t flags_of(Card card) {
  if (card == Card::Loopback) return kIFF_UP | kIFF_LOOPBACK | kIFF_RUNNING;
  const int up = is_up(card) ? kIFF_UP | kIFF_RUNNING : 0;
  return static_cast<std::int16_t>(kIFF_BROADCAST | kIFF_MULTICAST | up);
}

HardwareAddress hardware_address(Card card) {
  HardwareAddress out{};
  out.sa_family = card == Card::Loopback ? kARPHRD_LOOPBACK : kARPHRD_ETHER;
  if (card == Card::Ethernet) std::copy(ethernet().mac.begin(), ethernet().mac.end(), out.sa_data);
  return out;
}

std::int64_t list(std::uint64_t argument) {
  Ifconf conf{};
  if (!get(argument, conf)) return -kEFAULT;
  std::int32_t used = 0;
  for (const Card card : kCards) {
    const net::Ipv4Address address = addresses_of(card).address;
    if (!is_present(card) || address.is_zero()) continue;
    Ifreq entry{};
    set_name(entry, card);
    entry.ifr_addr = socket_address(address);
    constexpr auto kSize = static_cast<std::int32_t>(sizeof entry);
    // Without a buffer only the room that is needed is asked for.
    if (conf.ifc_req != 0) {
      if (conf.ifc_len - used < kSize) break;
      if (!put(conf.ifc_req + static_cast<std::uint32_t>(used), entry)) return -kEFAULT;
    }
    used += kSize;
  }
  conf.ifc_len = used;
  return put(argument, conf) ? 0 : -kEFAULT;
}

Answer<SockaddrIn> address_for(std::uint32_t command, Card card) {
  const net::Ipv4Interface addresses = addresses_of(card);
  if (addresses.address.is_zero()) return refuse(kEADDRNOTAVAIL);
  switch (command) {
    case kSIOCGIFBRDADDR:
      return socket_address(card == Card::Loopback ? net::Ipv4Address{} : addresses.broadcast());
    case kSIOCGIFNETMASK:
      return socket_address(addresses.mask);
    default:
      return socket_address(addresses.address);
  }
}

/// What a command asks about a card, put where it belongs.
std::int64_t answer(std::uint32_t command, Card card, Ifreq& request) {
  switch (command) {
    case kSIOCGIFFLAGS:
      request.ifr_flags = flags_of(card);
      return 0;
    case kSIOCGIFADDR:
    case kSIOCGIFDSTADDR:
    case kSIOCGIFBRDADDR:
    case kSIOCGIFNETMASK:
      request.ifr_addr = XOK_LINUX_TRY(address_for(command, card));
      return 0;
    case kSIOCGIFHWADDR:
      request.ifr_hwaddr = hardware_address(card);
      return 0;
    case kSIOCGIFMTU:
      request.ifr_number =
          card == Card::Loopback ? kLoopbackMtu : static_cast<std::int32_t>(ethernet().mtu);
      return 0;
    case kSIOCGIFINDEX:
      request.ifr_number = static_cast<std::int32_t>(card);
      return 0;
    case kSIOCGIFMETRIC:
      request.ifr_number = 0;
      return 0;
    case kSIOCGIFTXQLEN:
      request.ifr_number = 1000;
      return 0;
    case kSIOCGIFMAP:
      std::fill(std::begin(request.bytes), std::end(request.bytes), std::uint8_t{0});
      return 0;
    default:
      return -kENOTTY;
  }
}

bool changes_something(std::uint32_t command) {
  constexpr std::uint32_t kSetters[] = {
      kSIOCADDRT,      kSIOCDELRT,      kSIOCSIFFLAGS,   kSIOCSIFADDR,
      kSIOCSIFDSTADDR, kSIOCSIFBRDADDR, kSIOCSIFNETMASK, kSIOCSIFMETRIC,
      kSIOCSIFMTU,     kSIOCSIFNAME,    kSIOCSIFHWADDR,  kSIOCDIFADDR,
      kSIOCSIFTXQLEN,  kSIOCDARP,       kSIOCSARP,       kSIOCSIFMAP};
  return std::find(std::begin(kSetters), std::end(kSetters), command) != std::end(kSetters);
}

}  // namespace

std::int64_t interface_control(std::uint32_t command, std::uint64_t argument) {
  constexpr std::uint32_t kFamily = 0x8900;
  if ((command & ~0xffu) != kFamily) return -kENOTTY;
  if (changes_something(command)) return -kEPERM;
  wait_for_addresses();
  if (command == kSIOCGIFCONF) return list(argument);
  Ifreq request{};
  if (!get(argument, request)) return -kEFAULT;
  if (command == kSIOCGIFNAME) {
    set_name(request, XOK_LINUX_TRY(card_numbered(request.ifr_number)));
  } else {
    const Card card = XOK_LINUX_TRY(card_named(request));
    const std::int64_t answered = answer(command, card, request);
    if (answered < 0) return answered;
  }
  return put(argument, request) ? 0 : -kEFAULT;
}

std::int64_t socket_control(OpenFile& file, std::uint32_t command, std::uint64_t argument) {
  switch (command) {
    case kFIONREAD:
      if (listens(file)) return -kEINVAL;
      return put(argument, static_cast<std::int32_t>(is_local(file) ? readable_bytes_unix(file)
                                                                    : readable_bytes(file)))
                 ? 0
                 : -kEFAULT;
    case kTIOCOUTQ:
      return put(argument, std::int32_t{0}) ? 0 : -kEFAULT;
    default:
      return interface_control(command, argument);
  }
}

}  // namespace xok::exos::linux_abi
