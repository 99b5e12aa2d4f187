#include "problem.h"

#include <iterator>

#include "format/json_text.h"

namespace vouch::http {
namespace {

struct TypeRow {
  std::string_view slug;
  int status;
  std::string_view title;
  bool retry;  ///< the same request may work in a second
};

constexpr TypeRow kTypes[] = {
    {"bad-request", 400, "The request is malformed", false},
    {"not-found", 404, "There is no such thing", false},
    {"method-not-allowed", 405, "The path does not know this method", false},
    {"not-acceptable", 406, "None of the accepted media types is offered here", false},
    {"request-timeout", 408, "The request did not arrive in time", false},
    {"idempotency-in-flight", 409, "The same idempotency key is being written right now", true},
    {"conflict", 409, "The thing is in another state right now", true},
    {"wrong-expected-version", 412, "The stream is not at the expected version", false},
    {"too-large", 413, "The request is over a limit", false},
    {"unsupported-media-type", 415, "This content type is not taken here", false},
    {"unprocessable", 422, "The request is well-formed and can never be done", false},
    {"overloaded", 429, "The server is busy", true},
    {"storage-unavailable", 503, "The database can't be used right now", true},
    {"broker-unavailable", 503, "The broker can't be used right now", true},
    {"commit-unknown", 503, "Whether the transaction committed is not known yet", true},
    {"shutting-down", 503, "The server is stopping", true},
    {"internal", 500, "The server has a defect", false},
    {"not-implemented", 501, "The storage can't do that", false},
};

const TypeRow& row(ProblemType type) {
  static_assert(std::size(kTypes) == static_cast<std::size_t>(ProblemType::not_implemented) + 1);
  return kTypes[static_cast<std::size_t>(type)];
}

}  // namespace

std::string_view slug(ProblemType type) {
  return row(type).slug;
}

Response to_response(const Problem& problem) {
  const TypeRow& type = row(problem.type);
  const int status = problem.status != 0 ? problem.status : type.status;
  std::string body = R"({"type":"urn:vouch:problem:)";
  body += type.slug;
  body += R"(","title":)";
  format::append_json_string(body, type.title);
  body += R"(,"status":)" + std::to_string(status) + R"(,"detail":)";
  format::append_json_string(body, problem.detail);
  for (const auto& [name, json] : problem.members) {
    body += ',';
    format::append_json_string(body, name);
    body += ':' + json;
  }
  body += '}';
  Response response = answer(status, "application/problem+json", std::move(body));
  if (type.retry) response.with("Retry-After", "1");
  for (const auto& [name, value] : problem.fields) response.with(name, value);
  return response;
}

Problem storage_problem(const Status& status, std::string_view doing) {
  const auto type = [&] {
    switch (status.code()) {
      case StatusCode::invalid_argument:
        return ProblemType::bad_request;
      case StatusCode::not_found:
        return ProblemType::not_found;
      case StatusCode::not_supported:
        return ProblemType::not_implemented;
      case StatusCode::too_large:
        return ProblemType::too_large;
      case StatusCode::corrupt:
      case StatusCode::internal:
        return ProblemType::internal;
      default:
        return ProblemType::storage_unavailable;
    }
  }();
  return {type, std::string(doing) + ": " + status.message(), {}, {}};
}

void reject(ProblemType type, std::string detail) {
  throw Rejection{{type, std::move(detail), {}, {}}};
}

void bad(std::string detail) {
  reject(ProblemType::bad_request, std::move(detail));
}

}  // namespace vouch::http
