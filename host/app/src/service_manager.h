// Tells systemd how the server is (sd_notify's protocol: a datagram to $NOTIFY_SOCKET; see
// sd_notify(3)). Does nothing when nobody asked. [any-thread]
#pragma once

#include <string_view>

namespace vouch::app {

/// Sends `state`, for example "READY=1\nSTATUS=serving". Best effort.
void notify_service_manager(std::string_view state);

}  // namespace vouch::app
