// What the plugin says and does when the file can't be written: full, read-only, locked, failing.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "errors.h"
#include "faulty_disk.h"
#include "sqlite_fixture.h"

namespace vouch::sqlite::test {

using Catch::Matchers::Contains;

namespace {

/// The verdict on one transaction.
Verdict verdict(SqliteStorage& storage, const Token& token) {
  const auto verdicts = storage.resolve({&token, 1});
  REQUIRE(verdicts.ok());
  return verdicts->front();
}

Append large_append() {
  Append append = append_to("large-1");
  append.writes[0].events[0].data.assign(1'000'000, 'x');
  return append;
}

}  // namespace

TEST_CASE("Where the system has a reason of its own, it is said, with what helps") {
  const struct {
    int code;
    int system_error;
    const char* message;
  } kRows[] = {
      {SQLITE_IOERR_WRITE, EROFS,
       "shop.db can't be written; check the rights of the file and of its directory, and whether "
       "the file system is mounted read-only (SQLite: disk I/O error: Read-only file system)"},
      {SQLITE_CANTOPEN, EROFS,
       "shop.db can't be written; check the rights of the file and of its directory, and whether "
       "the file system is mounted read-only (SQLite: disk I/O error: Read-only file system)"},
      {SQLITE_IOERR_WRITE, EDQUOT,
       "no space left for shop.db; nothing was written; free some space (SQLite: disk I/O error: "
       "Disk quota exceeded)"},
      {SQLITE_IOERR_FSYNC, EIO,
       "reading or writing shop.db failed (SQLite: disk I/O error: Input/output error)"},
      {SQLITE_IOERR_FSYNC, 0, "reading or writing shop.db failed (SQLite: disk I/O error)"},
  };
  for (const auto& row : kRows) {
    const SqlError error(row.code, "disk I/O error", row.system_error);
    const Status status = status_of(error, "shop.db");
    CHECK(status.code() == StatusCode::unavailable);
    CHECK(status.message() == row.message);
    // The words say more; what is done about it depends on SQLite's code, as before.
    CHECK(breaks_session(error));
  }
}

TEST_CASE("A file at its largest size answers in words and works again when it may grow") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  commit_one(*lane, append_to("cart-1"));
  store->writing_session().execute("PRAGMA max_page_count = 60");

  const Append append = large_append();
  const auto full = lane->stage({&append, 1});
  CHECK(full.status().code() == StatusCode::unavailable);
  CHECK_THAT(full.status().message(), Contains("no space left"));

  store->writing_session().execute("PRAGMA max_page_count = 1000000");
  commit_one(*lane, append);
  CHECK(store->health().ok);
  CHECK(read_stream(*store, "large-1").size() == 1);
}

TEST_CASE("A disk that is full at the commit aborts the transaction and spares its marks") {
  const TemporaryDirectory directory;
  FaultyDisk disk;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  const StagedGroup delivered = commit_one(*lane, append_to("cart-1"));
  REQUIRE(store->ledger().complete({&delivered.deliveries[0].id, 1}).ok());

  const Append append = append_to("cart-2");
  const auto group = lane->stage({&append, 1});
  REQUIRE(group.ok());
  disk.full = true;
  const CommitResult result = lane->commit();
  CHECK(result.outcome == CommitOutcome::aborted);
  CHECK_THAT(result.reason.message(), Contains("no space left"));
  CHECK(verdict(*store, group->token) == Verdict::aborted);
  CHECK(ready(*store).empty());
  const Health sick = store->health();
  CHECK_FALSE(sick.ok);
  CHECK_THAT(sick.detail, Contains("no space left"));

  disk.full = false;
  CHECK(store->health().ok);
  commit_one(*lane, append);
  CHECK(read_stream(*store, "cart-2").size() == 1);
  CHECK(ready(*store).size() == 1);
}

TEST_CASE("A commit whose sync failed is aborted for good, also after a crash") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  FaultyDisk disk;
  auto store = std::make_unique<OpenStore>(path);
  auto lane = store->lane();
  const Append append = append_to("cart-1", 20);
  const auto group = lane->stage({&append, 1});
  REQUIRE(group.ok());
  disk.failing_syncs = 1;
  CHECK(lane->commit().outcome == CommitOutcome::aborted);
  CHECK(verdict(**store, group->token) == Verdict::aborted);

  // What a crash leaves: the file and its log as they are, without the shared memory's knowledge of
  // where the log's committed part ends.
  const std::string copy = directory.file("copy.db");
  std::filesystem::copy_file(path, copy);
  std::filesystem::copy_file(path + "-wal", copy + "-wal");
  OpenStore recovered(copy);
  CHECK(verdict(*recovered, group->token) == Verdict::aborted);
  CHECK(read_stream(*recovered, "cart-1").empty());

  CHECK(commit_one(*lane, append).token.batch.value >> 32U > group->token.batch.value >> 32U);
}

TEST_CASE("A commit whose sync keeps failing is unknown, and definite once the disk works") {
  const TemporaryDirectory directory;
  FaultyDisk disk;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  const Append append = append_to("cart-1");
  const auto group = lane->stage({&append, 1});
  REQUIRE(group.ok());
  disk.failing_syncs = 1'000'000;
  CHECK(lane->commit().outcome == CommitOutcome::unknown);
  CHECK(store->resolve({&group->token, 1}).status().code() == StatusCode::unavailable);
  CHECK_FALSE(store->health().ok);

  disk.failing_syncs = 0;
  CHECK(verdict(*store, group->token) == Verdict::aborted);
  commit_one(*lane, append);
  CHECK(read_stream(*store, "cart-1").size() == 1);
}

TEST_CASE("A read-only file is refused in words when the store is opened") {
  if (::geteuid() != 0) {
    WARN("changing the user needs root");
    return;
  }
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  { OpenStore store(path); }
  std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
  std::filesystem::permissions(path, std::filesystem::perms(0444));
  std::filesystem::permissions(path + ".lock", std::filesystem::perms(0666));
  REQUIRE(::seteuid(65'534) == 0);
  testkit::TestServices services;
  Status refused;
  {
    SqliteStorage storage(services, options_for(path));
    refused = storage.open();
  }
  REQUIRE(::seteuid(0) == 0);
  CHECK(refused.code() == StatusCode::unavailable);
  CHECK_THAT(refused.message(), Contains("can't be written") && Contains(path));
}

TEST_CASE("A file that turns read-only fails appends in words and recovers") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  commit_one(*lane, append_to("cart-1"));
  store->writing_session().execute("PRAGMA query_only = ON");
  const Append append = append_to("cart-1");
  const auto refused = lane->stage({&append, 1});
  CHECK(refused.status().code() == StatusCode::unavailable);
  CHECK_THAT(refused.status().message(), Contains("can't be written"));
  CHECK_FALSE(store->health().ok);
  store->writing_session().execute("PRAGMA query_only = OFF");
  commit_one(*lane, append);
  CHECK(store->health().ok);
  CHECK(read_stream(*store, "cart-1").size() == 2);
}

TEST_CASE("A foreign program that holds the write lock delays appends, and nothing is lost") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  OpenStore store(path);
  auto lane = store.lane();
  ForeignSession foreign(path);
  foreign.execute("BEGIN IMMEDIATE");
  const Append append = append_to("cart-1");
  const auto contended = lane->stage({&append, 1});
  CHECK(contended.status().code() == StatusCode::contended);
  CHECK_THAT(contended.status().message(), Contains("another program") && Contains(path));
  CHECK(store->health().ok);
  CHECK(read_stream(*store, "cart-1").empty());
  foreign.execute("ROLLBACK");
  commit_one(*lane, append);
  CHECK(read_stream(*store, "cart-1").size() == 1);
}

}  // namespace vouch::sqlite::test
