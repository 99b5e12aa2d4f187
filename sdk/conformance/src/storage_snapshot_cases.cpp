// Cases about snapshots. They skip where the storage has none.
#include "storage_cases.h"
#include "storage_kit.h"
#include "vouch/snapshot_store.h"

namespace vouch::conformance {
namespace {

SnapshotStore& snapshots_of(StorageUnderTest& under_test) {
  auto* store = static_cast<SnapshotStore*>(under_test.storage().query(SnapshotStore::kInterface));
  if (store == nullptr) throw CaseSkipped("the storage keeps no snapshots");
  return *store;
}

Snapshot snapshot(std::string_view stream, std::uint64_t version, std::string data,
                  Timestamp time = {1'700'000'000'000'000}) {
  return {name(stream), {version}, time, "application/json", std::move(data)};
}

void save(SnapshotStore& store, const Snapshot& one) {
  expect_ok("saved a snapshot", store.save(std::span<const Snapshot>(&one, 1)));
}

/// The newest snapshot of the stream, whose bytes must be `data`, or none.
std::optional<Snapshot> expect_newest(std::string_view done, SnapshotStore& store,
                                      std::string_view stream,
                                      std::optional<std::string_view> data) {
  auto found = expect_value(done, store.newest(name(stream)));
  if (!data) {
    expect(!found, done, "no snapshot", found ? "one of " + describe(found->version) : "");
    return found;
  }
  expect(found.has_value(), done, "a snapshot", "nothing");
  expect_bytes(done, *data, found->data);
  return found;
}

void newest_by_version(StorageUnderTest& under_test) {
  SnapshotStore& store = snapshots_of(under_test);
  expect_newest("asked a stream without snapshots", store, "order-1", std::nullopt);
  save(store, snapshot("order-1", 5, "five", {2'000'000}));
  save(store, snapshot("order-1", 3, "three", {9'000'000}));
  save(store, snapshot("order-2", 9, "other"));
  expect_newest("saved an older version later", store, "order-1", "five");
  save(store, snapshot("order-1", 5, "five again"));
  expect_newest("saved the same version again", store, "order-1", "five");
  save(store, snapshot("order-1", 7, "seven", {1'000'000}));
  const Snapshot found = *expect_newest("saved a newer version", store, "order-1", "seven");
  expect_equal("saved a newer version, its version", Version{7}, found.version);
  expect_equal("saved a newer version, its own time", 1'000'000, found.time.micros);
}

void bytes_are_kept(StorageUnderTest& under_test) {
  SnapshotStore& store = snapshots_of(under_test);
  std::string data;
  for (int i = 0; i < 100'000; ++i) data.push_back(static_cast<char>(i * 7));
  save(store, snapshot("order-1", 1, data));
  save(store, snapshot("order-2", 1, ""));
  under_test.reopen();
  SnapshotStore& reopened = snapshots_of(under_test);
  const auto found = expect_newest("read a snapshot after a restart", reopened, "order-1", data);
  expect_equal("its content type", "application/json", found->content_type);
  expect_equal("its stream", name("order-1"), found->stream);
  expect_newest("read an empty snapshot", reopened, "order-2", "");
}

void remove_drops(StorageUnderTest& under_test) {
  SnapshotStore& store = snapshots_of(under_test);
  save(store, snapshot("order-1", 4, "a"));
  save(store, snapshot("order-2", 4, "b"));
  expect_ok("removed a stream's snapshots", store.remove(name("order-1")));
  expect_ok("removed them again", store.remove(name("order-1")));
  expect_newest("asked after removing", store, "order-1", std::nullopt);
  expect_newest("asked another stream", store, "order-2", "b");
  save(store, snapshot("order-1", 2, "c"));
  expect_newest("saved an older one after removing", store, "order-1", "c");
}

constexpr StorageCase kCases[] = {
    {"storage.snapshot.newest_is_by_version", "The newest is the highest version, never the time.",
     newest_by_version},
    {"storage.snapshot.bytes_are_kept", "Snapshots come back exactly, after a restart too.",
     bytes_are_kept},
    {"storage.snapshot.remove", "remove drops a stream's snapshots.", remove_drops},
};

}  // namespace

std::span<const StorageCase> snapshot_cases() {
  return kCases;
}

}  // namespace vouch::conformance
