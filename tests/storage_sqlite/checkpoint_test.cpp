// The write-ahead log is moved into the file in the background: it stays short under constant
// writing, grows only while a reader stands in the way, and no commit fails meanwhile.
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "sqlite_fixture.h"

namespace vouch::sqlite::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kCheckpointBytes = 64U << 10U;

Options options_with_short_log(const TemporaryDirectory& directory) {
  Options options = options_for(directory.file("store.db"));
  options.checkpoint_bytes = kCheckpointBytes;
  return options;
}

std::uint64_t log_bytes(const TemporaryDirectory& directory) {
  return std::filesystem::file_size(directory.file("store.db-wal"));
}

/// Each group writes some 20 pages.
void commit_groups(Lane& lane, int groups) {
  for (int i = 0; i < groups; ++i) {
    commit_one(lane, append_to("cart-" + std::to_string(i), 20));
  }
}

TEST_CASE("the log stays short while a lane writes without a pause") {
  const TemporaryDirectory directory;
  OpenStore store(options_with_short_log(directory));
  const auto lane = store.lane();
  // Some 32 MiB go through the log. Its file never shrinks: this is the longest it was. How long
  // that is depends on how soon the thread that moves it gets its turns; a fourth is far too long.
  commit_groups(*lane, 400);
  CHECK(log_bytes(directory) < 128 * kCheckpointBytes);
  CHECK(std::filesystem::file_size(directory.file("store.db")) > 8 * kCheckpointBytes);
}

TEST_CASE("a reader that stays lets the log grow, and it stops growing when the reader is gone") {
  const TemporaryDirectory directory;
  OpenStore store(options_with_short_log(directory));
  const auto lane = store.lane();
  commit_groups(*lane, 1);
  ForeignSession reader(directory.file("store.db"));
  reader.execute("BEGIN");
  REQUIRE(reader.integer("SELECT count(*) FROM events") == 20);
  commit_groups(*lane, 100);
  const std::uint64_t grown = log_bytes(directory);
  CHECK(grown > 16 * kCheckpointBytes);
  CHECK(reader.integer("SELECT count(*) FROM events") == 20);
  reader.execute("COMMIT");

  // From here on each round fits into the log's old length, once it begins at its start again.
  std::uint64_t before = log_bytes(directory);
  bool stopped = false;
  for (int round = 0; round < 100 && !stopped; ++round) {
    commit_groups(*lane, 20);
    std::this_thread::sleep_for(10ms);
    stopped = log_bytes(directory) == before;
    before = log_bytes(directory);
  }
  CHECK(stopped);
  CHECK(ready(*store).size() > 100);
}

TEST_CASE("what was committed after the last checkpoint is there after a restart") {
  const TemporaryDirectory directory;
  const int ended = in_child([&] {
    OpenStore store(options_with_short_log(directory));
    const auto lane = store.lane();
    commit_groups(*lane, 60);
    std::_Exit(7);
  });
  REQUIRE(WEXITSTATUS(ended) == 7);
  OpenStore store(options_with_short_log(directory));
  for (int i = 0; i < 60; ++i) {
    CHECK(read_stream(*store, "cart-" + std::to_string(i)).size() == 20);
  }
}

}  // namespace
}  // namespace vouch::sqlite::test
