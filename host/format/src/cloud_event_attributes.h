// What reading and writing CloudEvents share: the names of attributes. Stateless, any thread.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace vouch::format {

inline constexpr std::string_view kSpecVersion = "1.0";

/// Lower-case letters and digits (CloudEvents 1.0.2, "Attribute Naming Convention").
inline bool is_attribute_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

/// Names that the host writes itself, or that name no attribute.
inline bool is_reserved_attribute(std::string_view name) {
  constexpr std::array<std::string_view, 12> kReserved = {
      "id",      "source", "specversion",  "type",     "time",        "datacontenttype",
      "subject", "data",   "partitionkey", "sequence", "redelivered", "data_base64"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

}  // namespace vouch::format
