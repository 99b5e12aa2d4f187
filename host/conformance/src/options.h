// What the command line asks of vouch-conformance. Plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vouch::conformance {

/// Where a server listens.
struct ServerAddress {
  std::string host;
  std::uint16_t port = 0;

  /// Of "host:port" or "[::1]:port"; nothing for anything else.
  static std::optional<ServerAddress> parse(const std::string& text);
  /// As it was parsed.
  [[nodiscard]] std::string text() const;
};

enum class Format : std::uint8_t { text, junit, json };

struct Options {
  std::string plugin;                ///< path of the library, absolute
  std::string settings;              ///< path of the file; empty: none
  std::vector<std::string> filters;  ///< of ids; none: every case
  Format format = Format::text;
  bool list = false;  ///< of `plugin`'s kind, or of all when that is empty
  bool in_process = false;
  std::uint32_t repeat = 1;
  std::chrono::seconds time_limit{60};
  /// Stands behind a proxy whose address is ${VOUCH_CASE_SERVER}.
  std::optional<ServerAddress> server;
  std::uint16_t proxy_port = 0;  ///< 0: a free one for each proxy
  std::string restart;           ///< a shell command; empty: the server is not restarted
  std::size_t overflow = 0;      ///< messages; 0: not known
};

}  // namespace vouch::conformance
