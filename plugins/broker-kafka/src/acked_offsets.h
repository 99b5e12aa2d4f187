// AckedOffsets: tells acknowledgements that can't be true. A producer's messages to a partition are
// acknowledged in the order in which they were sent, so their offsets rise. librdkafka reports some
// messages as delivered because later ones were, without an offset, and they may not be there:
// docs/design/0014-first-record-alone.md. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::kafka {

class AckedOffsets {
 public:
  /// Of an acknowledged message. False: it is not known to be kept.
  bool take(std::string_view topic, std::int32_t partition, std::int64_t offset) {
    if (offset < 0 || partition < 0) return false;
    if (topic != topic_ || last_ == nullptr) {
      last_ = &of_topic_[std::string(topic)];
      topic_ = topic;
    }
    const auto index = static_cast<std::size_t>(partition);
    if (last_->size() <= index) last_->resize(index + 1, -1);
    std::int64_t& last = (*last_)[index];
    if (offset <= last) return false;
    last = offset;
    return true;
  }

  /// For another producer.
  void clear() {
    of_topic_.clear();
    last_ = nullptr;
    topic_.clear();
  }

 private:
  std::map<std::string, std::vector<std::int64_t>> of_topic_;
  std::string topic_;                          ///< of the message before
  std::vector<std::int64_t>* last_ = nullptr;  ///< of that topic
};

}  // namespace vouch::kafka
