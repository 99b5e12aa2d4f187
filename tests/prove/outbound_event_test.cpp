// Events as they come back from a broker.
#include <catch2/catch.hpp>

#include "outbound_consumer.h"
#include "writer.h"

namespace vouch::prove::test {
namespace {

TEST_CASE("An event is read from a structured message") {
  const EventSeen event = outbound_event(
      R"({"id":"2Kx","subject":"account-1","sequence":"00000000000000000012","data":{"mark":"m"}})",
      {});
  CHECK(event == EventSeen{"2Kx", "account-1", 12, "m"});
}

TEST_CASE("An event is read from a binary message") {
  const Header headers[] = {{"content-type", "application/json"},
                            {"id", "2Kx"},
                            {"subject", "account-1"},
                            {"sequence", "00000000000000000012"}};
  CHECK(outbound_event(R"({"mark":"m"})", headers) == EventSeen{"2Kx", "account-1", 12, "m"});
}

TEST_CASE("A message that is no event is an empty one, which nothing stored equals") {
  CHECK(outbound_event("not JSON", {}) == EventSeen{});
}

TEST_CASE("Answers say what they mean for the store") {
  const Attempt committed = attempt_of(
      {201, R"({"first_version":8,"ids":["a","b"],"tx":"0-1-x","state":"committed"})", true});
  CHECK(committed.outcome == Outcome::committed);
  CHECK(committed.first_version == 8);
  CHECK(committed.ids == std::vector<std::string>{"a", "b"});
  CHECK(committed.replayed);
  const Attempt refused =
      attempt_of({412, R"({"type":"urn:vouch:problem:wrong-expected-version","actual":9})", false});
  CHECK(refused.outcome == Outcome::refused);
  CHECK(refused.actual == 9);
  const Attempt unknown =
      attempt_of({503, R"({"type":"urn:vouch:problem:commit-unknown","tx":"0-1-x"})", false});
  CHECK(unknown.outcome == Outcome::open);
  CHECK(unknown.tx == "0-1-x");
  CHECK(attempt_of({502, "<html>", false}).outcome == Outcome::open);
}

}  // namespace
}  // namespace vouch::prove::test
