// What the tests of storage-sqlite share: a directory that goes away, a storage on a file in it,
// appends in a line. One thread, unless a test says otherwise.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sqlite_storage.h"
#include "vouch/testkit/test_services.h"

namespace vouch::sqlite::test {

inline constexpr std::uint32_t kPartitions = 4;

/// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Options options_for(const std::string& path);

/// An open, migrated storage; throws std::runtime_error with the reason when that fails.
class OpenStore {
 public:
  explicit OpenStore(const std::string& path) : OpenStore(options_for(path)) {}
  explicit OpenStore(const Options& options);
  SqliteStorage& operator*() { return storage_; }
  SqliteStorage* operator->() { return &storage_; }
  testkit::TestServices& services() { return services_; }
  std::unique_ptr<Lane> lane(std::uint32_t number = 0);

 private:
  testkit::TestServices services_;
  SqliteStorage storage_;
};

/// An id that no other call in this process gives.
EventId fresh_id();
NewEvent event_with(const EventId& id, const std::string& data = "{}");
Append append_to(const std::string& stream, std::size_t events = 1,
                 ExpectedVersion expected = ExpectedVersion::any());
/// Stages and commits one append; throws std::runtime_error unless it was staged and committed.
StagedGroup commit_one(Lane& lane, const Append& append);

/// Deliveries and the versions of their events, as `ready` gives them.
struct ReadyDelivery {
  Delivery delivery;
  std::vector<Event> events;
};
std::vector<ReadyDelivery> ready(SqliteStorage& storage, std::uint32_t max_events = 1'000'000);
std::vector<Event> read_stream(SqliteStorage& storage, const std::string& name);

/// A foreign program's session on the file.
class ForeignSession {
 public:
  explicit ForeignSession(const std::string& path);
  ForeignSession(const ForeignSession&) = delete;
  ForeignSession& operator=(const ForeignSession&) = delete;
  ~ForeignSession();
  /// Throws std::runtime_error.
  void execute(const std::string& sql);
  std::int64_t integer(const std::string& sql);

 private:
  sqlite3* handle_ = nullptr;
};

/// Runs `body` in a child process, which it must end by a signal or by exit; returns how it ended
/// (as waitpid tells).
int in_child(const std::function<void()>& body);

}  // namespace vouch::sqlite::test
