// Picks members out of the NDJSON lines that the server sends. Stateless.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/json_text.h"

namespace vouch::app {

/// The member of that name of a JSON object in a line, or nothing. The slice points into `line`.
inline std::optional<format::JsonSlice> member(std::string_view line, std::string_view name) {
  const auto document = format::parse_json(line);
  if (!document.ok() || document->kind != format::JsonKind::object) return std::nullopt;
  const auto members = format::json_members(*document);
  if (!members.ok()) return std::nullopt;
  for (const auto& candidate : *members) {
    if (candidate.key == name) return candidate.value;
  }
  return std::nullopt;
}

inline std::string text_member(std::string_view line, std::string_view name) {
  const auto value = member(line, name);
  return value && value->kind == format::JsonKind::string ? format::json_string(*value) : "";
}

inline std::optional<std::uint64_t> number_member(std::string_view line, std::string_view name) {
  const auto value = member(line, name);
  return value && value->kind == format::JsonKind::number ? format::json_unsigned(*value)
                                                          : std::nullopt;
}

}  // namespace vouch::app
