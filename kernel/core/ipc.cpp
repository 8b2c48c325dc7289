// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "kernel/core/ipc.hpp"

namespace xok::kernel {
namespace {

/// Who sends it, and the words, where the receiver looks for them.
void put_message(Context& context, EnvId from, const IpcWords& words) {
  context.rdi = from;
  context.rsi = words[0];
  context.rdx = words[1];
  context.r10 = words[2];
  context.r8 = words[3];
  context.r9 = words[4];
}

}  // namespace

Result<std::uint64_t> block_words(const volatile IpcArea& sender) {
  const std::uint64_t words = sender.out_words;
  if (words > kIpcBlockWords) return fail(Errc::TooBig);
  return words;
}

void pass_block(const volatile IpcArea& sender, volatile IpcArea& receiver, std::uint64_t words) {
  receiver.in_words = words;
  for (std::size_t i = 0; i < words; i++) receiver.in[i] = sender.out[i];
}

void enter_callee(Core& core, EnvIndex callee, volatile IpcArea& area, EnvIndex caller,
                  IpcKind kind, const Capability& presented, const Rest& agreed,
                  const IpcWords& words) {
  Context& context = core.machine.context(callee);
  area.save.rip = context.rip;
  area.save.rsp = context.rsp;
  area.save.rflags = context.rflags;
  area.save.rax = context.rax;
  area.save.rcx = context.rcx;
  area.save.rdx = context.rdx;
  area.save.rsi = context.rsi;
  area.save.rdi = context.rdi;
  area.save.r8 = context.r8;
  area.save.r9 = context.r9;
  area.save.r10 = context.r10;
  area.save.r11 = context.r11;
  const EnvId id = core.env(caller).id;
  area.busy = 1;
  area.caller = id;
  area.kind = static_cast<std::uint64_t>(kind);
  area.capability = presented.bits();
  context.rip = agreed.entry;
  context.rsp = agreed.stack;
  context.rflags = upcall_flags(context.rflags);
  context.rax = static_cast<std::uint64_t>(kind);
  put_message(context, id, words);
  context.rcx = context.r11 = 0;
  Env& record = core.env(callee);
  core.state(callee).ipc_slept = record.status == EnvStatus::Sleeping;
  record.status = EnvStatus::Runnable;
}

void enter_resting(Core& core, EnvIndex callee, volatile IpcArea& area, EnvIndex caller,
                   IpcKind kind, const Capability& presented, const IpcWords& words) {
  const Rest& rest = core.rests[callee];
  const EnvId id = core.env(caller).id;
  area.capability = presented.bits();
  Context& context = core.machine.context(callee);
  context = Context{};
  context.rip = rest.entry;
  context.rsp = rest.stack;
  context.rflags = user_flags(0);
  context.rax = static_cast<std::uint64_t>(kind);
  put_message(context, id, words);
  context.fs_base = rest.fs_base;
  context.gs_base = rest.gs_base;
  core.env(callee).status = EnvStatus::Runnable;
  if (kind == IpcKind::Call && rest.only == 0) core.machine.let_in(callee, rest, presented.bits());
}

Result<> begin_rest(Core& core, EnvIndex index) {
  const volatile IpcArea& area = core.machine.uenv(index).ipc;
  const Context& context = core.machine.context(index);
  const Rest rest{.entry = area.entry,
                  .stack = area.stack,
                  .allow = area.allow,
                  .only = area.only,
                  .gate = Capability::from_bits(area.gate),
                  .fs_base = context.fs_base,
                  .gs_base = context.gs_base};
  if (!is_entry(rest.entry)) return fail(Errc::BadArgument);
  core.rests[index] = rest;
  core.machine.let_in(index, rest, 0);
  return {};
}

void go_to_rest(Core& core, EnvIndex index) {
  core.env(index).status = EnvStatus::Resting;
  core.machine.rest(index, !core.state(index).revoke_due);
}

Result<> restore_callee(Core& core, EnvIndex callee, volatile IpcArea& area, Context& context) {
  if (area.busy == 0) return fail(Errc::NotFound);
  const std::uint64_t rip = area.save.rip;  // its owner may have changed every word
  if (rip >= kUserTop) return fail(Errc::BadArgument);
  context.rip = rip;
  context.rsp = area.save.rsp;
  context.rflags = user_flags(area.save.rflags);
  context.rax = area.save.rax;
  context.rcx = area.save.rcx;
  context.rdx = area.save.rdx;
  context.rsi = area.save.rsi;
  context.rdi = area.save.rdi;
  context.r8 = area.save.r8;
  context.r9 = area.save.r9;
  context.r10 = area.save.r10;
  context.r11 = area.save.r11;
  area.busy = 0;
  EnvState& state = core.state(callee);
  if (state.ipc_slept && state.predicate != nullptr) core.env(callee).status = EnvStatus::Sleeping;
  state.ipc_slept = false;
  return {};
}

void answer_caller(Core& core, EnvIndex caller, EnvIndex callee, const IpcWords& words) {
  Context& context = core.machine.context(caller);
  context.rax = 0;
  put_message(context, core.env(callee).id, words);
  abandon_wait(core, caller);
  core.env(caller).status = EnvStatus::Runnable;
}

void abandon_wait(Core& core, EnvIndex index) {
  Env& record = core.env(index);
  if (record.waits_for == 0) return;
  core.env(env_index(record.waits_for)).callers--;
  record.waits_for = 0;
}

void end_transfers(Core& core, EnvIndex index) {
  abandon_wait(core, index);
  const Env& ended = core.env(index);
  for (EnvIndex i = 1; i < kMaxEnvironments && ended.callers > 0; i++) {
    if (core.env(i).waits_for != ended.id) continue;
    abandon_wait(core, i);
    core.machine.context(i).rax =
        static_cast<std::uint64_t>(-static_cast<std::int64_t>(Errc::BadEnv));
    core.env(i).status = EnvStatus::Runnable;
  }
}

}  // namespace xok::kernel
