// POST /v1/streams/{stream}:erase and GET /v1/streams/{stream}/erasures
#include <algorithm>
#include <limits>

#include "accept.h"
#include "format/json_text.h"
#include "format/text_codec.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"
#include "stream_head.h"

namespace vouch::http {
namespace {

using format::JsonKind;
using format::JsonSlice;

struct Wish {
  bool confirm = false;
  std::string reason;
  Version from{1};
  Version to{std::numeric_limits<std::int64_t>::max()};
};

ErasureStore& store(Context& context) {
  if (context.backends.erasures == nullptr) {
    reject(ProblemType::not_implemented, "the storage plugin can't erase events");
  }
  return *context.backends.erasures;
}

Version version_of(const std::string& name, const JsonSlice& value) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto number = value.kind == JsonKind::number ? format::json_unsigned(value) : std::nullopt;
  if (!number || *number == 0 || *number > kMost) bad(name + " must be a whole number from 1");
  return {*number};
}

std::string reason_of(const JsonSlice& value) {
  std::string reason = value.kind == JsonKind::string ? format::json_string(value) : std::string();
  if (reason.empty() || reason.size() > kMaxErasureReason ||
      reason.find('\0') != std::string::npos) {
    bad("reason must be a text of 1 to " + std::to_string(kMaxErasureReason) +
        " bytes, without U+0000");
  }
  return reason;
}

void read_member(Wish& wish, const std::string& name, const JsonSlice& value) {
  if (name == "confirm") {
    if (value.kind != JsonKind::boolean) bad("confirm must be true or false");
    wish.confirm = value.text == "true";
  } else if (name == "reason") {
    wish.reason = reason_of(value);
  } else if (name == "from") {
    wish.from = version_of(name, value);
  } else if (name == "to") {
    wish.to = version_of(name, value);
  } else {
    bad(name + " is unknown; known here: confirm reason from to");
  }
}

Wish read_wish(const Request& request) {
  demand_json(request, "what to erase comes");
  const auto document = format::parse_json(request.body);
  if (!document.ok()) bad("the body is not JSON: " + document.status().message());
  if (document->kind != JsonKind::object) bad("the body must be an object");
  const auto members = format::json_members(*document);
  if (!members.ok()) bad(members.status().message());
  Wish wish;
  for (const auto& [name, value] : *members) read_member(wish, name, value);
  if (wish.reason.empty()) bad("reason is missing: it is recorded with the erasure");
  if (wish.to < wish.from) bad("to lies below from");
  return wish;
}

std::string number(Version version) {
  return std::to_string(version.value);
}

/// Refuses what was not confirmed, and says what it would do.
void demand_confirmation(const Wish& wish, const StreamName& stream, Version head) {
  if (wish.confirm) return;
  const Version last = std::min(wish.to, head);
  const std::uint64_t events = last.value - wish.from.value + 1;
  reject(ProblemType::unprocessable,
         "this would erase the data and metadata of " + std::to_string(events) +
             (events == 1 ? " event" : " events") + " of the stream " + stream.str() +
             " (versions " + number(wish.from) + " to " + number(last) +
             ") and its snapshots from version " + number(wish.from) +
             " on; it can't be undone: say \"confirm\":true to do it");
}

std::string fields_of(const ErasureRecord& record) {
  std::string json = R"("from":)" + number(record.first) + R"(,"to":)" + number(record.last) +
                     R"(,"time":")" + format::time_text(record.time) + R"(","reason":)";
  format::append_json_string(json, record.reason);
  return json + R"(,"events":)" + std::to_string(record.events);
}

/// The reason stays out: it is written by people about people, and a log is kept by others and for
/// longer than the record.
void tell(const Erasure& erasure, const ErasureOutcome& outcome, HostServices& services) {
  const std::string events = std::to_string(outcome.events);
  const std::string snapshots = std::to_string(outcome.snapshots);
  services.logger().info("events were erased", {{"stream", erasure.stream.view()},
                                                {"from", number(erasure.first)},
                                                {"to", number(outcome.last)},
                                                {"events", events},
                                                {"snapshots", snapshots}});
  services.metrics()
      .counter("vouch_erased_events_total", "Events that became tombstones.", {})
      .add(static_cast<double>(outcome.events));
}

/// Without the snapshots that wait to be saved: they were made of what is to go.
Result<ErasureOutcome> erase(const Erasure& erasure, Context& context) {
  read::SnapshotSaver* const saver = context.backends.snapshot_saver;
  if (saver == nullptr) return store(context).erase(erasure);
  const auto hold = saver->hold(erasure.stream);
  return store(context).erase(erasure);
}

}  // namespace

Response erase_stream(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  store(context);
  const StreamName stream = path_stream(request);
  const Wish wish = read_wish(request);
  const Version head = existing_head(stream, context);
  if (wish.from > head) {
    reject(ProblemType::unprocessable,
           "from is version " + number(wish.from) + ", the stream is at " + number(head));
  }
  demand_confirmation(wish, stream, head);

  const Timestamp now = context.services.clock().now();
  const std::string time = format::time_text(now);
  const Erasure erasure{stream, wish.from,   wish.to,
                        now,    wish.reason, R"({"erased":")" + time + "\"}"};
  const auto outcome = erase(erasure, context);
  if (!outcome.ok()) return to_response(storage_problem(outcome.status(), "erasing events"));
  tell(erasure, *outcome, context.services);
  return answer(200, std::string(kJson),
                R"({"stream":")" + stream.str() + R"(","from":)" + number(wish.from) + R"(,"to":)" +
                    number(outcome->last) + R"(,"events":)" + std::to_string(outcome->events) +
                    R"(,"snapshots":)" + std::to_string(outcome->snapshots) + R"(,"time":")" +
                    time + "\"}");
}

Response list_erasures(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  ErasureStore& erasures = store(context);
  const StreamName stream = path_stream(request);
  existing_head(stream, context);
  const auto records = erasures.recorded(stream);
  if (!records.ok()) return to_response(storage_problem(records.status(), "listing erasures"));
  std::string body = R"({"stream":")" + stream.str() + R"(","erasures":[)";
  for (const ErasureRecord& record : *records) {
    if (body.back() == '}') body += ',';
    body += '{' + fields_of(record) + '}';
  }
  return answer(200, std::string(kJson), body + "]}");
}

}  // namespace vouch::http
