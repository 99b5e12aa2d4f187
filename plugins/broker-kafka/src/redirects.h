// Redirects: the setting connect_to, by which connections to brokers go to other addresses: for
// tunnels and forwarded ports in front of a cluster, whose brokers tell clients their own
// addresses, and for trials. Immutable; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vouch/status.h"

struct addrinfo;

namespace vouch::kafka {

/// Where a broker listens.
struct Address {
  std::string host;  ///< in lower case, without brackets
  std::uint16_t port = 0;

  auto operator<=>(const Address&) const = default;

  /// Reads HOST:PORT; an IPv6 address stands in brackets. Errors: invalid_argument in words.
  static Result<Address> parse(std::string_view text);
  /// As `parse` reads it.
  [[nodiscard]] std::string text() const;
};

class Redirects {
 public:
  using Entries = std::vector<std::pair<std::string, std::string>>;

  Redirects() = default;
  /// Errors: invalid_argument with the entry, what is wrong with it, and what it should be.
  static Result<Redirects> parse(const Entries& entries);

  [[nodiscard]] bool empty() const { return all_.empty(); }
  struct Redirect {
    std::string written;  ///< the broker, as the settings have it
    Address target;
  };
  /// Null for a broker that is reached where it says.
  [[nodiscard]] const Redirect* find(const Address& broker) const;

  /// As getaddrinfo(3) of the broker's address, with the addresses of its target; a null `node`
  /// frees them: what rd_kafka_conf_set_resolve_cb asks for. librdkafka goes on to check
  /// certificates against the broker's own name. May block as getaddrinfo does.
  int resolve(const char* node, const char* service, const addrinfo* hints, addrinfo** found) const;

 private:
  std::map<Address, Redirect> all_;
};

}  // namespace vouch::kafka
