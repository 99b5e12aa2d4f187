// The route table and problem details, without a server.
#include "router.h"

#include <catch2/catch.hpp>

#include "format/json_text.h"
#include "problem.h"

namespace vouch::http {
namespace {

TEST_CASE("paths lead to their routes with their variable segments decoded") {
  const Destination events = find_route("POST", "/v1/streams/account%2D42/events");
  CHECK_FALSE(events.problem.has_value());
  CHECK(events.pattern == "/v1/streams/{stream}/events");
  CHECK(events.captures == std::vector<std::string>{"account-42"});
  CHECK(find_route("GET", "/v1/events/x").pattern == "/v1/events/{id}");
  CHECK(find_route("GET", "/v1/events").pattern == "/v1/events");
  CHECK(find_route("HEAD", "/v1/info").handler == find_route("GET", "/v1/info").handler);
}

TEST_CASE("unknown paths are not found, and so are the ones of later versions") {
  for (const char* path :
       {"/", "/v1", "/v2/events", "/v1/streams/", "/v1/streams//events", "/v1/streams/a/events/",
        "/v1/streams/a", "/livez/", "/v1/append/", "/v1/delivery/dead-letters/:retry",
        "/v1/delivery/dead-letters/x", "/v1/delivery/dead-letters/x:free", "/v1/delivery:purge"}) {
    INFO(path);
    const Destination destination = find_route("POST", path);
    REQUIRE(destination.problem.has_value());
    CHECK(destination.problem->type == ProblemType::not_found);
    CHECK(destination.pattern == "unmatched");
  }
}

TEST_CASE("a method that a path does not know is answered with those it knows") {
  const auto allow = [](const char* method, const char* path) {
    const Destination destination = find_route(method, path);
    REQUIRE(destination.problem.has_value());
    CHECK(destination.problem->type == ProblemType::method_not_allowed);
    const Response response = to_response(*destination.problem);
    return std::string(response.fields.find("Allow").value_or(""));
  };
  CHECK(allow("PATCH", "/v1/streams/a/events") == "POST, HEAD, GET");
  CHECK(allow("POST", "/v1/streams/a/snapshot") == "GET, HEAD, PUT, DELETE");
  CHECK(allow("HEAD", "/v1/feed") == "GET");
  CHECK(allow("BREW", "/livez") == "GET, HEAD");
}

TEST_CASE("a malformed escape in a path is a bad request") {
  const Destination destination = find_route("GET", "/v1/streams/a%zz/events");
  REQUIRE(destination.problem.has_value());
  CHECK(destination.problem->type == ProblemType::bad_request);
}

TEST_CASE("a problem is JSON with its type, status, detail and members") {
  Problem problem{ProblemType::wrong_expected_version, "not \"7\"\n", {{"actual", "3"}}, {}};
  const Response response = to_response(problem);
  CHECK(response.status == 412);
  CHECK(format::parse_json(response.body).ok());
  CHECK(response.body == R"({"type":"urn:vouch:problem:wrong-expected-version",)"
                         R"("title":"The stream is not at the expected version","status":412,)"
                         R"("detail":"not \"7\"\n","actual":3})");
}

TEST_CASE("every type of problem has a name and a status of its own meaning") {
  const std::pair<ProblemType, int> rows[] = {
      {ProblemType::bad_request, 400},
      {ProblemType::not_found, 404},
      {ProblemType::method_not_allowed, 405},
      {ProblemType::not_acceptable, 406},
      {ProblemType::request_timeout, 408},
      {ProblemType::idempotency_in_flight, 409},
      {ProblemType::wrong_expected_version, 412},
      {ProblemType::too_large, 413},
      {ProblemType::unsupported_media_type, 415},
      {ProblemType::unprocessable, 422},
      {ProblemType::overloaded, 429},
      {ProblemType::storage_unavailable, 503},
      {ProblemType::broker_unavailable, 503},
      {ProblemType::commit_unknown, 503},
      {ProblemType::shutting_down, 503},
      {ProblemType::internal, 500},
      {ProblemType::not_implemented, 501},
  };
  for (const auto& [type, status] : rows) {
    const Response response = to_response({type, "why", {}, {}});
    CHECK(response.status == status);
    const bool retry = response.fields.find("Retry-After").has_value();
    CHECK(retry == (status == 409 || status == 429 || status == 503));
  }
  CHECK(slug(ProblemType::wrong_expected_version) == "wrong-expected-version");
  CHECK(slug(ProblemType::not_implemented) == "not-implemented");
}

TEST_CASE("failures of the storage are problems that say whether to try again") {
  const auto type = [](StatusCode code) { return storage_problem({code, "x"}, "reading").type; };
  CHECK(type(StatusCode::unavailable) == ProblemType::storage_unavailable);
  CHECK(type(StatusCode::timeout) == ProblemType::storage_unavailable);
  CHECK(type(StatusCode::invalid_argument) == ProblemType::bad_request);
  CHECK(type(StatusCode::corrupt) == ProblemType::internal);
  CHECK(type(StatusCode::not_supported) == ProblemType::not_implemented);
}

}  // namespace
}  // namespace vouch::http
