// Topics: which topics there are in the directory, and with how many partitions. A topic is a
// directory of files 0.log, 1.log …, made whole or not at all, so that processes that race agree.
// [any-thread]
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "vouch/status.h"

namespace broker_files {

class Topics {
 public:
  explicit Topics(std::string directory) : directory_(std::move(directory)) {}

  /// Makes the directory if it is not there. Errors: failed_precondition in words.
  [[nodiscard]] vouch::Status open() const;
  /// Whether the directory can be used, in words. Errors: failed_precondition.
  [[nodiscard]] vouch::Status check() const;

  /// Why there can't be such a topic; ok if there can.
  static vouch::Status check_name(std::string_view topic);

  /// How many partitions the topic has; makes it with `wanted` ones if it is not there.
  /// Errors: invalid_argument (the name), unavailable.
  vouch::Result<std::uint32_t> partitions(std::string_view topic, std::uint32_t wanted);

  [[nodiscard]] std::string file_of(std::string_view topic, std::uint32_t partition) const;

 private:
  [[nodiscard]] std::string directory_of(std::string_view topic) const;
  [[nodiscard]] vouch::Status make(const std::string& path, std::uint32_t wanted) const;

  const std::string directory_;
  std::mutex mutex_;
  std::map<std::string, std::uint32_t, std::less<>> known_;  ///< a topic's count never changes
};

}  // namespace broker_files
