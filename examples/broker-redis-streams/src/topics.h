// Topics: how many partitions each topic has, the same for every host: fixed in a hash of Redis by
// whoever comes first. A partition is a stream of its own. [any-thread]
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "options.h"

namespace broker_redis {

class Topics {
 public:
  explicit Topics(const Options& options) : options_(options) {}

  /// The key of a partition's stream: prefix, topic, colon, number. No two partitions share one.
  [[nodiscard]] std::string key_of(std::string_view topic, std::uint32_t partition) const;
  /// The hash with a field for each topic. No stream has this name: it does not end in a number.
  [[nodiscard]] std::string registry_key() const { return options_.prefix + "topics"; }

  /// From now on the topic is made with that many partitions, should it not be there.
  void want(const std::string& topic, std::uint32_t partitions);
  /// As Redis said on this connection, or nothing.
  [[nodiscard]] std::optional<std::uint32_t> confirmed(const std::string& topic) const;
  /// As Redis said at some time, or nothing.
  [[nodiscard]] std::optional<std::uint32_t> known(const std::string& topic) const;

  struct Answer {
    std::string topic;
    std::optional<Refusal> refusal;  ///< none: it is confirmed
  };
  /// Asks Redis, which makes what is not there. Errors: of the connection.
  vouch::Result<std::vector<Answer>> confirm(Connection& connection,
                                             const std::vector<std::string>& topics,
                                             Deadline deadline);
  /// The connection is a new one: Redis may have lost what it knew.
  void forget_confirmations();
  void forget(const std::string& topic);

 private:
  const Options& options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint32_t> counts_;  ///< wanted, or as Redis said
  std::set<std::string> confirmed_;
};

}  // namespace broker_redis
