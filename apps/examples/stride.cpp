// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A scheduler of one's own: three programs get the processor as 3 : 2 : 1.
//
// The programs own no time slice; the scheduler owns one and gives each of its turns away, with a
// directed yield, to the program that is furthest behind (stride scheduling: a program's pass
// advances by a stride, inversely proportional to its tickets, whenever it is given a slice). The
// kernel knows nothing of tickets: it wakes us at the start of our slice and does as it is told.
//
// Prints a line of comma-separated values every ten slices (`./exo plot stride` draws them), and a
// table. Source: Waldspurger and Weihl, Stride Scheduling (1995); thesis ch. 9.
#include "apps/examples/example.hpp"

namespace {

using namespace xok;
using namespace xok::example;

constexpr std::uint64_t kSlices = 1000;  // 10 ms each: 10 s
constexpr std::size_t kClients = 3;
constexpr std::uint64_t kTickets[kClients] = {3, 2, 1};
constexpr std::uint64_t kAllTickets = 6;
constexpr std::uint64_t kWork = 0x100'0000'0000;  // page i: how much client i has done

struct Client {
  Program program;
  std::uint64_t stride = 0;
  std::uint64_t pass = 0;
  std::uint64_t slices = 0;
};

/// What is scheduled: counts as fast as it can, and never gives the processor away.
void work(std::uint64_t counter) {
  auto& done = *reinterpret_cast<volatile std::uint64_t*>(counter);
  for (;;) done = done + 1;
}

Client& furthest_behind(Client (&clients)[kClients]) {
  Client* best = clients;
  for (Client& client : clients)
    if (client.pass < best->pass) best = &client;
  return *best;
}

void print_line(std::uint64_t slices, const Client (&clients)[kClients]) {
  print(slices);
  for (const Client& client : clients) {
    print(",");
    print(client.slices);
  }
  print("\n");
}

/// Whether a client's slices are within 1 % of its share, and the kernel has counted as we have.
bool fair(const Client& client, std::uint64_t tickets) {
  const std::uint64_t got = client.slices * kAllTickets;
  const std::uint64_t due = tickets * kSlices;
  const std::uint64_t off = got > due ? got - due : due - got;
  return off * 100 <= due && rt::env_record(client.program.id).switches == client.slices;
}

}  // namespace

extern "C" [[noreturn]] void rt_start(std::uint64_t /*bundle*/, std::uint64_t /*length*/) {
  take_upcalls();
  Client clients[kClients];
  for (std::size_t i = 0; i < kClients; i++) {
    const std::uint64_t counter = kWork + i * kPageSize;
    new_page<std::uint64_t>(counter);
    clients[i].program = start(kRoot, work, counter);
    share(counter, clients[i].program, kData);
    clients[i].stride = kAllTickets / kTickets[i];
  }

  const std::uint64_t begin = rt::monotonic_ns();
  print("slices,three,two,one\n");
  for (std::uint64_t n = 0; n < kSlices; n++) {
    if (n % 10 == 0) print_line(n, clients);
    Client& next = furthest_behind(clients);
    next.pass += next.stride;
    next.slices++;
    must(sys::yield(next.program.id, 0), "yield");  // back when the slice is over
  }
  print_line(kSlices, clients);
  const std::uint64_t ms = (rt::monotonic_ns() - begin) / 1'000'000;

  bool good = true;
  std::uint64_t cycles = 0;
  for (const Client& client : clients) cycles += rt::env_record(client.program.id).run_cycles;
  print("\ntickets  slices  share of time, 1/1000  work done\n");
  for (std::size_t i = 0; i < kClients; i++) {
    const auto& counter = *reinterpret_cast<volatile std::uint64_t*>(kWork + i * kPageSize);
    print(kTickets[i], 7);
    print(clients[i].slices, 8);
    print(rt::env_record(clients[i].program.id).run_cycles * 1000 / cycles, 23);
    print(counter, 11);
    print("\n");
    good = good && fair(clients[i], kTickets[i]) && counter > 0;
  }
  print(ms);
  print(" ms; ");
  print(good ? "3 : 2 : 1 within 1 %\n" : "the shares are wrong\n");
  stop(good);
}
