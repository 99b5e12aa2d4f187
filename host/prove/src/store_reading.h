// Reads what a store holds through a host's HTTP API. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "prove/history.h"
#include "vouch/status.h"

namespace vouch::prove {

class StoreReading {
 public:
  explicit StoreReading(std::uint16_t port) : port_(port) {}

  /// Committed events that are not on their outbound topics yet; nothing if the host can't tell.
  [[nodiscard]] std::optional<std::uint64_t> undelivered() const;
  /// In words, if a route has a problem or the host can't tell; else empty.
  [[nodiscard]] std::string delivery_problem() const;
  [[nodiscard]] bool ready() const;
  /// What the host says of its plugins ("storage-sqlite 0.1.0") and of what they guarantee.
  void describe(std::vector<std::string>& plugins, std::vector<std::string>& guarantees) const;
  /// Fills feed, streams and heads, and the state of at most `most` transactions of the appends.
  Status read(History& history, std::size_t most) const;

 private:
  Status events(const std::string& path, std::vector<EventSeen>& into) const;
  Status heads(History& history) const;
  void transactions(History& history, std::size_t most) const;

  const std::uint16_t port_;
};

}  // namespace vouch::prove
