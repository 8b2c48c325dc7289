// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "libs/net/function_ref.hpp"
#include "libs/net/payload.hpp"
#include "libs/net/receive_buffer.hpp"
#include "libs/net/tcp_congestion.hpp"
#include "libs/net/tcp_header.hpp"
#include "libs/net/tcp_rtt.hpp"

namespace xok::net {

class TcpConnection;

/// The parameters of connections; one object serves any number of them. Times in nanoseconds.
struct TcpConfig {
  std::uint16_t mss = 1460;  ///< largest payload of a segment we take or send: MTU - 40
  bool nagle = true;         ///< hold small segments back while data is in flight (RFC 896)
  TransmitChecksum transmit_checksum = TransmitChecksum::Full;
  std::uint8_t initial_window_segments = 10;         ///< RFC 6928; 0: the smaller ones of RFC 5681
  std::uint8_t syn_retries = 6;                      ///< SYNs sent again before TimedOut
  std::uint8_t data_retries = 12;                    ///< segments or probes sent again, ditto
  std::uint64_t initial_rto_ns = kSecond;            ///< RFC 6298 (2.1)
  std::uint64_t min_rto_ns = 200 * kMillisecond;     ///< RFC 6298 (2.4) says 1 s; all use less
  std::uint64_t max_rto_ns = 60 * kSecond;           ///< RFC 6298 (2.5), persist timer included
  std::uint64_t delayed_ack_ns = 40 * kMillisecond;  ///< at most 500 ms (RFC 9293 section 3.8.6.3)
  std::uint64_t time_wait_ns = 60 * kSecond;         ///< 2 MSL
  std::uint64_t fin_wait2_ns =
      60 * kSecond;                     ///< wait for the peer's FIN once detached; 0: for ever
  std::uint64_t keepalive_idle_ns = 0;  ///< 0: no keep-alives (RFC 9293 section 3.8.4)
  std::uint64_t keepalive_interval_ns = 75 * kSecond;
  std::uint8_t keepalive_probes = 9;
};

/// Names payload bytes [offset, offset + length) of the stream that `connection` sends, as at most
/// `out.size()` pieces, in order. Asked for each transmission and each retransmission; all bytes
/// from `acknowledged()` to the offset passed to `send_available` must be had. Naming fewer bytes
/// makes a shorter segment; naming none (returning 0) holds sending up until the next event.
using TcpSource = FunctionRef<std::size_t(const TcpConnection& connection, std::uint64_t offset,
                                          std::uint32_t length, std::span<PayloadPiece> out)>;

/// Sends a frame. Header and piece list are on the stack: gather or copy before returning. It may
/// write the Ethernet header (the first 14 bytes). It must not call into the connection.
using TcpSink = FunctionRef<void(const OutPacket& packet)>;

/// What every event of a connection needs from outside; built on the stack for each call.
struct TcpContext {
  std::uint64_t now_ns;
  const TcpConfig& config;
  TcpSource source;
  TcpSink sink;
};

/// Answers a segment that belongs to no connection with a RST; a RST is not answered. Of `ctx`,
/// only the sink and the checksum mode are used.
///
/// flow     the addresses for the answer (`flow_to_answer`)
/// Source   RFC 9293 section 3.10.7.1
void answer_with_reset(const TcpContext& ctx, const TcpFlow& flow, const TcpSegment& segment);

/// RFC 9293 section 3.3.2. LISTEN is not a connection's state here: see TcpDemux.
enum class TcpState : std::uint8_t {
  Closed = 0,
  SynSent,
  SynReceived,
  Established,
  FinWait1,
  FinWait2,
  CloseWait,
  Closing,
  LastAck,
  TimeWait,
};

/// What an event changed, as a set of bits.
using TcpEvents = std::uint32_t;
inline constexpr TcpEvents kTcpConnected = 1;     ///< the handshake is complete
inline constexpr TcpEvents kTcpReadable = 2;      ///< `readable()` has grown
inline constexpr TcpEvents kTcpAcknowledged = 4;  ///< `acknowledged()` has grown
inline constexpr TcpEvents kTcpPeerClosed = 8;    ///< the peer's stream ends after `readable()`
inline constexpr TcpEvents kTcpClosed = 16;       ///< now Closed; `error()` tells why
inline constexpr TcpEvents kTcpTimeWait = 32;     ///< now TimeWait: only the 2 MSL are left

/// Whether more than the bytes announced so far may follow.
enum class Finish : std::uint8_t { No, Yes };

/// One TCP connection: a pure state machine, the transmission control block of RFC 9293.
///
/// It owns neither bytes to be sent nor a retransmission copy: the owner announces how far its
/// stream reaches and is asked for pieces of it when a segment is built. Received bytes go to the
/// ring that the owner passed when opening.
///
/// Use: open; then for each segment `on_segment`, for each passed `next_deadline()` `on_timer`,
/// for each new byte to send `send_available`, for each byte read `consume`. After each call look
/// at the returned events. Every call may send through the context's sink.
///
/// An acknowledgement rides on data whenever there is data to send; a FIN rides on the last data
/// segment if `Finish::Yes` comes with it (or before it was sent).
///
/// Positions: inside, sequence numbers are 64-bit *positions*: 0 is the SYN, stream byte n is
/// 1 + n, the FIN follows the last byte. Only the wire has 32 bits, so nothing here wraps.
///
/// Context  one thread at a time. Zero bytes are a valid Closed connection; trivially copyable
/// Source   RFC 9293; RFC 5681 and 6582 (congestion), 6298 (timeouts), 7323 section 2 (window
///          scale), 5961 sections 3 to 5 (blind attacks), 1337 (resets in TIME-WAIT are ignored).
///          differs: data on a SYN is not kept (the peer sends it again); no urgent data
class TcpConnection {
 public:
  /// Opens towards a listening peer: sends a SYN.
  ///
  /// flow            both addresses; `remote_mac` is the next hop's
  /// iss             initial sequence number (isn.hpp)
  /// receive_memory  the receive ring, kept until the connection is Closed and its data consumed
  /// Errors   Busy         not Closed
  ///          BadArgument  the ring's size is not a power of two, or `config.mss` is below 64
  Result<> open_active(const TcpContext& ctx, const TcpFlow& flow, std::uint32_t iss,
                       std::span<std::uint8_t> receive_memory);

  /// Opens on behalf of a listener: answers `syn` (SYN set, ACK and RST not) with a SYN+ACK.
  ///
  /// Errors   as `open_active`; BadArgument also if `syn` is not such a segment
  Result<> open_passive(const TcpContext& ctx, const TcpFlow& flow, std::uint32_t iss,
                        std::span<std::uint8_t> receive_memory, const TcpSegment& syn);

  /// Handles a segment whose addresses and ports are this connection's. Ignored when Closed.
  ///
  /// Cost     measured, Established, without copying: next bytes in order 190 instructions, with an
  ///          acknowledgement sent at once 450; an acknowledgement of new bytes of ours 200
  TcpEvents on_segment(const TcpContext& ctx, const TcpSegment& segment);

  /// Does what has fallen due. Too early is harmless.
  TcpEvents on_timer(const TcpContext& ctx);

  /// When `on_timer` must be called next. May move either way with every call.
  std::uint64_t next_deadline() const;

  /// Announces that the stream to send reaches `total_length` bytes from its start, and with
  /// `Finish::Yes` that it ends there (a FIN follows the last byte). Sends what may be sent.
  ///
  /// Errors   Closed       not open for sending: never opened, closed, reset or already finished
  ///          BadArgument  less than was announced before
  Result<> send_available(const TcpContext& ctx, std::uint64_t total_length,
                          Finish finish = Finish::No);

  /// Ends our stream after what was announced. In SynSent the connection is dropped at once.
  ///
  /// Errors   Closed  there is no connection, or it was closed before
  Result<> close(const TcpContext& ctx);

  /// Drops the connection: sends a RST if the peer knows of it. Harmless when Closed.
  void abort(const TcpContext& ctx);

  /// The owner goes away: closes, and answers further data with a RST (RFC 9293 section 3.6.1).
  /// Unread data makes it an `abort`. Afterwards only `on_segment` and `on_timer` are needed.
  void detach(const TcpContext& ctx);

  /// The bytes received in order and not consumed; still there after the connection has ended.
  ReceiveBuffer::Readable readable() const { return receive_.readable(); }
  std::uint32_t readable_bytes() const { return receive_.readable_bytes(); }

  /// Gives received bytes' room back; sends a window update if the peer may be waiting for one.
  ///
  /// Errors   BadArgument  more than is readable
  Result<> consume(const TcpContext& ctx, std::uint32_t count);

  /// A path MTU was reported for a packet of ours (ICMP "fragmentation needed", RFC 1191):
  /// segments become no larger than `mtu` - 40, at least 64, and what is in flight is sent again.
  ///
  /// sequence   from the packet that the report quotes; reports for bytes not in flight are ignored
  void on_path_mtu(const TcpContext& ctx, std::uint32_t sequence, std::uint16_t mtu);

  /// An ICMP "unreachable" was reported. `Refused` (port, protocol) ends an opening connection;
  /// `Unreachable` (net, host) only explains a later time-out (RFC 1122 section 4.2.3.9,
  /// RFC 5927 section 4).
  TcpEvents on_unreachable(std::uint32_t sequence, Errc reason);

  TcpState state() const { return state_; }
  /// Why the connection is Closed: Refused, Reset, TimedOut, Unreachable; nothing if in good order.
  std::optional<Errc> error() const;
  /// Stream bytes that the peer has acknowledged: the source may forget these.
  std::uint64_t acknowledged() const;
  /// Whether the peer has acknowledged all our bytes and our FIN.
  bool finish_acknowledged() const { return fin_queued_ && send_una_ == send_end(); }
  /// Whether the peer has ended its stream; it ends after `readable()`.
  bool peer_finished() const { return fin_received_; }
  const TcpFlow& flow() const { return flow_; }
  /// The next hop's address has changed.
  void set_remote_mac(const MacAddress& mac) { flow_.remote_mac = mac; }

  /// A word for the owner, for example to find its socket; not looked at. Opening keeps it.
  std::uint64_t cookie() const { return cookie_; }
  void set_cookie(std::uint64_t cookie) { cookie_ = cookie; }

  // What tests, fuzzers and statistics look at.
  std::uint16_t send_mss() const { return mss_; }
  std::uint64_t send_window() const { return send_window_; }
  std::uint32_t wire_send_next() const { return wire(send_max_); }
  std::uint32_t wire_receive_next() const { return receive_wire(receive_next()); }
  const TcpCongestion& congestion() const { return congestion_; }
  const TcpRtt& round_trip() const { return rtt_; }
  const ReceiveBuffer& receive_buffer() const { return receive_; }
  std::uint32_t retransmissions() const { return retransmissions_; }

 private:
  friend class TcpDemux;
  friend class DeadlineHeap;

  enum class SendTimer : std::uint8_t { Off, Retransmit, Persist };
  enum class AckNeed : std::uint8_t { None, Delayed, Now };

  // Positions (64 bits) and the wire's 32 bits.
  std::uint32_t wire(std::uint64_t position) const {
    return iss_ + static_cast<std::uint32_t>(position);
  }
  std::uint32_t receive_wire(std::uint64_t position) const {
    return irs_ + static_cast<std::uint32_t>(position);
  }
  /// One past the last position of our stream known so far, FIN included.
  std::uint64_t send_end() const { return 1 + send_limit_ + (fin_queued_ ? 1 : 0); }
  std::uint64_t receive_next() const {
    return 1 + receive_.next_offset() + (fin_received_ ? 1 : 0);
  }
  std::uint32_t in_flight() const { return static_cast<std::uint32_t>(send_max_ - send_una_); }

  // tcp_connection.cpp: opening, closing, owner's calls.
  Result<> start(const TcpContext& ctx, const TcpFlow& flow, std::uint32_t iss,
                 std::span<std::uint8_t> memory);
  void enter(TcpState state) { state_ = state; }
  void finish_connection(std::optional<Errc> error);
  void queue_fin();
  void enter_time_wait(const TcpContext& ctx);
  bool can_send() const;

  // tcp_input.cpp: one step of RFC 9293 section 3.10.7 each.
  bool predicted(const TcpSegment& segment) const;
  void on_predicted(const TcpContext& ctx, const TcpSegment& segment);
  void on_segment_slow(const TcpContext& ctx, const TcpSegment& segment);
  void on_segment_syn_sent(const TcpContext& ctx, const TcpSegment& segment);
  void on_segment_time_wait(const TcpContext& ctx, const TcpSegment& segment);
  void on_reset(const TcpContext& ctx, std::int64_t ahead);
  bool acceptable(std::int64_t ahead, std::uint32_t length) const;
  void learn_from_syn(const TcpContext& ctx, const TcpSegment& syn);
  void establish(const TcpContext& ctx, std::uint32_t window);
  void on_acknowledged_probe();
  bool process_ack(const TcpContext& ctx, const TcpSegment& segment, std::int64_t ahead);
  void advance_una(const TcpContext& ctx, std::uint64_t una);
  void on_fin_acknowledged(const TcpContext& ctx);
  void process_payload(const TcpContext& ctx, const TcpSegment& segment, std::int64_t ahead);
  void on_peer_fin(const TcpContext& ctx);
  void note_received(const TcpContext& ctx, std::size_t segment_bytes);
  void challenge(const TcpContext& ctx);

  // tcp_output.cpp: building segments, timers.
  void output(const TcpContext& ctx);
  bool send_one(const TcpContext& ctx);
  bool worth_sending(const TcpContext& ctx, std::uint32_t data, bool last) const;
  std::uint32_t emit(const TcpContext& ctx, std::uint64_t position, std::uint32_t length,
                     std::uint8_t flags);
  void note_sent(const TcpContext& ctx, std::uint64_t position, std::uint32_t covered);
  void emit_frame(const TcpContext& ctx, std::uint64_t position, std::uint8_t flags,
                  std::span<const PayloadPiece> pieces, std::uint32_t length, std::uint16_t sum);
  void emit_syn(const TcpContext& ctx);
  void send_ack(const TcpContext& ctx);
  void send_reset(const TcpContext& ctx);
  void need_ack(const TcpContext& ctx, AckNeed need);
  void retransmit_first(const TcpContext& ctx);
  std::uint16_t advertise();
  void update_send_timer(const TcpContext& ctx);
  void start_send_timer(const TcpContext& ctx, SendTimer kind);
  std::uint64_t timeout_ns(const TcpConfig& config) const;
  void on_send_timer(const TcpContext& ctx);
  void on_persist(const TcpContext& ctx);
  void on_retransmit_timeout(const TcpContext& ctx);
  void on_idle_timer(const TcpContext& ctx);
  void send_keepalive(const TcpContext& ctx);
  bool give_up(const TcpConfig& config);

  TcpFlow flow_;
  std::uint32_t iss_ = 0;
  std::uint32_t irs_ = 0;
  std::uint64_t cookie_ = 0;

  // Sending, in positions. una <= next <= max <= send_end() (max may pass next by what is to be
  // sent again after a time-out, or by one probed byte).
  std::uint64_t send_una_ = 0;
  std::uint64_t send_next_ = 0;
  std::uint64_t send_max_ = 0;
  std::uint64_t send_limit_ = 0;           ///< stream bytes announced
  std::uint64_t window_sequence_ = 0;      ///< receive position of the last window update (WL1)
  std::uint64_t window_acknowledged_ = 0;  ///< send position of it (WL2)
  std::uint32_t send_window_ = 0;
  std::uint32_t max_send_window_ = 0;

  // Receiving.
  std::uint64_t acked_position_ = 0;   ///< receive position of the last ACK sent
  std::uint64_t advertised_edge_ = 0;  ///< right edge of the window that the peer was told
  std::uint64_t peer_fin_ = 0;         ///< position of a FIN seen past a gap; 0: none
  ReceiveBuffer receive_;

  TcpRtt rtt_;
  std::uint32_t retransmissions_ = 0;
  std::uint64_t timed_end_ = 0;  ///< end of the segment being timed; 0: none
  std::uint64_t timed_at_ns_ = 0;
  TcpCongestion congestion_;

  // Deadlines; 0: off.
  std::uint64_t send_deadline_ns_ = 0;
  std::uint64_t ack_deadline_ns_ = 0;
  std::uint64_t idle_deadline_ns_ = 0;  ///< keep-alive, FIN-WAIT-2 or 2 MSL, by state
  std::uint64_t last_receive_ns_ = 0;
  std::uint64_t last_send_ns_ = 0;
  std::uint64_t challenge_period_ns_ = 0;

  std::uint32_t heap_index_ = 0;  ///< 1 + place in the DeadlineHeap; 0: not in it
  std::uint32_t listener_ = 0;    ///< 1 + index of the listener that counts it; 0: none
  std::uint16_t mss_ = 0;
  std::uint16_t receive_mss_ = 0;  ///< largest segment received: every second one is acknowledged
  TcpEvents events_ = 0;           ///< of the current call
  TcpState state_ = TcpState::Closed;
  SendTimer send_timer_ = SendTimer::Off;
  AckNeed ack_need_ = AckNeed::None;
  std::uint8_t error_ = 0;       ///< Errc, or 0
  std::uint8_t soft_error_ = 0;  ///< Errc that a time-out will report, or 0
  std::uint8_t backoff_ = 0;     ///< doublings of the time-out
  std::uint8_t retries_ = 0;     ///< time-outs since the peer last answered
  std::uint8_t probes_ = 0;      ///< keep-alives since the peer was last heard
  std::uint8_t challenges_ = 0;  ///< in the current second
  std::uint8_t send_scale_ = 0;
  std::uint8_t receive_scale_ = 0;
  bool passive_ = false;
  bool scale_offered_ = false;
  bool fin_queued_ = false;
  bool fin_received_ = false;
  bool detached_ = false;
};

}  // namespace xok::net
