// HeadCache: the last committed version of the streams that were written lately, so that most
// appends need no look-up. May be stale when another host writes the stream: the storage's key on
// (stream, version) catches that. One thread at a time.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "vouch/types.h"

namespace vouch::append {

class HeadCache {
 public:
  /// Forgets the stream that was used longest ago beyond `capacity` streams.
  explicit HeadCache(std::size_t capacity) : capacity_(capacity) {}

  std::optional<Version> find(const StreamName& stream) {
    const auto found = index_.find(stream.view());
    if (found == index_.end()) return std::nullopt;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->head;
  }

  void put(const StreamName& stream, Version head) {
    if (capacity_ == 0) return;
    const auto found = index_.find(stream.view());
    if (found != index_.end()) {
      found->second->head = head;
      order_.splice(order_.begin(), order_, found->second);
      return;
    }
    order_.push_front({stream.str(), head});
    index_.emplace(order_.front().stream, order_.begin());
    if (index_.size() <= capacity_) return;
    index_.erase(order_.back().stream);
    order_.pop_back();
  }

  void erase(const StreamName& stream) {
    const auto found = index_.find(stream.view());
    if (found == index_.end()) return;
    const auto entry = found->second;
    index_.erase(found);
    order_.erase(entry);
  }

  void clear() {
    index_.clear();
    order_.clear();
  }

  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    std::string stream;
    Version head;
  };
  std::size_t capacity_;
  std::list<Entry> order_;  ///< newest use first; owns the names that `index_` views
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

}  // namespace vouch::append
