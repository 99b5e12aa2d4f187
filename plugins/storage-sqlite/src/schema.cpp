#include "schema.h"

#include <optional>

namespace vouch::sqlite {

namespace {

/// A write transaction that rolls back unless it was committed.
class SchemaTransaction {
 public:
  explicit SchemaTransaction(Connection& connection) : connection_(connection) {
    connection_.execute("BEGIN IMMEDIATE");
  }
  SchemaTransaction(const SchemaTransaction&) = delete;
  SchemaTransaction& operator=(const SchemaTransaction&) = delete;
  ~SchemaTransaction() {
    if (open_) sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void commit() {
    connection_.execute("COMMIT");
    open_ = false;
  }

 private:
  Connection& connection_;
  bool open_ = true;
};

/// The recorded schema version, 0 for an empty file, nothing for another program's file.
std::optional<std::int64_t> recorded_version(Connection& connection) {
  const bool ours = connection.integer(
                        "SELECT count(*) FROM sqlite_schema "
                        "WHERE type = 'table' AND name = 'vouch_schema'") > 0;
  if (ours) return connection.integer("SELECT version FROM vouch_schema");
  if (connection.integer("SELECT count(*) FROM sqlite_schema") > 0) return std::nullopt;
  return 0;
}

Status apply(Connection& connection, const std::string& path, const Migration& migration) {
  SchemaTransaction transaction(connection);
  // Read again inside the transaction: whoever raced for it may have been here first.
  const std::optional<std::int64_t> version = recorded_version(connection);
  if (!version) {
    return {StatusCode::failed_precondition,
            path + " holds tables of another program; give the store a file of its own"};
  }
  if (*version >= migration.number) return {};
  if (*version == 0) {
    connection.execute(
        "CREATE TABLE vouch_schema (version INTEGER NOT NULL) STRICT;"
        "INSERT INTO vouch_schema VALUES (0)");
  }
  connection.execute(migration.sql);
  connection.execute("UPDATE vouch_schema SET version = " + std::to_string(migration.number));
  transaction.commit();
  return {};
}

}  // namespace

Status apply_migrations(Connection& connection, const std::string& path) {
  const std::int64_t newest = migrations().back().number;
  const std::optional<std::int64_t> version = recorded_version(connection);
  if (version && *version > newest) {
    return {StatusCode::failed_precondition, path + " has schema version " +
                                                 std::to_string(*version) +
                                                 ", this plugin knows versions up to " +
                                                 std::to_string(newest) + "; run a newer Vouch"};
  }
  if (version == newest) return {};
  for (const Migration& migration : migrations()) {
    Status status = apply(connection, path, migration);
    if (!status.ok()) return status;
  }
  return {};
}

Status settle_identity(Connection& connection, const std::string& path,
                       const StoreIdentity& identity) {
  SchemaTransaction transaction(connection);
  if (connection.integer("SELECT count(*) FROM store") == 0) {
    Statement insert(connection.handle(), "INSERT INTO store (name, partitions) VALUES (?, ?)");
    insert.execute(std::string_view(identity.name), identity.partitions);
    transaction.commit();
    return {};
  }
  const std::string name = connection.text("SELECT name FROM store");
  const std::int64_t partitions = connection.integer("SELECT partitions FROM store");
  if (name == identity.name && partitions == std::int64_t{identity.partitions}) return {};
  return {StatusCode::failed_precondition,
          path + " holds the store \"" + name + "\" with " + std::to_string(partitions) +
              " partitions, the configuration says \"" + identity.name + "\" with " +
              std::to_string(identity.partitions) + "; both are fixed when a store is created"};
}

}  // namespace vouch::sqlite
