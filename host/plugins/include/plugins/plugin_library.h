// Loading of libraries: Boost.DLL is used here and nowhere else. What is loaded stays for the life
// of the process. [startup], one thread.
#pragma once

#include <chrono>
#include <string>

#include "vouch/plugin.h"

namespace vouch::plugins {

/// Loads a file that has been looked into. Pre: `path` is absolute. Errors: failed_precondition
/// with what is missing and what to do.
Result<const PluginDescriptor*> load_library(const std::string& path);

/// Loads the library in a child process, since an initialiser that throws or crashes ends its
/// process. Ok if the child lived; whether loading works in other respects is for `load_library` to
/// say. Errors: failed_precondition, also when it has not loaded within `limit`.
Status try_library(const std::string& path,
                   std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace vouch::plugins
