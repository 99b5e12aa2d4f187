// Events as the HTTP API shows them, appended piece by piece. Stateless, any thread.
#include "format/event_json.h"

#include <algorithm>

#include "format/json_text.h"
#include "text_bytes.h"
#include "time_text.h"

namespace vouch::format {
namespace {

constexpr std::string_view kJson = "application/json";

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

bool is_json_media_type(std::string_view content_type) {
  if (content_type == kJson) return true;  // as nearly all are
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  if (equals_ignoring_case(type, kJson)) return true;
  constexpr std::string_view kSuffix = "+json";
  const std::size_t slash = type.find('/');
  if (slash == 0 || slash == std::string_view::npos) return false;
  const std::string_view subtype = type.substr(slash + 1);
  return subtype.size() > kSuffix.size() &&
         equals_ignoring_case(subtype.substr(subtype.size() - kSuffix.size()), kSuffix);
}

void append_event_json(std::string& out, const EventView& event, std::string_view cursor_text) {
  out += "{\"id\":\"";
  event.id.append_to(out);
  out += "\",\"stream\":";
  append_json_string(out, event.stream);
  out += ",\"version\":";
  append_number(out, event.version.value);
  out += ",\"type\":";
  append_json_string(out, event.type);
  out += ",\"time\":\"";
  append_time(out, event.time);
  out += '"';
  append_data_member(out, event);
  if (!event.content_type.empty() && event.content_type != kJson) {
    out += ",\"content_type\":";
    append_json_string(out, event.content_type);
  }
  if (!event.metadata.empty()) {
    out += ",\"metadata\":";
    out += event.metadata;
  }
  if (!cursor_text.empty()) {
    out += ",\"cursor\":";
    append_json_string(out, cursor_text);
  }
  out += '}';
}

void append_data_member(std::string& out, const EventView& event) {
  if (event.data.empty()) return;
  if (is_json_media_type(event.content_type)) {
    out += ",\"data\":";
    out += event.data;
    return;
  }
  out += ",\"data_base64\":\"";
  append_base64(out, event.data);
  out += '"';
}

}  // namespace vouch::format
