// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/init/launch.hpp"

#include <cstring>

#include "exos/fd/descriptors.hpp"
#include "exos/init/control.hpp"
#include "exos/proc/exec.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/lifecycle.hpp"
#include "exos/shared.hpp"

namespace xok::exos {
namespace {

/// The job in init's memory; the child has a copy of the pointer, the strings are in the bundle.
const Job* g_job = nullptr;

class JobStrings final : public StringVector {
 public:
  explicit JobStrings(std::span<const std::string_view> strings) : strings_{strings} {}
  Outcome<std::size_t> copy(std::size_t i, std::span<char> to) override {
    if (i >= strings_.size()) return 0;
    const std::string_view text = strings_[i];
    if (text.size() + 1 > to.size()) return std::unexpected{Errc::TooBig};
    std::memcpy(to.data(), text.data(), text.size());
    to[text.size()] = 0;
    return text.size() + 1;
  }

 private:
  std::span<const std::string_view> strings_;
};

bool open_stream(FileKind kind, std::uint32_t flags, std::uint32_t port) {
  const FileSystemLock lock;
  OpenFile* file = new_open_file(kind, flags);
  if (file == nullptr) return false;
  file->device = port;
  return install_descriptor(*file, CloseOnExec::No).has_value();
}

bool open_streams(JobMode mode) {
  if (mode == JobMode::Batch) {
    return open_stream(FileKind::Console, kOpenReadOnly, kInputPort) &&
           open_stream(FileKind::Console, kOpenWriteOnly, kOutputPort) &&
           open_stream(FileKind::Console, kOpenWriteOnly, kErrorPort);
  }
  const FileSystemLock lock;
  const Credentials who = credentials();
  Vfs fs = file_system();
  const auto console = fs.walk(caller(who), process().root, "/dev/console", Follow::Always);
  OpenFile* file = new_open_file(FileKind::Terminal, kOpenReadWrite);
  if (file == nullptr || !console.has_value()) return false;
  fs.hold(*console);
  file->node = *console;
  file->references = 3;
  for (int i = 0; i < 3; i++)
    if (!install_descriptor(*file, CloseOnExec::No).has_value()) return false;
  return true;
}

void become_session(JobMode mode) {
  const rt::Locked locked{shared().proc_lock};
  Proc& self = *process().proc;
  self.session = self.group = self.pid;
  if (mode == JobMode::Batch) return;
  self.has_terminal = 1;
  shared().terminal.session = self.session;
  shared().terminal.foreground = self.group;
}

std::string_view path_variable(const Job& job) {
  constexpr std::string_view kPath = "PATH=";
  for (std::size_t i = 0; i < job.environment_count; i++)
    if (job.environment[i].starts_with(kPath))
      return {job.environment[i].data() + kPath.size(), job.environment[i].size() - kPath.size()};
  return "/bin:/sbin:/usr/bin:/usr/sbin";
}

/// Tries the program at its path, or in each directory of PATH.
Outcome<> prepare(const Job& job) {
  JobStrings arguments{{job.arguments.data(), job.argument_count}};
  JobStrings environment{{job.environment.data(), job.environment_count}};
  const std::string_view program = job.arguments[0];
  if (program.find('/') != std::string_view::npos)
    return prepare_exec(process().cwd, program, arguments, environment);
  Outcome<> last = std::unexpected{FsError::NotFound};
  std::string_view rest = path_variable(job);
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string_view directory{rest.data(),
                                     colon == std::string_view::npos ? rest.size() : colon};
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    std::array<char, 512> path;
    if (directory.size() + 1 + program.size() > path.size()) continue;
    std::memcpy(path.data(), directory.data(), directory.size());
    path[directory.size()] = '/';
    std::memcpy(path.data() + directory.size() + 1, program.data(), program.size());
    const auto tried =
        prepare_exec(process().cwd, {path.data(), directory.size() + 1 + program.size()}, arguments,
                     environment);
    if (tried.has_value()) return tried;
    if (tried.error() != Error{FsError::NotFound}) last = tried;
  }
  return last;
}

void report_failure(const Job& job, Error error) {
  std::array<char, 512> text;
  std::string_view why = "cannot be run";
  if (error == Error{FsError::NotFound}) why = "not found";
  if (error == Error{FsError::AccessDenied}) why = "permission denied";
  if (error == Error{Errc::BadFormat}) why = "exec format error";
  if (error == Error{Errc::TooBig}) why = "argument list too long";
  const std::string_view program = job.arguments[0];
  std::size_t n = program.size() < 400 ? program.size() : 400;
  std::memcpy(text.data(), program.data(), n);
  std::memcpy(text.data() + n, ": ", 2);
  std::memcpy(text.data() + n + 2, why.data(), why.size());
  send_control("error", {text.data(), n + 2 + why.size()});
}

void run_job() {
  const Job& job = *g_job;
  become_session(job.mode);
  {
    const FileSystemLock lock;
    const Credentials who = credentials();
    Vfs fs = file_system();
    const auto directory = fs.walk(caller(who), process().root, job.directory, Follow::Always);
    if (directory.has_value() && fs.type(*directory) == FileType::Directory) {
      fs.hold(*directory);
      fs.release(process().cwd);
      process().cwd = *directory;
    }
  }
  if (!open_streams(job.mode)) exit_process(127 << 8);
  const auto ready = prepare(job);
  if (!ready.has_value()) {
    report_failure(job, ready.error());
    exit_process(127 << 8);
  }
  send_control("ready");
  load_prepared_image();
}

}  // namespace

Result<Pid> launch_job(const Job& job) {
  g_job = &job;
  return start_service("job", &run_job);
}

}  // namespace xok::exos
