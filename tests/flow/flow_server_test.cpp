// What a host does together with a real database server, which has a clock and a will of its own.
#include <catch2/catch.hpp>
#include <thread>

#include "host_on_server.h"

namespace vouch::tests {
namespace {

using append::AppendAnswer;
using append::AppendCode;
using testkit::Fault;
using testkit::Step;

template <typename Done>
bool eventually(const Done& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

/// A host stands still between the publish of its signal and its COMMIT, which is as well what a
/// stopped process looks like to the server. Its transaction holds the next version of the stream.
void stand_still_with_a_transaction_open(std::unique_ptr<ServerDatabase> server) {
  if (server == nullptr) return;
  World world;
  keep_on_server(world, *server, {{"idle_transaction_timeout", "2s"}});
  HostSettings settings;
  settings.lanes = 1;
  Host still(world, settings);
  settings.first_lane = 1;
  Host other(world, settings);
  world.faults.arm(Step::commit, Fault::stall);
  AppendAnswer told;
  std::thread client([&] { told = still.appends().append(make_append("order-1", 2)); });
  REQUIRE(world.faults.wait_stalled(Step::commit));

  // Until the server ends the transaction, nobody can know who gets the version.
  const auto begun = std::chrono::steady_clock::now();
  AppendAnswer late;
  REQUIRE(eventually([&] {
    late = other.appends().append(make_append("order-1"));
    return late.code == AppendCode::committed;
  }));
  CHECK(std::chrono::steady_clock::now() - begun > std::chrono::seconds(1));
  CHECK(late.ranges.at(0).first == Version{1});

  world.faults.release();
  client.join();
  // Awake again, it gives a definite answer, and the client's retry is an append like any other.
  INFO(told.reason.to_string());
  CHECK(told.code == AppendCode::storage_unavailable);
  const AppendAnswer again = still.appends().append(make_append("order-1", 2));
  REQUIRE(again.code == AppendCode::committed);
  CHECK(again.ranges.at(0).first == Version{2});
  CHECK(eventually([&] { return server->undelivered() == 0; }));
  CHECK(server->events().size() == 3);
  // The signal of the transaction that never was led to nothing.
  const std::vector<Published> expected{{"order-1", 1}, {"order-1", 2}, {"order-1", 3}};
  CHECK(published(world.exchange) == expected);
}

TEST_CASE("PostgreSQL ends the transaction of a host that stands still, which learns of it") {
  stand_still_with_a_transaction_open(postgres_database());
}
TEST_CASE("MariaDB ends the transaction of a host that stands still, which learns of it") {
  stand_still_with_a_transaction_open(mysql_database());
}

}  // namespace
}  // namespace vouch::tests
