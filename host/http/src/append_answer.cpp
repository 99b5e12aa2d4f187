#include "append_answer.h"

#include <algorithm>

#include "accept.h"
#include "format/text_codec.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

using append::AppendAnswer;
using append::AppendCode;

constexpr std::chrono::milliseconds kMaxWait{60'000};
/// How long the stop of the server may go unnoticed while a client waits for a delivery.
constexpr std::chrono::milliseconds kWaitSlice{250};

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

Problem wrong_version(const Precondition& demand, Version actual) {
  Problem problem{ProblemType::wrong_expected_version,
                  "the stream " + demand.stream.str() + " is at version " +
                      std::to_string(actual.value) + ", expected was " +
                      expected_json(demand.expected),
                  {},
                  {}};
  problem.members = {{"stream", '"' + demand.stream.str() + '"'},
                     {"expected", expected_json(demand.expected)},
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

std::string ids_json(std::span<const EventId> ids) {
  std::string json = "[";
  json.reserve(ids.size() * (EventId::kTextLength + 3) + 2);
  for (const EventId& id : ids) {
    json += json.size() > 1 ? ",\"" : "\"";
    id.append_to(json);
    json += '"';
  }
  json += ']';
  return json;
}

Stored append_and_wait(Append append, std::span<const Precondition> demands, const AckWish& wish,
                       Context& context) {
  Stored stored{context.backends.append.append(std::move(append))};
  const AppendAnswer& answered = stored.answer;
  switch (answered.code) {
    case AppendCode::committed:
    case AppendCode::duplicate:
      break;
    case AppendCode::wrong_version:
      throw Rejection{wrong_version(demands[answered.failed], answered.actual)};
    case AppendCode::commit_unknown:
      throw Rejection{commit_unknown(answered)};
    default:
      throw Rejection{{problem_type(answered.code), answered.reason.message(), {}, {}}};
  }
  if (wish.delivered) {
    stored.delivered = wait_delivered(answered.deliveries, wish.wait, context);
  }
  return stored;
}

Response stored_response(const Stored& stored, const AckWish& wish, std::string head) {
  std::string body = "{" + std::move(head) + R"(,"tx":")" +
                     format::token_text(stored.answer.token) + R"(","state":")" +
                     (stored.delivered ? "delivered" : "committed") + R"("})";
  Response response =
      answer(wish.delivered && !stored.delivered ? 202 : 201, std::string(kJson), std::move(body));
  if (stored.answer.code == AppendCode::duplicate) response.with("Idempotent-Replayed", "true");
  return response;
}

}  // namespace vouch::http
