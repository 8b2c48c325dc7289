// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// /proc/net: interfaces, routes and sockets, for ifconfig, route and netstat. There is no IPv6: its
// tables are their headings.
#include "exos/fs/proc_fs.hpp"

namespace xok::exos {

namespace {

constexpr std::string_view kInterfaceHeading =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
    "fifo colls carrier compressed\n";
constexpr std::string_view kTcpHeading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode";
constexpr std::string_view kUdpHeading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops";
constexpr std::string_view kTcp6Heading =
    "  sl  local_address                         remote_address                        st "
    "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
constexpr std::string_view kUdp6Heading =
    "  sl  local_address                         remote_address                        st "
    "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";

void write_interfaces(ProcSource& source, TextWindow& text) {
  text.put(kInterfaceHeading);
  InterfaceInfo card;
  for (unsigned i = 0; source.interface(i, card); ++i) {
    text.right(card.name, 6).put(": ");
    text.number(card.received_bytes, 7).put(' ').number(card.received_packets, 7).put(' ');
    text.number(card.receive_errors, 4).put(' ').number(card.receive_drops, 4);
    text.put("    0     0          0         0 ");
    text.number(card.sent_bytes, 8).put(' ').number(card.sent_packets, 7).put(' ');
    text.number(card.send_errors, 4).put(' ').number(card.send_drops, 4);
    text.put("    0     0       0          0\n");
  }
}

void write_routes(ProcSource& source, TextWindow& text) {
  constexpr std::size_t kLine = 127;
  text.left("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
            kLine);
  text.put('\n');
  RouteInfo route;
  for (unsigned i = 0; source.route(i, route); ++i) {
    const std::uint64_t begin = text.length();
    text.put(route.interface).put('\t').upper_hex(route.destination, 8).put('\t');
    text.upper_hex(route.gateway, 8).put('\t').upper_hex(route.flags, 4).put("\t0\t0\t");
    text.number(route.metric).put('\t').upper_hex(route.mask, 8).put("\t0\t0\t0");
    const std::uint64_t used = text.length() - begin;
    text.spaces(used < kLine ? kLine - used : 0).put('\n');
  }
}

void put_endpoint(std::uint32_t address, std::uint16_t port, TextWindow& text) {
  text.upper_hex(address, 8).put(':').upper_hex(port, 4).put(' ');
}

/// TCP, UDP and raw tables differ in what follows the inode only.
void write_inet(ProcSource& source, SocketTable table, TextWindow& text) {
  constexpr std::size_t kLine = 149;
  const bool tcp = table == SocketTable::Tcp;
  const std::string_view heading = tcp ? kTcpHeading : kUdpHeading;
  text.left(heading, kLine).put('\n');
  SocketInfo socket;
  for (unsigned i = 0; source.socket(table, i, socket); ++i) {
    const std::uint64_t begin = text.length();
    text.number(i, 4).put(": ");
    put_endpoint(socket.local_address, socket.local_port, text);
    put_endpoint(socket.remote_address, socket.remote_port, text);
    text.upper_hex(socket.state, 2).put(' ').upper_hex(socket.send_queue, 8).put(':');
    text.upper_hex(socket.receive_queue, 8).put(" 00:00000000 00000000 ");
    text.number(socket.uid, 5).put("        0 ").number(socket.inode);
    text.put(tcp ? " 1 0000000000000000 100 0 0 10 0" : " 2 0000000000000000 0");
    const std::uint64_t used = text.length() - begin;
    text.spaces(used < kLine ? kLine - used : 0).put('\n');
  }
}

void write_unix(ProcSource& source, TextWindow& text) {
  text.put("Num       RefCount Protocol Flags    Type St Inode Path\n");
  SocketInfo socket;
  for (unsigned i = 0; source.socket(SocketTable::Unix, i, socket); ++i) {
    text.hex(0, 16).put(": ").upper_hex(socket.references, 8).put(" 00000000 ");
    text.upper_hex(socket.flags, 8).put(' ').upper_hex(socket.type, 4).put(' ');
    text.upper_hex(socket.state, 2).put(' ').number(socket.inode, 5);
    if (!socket.path.empty()) text.put(' ').put(socket.path);
    text.put('\n');
  }
}

}  // namespace

void write_net_text(ProcFile file, ProcSource& source, TextWindow& text) {
  switch (file) {
    case ProcFile::NetDev:
      return write_interfaces(source, text);
    case ProcFile::NetRoute:
      return write_routes(source, text);
    case ProcFile::NetTcp:
      return write_inet(source, SocketTable::Tcp, text);
    case ProcFile::NetUdp:
      return write_inet(source, SocketTable::Udp, text);
    case ProcFile::NetRaw:
      return write_inet(source, SocketTable::Raw, text);
    case ProcFile::NetUnix:
      return write_unix(source, text);
    case ProcFile::NetTcp6:
      text.put(kTcp6Heading).put('\n');
      return;
    case ProcFile::NetUdp6:
    case ProcFile::NetRaw6:
      text.put(kUdp6Heading).put('\n');
      return;
    case ProcFile::NetArp:
      text.put("IP address       HW type     Flags       HW address            Mask     Device\n");
      return;
    default:
      return;
  }
}

}  // namespace xok::exos
