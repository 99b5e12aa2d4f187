// Reads CloudEvents of both modes. The binary mode's attributes are turned into JSON strings, so
// that one set of rules decides about both. Stateless, any thread.
#include <algorithm>
#include <optional>

#include "cloud_event_attributes.h"
#include "format/cloud_event.h"
#include "format/event_json.h"
#include "format/text_codec.h"
#include "json_walk.h"

namespace vouch::format {
namespace {

Status refused(std::string_view attribute, std::string_view why) {
  std::string message;
  append_json_string(message, attribute);
  message += ' ';
  message += why;
  return Status(StatusCode::invalid_argument, std::move(message));
}

/// The CloudEvents type String holds no control characters.
bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// "type/subtype" of RFC 9110's token characters, then whatever parameters.
bool is_media_type(std::string_view text) {
  const auto is_token = [](std::string_view token) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !token.empty() && std::all_of(token.begin(), token.end(), [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             kMarks.find(c) != std::string_view::npos;
    });
  };
  const std::string_view type = text.substr(0, text.find_first_of("; \t"));
  const std::size_t slash = type.find('/');
  return slash != std::string_view::npos && is_token(type.substr(0, slash)) &&
         is_token(type.substr(slash + 1));
}

/// Takes the attributes one by one, then gives the event.
class Attributes {
 public:
  explicit Attributes(Timestamp now) { event_.time = now; }

  /// `value` is kept in the metadata as it stands. Pre: the name was not given before.
  Status take(std::string_view name, const JsonSlice& value) {
    if (!is_attribute_name(name)) {
      return refused(name, "is not an attribute name: lower-case letters and digits");
    }
    if (value.kind == JsonKind::null) return {};  // the same as not given
    if (value.kind == JsonKind::object || value.kind == JsonKind::array) {
      return refused(name, "must be a string, a number or a boolean");
    }
    if (value.kind == JsonKind::string) return take_string(name, value);
    if (is_context(name)) return refused(name, "must be a string");
    keep(name, value.text);
    return {};
  }

  /// Empty when it was not given.
  [[nodiscard]] const std::string& content_type() const { return event_.content_type; }

  /// Errors: a required attribute is missing.
  Result<NewEvent> finish(std::string content_type, std::string data) {
    if (!has_specversion_) return refused("specversion", "is missing");
    if (!has_id_) return refused("id", "is missing");
    if (!has_source_) return refused("source", "is missing");
    if (event_.type.empty()) return refused("type", "is missing");
    event_.content_type = std::move(content_type);
    event_.data = std::move(data);
    event_.metadata = "{" + ce_members_ + other_members_ + "}";
    event_.metadata.erase(1, 1);  // each member begins with a comma
    return std::move(event_);
  }

 private:
  static bool is_context(std::string_view name) {
    return name == "specversion" || name == "id" || name == "source" || name == "type" ||
           name == "time" || name == "subject" || name == "dataschema" || name == "datacontenttype";
  }

  Status take_string(std::string_view name, const JsonSlice& value) {
    std::string text = json_string(value);
    if (has_control_character(text)) return refused(name, "has a control character");
    if (text.empty() && is_context(name)) return refused(name, "must not be empty");
    if (name == "specversion") {
      if (text != kSpecVersion) return refused(name, "must be \"1.0\"");
      has_specversion_ = true;
    } else if (name == "id") {
      take_id(text, value);
    } else if (name == "source") {
      has_source_ = true;
      append_member(ce_members_, "ce_source", value.text);
    } else if (name == "type") {
      event_.type = std::move(text);
    } else if (name == "time") {
      const std::optional<Timestamp> time = time_from_text(text);
      if (!time) return refused(name, "is not a time of RFC 3339");
      event_.time = *time;
    } else if (name == "datacontenttype") {
      if (!is_media_type(text)) return refused(name, "is not a media type");
      event_.content_type = std::move(text);
    } else if (name == "subject") {
      append_member(ce_members_, "ce_subject", value.text);
    } else {
      keep(name, value.text);
    }
    return {};
  }

  void take_id(std::string_view text, const JsonSlice& value) {
    has_id_ = true;
    const std::optional<EventId> id = EventId::parse(text);
    if (id && *id != EventId{}) {
      event_.id = *id;
    } else {
      append_member(ce_members_, "ce_id", value.text);
    }
  }

  void keep(std::string_view name, std::string_view value) {
    append_member(other_members_, name, value);
  }

  static void append_member(std::string& out, std::string_view name, std::string_view value) {
    out += ",\"";
    out += name;
    out += "\":";
    out += value;
  }

  NewEvent event_;
  std::string ce_members_;
  std::string other_members_;
  bool has_specversion_ = false;
  bool has_id_ = false;
  bool has_source_ = false;
};

struct Payload {
  std::string content_type;
  std::string bytes;
};

/// The `data` member (JSON format, section 3.1): a JSON value as it stands, or the text of a string
/// when the media type is another.
Result<Payload> json_payload(const std::string& content_type, const JsonSlice& data) {
  if (content_type.empty()) return Payload{"application/json", std::string(data.text)};
  if (is_json_media_type(content_type)) return Payload{content_type, std::string(data.text)};
  if (data.kind == JsonKind::string) return Payload{content_type, json_string(data)};
  return refused("data", "of a media type that is not JSON must be a string, or data_base64");
}

/// Data that came as bytes. What says that it is JSON is shown as JSON later, so it must be.
Result<Payload> bytes_payload(const std::string& content_type, std::string_view name,
                              std::string bytes) {
  if (bytes.empty()) return Payload{content_type, {}};
  if (content_type.empty()) return Payload{"application/octet-stream", std::move(bytes)};
  if (is_json_media_type(content_type)) {
    const Result<JsonSlice> json = parse_json(bytes);
    if (!json.ok()) return refused(name, "is not JSON: " + json.status().message());
  }
  return Payload{content_type, std::move(bytes)};
}

Result<Payload> structured_payload(const std::string& content_type,
                                   const std::optional<JsonSlice>& data,
                                   const std::optional<JsonSlice>& data_base64) {
  if (data && data_base64) return refused("data_base64", "and \"data\" exclude each other");
  if (data) return json_payload(content_type, *data);
  if (!data_base64) return Payload{content_type, {}};
  if (data_base64->kind != JsonKind::string) return refused("data_base64", "must be a string");
  std::optional<std::string> bytes = from_base64(json_string(*data_base64));
  if (!bytes) return refused("data_base64", "is not base64");
  return bytes_payload(content_type, "data_base64", *std::move(bytes));
}

}  // namespace

Result<NewEvent> read_cloud_event(const JsonSlice& object, Timestamp now) {
  if (object.kind != JsonKind::object) {
    return Status(StatusCode::invalid_argument, "a CloudEvent is a JSON object");
  }
  const Result<std::vector<JsonMember>> members = json_members(object);
  if (!members.ok()) return members.status();
  Attributes attributes(now);
  std::optional<JsonSlice> data;
  std::optional<JsonSlice> data_base64;
  for (const JsonMember& member : *members) {
    if (member.key == "data") {
      data = member.value;
    } else if (member.key == "data_base64") {
      if (member.value.kind != JsonKind::null) data_base64 = member.value;
    } else if (Status taken = attributes.take(member.key, member.value); !taken.ok()) {
      return taken;
    }
  }
  Result<Payload> payload = structured_payload(attributes.content_type(), data, data_base64);
  if (!payload.ok()) return payload.status();
  return attributes.finish(std::move(payload->content_type), std::move(payload->bytes));
}

Result<NewEvent> read_cloud_event(
    const std::vector<std::pair<std::string, std::string>>& attributes,
    std::string_view content_type, std::string_view body, Timestamp now) {
  std::vector<std::string_view> names;
  names.reserve(attributes.size());
  for (const auto& [name, value] : attributes) names.push_back(name);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
    return refused(*twice, "occurs twice");
  }
  Attributes taken(now);
  std::string quoted;
  for (const auto& [name, value] : attributes) {
    if (name == "data") return refused(name, "is not an attribute: the body is the data");
    if (name == "datacontenttype") return refused(name, "belongs into Content-Type");
    if (!is_utf8(value)) return refused(name, "is not UTF-8");
    quoted.clear();
    append_json_string(quoted, value);
    if (Status status = taken.take(name, {JsonKind::string, quoted}); !status.ok()) return status;
  }
  if (!content_type.empty() &&
      (!is_media_type(content_type) || has_control_character(content_type))) {
    return Status(StatusCode::invalid_argument, "Content-Type is not a media type");
  }
  // It is shown, and goes out, as JSON text, which has no place for other bytes.
  if (!is_utf8(content_type)) {
    return Status(StatusCode::invalid_argument, "Content-Type is not UTF-8");
  }
  Result<Payload> payload = bytes_payload(std::string(content_type), "body", std::string(body));
  if (!payload.ok()) return payload.status();
  return taken.finish(std::move(payload->content_type), std::move(payload->bytes));
}

}  // namespace vouch::format
