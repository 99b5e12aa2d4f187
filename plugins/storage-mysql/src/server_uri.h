// ServerUri: the parts of mysql://user:password@host:port/database. Plain functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vouch/status.h"

namespace vouch::mysql {

/// Parts that the text does not name are empty, or 0.
struct ServerUri {
  std::string user;
  std::string password;
  std::string host;
  std::uint16_t port = 0;
  std::string database;
};

/// Errors: invalid_argument, in words that repeat nothing of the text, since it holds a password.
Result<ServerUri> parse_server_uri(std::string_view text);

}  // namespace vouch::mysql
