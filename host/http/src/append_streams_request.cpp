#include "append_streams_request.h"

#include <set>

#include "append_request.h"
#include "json_events.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

using format::JsonKind;
using format::JsonSlice;

std::vector<format::JsonMember> members_of(const JsonSlice& object, const std::string& where) {
  if (object.kind != JsonKind::object) bad(where + " must be an object");
  auto members = format::json_members(object);
  if (!members.ok()) bad(where + ": " + members.status().message());
  return *std::move(members);
}

StreamName read_stream(const JsonSlice& value, const std::string& where) {
  if (value.kind != JsonKind::string) bad(where + " must be a string");
  auto stream = StreamName::parse(format::json_string(value));
  if (!stream.ok()) bad(where + ": " + stream.status().message());
  return *std::move(stream);
}

/// A version, or the name of a state.
ExpectedVersion read_expected(const JsonSlice& value, const std::string& where) {
  if (value.kind == JsonKind::number) {
    if (const auto version = format::json_unsigned(value)) {
      return ExpectedVersion::exact(Version{*version});
    }
  } else if (value.kind == JsonKind::string) {
    const std::string text = format::json_string(value);
    if (text == "none") return ExpectedVersion::none();
    if (text == "exists") return ExpectedVersion::exists();
    if (text == "any") return ExpectedVersion::any();
  }
  bad(where + R"( must be a version, "none", "exists" or "any")");
}

Write read_write(const JsonSlice& object, const std::string& where, const HttpOptions& limits,
                 Timestamp now) {
  Write write;
  bool has_events = false;
  for (const auto& [name, value] : members_of(object, where)) {
    const std::string place = where + "." + name;
    if (name == "stream") {
      write.stream = read_stream(value, place);
    } else if (name == "expected") {
      write.expected = read_expected(value, place);
    } else if (name == "events") {
      if (value.kind != JsonKind::array) bad(place + " must be an array of events");
      write.events = read_json_events(value, place, limits, now);
      has_events = true;
    } else {
      bad(place + " is unknown: stream, expected and events are known");
    }
  }
  if (write.stream.str().empty()) bad(where + ".stream is missing");
  if (!has_events) bad(where + ".events is missing");
  return write;
}

Precondition read_precondition(const JsonSlice& object, const std::string& where) {
  Precondition demand;
  bool has_expected = false;
  for (const auto& [name, value] : members_of(object, where)) {
    const std::string place = where + "." + name;
    if (name == "stream") {
      demand.stream = read_stream(value, place);
    } else if (name == "expected") {
      demand.expected = read_expected(value, place);
      has_expected = true;
    } else {
      bad(place + " is unknown: stream and expected are known");
    }
  }
  if (demand.stream.str().empty()) bad(where + ".stream is missing");
  if (!has_expected) bad(where + ".expected is missing");
  return demand;
}

std::vector<JsonSlice> elements_of(const JsonSlice& array, const std::string& name) {
  if (array.kind != JsonKind::array) bad(name + " must be an array");
  return format::json_elements(array);
}

std::string indexed(const std::string& name, std::size_t index) {
  return name + "[" + std::to_string(index) + "]";
}

/// All of the events count towards one append, and so do the streams that are only looked at.
void check_size(const Append& append, const HttpOptions& limits) {
  std::size_t parts = append.preconditions.size();
  for (const Write& write : append.writes) parts += write.events.size();
  if (parts <= limits.events_per_append) return;
  reject(ProblemType::too_large,
         "an append takes at most " + std::to_string(limits.events_per_append) +
             " events and preconditions, this one has " + std::to_string(parts));
}

}  // namespace

Append read_append(const Request& request, const HttpOptions& limits, Timestamp now) {
  demand_json(request, "an append comes");
  Append append;
  for (const auto& [name, value] : members_of(parse_body(request.body), "the body")) {
    if (name == "writes") {
      for (const JsonSlice& object : elements_of(value, name)) {
        append.writes.push_back(
            read_write(object, indexed(name, append.writes.size()), limits, now));
      }
    } else if (name == "preconditions") {
      for (const JsonSlice& object : elements_of(value, name)) {
        append.preconditions.push_back(
            read_precondition(object, indexed(name, append.preconditions.size())));
      }
    } else {
      bad(name + " is unknown: writes and preconditions are known");
    }
  }
  if (append.writes.empty()) bad("writes must name at least one stream");
  check_size(append, limits);
  std::set<std::string_view> streams;
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    Write& write = append.writes[i];
    const std::string where = indexed("writes", i);
    complete_events(request, limits, where + ".events", write.events);
    if (streams.insert(write.stream.view()).second) continue;
    bad(where + ".stream: " + write.stream.str() + " is written twice; put its events together");
  }
  for (std::size_t i = 0; i < append.preconditions.size(); ++i) {
    const StreamName& stream = append.preconditions[i].stream;
    if (streams.insert(stream.view()).second) continue;
    bad(indexed("preconditions", i) + ".stream: " + stream.str() +
        " stands here or in writes already; what a written stream must be is said by its write's "
        "expected");
  }
  return append;
}

}  // namespace vouch::http
