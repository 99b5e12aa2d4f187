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

std::optional<Snapshot> newest(SnapshotStore& store, std::string_view stream) {
  return expect_value("asked for a snapshot", store.newest(name(stream)));
}

void newest_by_version(StorageUnderTest& under_test) {
  SnapshotStore& store = snapshots_of(under_test);
  expect(!newest(store, "order-1"), "asked a stream without snapshots", "nothing");
  save(store, snapshot("order-1", 5, "five", {2'000'000}));
  save(store, snapshot("order-1", 3, "three", {9'000'000}));
  save(store, snapshot("order-2", 9, "other"));
  auto found = newest(store, "order-1");
  expect(found && found->data == "five", "saved an older version later", "the newer version");
  save(store, snapshot("order-1", 5, "five again"));
  found = newest(store, "order-1");
  expect(found && found->data == "five", "saved the same version again", "the first of it");
  save(store, snapshot("order-1", 7, "seven", {1'000'000}));
  found = newest(store, "order-1");
  expect(found && found->data == "seven" && found->version == Version{7} &&
             found->time == Timestamp{1'000'000},
         "saved a newer version", "the newest with its own time");
}

void bytes_are_kept(StorageUnderTest& under_test) {
  SnapshotStore& store = snapshots_of(under_test);
  std::string data;
  for (int i = 0; i < 100'000; ++i) data.push_back(static_cast<char>(i * 7));
  save(store, snapshot("order-1", 1, data));
  save(store, snapshot("order-2", 1, ""));
  under_test.reopen();
  SnapshotStore& reopened = snapshots_of(under_test);
  const auto found = newest(reopened, "order-1");
  expect(found && found->data == data, "read a snapshot after a restart", "the same bytes");
  expect_equal("its content type", "application/json", found->content_type);
  expect_equal("its stream", name("order-1"), found->stream);
  const auto empty = newest(reopened, "order-2");
  expect(empty && empty->data.empty(), "read an empty snapshot", "an empty one");
}

void remove_drops(StorageUnderTest& under_test) {
  SnapshotStore& store = snapshots_of(under_test);
  save(store, snapshot("order-1", 4, "a"));
  save(store, snapshot("order-2", 4, "b"));
  expect_ok("removed a stream's snapshots", store.remove(name("order-1")));
  expect_ok("removed them again", store.remove(name("order-1")));
  expect(!newest(store, "order-1"), "asked after removing", "nothing");
  expect(newest(store, "order-2").has_value(), "asked another stream", "its snapshot");
  save(store, snapshot("order-1", 2, "c"));
  expect(newest(store, "order-1").has_value(), "saved an older one after removing", "it");
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
