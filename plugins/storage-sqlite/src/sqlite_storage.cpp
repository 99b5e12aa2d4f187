#include "sqlite_storage.h"

#include <filesystem>

#include "schema.h"

namespace vouch::sqlite {

SqliteStorage::SqliteStorage(HostServices& services, Options options)
    : backend_(services, std::move(options)),
      flusher_(backend_),
      checkpointer_(backend_),
      ledger_(backend_, [this] { flusher_.wake(); }),
      reader_(backend_),
      snapshots_(backend_),
      dead_letters_(backend_),
      erasures_(backend_, checkpointer_) {
  backend_.writer.on_log_growth([this](std::uint64_t frames) { checkpointer_.log_grew(frames); });
}

Status SqliteStorage::open() {
  if (open_) return {StatusCode::failed_precondition, "the storage is open"};
  Status status = open_file();
  if (status.ok()) {
    open_ = true;
    backend_.readers.open();
    return {};
  }
  backend_.writer.close();
  connector_.reset();
  lock_.release();
  return status;
}

Status SqliteStorage::open_file() {
  const std::filesystem::path file(backend_.options.path);
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return {StatusCode::failed_precondition, file.string() + " is a directory, not a file"};
  }
  const std::filesystem::path directory = file.parent_path();
  if (!std::filesystem::exists(directory, error)) {
    if (!std::filesystem::create_directory(directory, error)) {
      return {StatusCode::unavailable, "can't create the directory " + directory.string() +
                                           " for the database file: " + error.message()};
    }
  }
  if (Status status = lock_.take(file.string()); !status.ok()) return status;
  return backend_.run("opening the store", [&]() -> Status {
    connector_.emplace();
    backend_.writer.open();
    // What a killed process had committed may be in the page cache only: the checkpoint syncs the
    // log before it copies it, so that from here on what can be seen is durable.
    backend_.writer.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)");
    return {};
  });
}

Status SqliteStorage::check() {
  return backend_.run("checking the store", [&]() -> Status {
    return check_durability(backend_.writer.connection(), backend_.options.path);
  });
}

Status SqliteStorage::migrate(const StoreIdentity& identity) {
  return backend_.run("preparing the schema", [&]() -> Status {
    if (identity.partitions == 0) {
      return {StatusCode::invalid_argument, "a store has at least one partition"};
    }
    if (backend_.partitions != 0) {
      return settle_identity(backend_.writer.connection(), backend_.options.path, identity);
    }
    Connection& connection = backend_.writer.connection();
    if (Status status = apply_migrations(connection, backend_.options.path); !status.ok()) {
      return status;
    }
    Status status = settle_identity(connection, backend_.options.path, identity);
    if (!status.ok()) return status;
    backend_.writer.prepare();
    ledger_.count(identity.partitions);
    backend_.partitions = identity.partitions;
    flusher_.start();
    checkpointer_.start();
    return {};
  });
}

void SqliteStorage::close() {
  if (!open_) return;
  open_ = false;
  flusher_.stop();
  checkpointer_.stop();
  backend_.readers.close();
  backend_.writer.close();
  backend_.partitions = 0;
  connector_.reset();
  lock_.release();
}

Health SqliteStorage::health() {
  constexpr std::chrono::milliseconds kPatience{300};
  const Status status = backend_.run("asking the database", [&]() -> Status {
    ReaderPool::Lease session = backend_.readers.lease(kPatience);
    static_cast<void>(session->probe.run().next());
    if (backend_.writer.last_error().empty()) return {};
    // A write failed: only a write can tell whether that is over.
    backend_.writer.seal({0}, kPatience);
    return {};
  });
  if (!status.ok()) return {false, status.message()};
  return {true, backend_.options.path + " is open"};
}

StorageCapabilities SqliteStorage::capabilities() const {
  StorageCapabilities capabilities;
  capabilities.max_lanes = 1;
  capabilities.several_hosts = false;
  capabilities.change_notification = false;
  capabilities.online_schema_change = false;
  capabilities.max_event_bytes = 900'000'000;
  return capabilities;
}

std::string SqliteStorage::guarantees() const {
  return "A commit survives a crash of the process, of the machine, and a power cut "
         "(write-ahead log, synchronous=FULL), as far as the disk keeps what it acknowledged. It "
         "does not survive the loss of the disk; one host at a time opens the file.";
}

Result<std::unique_ptr<Lane>> SqliteStorage::lane(LaneNumber number,
                                                  std::chrono::milliseconds wait) {
  if (backend_.partitions == 0) {
    return Status(StatusCode::failed_precondition, "the store is not migrated");
  }
  {
    std::unique_lock lock(lanes_mutex_);
    const auto free = [&] { return !lanes_.contains(number); };
    if (!lanes_changed_.wait_for(lock, wait, free)) {
      return Status(StatusCode::held, "lane " + std::to_string(number.value) +
                                          " has a session in this process already");
    }
    lanes_[number] = nullptr;
  }
  auto lane =
      std::make_unique<SqliteLane>(backend_, number, [this, number] { lane_closed(number); });
  const Status adopted = backend_.run("opening a lane", [&]() -> Status {
    lane->adopt();
    return {};
  });
  if (!adopted.ok()) return adopted;
  const std::lock_guard lock(lanes_mutex_);
  lanes_[number] = lane.get();
  return std::unique_ptr<Lane>(std::move(lane));
}

void SqliteStorage::lane_closed(LaneNumber number) {
  {
    const std::lock_guard lock(lanes_mutex_);
    lanes_.erase(number);
  }
  lanes_changed_.notify_all();
}

/// Only this process writes the file, and a token leaves the open ones after its COMMIT or ROLLBACK
/// returned: what is neither open nor recorded was never committed. So the open ones are asked
/// first, then the database.
Result<std::vector<Verdict>> SqliteStorage::resolve(std::span<const Token> tokens) {
  using Verdicts = std::vector<Verdict>;
  return backend_.run("resolving transactions", [&]() -> Result<Verdicts> {
    Verdicts verdicts(tokens.size(), Verdict::aborted);
    bool ask = false;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      OpenTokens::State state = backend_.tokens.state(tokens[i].lane, tokens[i].batch);
      if (state == OpenTokens::State::doubtful) {
        settle_doubt(tokens[i].lane, tokens[i].batch);
        state = OpenTokens::State::over;
      }
      if (state == OpenTokens::State::open) verdicts[i] = Verdict::in_progress;
      ask = ask || state == OpenTokens::State::over;
    }
    if (!ask) return verdicts;
    ReaderPool::Lease session = backend_.readers.lease();
    const ReadTransaction snapshot(session.sql());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (verdicts[i] == Verdict::in_progress) continue;
      const Token& token = tokens[i];
      if (session->batch.run(token.lane.value, token.batch.value).next()) {
        verdicts[i] = Verdict::committed;
        continue;
      }
      Rows rows = session->lane.run(token.lane.value);
      const bool known = rows.next() && token.batch.value > rows.number(0) &&
                         token.batch.value >> 32U <= rows.number(1) &&
                         !backend_.tokens.is_ahead(token.lane, token.batch);
      if (!known) verdicts[i] = Verdict::forgotten;  // purged, or never given out
    }
    return verdicts;
  });
}

void SqliteStorage::settle_doubt(LaneNumber lane, BatchNumber batch) {
  backend_.writer.seal(lane, backend_.options.busy_timeout);
  if (backend_.tokens.state(lane, batch) != OpenTokens::State::over) {
    throw StatusError({StatusCode::unavailable, "a failed commit could not be settled yet"});
  }
}

Status SqliteStorage::fence(const Token& token) {
  const std::lock_guard lock(lanes_mutex_);
  const auto found = lanes_.find(token.lane);
  if (found != lanes_.end() && found->second != nullptr) found->second->fence(token.batch);
  return {};
}

void* SqliteStorage::query(std::string_view interface_id) {
  if (interface_id == DeadLetterStore::kInterface) {
    return static_cast<DeadLetterStore*>(&dead_letters_);
  }
  if (interface_id == ErasureStore::kInterface) {
    return static_cast<ErasureStore*>(&erasures_);
  }
  if (interface_id != SnapshotStore::kInterface) return nullptr;
  return static_cast<SnapshotStore*>(&snapshots_);
}

}  // namespace vouch::sqlite
