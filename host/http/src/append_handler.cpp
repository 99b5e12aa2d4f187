// POST /v1/streams/{stream}/events
#include <algorithm>

#include "accept.h"
#include "append_request.h"
#include "format/json_text.h"
#include "format/text_codec.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

using append::AppendAnswer;
using append::AppendCode;

constexpr std::chrono::milliseconds kDefaultWait{5'000};
constexpr std::chrono::milliseconds kMaxWait{60'000};
/// How long the stop of the server may go unnoticed while a client waits for a delivery.
constexpr std::chrono::milliseconds kWaitSlice{250};

struct AckWish {
  bool delivered = false;
  std::chrono::milliseconds wait = kDefaultWait;
};

AckWish read_ack(const Request& request) {
  AckWish wish;
  const auto ack = request.query.find("ack");
  if (ack && *ack != "committed" && *ack != "delivered") {
    reject(ProblemType::bad_request,
           "the query parameter \"ack\" must be \"committed\" or \"delivered\"");
  }
  wish.delivered = ack && *ack == "delivered";
  const auto text = request.query.find("wait");
  if (!text) return wish;
  if (!wish.delivered) {
    reject(ProblemType::bad_request, "the query parameter \"wait\" goes with ack=delivered");
  }
  const auto wait = parse_wait(*text);
  if (!wait || *wait > kMaxWait) {
    reject(ProblemType::bad_request,
           "the query parameter \"wait\" must be a duration of at most 60s, for example 500ms or "
           "5s");
  }
  wish.wait = *wait;
  return wish;
}

std::string ids_json(const std::vector<EventId>& ids) {
  std::string json = "[";
  for (const EventId& id : ids) {
    if (json.size() > 1) json += ',';
    json += '"' + id.to_string() + '"';
  }
  return json + ']';
}

/// False when the time, or the server's, ran out first.
bool wait_delivered(const std::vector<DeliveryId>& deliveries, std::chrono::milliseconds wait,
                    Context& context) {
  const auto deadline = context.services.clock().steady() + wait;
  for (;;) {
    const auto now = context.services.clock().steady();
    if (context.backends.saga.wait_delivered(deliveries, std::min(deadline, now + kWaitSlice))) {
      return true;
    }
    if (context.services.clock().steady() >= deadline || context.stopping) return false;
  }
}

Response success(const StreamName& stream, const AppendAnswer& answered, const AckWish& wish,
                 Context& context) {
  const VersionRange range = answered.ranges.at(0);
  bool delivered = false;
  if (wish.delivered) delivered = wait_delivered(answered.deliveries, wish.wait, context);
  std::string body = R"({"stream":")" + stream.str() + R"(","first_version":)" +
                     std::to_string(range.first.value) + R"(,"last_version":)" +
                     std::to_string(range.last.value) + R"(,"ids":)" + ids_json(answered.ids) +
                     R"(,"tx":")" + format::token_text(answered.token) + R"(","state":")" +
                     (delivered ? "delivered" : "committed") + R"("})";
  Response response =
      answer(wish.delivered && !delivered ? 202 : 201, std::string(kJson), std::move(body));
  response.with("ETag", etag(range.last));
  response.with("Location", "/v1/streams/" + stream.str() +
                                "/events?from=" + std::to_string(range.first.value));
  if (answered.code == AppendCode::duplicate) response.with("Idempotent-Replayed", "true");
  return response;
}

std::string expected_json(const ExpectedVersion& expected) {
  switch (expected.kind) {
    case ExpectedVersion::Kind::none:
      return "\"none\"";
    case ExpectedVersion::Kind::exists:
      return "\"exists\"";
    case ExpectedVersion::Kind::any:
      return "\"any\"";
    case ExpectedVersion::Kind::exact:
      break;
  }
  return std::to_string(expected.version.value);
}

Problem wrong_version(const StreamName& stream, const ExpectedVersion& expected, Version actual) {
  Problem problem{ProblemType::wrong_expected_version,
                  "the stream " + stream.str() + " is at version " + std::to_string(actual.value) +
                      ", expected was " + expected_json(expected),
                  {},
                  {}};
  problem.members = {{"stream", '"' + stream.str() + '"'},
                     {"expected", expected_json(expected)},
                     {"actual", std::to_string(actual.value)}};
  return problem;
}

Problem commit_unknown(const AppendAnswer& answered) {
  const std::string tx = format::token_text(answered.token);
  Problem problem{ProblemType::commit_unknown, answered.reason.message(), {}, {}};
  problem.members = {{"tx", '"' + tx + '"'}, {"ids", ids_json(answered.ids)}};
  problem.fields = {{"Location", "/v1/transactions/" + tx}};
  return problem;
}

ProblemType problem_type(AppendCode code) {
  switch (code) {
    case AppendCode::key_reused:
    case AppendCode::id_reused:
    case AppendCode::invalid:
      return ProblemType::unprocessable;
    case AppendCode::key_in_flight:
      return ProblemType::idempotency_in_flight;
    case AppendCode::too_large:
      return ProblemType::too_large;
    case AppendCode::overloaded:
      return ProblemType::overloaded;
    case AppendCode::storage_unavailable:
      return ProblemType::storage_unavailable;
    case AppendCode::broker_unavailable:
      return ProblemType::broker_unavailable;
    case AppendCode::committed:
    case AppendCode::duplicate:
    case AppendCode::wrong_version:
    case AppendCode::commit_unknown:
      break;
  }
  return ProblemType::internal;
}

}  // namespace

Response append_events(const Request& request, Context& context) {
  const StreamName stream = path_stream(request);
  const AckWish wish = read_ack(request);
  const ExpectedVersion expected = read_expected(request);
  Write write;
  write.stream = stream;
  write.expected = expected;
  write.events = read_events(request, context.options, context.services.clock().now());
  Append append;
  append.writes.push_back(std::move(write));
  append.idempotency = read_idempotency(request, stream);

  const AppendAnswer answered = context.backends.append.append(std::move(append));
  switch (answered.code) {
    case AppendCode::committed:
    case AppendCode::duplicate:
      return success(stream, answered, wish, context);
    case AppendCode::wrong_version:
      return to_response(wrong_version(stream, expected, answered.actual));
    case AppendCode::commit_unknown:
      return to_response(commit_unknown(answered));
    default:
      return to_response({problem_type(answered.code), answered.reason.message(), {}, {}});
  }
}

}  // namespace vouch::http
