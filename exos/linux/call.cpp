// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/linux/call.hpp"

#include "exos/fd/descriptors.hpp"
#include "exos/proc/file_system.hpp"
#include "exos/proc/signals.hpp"
#include "exos/shared.hpp"
#include "exos/vm/memory.hpp"

namespace xok::exos::linux_abi {
namespace {

int file_system_errno(FsError error) {
  switch (error) {
    case FsError::BadArgument:
    case FsError::BadFormat:
      return kEINVAL;
    case FsError::NotFound:
      return kENOENT;
    case FsError::Exists:
      return kEEXIST;
    case FsError::NotADirectory:
      return kENOTDIR;
    case FsError::IsADirectory:
      return kEISDIR;
    case FsError::NotEmpty:
      return kENOTEMPTY;
    case FsError::Loop:
      return kELOOP;
    case FsError::NameTooLong:
      return kENAMETOOLONG;
    case FsError::CrossDevice:
      return kEXDEV;
    case FsError::ReadOnly:
      return kEROFS;
    case FsError::AccessDenied:
      return kEACCES;
    case FsError::NotPermitted:
      return kEPERM;
    case FsError::NoSpace:
      return kENOSPC;
    case FsError::FileTooBig:
      return kEFBIG;
    case FsError::TooManyLinks:
      return kEMLINK;
    case FsError::Busy:
      return kEBUSY;
    case FsError::NotSupported:
      return kEOPNOTSUPP;
    case FsError::BeyondEnd:
      return kENXIO;
    case FsError::NoBuffer:
      return kERANGE;
  }
  return kEINVAL;
}

int our_errno(Errc error) {
  switch (error) {
    case Errc::BadArgument:
      return kEINVAL;
    case Errc::BadCapability:
      return kEBADF;
    case Errc::Denied:
      return kEACCES;
    case Errc::NoMemory:
      return kENOMEM;
    case Errc::NoSpace:
      return kEAGAIN;
    case Errc::NotFound:
      return kENOENT;
    case Errc::Exists:
      return kEEXIST;
    case Errc::Busy:
      return kEBUSY;
    case Errc::Fault:
      return kEFAULT;
    case Errc::BadEnv:
      return kESRCH;
    case Errc::TooBig:
      return kE2BIG;
    case Errc::Overlap:
      return kEADDRINUSE;
    case Errc::BadFormat:
      return kENOEXEC;
    case Errc::NotSupported:
      return kENOTTY;
    case Errc::WouldBlock:
      return kEAGAIN;
    case Errc::NoSuchCall:
      return kENOSYS;
    case Errc::Interrupted:
      return static_cast<int>(-kRestartCall);
    case Errc::TimedOut:
      return kETIMEDOUT;
    case Errc::Refused:
      return kECONNREFUSED;
    case Errc::Reset:
      return kECONNRESET;
    case Errc::Unreachable:
      return kENXIO;
    case Errc::Closed:
      return kEPIPE;
    case Errc::InProgress:
      return kEINPROGRESS;
    case Errc::NotConnected:
      return kENOTCONN;
    case Errc::Device:
    case Errc::GraftFailed:
    case Errc::WrongReads:
    case Errc::WrongOwns:
    case Errc::WrongType:
    case Errc::Tainted:
      return kEIO;
  }
  return kEINVAL;
}

int socket_errno(Errc error) {
  switch (error) {
    case Errc::NotFound:
      return kEADDRNOTAVAIL;
    case Errc::Exists:
      return kEISCONN;
    case Errc::Busy:
      return kEALREADY;
    case Errc::TooBig:
      return kEMSGSIZE;
    case Errc::NoSpace:
      return kENOBUFS;
    case Errc::NotSupported:
      return kEOPNOTSUPP;
    case Errc::BadFormat:
      return kEPROTOTYPE;
    case Errc::Unreachable:
      // With a gateway there is a route to everywhere: then it is the host that does not answer.
      return shared().network.interface.gateway.is_zero() ? kENETUNREACH : kEHOSTUNREACH;
    default:
      return our_errno(error);
  }
}

}  // namespace

std::int64_t error_number(Error error) {
  return error.from_file_system() ? -file_system_errno(error.file_system_code())
                                  : -our_errno(error.code());
}

std::int64_t socket_error(Error error) {
  return error.from_file_system() ? error_number(error) : -socket_errno(error.code());
}

bool copy_in(void* to, std::uint64_t from, std::size_t n) {
  if (from >= kProgramTop || n > kProgramTop - from) return false;
  return rt::rt_user_copy(to, reinterpret_cast<const void*>(from), n) == 0;
}

bool copy_out(std::uint64_t to, const void* from, std::size_t n) {
  if (to >= kProgramTop || n > kProgramTop - to) return false;
  return rt::rt_user_copy(reinterpret_cast<void*>(to), from, n) == 0;
}

Outcome<std::string_view> user_string(std::uint64_t address, std::size_t limit) {
  std::uint64_t at = address;
  while (at - address < limit) {
    if (!touch_readable(at, 1)) return std::unexpected{Errc::Fault};
    const std::uint64_t page_end = page_floor(at) + kPageSize;
    for (; at < page_end && at - address < limit; at++) {
      if (*reinterpret_cast<const char*>(at) == 0)
        return std::string_view{reinterpret_cast<const char*>(address), at - address};
    }
  }
  return std::unexpected{FsError::NameTooLong};
}

Outcome<std::span<std::byte>> user_output(std::uint64_t address, std::size_t length) {
  if (!touch_writable(address, length)) return std::unexpected{Errc::Fault};
  return std::span{reinterpret_cast<std::byte*>(address), length};
}

Outcome<std::span<const std::byte>> user_input(std::uint64_t address, std::size_t length) {
  if (!touch_readable(address, length)) return std::unexpected{Errc::Fault};
  return std::span{reinterpret_cast<const std::byte*>(address), length};
}

Outcome<Vnode> start_directory(int fd, std::string_view path) {
  if (fd == kAT_FDCWD || (!path.empty() && path.front() == '/')) return process().cwd;
  OpenFile* file = XOK_TRY(file_at(static_cast<std::uint64_t>(fd)));
  if (!file->node.valid() || file->kind != FileKind::Regular)
    return std::unexpected{FsError::NotADirectory};
  return file->node;
}

Outcome<OpenFile*> file_at(std::uint64_t fd) {
  OpenFile* file = open_file(fd);
  if (file == nullptr) return std::unexpected{Errc::BadCapability};
  return file;
}

}  // namespace xok::exos::linux_abi
