// What a kill -9 leaves behind. A child process works on the file and kills itself; the parent
// opens it afterwards.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "sqlite_fixture.h"

namespace vouch::sqlite::test {

namespace {

/// Kills the child after `body`; its first batch is in the first incarnation.
void killed_after(const std::function<void()>& body) {
  const int how = in_child([&] {
    body();
    ::kill(::getpid(), SIGKILL);
  });
  REQUIRE(WIFSIGNALED(how));
  REQUIRE(WTERMSIG(how) == SIGKILL);
}

constexpr std::uint64_t kFirstBatch = (std::uint64_t{1} << 32U) + 1;

}  // namespace

TEST_CASE("A process killed between stage and commit leaves an aborted transaction") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  killed_after([&] {
    auto* store = new OpenStore(path);
    auto lane = store->lane().release();
    const Append append = append_to("cart-1", 200);
    const auto group = lane->stage({&append, 1});
    if (!group.ok() || group->token.batch.value != kFirstBatch) ::_exit(1);
  });
  OpenStore store(path);
  const Token token{{0}, {kFirstBatch}, {}};
  const auto verdicts = store->resolve({&token, 1});
  REQUIRE(verdicts.ok());
  CHECK(verdicts->front() == Verdict::aborted);
  CHECK(read_stream(*store, "cart-1").empty());
  CHECK(ready(*store).empty());
}

TEST_CASE("A process killed right after commit leaves a committed transaction and its delivery") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  killed_after([&] {
    auto* store = new OpenStore(path);
    auto lane = store->lane().release();
    commit_one(*lane, append_to("cart-1", 3));
  });
  OpenStore store(path);
  const Token token{{0}, {kFirstBatch}, {}};
  const auto verdicts = store->resolve({&token, 1});
  REQUIRE(verdicts.ok());
  CHECK(verdicts->front() == Verdict::committed);
  CHECK(read_stream(*store, "cart-1").size() == 3);
  const auto deliveries = ready(*store);
  REQUIRE(deliveries.size() == 1);
  CHECK(deliveries[0].events.size() == 3);
  CHECK(deliveries[0].delivery.token == token);
}

TEST_CASE("The incarnation rises after a kill, so that no batch number is used twice") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  for (int i = 0; i < 3; ++i) {
    killed_after([&] {
      auto* store = new OpenStore(path);
      auto lane = store->lane().release();
      const Append append = append_to("cart-1");
      if (!lane->stage({&append, 1}).ok()) ::_exit(1);
    });
  }
  OpenStore store(path);
  const StagedGroup group = commit_one(*store.lane(), append_to("cart-1"));
  CHECK((group.token.batch.value >> 32U) == 4);
}

TEST_CASE("Marks lost in a kill are ready again, written ones are not") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  killed_after([&] {
    auto* store = new OpenStore(path);
    auto lane = store->lane().release();
    const StagedGroup first = commit_one(*lane, append_to("cart-1"));
    if (!(*store)->ledger().complete({&first.deliveries[0].id, 1}).ok()) ::_exit(1);
    // This transaction carries the first mark; the second one is only in memory.
    const StagedGroup second = commit_one(*lane, append_to("cart-1"));
    if (!(*store)->ledger().complete({&second.deliveries[0].id, 1}).ok()) ::_exit(1);
    if (!ready(**store).empty()) ::_exit(1);
  });
  OpenStore store(path);
  const auto deliveries = ready(*store);
  REQUIRE(deliveries.size() == 1);
  CHECK(deliveries[0].events[0].version == Version{2});
  const auto backlog = store->ledger().backlog();
  REQUIRE(backlog.ok());
  CHECK((*backlog)[deliveries[0].delivery.id.partition.value].deliveries == 1);
}

TEST_CASE("A closed store has all its marks in the file") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  {
    OpenStore store(path);
    const StagedGroup group = commit_one(*store.lane(), append_to("cart-1"));
    REQUIRE(store->ledger().complete({&group.deliveries[0].id, 1}).ok());
  }
  OpenStore store(path);
  CHECK(ready(*store).empty());
}

}  // namespace vouch::sqlite::test
