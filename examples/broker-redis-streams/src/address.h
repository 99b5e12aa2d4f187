// Address: where a Redis listens, as people write it. Plain values, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace broker_redis {

inline constexpr std::string_view kDefaultPort = "6379";

struct Address {
  std::string host;
  std::string port;

  /// HOST:PORT, an IPv6 address in brackets.
  [[nodiscard]] std::string text() const;
  bool operator==(const Address&) const = default;
};

/// "redis.internal:6379", "redis.internal", "[::1]:6379"; nothing if it is none of these.
std::optional<Address> parse_address(std::string_view text);

}  // namespace broker_redis
