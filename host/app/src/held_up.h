// What waits for a plugin's call that does not return, told from the name of the thread that made
// it (docs/architecture.md, "Threads of the host"). Stateless.
#pragma once

#include <string_view>

#include "plugins/call_watch.h"

namespace vouch::app {

plugins::HeldUp held_up_by(std::string_view thread, std::string_view call);

}  // namespace vouch::app
