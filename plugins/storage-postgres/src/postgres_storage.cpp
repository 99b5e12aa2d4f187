#include "postgres_storage.h"

#include "lane.h"
#include "resolver.h"
#include "schema.h"

namespace vouch::postgres {
namespace {

constexpr Sql kDurability{"durability",
                          "SELECT current_setting('fsync'), current_setting('synchronous_commit'), "
                          "current_setting('full_page_writes'), pg_is_in_recovery(), "
                          "current_setting('transaction_read_only'), "
                          "current_setting('synchronous_standby_names') <> ''"};

Status refused(const std::string& what) {
  return {StatusCode::failed_precondition, what};
}

}  // namespace

PostgresStorage::PostgresStorage(HostServices& services, Options options)
    : backend_(services, std::move(options)),
      ledger_(backend_),
      reader_(backend_),
      snapshots_(backend_),
      dead_letters_(backend_),
      hosts_(backend_),
      erasures_(backend_),
      health_(backend_) {}

Status PostgresStorage::open() {
  if (open_) return {StatusCode::failed_precondition, "the storage is open"};
  backend_.sessions.open();
  const Status status = backend_.run("opening the database", [&]() -> Status {
    const SessionPool::Lease session = backend_.sessions.lease();
    server_ = version_words(session->server_version());
    return {};
  });
  if (!status.ok()) {
    backend_.sessions.close();
    return status;
  }
  open_ = true;
  return {};
}

Status PostgresStorage::check() {
  return backend_.run("checking the database", [&]() -> Status {
    const Rows rows =
        backend_.sessions.read([](Session& session) { return session.run(kDurability); });
    const std::string& place = backend_.place;
    if (rows.integer(0, 3) != 0) {
      return refused(place + ": the server is in recovery (a replica?); name the primary");
    }
    if (rows.bytes(0, 4) == "on") {
      return refused(place + ": the database is read-only (default_transaction_read_only)");
    }
    if (rows.bytes(0, 0) != "on") {
      return refused(place +
                     ": fsync is off, so that a crash could lose what was answered as "
                     "committed; switch it on in postgresql.conf");
    }
    if (rows.bytes(0, 1) == "off") {
      return refused(place +
                     ": synchronous_commit is off, so that a crash could lose what was "
                     "answered as committed; switch it on for this user or database");
    }
    if (rows.bytes(0, 1) == "local" && rows.integer(0, 5) != 0) {
      return refused(place +
                     ": synchronous_commit is local although the server has synchronous replicas, "
                     "so that a failover could lose what was answered as committed; switch it on "
                     "for this user or database");
    }
    if (rows.bytes(0, 2) != "on") {
      return refused(place +
                     ": full_page_writes is off, so that a power cut could damage the "
                     "database; switch it on in postgresql.conf");
    }
    return {};
  });
}

Status PostgresStorage::migrate(const StoreIdentity& identity) {
  if (identity.partitions == 0) {
    return {StatusCode::invalid_argument, "a store has at least one partition"};
  }
  const bool again = backend_.partitions != 0;
  const Status status = backend_.run("preparing the schema", [&]() -> Status {
    Session session(backend_.options, "migrate");
    if (Status applied = apply_migrations(session, backend_.options); !applied.ok()) {
      return applied;
    }
    if (Status settled = settle_identity(session, backend_.options, identity); !settled.ok()) {
      return settled;
    }
    backend_.lock_space = schema_id(session, backend_.options);
    backend_.partitions = identity.partitions;
    return {};
  });
  if (status.ok() && !again) ledger_.start();
  return status;
}

void PostgresStorage::close() {
  if (!open_) return;
  open_ = false;
  health_.stop();
  ledger_.stop();
  backend_.sessions.close();
  backend_.partitions = 0;
}

Health PostgresStorage::health() {
  if (!open_) return {false, backend_.place + " is not open"};
  const Status status = health_.ask();
  if (!status.ok()) return {false, status.message()};
  return {true, server_ + " at " + backend_.place};
}

StorageCapabilities PostgresStorage::capabilities() const {
  StorageCapabilities capabilities;
  capabilities.max_lanes = 0;
  capabilities.several_hosts = true;
  capabilities.change_notification = false;
  capabilities.online_schema_change = true;
  capabilities.max_event_bytes = 250'000'000;
  return capabilities;
}

std::string PostgresStorage::guarantees() const {
  return "A commit survives a crash of the host, of the server's process and machine, and a power "
         "cut (fsync and synchronous_commit are on). Whether it survives the loss of the server "
         "depends on its replicas: only a synchronous one has every commit.";
}

Result<std::unique_ptr<Lane>> PostgresStorage::lane(LaneNumber number,
                                                    std::chrono::milliseconds wait) {
  if (backend_.partitions == 0) {
    return Status(StatusCode::failed_precondition, "the store is not migrated");
  }
  return backend_.run("opening a lane", [&]() -> Result<std::unique_ptr<Lane>> {
    auto lane = std::make_unique<PostgresLane>(backend_, number);
    lane->adopt(wait);
    return std::unique_ptr<Lane>(std::move(lane));
  });
}

Result<std::vector<Verdict>> PostgresStorage::resolve(std::span<const Token> tokens) {
  return backend_.run("resolving transactions", [&]() -> Result<std::vector<Verdict>> {
    return backend_.sessions.read(
        [&](Session& session) { return resolve_tokens(session, tokens); });
  });
}

Status PostgresStorage::fence(const Token& token) {
  return backend_.run("ending a session", [&]() -> Status {
    backend_.sessions.read([&](Session& session) { end_owner(session, token); });
    return {};
  });
}

void* PostgresStorage::query(std::string_view interface_id) {
  if (interface_id == ScratchPlace::kInterface) return static_cast<ScratchPlace*>(&scratch_);
  if (interface_id == DeadLetterStore::kInterface) {
    return static_cast<DeadLetterStore*>(&dead_letters_);
  }
  if (interface_id == HostRegistry::kInterface) return static_cast<HostRegistry*>(&hosts_);
  if (interface_id == ErasureStore::kInterface) {
    return static_cast<ErasureStore*>(&erasures_);
  }
  if (interface_id != SnapshotStore::kInterface) return nullptr;
  return static_cast<SnapshotStore*>(&snapshots_);
}

}  // namespace vouch::postgres
