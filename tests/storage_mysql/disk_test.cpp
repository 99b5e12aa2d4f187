// A server whose disk is full.
#include <catch2/catch.hpp>

#include "mysql_fixture.h"
#include "small_disk.h"

namespace vouch::mysql::test {
TEST_CASE("A full disk of the server is told in one line, loses nothing and ends with the space") {
  if (no_programs()) return;
  PrivateMysql server;
  MysqlSession(server.address()).run("CREATE DATABASE shop");
  // The tables' files, not the server's own: it would end itself.
  const tests::SmallDisk disk(64, "mysql", server.data_directory() / "shop");
  if (!disk.mounted()) return;
  Host host(server.address(), "shop");
  host.started();
  auto lane = host.lane();
  commit_one(*lane, append_to("order-1"));
  disk.fill_all_but(3U << 20U);

  std::uint64_t committed = 1;
  // Small enough to stay in the page of its row. A server that has no page for a larger one ends
  // itself (InnoDB in MariaDB 10.11).
  Append large = append_to("order-1");
  large.writes[0].events[0].data = std::string(3'000, 'x');
  Status status;
  for (int i = 0; i < 100'000 && status.ok(); ++i) {
    large.writes[0].events[0].id = fresh_id();
    const auto staged = lane->stage(std::span<const Append>(&large, 1));
    status = staged.status();
    if (!status.ok()) break;
    status = lane->commit().reason;
    if (status.ok()) ++committed;
  }
  INFO(status.to_string());
  CHECK(status.code() == StatusCode::unavailable);
  CHECK(status.message().find("no space left") != std::string::npos);
  CHECK(status.message().find('\n') == std::string::npos);
  CHECK(host.head("order-1") == Version{committed});

  disk.free();
  large.writes[0].events[0].id = fresh_id();
  commit_one(*lane, large);
  CHECK(host.head("order-1") == Version{committed + 1});
  lane.reset();
  host->close();
  server.kill();  // before the disk goes
}

}  // namespace vouch::mysql::test
