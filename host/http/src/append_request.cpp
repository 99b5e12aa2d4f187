#include "append_request.h"

#include <Poco/SHA2Engine.h>

#include <algorithm>

#include "accept.h"
#include "format/cloud_event.h"
#include "format/metadata.h"
#include "json_events.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

constexpr std::size_t kMaxKeyBytes = 255;

std::vector<NewEvent> read_json(const Request& request, const HttpOptions& limits, Timestamp now) {
  const format::JsonSlice document = parse_body(request.body);
  if (document.kind == format::JsonKind::object) return {read_json_event(document, "event", now)};
  if (document.kind != format::JsonKind::array) {
    bad("the body must be an event or an array of events");
  }
  return read_json_events(document, "events", limits, now);
}

NewEvent accept_cloud_event(Result<NewEvent> event, const std::string& where) {
  if (!event.ok()) bad(where + event.status().message());
  if (event->type.size() > kMaxTypeBytes) bad(where + "type must not be longer than 255 bytes");
  return *std::move(event);
}

std::vector<NewEvent> read_cloud_batch(const Request& request, const HttpOptions& limits,
                                       Timestamp now) {
  const format::JsonSlice document = parse_body(request.body);
  if (document.kind != format::JsonKind::array) bad("the body must be an array of CloudEvents");
  std::vector<NewEvent> events;
  for (const format::JsonSlice& element : event_elements(document, limits)) {
    const std::string where = "events[" + std::to_string(events.size()) + "]: ";
    if (element.kind != format::JsonKind::object) bad(where + "must be an object");
    events.push_back(accept_cloud_event(format::read_cloud_event(element, now), where));
  }
  return events;
}

std::vector<NewEvent> read_cloud_structured(const Request& request, Timestamp now) {
  const format::JsonSlice document = parse_body(request.body);
  if (document.kind != format::JsonKind::object) bad("the body must be a CloudEvent");
  return {accept_cloud_event(format::read_cloud_event(document, now), "")};
}

bool is_cloud_header(std::string_view name) {
  return name.size() > 3 && equal_ignoring_case(name.substr(0, 3), "ce-");
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<NewEvent> read_cloud_binary(const Request& request, Timestamp now) {
  std::vector<std::pair<std::string, std::string>> attributes;
  for (const auto& [name, value] : request.fields.all()) {
    if (!is_cloud_header(name)) continue;
    if (request.fields.count(name) > 1) bad("the header " + name + " is given twice");
    auto decoded = percent_decode(value, false);
    if (!decoded || !format::is_utf8(*decoded)) {
      bad("the header " + name + " has a malformed %-escape or is not UTF-8");
    }
    attributes.emplace_back(lower(std::string_view(name).substr(3)), *std::move(decoded));
  }
  const auto type = request.fields.find("Content-Type");
  return {accept_cloud_event(
      format::read_cloud_event(attributes, type.value_or(std::string_view()), request.body, now),
      "")};
}

std::vector<NewEvent> read_by_type(const Request& request, const HttpOptions& limits,
                                   Timestamp now) {
  const auto content_type = request.fields.find("Content-Type");
  if (request.fields.count("Content-Type") > 1) bad("the header Content-Type is given twice");
  const auto type =
      content_type ? parse_media_type(*content_type) : std::optional<MediaType>(MediaType{});
  if (!type) bad("the header Content-Type is malformed");
  const bool structured = type->name == format::kCloudEventMediaType;
  const bool batch = type->name == format::kCloudEventBatchMediaType;
  const bool attributes = request.fields.find("ce-type") || request.fields.find("ce-specversion");
  if (!structured && !batch && attributes) return read_cloud_binary(request, now);
  const bool utf8 = type->charset.empty() || type->charset == "utf-8" || type->charset == "utf8";
  if (structured && utf8) return read_cloud_structured(request, now);
  if (batch && utf8) return read_cloud_batch(request, limits, now);
  if (type->name == kJson && utf8) return read_json(request, limits, now);
  Problem problem{ProblemType::unsupported_media_type,
                  utf8 ? "events come as application/json, application/cloudevents+json, "
                         "application/cloudevents-batch+json, or with ce-* headers as they are"
                       : "JSON comes in UTF-8, not in " + type->charset,
                  {},
                  {}};
  problem.fields.emplace_back("Accept-Post",
                              "application/json, application/cloudevents+json, "
                              "application/cloudevents-batch+json");
  throw Rejection{std::move(problem)};
}

/// Trace context of the request goes into events that bring none of their own; both or neither,
/// since a state belongs to its parent.
void add_trace(const Request& request, std::vector<NewEvent>& events) {
  const auto parent = request.fields.find("traceparent");
  if (!parent || parent->empty()) return;
  const auto state = request.fields.joined("tracestate");
  for (NewEvent& event : events) {
    if (format::string_member(event.metadata, "traceparent")) continue;
    event.metadata = format::with_member(event.metadata, "traceparent", *parent);
    if (state && !state->empty()) {
      event.metadata = format::with_member(event.metadata, "tracestate", *state);
    }
  }
}

/// One strong entity tag whose text is a version, as this API gives them.
Version read_etag(std::string_view text) {
  if (text.substr(0, 2) == "W/") {
    bad("the header If-Match needs a strong entity tag: If-Match: \"7\", without W/");
  }
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
    bad("the header If-Match needs a version in quotes: If-Match: \"7\", or *");
  }
  const auto version = parse_number(text.substr(1, text.size() - 2));
  if (!version) bad("the header If-Match needs one version in quotes: If-Match: \"7\", or *");
  return Version{*version};
}

void add_part(Poco::SHA2Engine& engine, std::string_view part) {
  const std::string size = std::to_string(part.size()) + ":";
  engine.update(size);
  engine.update(part.data(), part.size());
}

}  // namespace

void complete_events(const Request& request, const HttpOptions& limits, const std::string& where,
                     std::vector<NewEvent>& events) {
  add_trace(request, events);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::size_t size = events[i].data.size() + events[i].metadata.size();
    if (size <= limits.event_bytes) continue;
    reject(ProblemType::too_large, where + "[" + std::to_string(i) + "] has " +
                                       std::to_string(size) +
                                       " bytes of data and metadata, at most " +
                                       std::to_string(limits.event_bytes) + " are taken");
  }
}

std::vector<NewEvent> read_events(const Request& request, const HttpOptions& limits,
                                  Timestamp now) {
  std::vector<NewEvent> events = read_by_type(request, limits, now);
  complete_events(request, limits, "events", events);
  return events;
}

ExpectedVersion read_expected(const Request& request) {
  const auto match = request.fields.find("If-Match");
  const auto none_match = request.fields.find("If-None-Match");
  if (match && none_match) bad("If-Match and If-None-Match exclude each other here");
  if (request.fields.count("If-Match") > 1) bad("the header If-Match is given twice");
  if (request.fields.count("If-None-Match") > 1) bad("the header If-None-Match is given twice");
  if (none_match) {
    if (*none_match != "*") bad("an append takes only If-None-Match: * (must not exist)");
    return ExpectedVersion::none();
  }
  if (!match) return ExpectedVersion::any();
  if (*match == "*") return ExpectedVersion::exists();
  return ExpectedVersion::exact(read_etag(*match));
}

std::optional<Idempotency> read_idempotency(const Request& request, const StreamName& stream) {
  const auto key = request.fields.find("Idempotency-Key");
  if (!key) return std::nullopt;
  const bool visible =
      std::all_of(key->begin(), key->end(), [](char c) { return c > ' ' && c <= '~'; });
  if (request.fields.count("Idempotency-Key") > 1 || key->empty() || key->size() > kMaxKeyBytes ||
      !visible) {
    bad("the header Idempotency-Key must be one of 1 to 255 visible ASCII characters");
  }
  Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
  add_part(engine, request.fields.find("Content-Type").value_or(std::string_view()));
  add_part(engine, request.fields.find("If-Match").value_or(std::string_view()));
  add_part(engine, request.fields.find("If-None-Match").value_or(std::string_view()));
  std::vector<std::pair<std::string, std::string_view>> attributes;
  for (const auto& [name, value] : request.fields.all()) {
    if (is_cloud_header(name)) attributes.emplace_back(lower(name), value);
  }
  std::sort(attributes.begin(), attributes.end());
  add_part(engine, std::to_string(attributes.size()));
  for (const auto& [name, value] : attributes) {
    add_part(engine, name);
    add_part(engine, value);
  }
  add_part(engine, request.body);
  const Poco::DigestEngine::Digest& digest = engine.digest();
  return Idempotency{stream.str(), std::string(*key), std::string(digest.begin(), digest.end())};
}

}  // namespace vouch::http
