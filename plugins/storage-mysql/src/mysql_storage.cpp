#include "mysql_storage.h"

#include <map>

#include "lane.h"
#include "schema.h"

namespace vouch::mysql {

namespace {

/// What is not there is empty.
ServerVariables read_variables(Session& session) {
  std::map<std::string, std::string> values;
  for (auto& row : session.table(
           "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', "
           "'innodb_doublewrite', 'log_bin', 'sync_binlog', 'binlog_format', 'read_only', "
           "'super_read_only', 'innodb_read_only', 'wsrep_on', 'auto_increment_increment')")) {
    values[row.at(0)] = row.at(1);
  }
  return {values["innodb_flush_log_at_trx_commit"],
          values["innodb_doublewrite"],
          values["log_bin"],
          values["sync_binlog"],
          values["binlog_format"],
          values["read_only"],
          values["super_read_only"],
          values["innodb_read_only"],
          values["wsrep_on"],
          values["auto_increment_increment"]};
}

}  // namespace

MysqlStorage::MysqlStorage(HostServices& services, Options options)
    : backend_(services, std::move(options)),
      marks_(backend_),
      keeper_(backend_),
      resolver_(backend_),
      ledger_(backend_, marks_, keeper_),
      reader_(backend_),
      snapshots_(backend_),
      dead_letters_(backend_),
      hosts_(backend_),
      erasures_(backend_) {}

Status MysqlStorage::open() {
  if (open_) return {StatusCode::failed_precondition, "the storage is open"};
  backend_.work.open();
  backend_.dirty.open();
  const Status status = backend_.run("connecting", [&]() -> Status {
    {
      Pool::Lease session = backend_.work.lease();
      server_ = session->server();
      backend_.max_packet =
          std::stoull(session->table("SELECT @@global.max_allowed_packet").at(0).at(0));
    }
    keeper_.start();
    return {};
  });
  open_ = true;
  if (!status.ok()) close();
  return status;
}

Status MysqlStorage::check() {
  return backend_.run("checking the server", [&]() -> Status {
    return backend_.work.with([&](Session& session) { return check_server(session); });
  });
}

Status MysqlStorage::check_server(Session& session) {
  const ServerVariables variables = read_variables(session);
  if (Status status = variables.durable(backend_.options); !status.ok()) return status;
  const auto engines =
      session.table("SELECT support FROM information_schema.engines WHERE engine = 'InnoDB'");
  if (engines.empty() || engines.at(0).at(0) == "NO") {
    return {StatusCode::failed_precondition,
            backend_.options.place() + ": the server has no InnoDB"};
  }
  backend_.must_flush = variables.visible_before_durable();
  if (!backend_.must_flush) return {};
  try {
    backend_.settle(session);
    return {};
  } catch (const SqlError& error) {
    constexpr unsigned kLacksRight = 1227;
    if (error.code() != kLacksRight) throw;
  }
  return {StatusCode::permission_denied,
          backend_.options.place() +
              ": without log_bin and sync_binlog=1 the server shows commits "
              "before they are durable, so Vouch must flush its logs, and "
              "the user '" +
              backend_.options.user +
              "' lacks the right: GRANT RELOAD ON *.* TO it, or turn both "
              "settings on"};
}

Status MysqlStorage::migrate(const StoreIdentity& identity) {
  return backend_.run("preparing the schema", [&]() -> Status {
    if (identity.partitions == 0) {
      return {StatusCode::invalid_argument, "a store has at least one partition"};
    }
    Pool::Lease session = backend_.work.lease();
    if (backend_.partitions != 0) return settle_identity(*session, backend_.options, identity);
    if (Status status = apply_migrations(*session, backend_.options); !status.ok()) return status;
    Status status = settle_identity(*session, backend_.options, identity);
    if (!status.ok()) return status;
    backend_.locks = LockNames(backend_.options.database, identity.name);
    backend_.partitions = identity.partitions;
    marks_.start();
    return {};
  });
}

void MysqlStorage::close() {
  if (!open_) return;
  open_ = false;
  marks_.stop();
  keeper_.stop();
  backend_.dirty.close();
  backend_.work.close();
  backend_.partitions = 0;
}

Health MysqlStorage::health() {
  if (!open_) return {false, backend_.options.place() + " is not open"};
  return keeper_.health();
}

StorageCapabilities MysqlStorage::capabilities() const {
  StorageCapabilities capabilities;
  capabilities.max_lanes = 0;
  capabilities.several_hosts = true;
  capabilities.change_notification = false;
  capabilities.online_schema_change = false;
  capabilities.max_event_bytes = backend_.max_packet - backend_.max_packet / 8;
  return capabilities;
}

std::string MysqlStorage::guarantees() const {
  std::string text = std::string(
      "A commit survives a crash of the host, of the server and a power cut there "
      "(innodb_flush_log_at_trx_commit=1), as far as the disk keeps what it "
      "acknowledged. ");
  text += backend_.must_flush
              ? "It does not survive the loss of the server's disk, and a transaction is called "
                "committed only after the server's logs were flushed."
              : "With the binary log it can be carried to replicas, which lag behind.";
  return text;
}

Result<std::unique_ptr<Lane>> MysqlStorage::lane(LaneNumber number,
                                                 std::chrono::milliseconds wait) {
  using Opened = std::unique_ptr<Lane>;
  if (backend_.partitions == 0) {
    return Status(StatusCode::failed_precondition, "the store is not migrated");
  }
  return backend_.run("opening a lane", [&]() -> Result<Opened> {
    auto lane = std::make_unique<MysqlLane>(backend_, number);
    lane->open(wait);
    return Opened(std::move(lane));
  });
}

Result<std::vector<Verdict>> MysqlStorage::resolve(std::span<const Token> tokens) {
  using Verdicts = std::vector<Verdict>;
  return backend_.run("resolving transactions",
                      [&]() -> Result<Verdicts> { return resolver_.resolve(tokens); });
}

Status MysqlStorage::fence(const Token& token) {
  return backend_.run("fencing a transaction", [&]() -> Status {
    resolver_.fence(token);
    return {};
  });
}

void* MysqlStorage::query(std::string_view interface_id) {
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

}  // namespace vouch::mysql
