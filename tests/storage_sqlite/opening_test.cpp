// Opening a store: the lock, other people's files, schemas and identities.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "connection.h"
#include "schema.h"
#include "sqlite_fixture.h"

namespace vouch::sqlite::test {

using Catch::Matchers::Contains;

TEST_CASE("A second storage on the same file is refused and told who holds it") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  OpenStore first(path);
  testkit::TestServices services;
  SqliteStorage second(services, options_for(path));
  const Status refused = second.open();
  CHECK(refused.code() == StatusCode::held);
  CHECK_THAT(refused.message(), Contains(path));
  CHECK_THAT(refused.message(), Contains("process " + std::to_string(::getpid())));
  SECTION("and let in once the first one closed") {
    first->close();
    CHECK(second.open().ok());
  }
  SECTION("and another process is refused too") {
    const int how = in_child([&] {
      testkit::TestServices child_services;
      SqliteStorage third(child_services, options_for(path));
      ::_exit(third.open().code() == StatusCode::held ? 0 : 1);
    });
    CHECK((WIFEXITED(how) && WEXITSTATUS(how) == 0));
  }
}

TEST_CASE("The lock of a process that was killed is free at once") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  const int how = in_child([&] {
    OpenStore store(path);
    ::kill(::getpid(), SIGKILL);
  });
  REQUIRE(WIFSIGNALED(how));
  OpenStore store(path);
  CHECK(store->health().ok);
}

TEST_CASE("The parent directory is created, one level of it") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("new/shop.db"));
  CHECK(std::filesystem::exists(directory.file("new/shop.db")));

  testkit::TestServices services;
  SqliteStorage deeper(services, options_for(directory.file("a/b/shop.db")));
  const Status refused = deeper.open();
  CHECK(refused.code() == StatusCode::unavailable);
  CHECK_THAT(refused.message(), Contains(directory.file("a/b")));
}

TEST_CASE("A file that is not a database is refused in words and left alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("notes.txt");
  const std::string notes(4'096, 'x');
  std::ofstream(path) << notes;
  testkit::TestServices services;
  SqliteStorage storage(services, options_for(path));
  const Status refused = storage.open();
  CHECK(refused.code() == StatusCode::failed_precondition);
  CHECK_THAT(refused.message(), Contains("not a SQLite database"));
  CHECK(std::filesystem::file_size(path) == notes.size());
}

TEST_CASE("A directory in place of the file is refused in words") {
  const TemporaryDirectory directory;
  testkit::TestServices services;
  SqliteStorage storage(services, options_for(directory.path().string()));
  CHECK_THAT(storage.open().message(), Contains("is a directory"));
}

TEST_CASE("A database of another program is refused and left alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("other.db");
  { ForeignSession(path).execute("CREATE TABLE customers (name TEXT)"); }
  testkit::TestServices services;
  SqliteStorage storage(services, options_for(path));
  REQUIRE(storage.open().ok());
  const Status refused = storage.migrate({"shop", kPartitions});
  CHECK(refused.code() == StatusCode::failed_precondition);
  CHECK_THAT(refused.message(), Contains("another program"));
  storage.close();
  CHECK(ForeignSession(path).integer("SELECT count(*) FROM sqlite_schema") == 1);
}

TEST_CASE("A schema newer than the plugin is refused with both versions") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  { OpenStore store(path); }
  { ForeignSession(path).execute("UPDATE vouch_schema SET version = 99"); }
  testkit::TestServices services;
  SqliteStorage storage(services, options_for(path));
  REQUIRE(storage.open().ok());
  const Status refused = storage.migrate({"shop", kPartitions});
  CHECK(refused.code() == StatusCode::failed_precondition);
  CHECK_THAT(refused.message(), Contains("version 99"));
  CHECK_THAT(refused.message(), Contains("up to " + std::to_string(migrations().back().number)));
}

TEST_CASE("A store of the first schema version is upgraded and keeps its events") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  {
    OpenStore store(path);
    commit_one(*store.lane(), append_to("cart-1"));
  }
  ForeignSession(path).execute(
      "DROP TABLE snapshots; DROP TABLE dead_letters; DROP TABLE erasures;"
      "UPDATE vouch_schema SET version = 1");
  OpenStore store(path);
  CHECK(read_stream(*store, "cart-1").size() == 1);
  auto* snapshots = static_cast<SnapshotStore*>(store->query(SnapshotStore::kInterface));
  REQUIRE(snapshots != nullptr);
  const Snapshot snapshot{StreamName::unchecked("cart-1"), {1}, {5}, "text/plain", "state"};
  CHECK(snapshots->save({&snapshot, 1}).ok());
}

TEST_CASE("Migrating again changes nothing") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  commit_one(*store.lane(), append_to("cart-1"));
  CHECK(store->migrate({"shop", kPartitions}).ok());
  CHECK(read_stream(*store, "cart-1").size() == 1);
}

TEST_CASE("Another partition count or name is refused with both values") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  { OpenStore store(path); }
  testkit::TestServices services;
  SqliteStorage storage(services, options_for(path));
  REQUIRE(storage.open().ok());
  const Status count = storage.migrate({"shop", kPartitions + 1});
  CHECK(count.code() == StatusCode::failed_precondition);
  CHECK_THAT(count.message(), Contains("with 4 partitions") && Contains("with 5"));
  const Status name = storage.migrate({"shed", kPartitions});
  CHECK(name.code() == StatusCode::failed_precondition);
  CHECK_THAT(name.message(), Contains("\"shop\"") && Contains("\"shed\""));
  CHECK(storage.migrate({"shop", kPartitions}).ok());
}

TEST_CASE("Settings below synchronous=FULL are refused in words") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  REQUIRE(store->check().ok());
  store->writing_session().execute("PRAGMA synchronous = NORMAL");
  const Status refused = store->check();
  CHECK(refused.code() == StatusCode::failed_precondition);
  CHECK_THAT(refused.message(), Contains("power cut"));
}

TEST_CASE("The same lane has one session at a time, and each has a higher incarnation") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  const BatchNumber first = commit_one(*lane, append_to("cart-1")).token.batch;
  const auto second = store->lane({0}, std::chrono::milliseconds(20));
  CHECK(second.status().code() == StatusCode::held);
  lane.reset();
  const BatchNumber later = commit_one(*store.lane(), append_to("cart-1")).token.batch;
  CHECK((later.value >> 32U) > (first.value >> 32U));
}

}  // namespace vouch::sqlite::test
