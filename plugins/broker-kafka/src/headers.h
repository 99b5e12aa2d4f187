// Headers of messages as those of Kafka records: attributes of CloudEvents get "ce_" in front, the
// content type does not (CloudEvents' Kafka binding, section 3.2). Stateless.
#pragma once

#include <string>
#include <string_view>

namespace vouch::kafka {

inline constexpr std::string_view kPrefix = "ce_";

inline std::string kafka_header(std::string_view name) {
  return name == "content-type" ? std::string(name) : std::string(kPrefix) + std::string(name);
}

inline std::string_view plain_header(std::string_view name) {
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

}  // namespace vouch::kafka
