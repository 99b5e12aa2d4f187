// The schema of a trial: removed with everything in it, and never another one.
#include "vouch/scratch.h"

#include <catch2/catch.hpp>

#include "postgres_fixture.h"

namespace vouch::postgres::test {
namespace {

ScratchPlace& place_of(Host& host) {
  auto* const place = static_cast<ScratchPlace*>(host->query(ScratchPlace::kInterface));
  REQUIRE(place != nullptr);
  return *place;
}

TEST_CASE("The schema of a trial goes with everything in it, also when it is gone already") {
  const auto server = shared_server();
  if (!server) return;
  const std::string schema = "vouch_prove_" + server->schema.name();
  {
    Host host(server->address, schema);
    REQUIRE(place_of(host).make().ok());
    commit_one(*host.started().lane(), append_to("trial-1"));
  }
  Host host(server->address, schema);
  const Status removed = place_of(host).remove();
  INFO(removed.to_string());
  CHECK(removed.ok());
  PostgresSession admin(server->address);
  CHECK(admin.run("SELECT count(*) FROM pg_namespace WHERE nspname = '" + schema + "'") == "0");
  CHECK(place_of(host).remove().ok());
}

TEST_CASE("A schema that is not a trial's is not removed") {
  const auto server = shared_server();
  if (!server) return;
  auto host = server->host();
  host->started();
  CHECK(place_of(*host).make().code() == StatusCode::failed_precondition);
  CHECK(place_of(*host).remove().code() == StatusCode::failed_precondition);
  PostgresSession admin(server->address);
  CHECK(admin.run("SELECT count(*) FROM " + server->schema.name() + ".store") == "1");
}

}  // namespace
}  // namespace vouch::postgres::test
