// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/calls_machine.hpp"

#include <cstddef>

#include "kernel/core/dispatch.hpp"

namespace xok::kernel::calls {
namespace {

/// One entry: copied, run, its result stored. The error is the call's own or Fault.
CallResult run_entry(Call& call, UserAddr at) {
  BatchEntry entry;
  if (!call.from_user(&entry, at, sizeof entry)) return fail(Errc::Fault);
  const UserAddr result_address{at.value + offsetof(BatchEntry, result)};
  entry.result = 0;
  if (!call.to_user(result_address, &entry.result, sizeof entry.result)) return fail(Errc::Fault);
  entry.result = dispatch(call, entry.number, entry.arguments);
  // It could be written before; the call itself may have unmapped it since.
  if (!call.to_user(result_address, &entry.result, sizeof entry.result)) return fail(Errc::Fault);
  if (entry.result < 0) return fail(static_cast<Errc>(-entry.result));
  return 0;
}

}  // namespace

CallResult batch(Call& call, UserAddr entries, Count n, UserAddr done) {
  if (call.in_batch) return fail(Errc::BadArgument);
  if (n.value > kMaxBatch) return fail(Errc::TooBig);
  std::uint64_t count = 0;
  if (!call.to_user(done, &count, sizeof count)) return fail(Errc::Fault);
  call.in_batch = true;
  const std::uint64_t allowed =
      call.core.tables.info->tsc_hz / (kNanosecondsPerSecond / kBatchNanoseconds);
  const std::uint64_t begin = call.core.machine.cycles();
  CallResult outcome{0};
  while (count < n.value) {
    outcome = run_entry(call, UserAddr{entries.value + count * sizeof(BatchEntry)});
    if (!outcome.has_value()) break;
    count++;
    if (count < n.value && call.core.machine.cycles() - begin > allowed) {
      outcome = fail(Errc::TimedOut);
      break;
    }
  }
  if (!call.to_user(done, &count, sizeof count)) return fail(Errc::Fault);
  return outcome;
}

CallResult machine_stop(Call& call, CapSlot cap, Count status) {
  XOK_TRY(call.check(cap, kRootCapability, Permission::Write));
  if (call.in_batch || status.value > 127) return fail(Errc::BadArgument);
  call.core.machine.stop(status.value);
  return 0;  // GCC forgets that a virtual function does not return
}

}  // namespace xok::kernel::calls
