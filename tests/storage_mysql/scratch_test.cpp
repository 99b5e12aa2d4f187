// The database of a trial: made and removed with everything in it, and never another one.
#include "vouch/scratch.h"

#include <catch2/catch.hpp>

#include "mysql_fixture.h"

namespace vouch::mysql::test {
namespace {

ScratchPlace& place_of(Host& host) {
  auto* const place = static_cast<ScratchPlace*>(host->query(ScratchPlace::kInterface));
  REQUIRE(place != nullptr);
  return *place;
}

TEST_CASE("The database of a trial is made, and goes with everything in it") {
  const auto server = shared_server();
  if (!server) return;
  const std::string database = "vouch_prove_" + server->database.name();
  {
    Host host(server->address, database);
    const Status made = place_of(host).make();
    INFO(made.to_string());
    REQUIRE(made.ok());
    commit_one(*host.started().lane(), append_to("trial-1"));
  }
  Host host(server->address, database);
  CHECK(place_of(host).remove().ok());
  CHECK_FALSE(host.start().ok());
  CHECK(place_of(host).remove().ok());
}

TEST_CASE("A database that is not a trial's is not removed") {
  const auto server = shared_server();
  if (!server) return;
  auto host = server->host();
  host->started();
  CHECK(place_of(*host).make().code() == StatusCode::failed_precondition);
  CHECK(place_of(*host).remove().code() == StatusCode::failed_precondition);
  CHECK((*host)->health().ok);
  for (const char* name : {"vouch_prove_", "vouch_prove_`x", "vouch"}) {
    Host other(server->address, name);
    CHECK(place_of(other).remove().code() == StatusCode::failed_precondition);
  }
}

}  // namespace
}  // namespace vouch::mysql::test
