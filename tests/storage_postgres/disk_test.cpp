// A server whose disk is full.
#include <catch2/catch.hpp>

#include "postgres_fixture.h"
#include "small_disk.h"

namespace vouch::postgres::test {

TEST_CASE("A full disk of the server is told in one line, loses nothing and ends with the space") {
  if (no_programs()) return;
  const tests::SmallDisk disk(64, "postgres");
  if (!disk.mounted()) return;
  PrivatePostgres server;
  PostgresSession admin(server.address());
  admin.run("CREATE TABLESPACE small LOCATION '" + disk.path().string() + "'");
  PostgresAddress address = server.address();
  admin.run("CREATE DATABASE shop TABLESPACE small");
  address.database = "shop";
  Host host(address, "vouch");
  host.started();
  auto lane = host.lane();
  commit_one(*lane, append_to("order-1"));
  disk.fill_all_but(2U << 20U);

  std::uint64_t committed = 1;
  Append large = append_to("order-1");
  large.writes[0].events[0].data = std::string(200'000, 'x');
  Status status;
  for (int i = 0; i < 1'000 && status.ok(); ++i) {
    large.writes[0].events[0].id = fresh_id();
    const auto staged = lane->stage(std::span<const Append>(&large, 1));
    status = staged.status();
    if (!status.ok()) break;
    status = lane->commit().reason;
    if (status.ok()) ++committed;
  }
  INFO(status.to_string());
  CHECK(status.code() == StatusCode::unavailable);
  CHECK(status.message().find("disk is full") != std::string::npos);
  CHECK(status.message().find('\n') == std::string::npos);
  CHECK(host.head("order-1") == Version{committed});

  disk.free();
  large.writes[0].events[0].id = fresh_id();
  commit_one(*lane, large);
  CHECK(host.head("order-1") == Version{committed + 1});
  lane.reset();
  host->close();
  server.kill();
}

}  // namespace vouch::postgres::test
