// GET /v1/delivery/dead-letters, POST …/{id}:retry, POST …/{id}:discard
#include <algorithm>
#include <charconv>

#include "accept.h"
#include "format/json_text.h"
#include "format/text_codec.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

constexpr std::uint64_t kDefaultLimit = 500;

/// Names a letter at one version, so that what was asked of one event never befalls the next.
struct LetterId {
  DeadLetterKey key;
  Version version;

  [[nodiscard]] std::string text() const {
    return format::base64url(key.stream + '\n' + std::to_string(version.value) + '\n' + key.route);
  }

  static LetterId parse(std::string_view text) {
    const auto bytes = format::from_base64url(text);
    const std::size_t first = bytes ? bytes->find('\n') : std::string::npos;
    const std::size_t second =
        first == std::string::npos ? std::string::npos : bytes->find('\n', first + 1);
    if (second != std::string::npos) {
      LetterId id{{bytes->substr(second + 1), bytes->substr(0, first)}, {}};
      const char* const end = bytes->data() + second;
      const auto [rest, error] = std::from_chars(bytes->data() + first + 1, end, id.version.value);
      if (error == std::errc{} && rest == end) return id;
    }
    reject(ProblemType::not_found, "there is no dead letter with this id");
  }
};

void append_letter(std::string& out, const DeadLetter& letter) {
  const auto text = [&](std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    format::append_json_string(out, value);
  };
  out += R"({"id":")" + LetterId{letter.key, letter.version}.text() + '"';
  text("route", letter.key.route);
  text("stream", letter.key.stream);
  out += R"(,"version":)" + std::to_string(letter.version.value);
  text("event", letter.event.to_string());
  text("topic", letter.topic);
  text("reason", letter.reason);
  text("since", format::time_text(letter.since));
  out += R"(,"attempts":)" + std::to_string(letter.attempts);
  out += R"(,"partition":)" + std::to_string(letter.partition.value);
  out += R"(,"last_waiting":)" + std::to_string(std::max(letter.last, letter.version).value);
  text("state", letter.released ? "released" : "refused");
  out += '}';
}

Response released(const Status& status, std::string_view doing) {
  switch (status.code()) {
    case StatusCode::ok:
      return answer(202, std::string(kJson), R"({"state":"released"})");
    case StatusCode::failed_precondition:
      return to_response({ProblemType::conflict, status.message(), {}, {}});
    case StatusCode::invalid_argument:
      return to_response({ProblemType::unprocessable, status.message(), {}, {}});
    default:
      return to_response(storage_problem(status, doing));
  }
}

void refuse_body(const Request& request) {
  if (!request.body.empty()) reject(ProblemType::bad_request, "this takes no body");
}

}  // namespace

Response list_dead_letters(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  const auto after = request.query.find("after");
  const DeadLetterKey key = after ? LetterId::parse(*after).key : DeadLetterKey();
  const std::uint64_t limit =
      query_number(request, "limit", 1, context.options.page)
          .value_or(std::min<std::uint64_t>(kDefaultLimit, context.options.page));
  const auto letters =
      context.backends.saga.dead_letters(key, static_cast<std::uint32_t>(limit) + 1);
  if (!letters.ok()) return to_response(storage_problem(letters.status(), "listing dead letters"));
  const bool more = letters->size() > limit;
  std::string body = R"({"dead_letters":[)";
  for (std::size_t i = 0; i < std::min<std::size_t>(letters->size(), limit); ++i) {
    if (i > 0) body += ',';
    append_letter(body, (*letters)[i]);
  }
  body += ']';
  std::string next;
  if (more) {
    const DeadLetter& last = (*letters)[limit - 1];
    next = LetterId{last.key, last.version}.text();
    body += R"(,"next":")" + next + '"';
  }
  body += '}';
  Response response = answer(200, std::string(kJson), std::move(body));
  if (more) {
    response.with("Link", "</v1/delivery/dead-letters?after=" + next +
                              "&limit=" + std::to_string(limit) + ">; rel=\"next\"");
  }
  return response;
}

Response retry_dead_letter(const Request& request, Context& context) {
  refuse_body(request);
  const LetterId id = LetterId::parse(request.captures[0]);
  return released(context.backends.saga.retry(id.key, id.version), "retrying a dead letter");
}

Response discard_dead_letter(const Request& request, Context& context) {
  refuse_body(request);
  const LetterId id = LetterId::parse(request.captures[0]);
  return released(context.backends.saga.discard(id.key, id.version), "discarding a dead letter");
}

}  // namespace vouch::http
