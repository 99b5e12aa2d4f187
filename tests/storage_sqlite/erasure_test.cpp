// An erasure leaves no byte of what was erased in the store's files: not in pages that were split,
// merged or given up, not in snapshots that were replaced long ago, not in the write-ahead log.
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <thread>

#include "sqlite_fixture.h"
#include "vouch/erasure_store.h"
#include "vouch/snapshot_store.h"

namespace vouch::sqlite::test {
namespace {

using namespace std::chrono_literals;

std::string stream_name(std::size_t number) {
  return "cart-" + std::to_string(number);
}

/// Text that only the stream has, again and again, so that every piece of the data shows it.
std::string secret_of(std::size_t stream) {
  return "<secret of " + std::to_string(stream) + ">";
}

std::string data_of(std::size_t stream, std::size_t bytes) {
  std::string data;
  while (data.size() < bytes) data += secret_of(stream);
  return data;
}

std::size_t traces(const TemporaryDirectory& directory, const std::string& text) {
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::string bytes(std::filesystem::file_size(entry.path()), '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    for (std::size_t at = 0; (at = bytes.find(text, at)) != std::string::npos; ++at) ++found;
  }
  return found;
}

template <typename Interface>
Interface& interface_of(OpenStore& store) {
  void* const found = store->query(Interface::kInterface);
  REQUIRE(found != nullptr);
  return *static_cast<Interface*>(found);
}

ErasureOutcome erase(OpenStore& store, const std::string& stream) {
  const auto outcome =
      interface_of<ErasureStore>(store).erase({StreamName::unchecked(stream),
                                               {1},
                                               {std::numeric_limits<std::int64_t>::max()},
                                               {7},
                                               "gone",
                                               R"({"erased":"now"})"});
  INFO(outcome.status().to_string());
  REQUIRE(outcome.ok());
  return *outcome;
}

void append(Lane& lane, std::size_t stream, std::size_t events, std::size_t bytes) {
  Append one = append_to(stream_name(stream), events);
  for (NewEvent& event : one.writes[0].events) {
    event.data = data_of(stream, bytes);
    event.metadata = data_of(stream, bytes / 4);
  }
  commit_one(lane, one);
}

void save_snapshot(OpenStore& store, std::size_t stream, std::uint64_t version, std::size_t bytes) {
  const Snapshot one{StreamName::unchecked(stream_name(stream)),
                     {version},
                     {5},
                     "text/plain",
                     data_of(stream, bytes)};
  REQUIRE(interface_of<SnapshotStore>(store).save({&one, 1}).ok());
}

TEST_CASE("no byte of an erased stream is left in the files, whatever lay beside it") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("store.db"));
  auto lane = store.lane();
  constexpr std::size_t kStreams = 30;
  std::mt19937 random(20'261'125);
  for (std::size_t round = 1; round <= 20; ++round) {
    for (std::size_t stream = 0; stream < kStreams; ++stream) {
      const std::size_t bytes = random() % 10 == 0 ? 40'000 : 20 + random() % 3'000;
      append(*lane, stream, 1 + random() % 3, bytes);
      // Replaced in each round, each time of another size: its pages are given up and used again.
      if (random() % 2 == 0) save_snapshot(store, stream, round, 20 + random() % 20'000);
    }
  }
  std::vector<std::size_t> order(kStreams);
  for (std::size_t i = 0; i < kStreams; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);
  for (std::size_t i = 0; i < kStreams; ++i) {
    INFO("erased as number " << i << ": " << secret_of(order[i]));
    REQUIRE(traces(directory, secret_of(order[i])) > 0);
    CHECK(erase(store, stream_name(order[i])).events >= 20);
    CHECK(traces(directory, secret_of(order[i])) == 0);
    if (i + 1 < kStreams) CHECK(traces(directory, secret_of(order[i + 1])) > 0);
  }
}

TEST_CASE("a reader that stays delays the cleaning of the log, not the erasure") {
  const TemporaryDirectory directory;
  Options options = options_for(directory.file("store.db"));
  options.busy_timeout = 300ms;
  OpenStore store(options);
  auto lane = store.lane();
  append(*lane, 1, 20, 500);
  ForeignSession reader(directory.file("store.db"));
  reader.execute("BEGIN");
  REQUIRE(reader.integer("SELECT count(*) FROM events") == 20);
  CHECK(erase(store, stream_name(1)).events == 20);
  for (const Event& event : read_stream(*store, stream_name(1))) CHECK(event.data == "null");
  CHECK(traces(directory, secret_of(1)) > 0);
  // Nobody who appends waits for the reader.
  append(*lane, 2, 1, 500);
  reader.execute("COMMIT");
  for (int i = 0; i < 100 && traces(directory, secret_of(1)) > 0; ++i) {
    std::this_thread::sleep_for(100ms);
  }
  CHECK(traces(directory, secret_of(1)) == 0);
  CHECK(traces(directory, secret_of(2)) > 0);
}

TEST_CASE("what a host did not clean away any more is gone after the next start") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("store.db");
  {
    Options options = options_for(path);
    options.busy_timeout = 100ms;
    OpenStore store(options);
    append(*store.lane(), 1, 20, 500);
    ForeignSession reader(path);
    reader.execute("BEGIN");
    REQUIRE(reader.integer("SELECT count(*) FROM events") == 20);
    erase(store, stream_name(1));
    store->close();
    CHECK(traces(directory, secret_of(1)) > 0);
  }
  OpenStore store(path);
  CHECK(traces(directory, secret_of(1)) == 0);
  CHECK(read_stream(*store, stream_name(1)).size() == 20);
}

}  // namespace
}  // namespace vouch::sqlite::test
