// Exit codes of `vouch`: those of sysexits.h, by the names used here. A script decides by them.
#pragma once

#include "vouch/status.h"

namespace vouch::app {

enum ExitCode : int {
  kExitOk = 0,
  kExitUsage = 64,        ///< the command line is wrong
  kExitData = 65,         ///< the data is wrong, or the server refused it for good (4xx)
  kExitNoInput = 66,      ///< an input file can't be read
  kExitUnavailable = 69,  ///< a server, database or broker can't be reached
  kExitInternal = 70,     ///< a defect, here or in the server (5xx)
  kExitOutput = 74,       ///< standard output can't be written
  kExitTemporary = 75,    ///< try again later (429, 503)
  kExitPermission = 77,   ///< a right is missing
  kExitConfig = 78,       ///< the configuration, a plugin or the server's set-up forbids it
};

/// What a failed start means to whoever started it.
constexpr ExitCode exit_code_of(StatusCode code) {
  switch (code) {
    case StatusCode::ok:
      return kExitOk;
    case StatusCode::unavailable:
    case StatusCode::timeout:
    case StatusCode::cancelled:
    case StatusCode::overloaded:
    case StatusCode::contended:
    case StatusCode::held:
      return kExitUnavailable;
    case StatusCode::unauthenticated:
    case StatusCode::permission_denied:
      return kExitPermission;
    case StatusCode::corrupt:
    case StatusCode::internal:
      return kExitInternal;
    case StatusCode::invalid_argument:
    case StatusCode::not_found:
    case StatusCode::already_exists:
    case StatusCode::failed_precondition:
    case StatusCode::too_large:
    case StatusCode::not_supported:
      return kExitConfig;
  }
  return kExitInternal;
}

}  // namespace vouch::app
