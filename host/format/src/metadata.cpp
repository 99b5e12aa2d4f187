// Looks into metadata by walking over its text. Stateless, any thread.
#include "format/metadata.h"

#include "format/json_text.h"
#include "json_walk.h"

namespace vouch::format {
namespace {

bool has_member(std::string_view metadata, std::string_view key) {
  JsonWalk walk(JsonKind::object, metadata);
  while (walk.next()) {
    if (walk.key_is(key)) return true;
  }
  return false;
}

}  // namespace

std::string with_member(std::string_view metadata, std::string_view key, std::string_view value) {
  if (has_member(metadata, key)) return std::string(metadata);
  std::string out;
  out.reserve(metadata.size() + key.size() + value.size() + 8);
  out += '{';
  append_json_string(out, key);
  out += ':';
  append_json_string(out, value);
  if (JsonWalk walk(JsonKind::object, metadata); walk.next()) {
    out += ',';
    out += metadata.substr(metadata.find('{') + 1);
  } else {
    out += '}';
  }
  return out;
}

std::optional<std::string> string_member(std::string_view metadata, std::string_view key) {
  JsonWalk walk(JsonKind::object, metadata);
  while (walk.next()) {
    if (!walk.key_is(key)) continue;
    if (walk.value().kind != JsonKind::string) return std::nullopt;
    return json_string(walk.value());
  }
  return std::nullopt;
}

}  // namespace vouch::format
