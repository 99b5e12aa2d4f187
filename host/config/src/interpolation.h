// Replaces `${NAME}`, `${NAME:-default}`, `${file:PATH}` and `$$` in the values of a document,
// after it was parsed, so that what comes in can't change the document's structure. What comes in
// is not looked through again. One thread.
#pragma once

#include <string>

#include "config/config_loader.h"
#include "document.h"

namespace vouch::config {

/// Values that can't be replaced are reported and become `broken`. Keys stay as they are.
void interpolate(Node& root, const Environment& environment, const std::string& base_directory,
                 ProblemList& problems);

}  // namespace vouch::config
