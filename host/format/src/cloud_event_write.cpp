// Events as CloudEvents that go out. Stateless, any thread.
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

/// String members of the metadata with legal names, by the name of their attribute.
template <typename Take>
void for_each_extension(std::string_view metadata, const Take& take) {
  JsonWalk walk(JsonKind::object, metadata);
  while (walk.next()) {
    if (walk.value().kind != JsonKind::string) continue;
    const std::string_view raw = walk.raw_key();
    const std::string_view name = raw.substr(1, raw.size() - 2);
    if (is_attribute_name(name)) {
      if (!is_reserved_attribute(name)) take(name, walk.value());
    } else if (name == "correlation_id" && !has_string(metadata, "correlationid")) {
      take("correlationid", walk.value());
    } else if (name == "causation_id" && !has_string(metadata, "causationid")) {
      take("causationid", walk.value());
    }
  }
}

std::string valid_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string quoted;
  append_json_string(quoted, text);
  return json_string({JsonKind::string, quoted});
}

}  // namespace

void append_cloud_event(std::string& out, const EventView& event, std::string_view store,
                        bool redelivered) {
  out += "{\"id\":\"";
  event.id.append_to(out);
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
  for_each_extension(event.metadata, [&](std::string_view name, const JsonSlice& value) {
    append_extension(out, name, value.text);
  });
  if (redelivered) out += ",\"redelivered\":\"true\"";
  append_data_member(out, event);
  out += '}';
}

std::vector<std::pair<std::string, std::string>> cloud_event_attributes(const EventView& event,
                                                                        std::string_view store,
                                                                        bool redelivered) {
  std::vector<std::pair<std::string, std::string>> attributes;
  attributes.reserve(12);
  if (!event.content_type.empty()) {
    attributes.emplace_back("content-type", valid_utf8(event.content_type));
  }
  attributes.emplace_back("id", event.id.to_string());
  attributes.emplace_back("source", "/" + std::string(store) + "/" + std::string(event.stream));
  attributes.emplace_back("specversion", kSpecVersion);
  attributes.emplace_back("type", valid_utf8(event.type));
  attributes.emplace_back("time", std::string());
  append_time(attributes.back().second, event.time);
  attributes.emplace_back("subject", event.stream);
  attributes.emplace_back("partitionkey", event.stream);
  attributes.emplace_back("sequence", std::string());
  append_sequence(attributes.back().second, event.version);
  for_each_extension(event.metadata, [&](std::string_view name, const JsonSlice& value) {
    attributes.emplace_back(name, json_string(value));
  });
  if (redelivered) attributes.emplace_back("redelivered", "true");
  return attributes;
}

}  // namespace vouch::format
