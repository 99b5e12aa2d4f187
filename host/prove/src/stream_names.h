// The streams that the writers of a run write to. Pure, any thread.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "prove/history.h"

namespace vouch::prove {

struct StreamNames {
  std::vector<std::string> shared;            ///< by all writers
  std::vector<std::vector<std::string>> own;  ///< of each writer

  [[nodiscard]] std::vector<std::string> all() const {
    std::vector<std::string> names = shared;
    for (const auto& of_one : own) names.insert(names.end(), of_one.begin(), of_one.end());
    return names;
  }
};

/// Fewer if a stream has a topic of its own. Pre: there is a category.
inline StreamNames stream_names(const std::vector<std::pair<std::string, Route>>& routes,
                                const std::vector<std::string>& categories, std::size_t writers) {
  constexpr std::size_t kShared = 4;  // of each category
  constexpr std::size_t kOwn = 24;    // of each writer
  constexpr std::size_t kFewOwn = 4;
  const bool topic_each = std::ranges::any_of(routes, [](const auto& route) {
    return route.second.topic.find("{stream}") != std::string::npos;
  });
  StreamNames names;
  for (const std::string& category : categories) {
    for (std::size_t i = 0; i < kShared; ++i) {
      names.shared.push_back(category + "-shared-" + std::to_string(i));
    }
  }
  names.own.resize(writers);
  for (std::size_t writer = 0; writer < writers; ++writer) {
    for (std::size_t i = 0; i < (topic_each ? kFewOwn : kOwn); ++i) {
      names.own[writer].push_back(categories[i % categories.size()] + "-w" +
                                  std::to_string(writer) + "-" + std::to_string(i));
    }
  }
  return names;
}

}  // namespace vouch::prove
