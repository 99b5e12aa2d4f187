#include "json_events.h"

#include "accept.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

std::string place(const std::string& where, std::string_view member) {
  return where + "." + std::string(member);
}

}  // namespace

format::JsonSlice parse_body(const std::string& body) {
  const auto document = format::parse_json(body);
  if (!document.ok()) bad("the body is not JSON: " + document.status().message());
  return *document;
}

std::vector<format::JsonSlice> event_elements(const format::JsonSlice& array,
                                              const HttpOptions& limits) {
  auto elements = format::json_elements(array);
  if (elements.empty()) bad("the array of events must not be empty");
  if (elements.size() > limits.events_per_append) {
    reject(ProblemType::too_large, "an append takes at most " +
                                       std::to_string(limits.events_per_append) +
                                       " events, this one has " + std::to_string(elements.size()));
  }
  return elements;
}

NewEvent read_json_event(const format::JsonSlice& object, const std::string& where, Timestamp now) {
  if (object.kind != format::JsonKind::object) bad(where + " must be an object");
  const auto members = format::json_members(object);
  if (!members.ok()) bad(where + ": " + members.status().message());
  NewEvent event;
  event.time = now;
  event.content_type = kJson;
  bool has_data = false;
  for (const auto& [key, value] : *members) {
    const bool text = value.kind == format::JsonKind::string;
    if (key == "type") {
      if (!text) bad(place(where, key) + " must be a string");
      event.type = format::json_string(value);
      if (event.type.empty()) bad(place(where, key) + " must not be empty");
      if (event.type.size() > kMaxTypeBytes) {
        bad(place(where, key) + " must not be longer than 255 bytes");
      }
    } else if (key == "data") {
      event.data = value.text;
      has_data = true;
    } else if (key == "metadata") {
      if (value.kind != format::JsonKind::object) bad(place(where, key) + " must be an object");
      event.metadata = value.text;
    } else if (key == "id") {
      const auto id = text ? EventId::parse(format::json_string(value)) : std::nullopt;
      if (!id || *id == EventId{}) {
        bad(place(where, key) + " must be a KSUID: 27 digits of base62");
      }
      event.id = *id;
    } else {
      bad(place(where, key) + " is unknown: type, data, metadata and id are known");
    }
  }
  if (event.type.empty()) bad(place(where, "type") + " is missing");
  if (!has_data) bad(place(where, "data") + " is missing");
  return event;
}

std::vector<NewEvent> read_json_events(const format::JsonSlice& array, const std::string& where,
                                       const HttpOptions& limits, Timestamp now) {
  const std::vector<format::JsonSlice> elements = event_elements(array, limits);
  std::vector<NewEvent> events;
  events.reserve(elements.size());
  for (const format::JsonSlice& element : elements) {
    events.push_back(
        read_json_event(element, where + "[" + std::to_string(events.size()) + "]", now));
  }
  return events;
}

}  // namespace vouch::http
