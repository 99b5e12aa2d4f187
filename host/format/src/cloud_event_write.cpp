// Events as structured CloudEvents. Stateless, any thread.
#include "cloud_event_attributes.h"
#include "format/cloud_event.h"
#include "format/event_json.h"
#include "json_walk.h"
#include "text_bytes.h"
#include "time_text.h"

namespace vouch::format {
namespace {

constexpr std::size_t kSequenceDigits = 20;

void append_sequence(std::string& out, Version version) {
  char digits[kSequenceDigits];
  const auto end = std::to_chars(digits, digits + sizeof digits, version.value).ptr;
  out.append(kSequenceDigits - static_cast<std::size_t>(end - digits), '0');
  out.append(digits, end);
}

void append_extension(std::string& out, std::string_view name, std::string_view quoted_value) {
  out += ",\"";
  out += name;
  out += "\":";
  out += quoted_value;
}

bool has_string(std::string_view metadata, std::string_view key) {
  JsonWalk walk(JsonKind::object, metadata);
  while (walk.next()) {
    if (walk.key_is(key)) return walk.value().kind == JsonKind::string;
  }
  return false;
}

/// String members of the metadata with legal names, values as they stand.
void append_extensions(std::string& out, std::string_view metadata) {
  JsonWalk walk(JsonKind::object, metadata);
  while (walk.next()) {
    if (walk.value().kind != JsonKind::string) continue;
    const std::string_view raw = walk.raw_key();
    const std::string_view name = raw.substr(1, raw.size() - 2);
    if (is_attribute_name(name)) {
      if (!is_reserved_attribute(name)) append_extension(out, name, walk.value().text);
    } else if (name == "correlation_id" && !has_string(metadata, "correlationid")) {
      append_extension(out, "correlationid", walk.value().text);
    } else if (name == "causation_id" && !has_string(metadata, "causationid")) {
      append_extension(out, "causationid", walk.value().text);
    }
  }
}

}  // namespace

void append_cloud_event(std::string& out, const EventView& event, std::string_view store,
                        bool redelivered) {
  out += "{\"id\":\"";
  out += event.id.to_string();
  out += "\",\"source\":\"/";
  append_json_escaped(out, store);
  out += '/';
  append_json_escaped(out, event.stream);
  out += "\",\"specversion\":\"1.0\",\"type\":";
  append_json_string(out, event.type);
  out += ",\"time\":\"";
  append_time(out, event.time);
  out += '"';
  if (!event.content_type.empty()) {
    out += ",\"datacontenttype\":";
    append_json_string(out, event.content_type);
  }
  out += ",\"subject\":";
  append_json_string(out, event.stream);
  out += ",\"partitionkey\":";
  append_json_string(out, event.stream);
  out += ",\"sequence\":\"";
  append_sequence(out, event.version);
  out += '"';
  append_extensions(out, event.metadata);
  if (redelivered) out += ",\"redelivered\":\"true\"";
  append_data_member(out, event);
  out += '}';
}

}  // namespace vouch::format
