// A process holds one library of a name (soname): a plugin that needs another file of a name that
// is loaded gets the loaded one, without a word from the loader. This finds that out before it
// happens. [startup], one thread.
#pragma once

#include <string>

#include "vouch/plugin.h"

namespace vouch::plugins {

/// What the plugin at `path` would get if it were alone is what it will get here. Pre: `path` is
/// absolute. Errors: failed_precondition with both files and what to do. The host's own libraries
/// are not looked at: a plugin gets those of the host, and the loader refuses versions that they
/// lack. Runs nothing of the plugin.
Status check_library_names(const std::string& path);

}  // namespace vouch::plugins
