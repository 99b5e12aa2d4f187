#include "schema.h"

#include <cstdlib>
#include <optional>

#include "errors.h"

namespace vouch::postgres {
namespace {

/// First half of the migrations' lock key; the second is a hash of the schema's name, since there
/// may be no schema yet.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(1448035656, hashtext('";

/// A transaction that rolls back unless it was committed.
class SchemaTransaction {
 public:
  SchemaTransaction(Session& session, const Options& options) : session_(session) {
    session_.execute("BEGIN");
    // Other hosts' migrations may take longer than an append should wait for a lock.
    session_.execute("SET LOCAL lock_timeout = 0; SET LOCAL client_min_messages = warning");
    session_.execute(kLock + options.schema + "'))");
  }
  SchemaTransaction(const SchemaTransaction&) = delete;
  SchemaTransaction& operator=(const SchemaTransaction&) = delete;
  ~SchemaTransaction() {
    if (!open_ || !session_.usable()) return;
    try {
      session_.execute("ROLLBACK");
    } catch (const SqlError&) {
      // The connection is gone, and with it the transaction.
    }
  }
  void commit() {
    session_.execute("COMMIT");
    open_ = false;
  }

 private:
  Session& session_;
  bool open_ = true;
};

std::int64_t integer(Session& session, const std::string& sql) {
  const std::string text = session.text(sql);
  return text.empty() ? 0 : std::strtoll(text.c_str(), nullptr, 10);
}

bool has_table(Session& session, const Options& options, const char* table) {
  return integer(session, "SELECT count(*)::text FROM pg_tables WHERE schemaname = '" +
                              options.schema + "' AND tablename = '" + table + "'") > 0;
}

}  // namespace

Status apply_migrations(Session& session, const Options& options) {
  SchemaTransaction transaction(session, options);
  if (integer(session, "SELECT count(*)::text FROM pg_namespace WHERE nspname = '" +
                           options.schema + "'") == 0) {
    session.execute("CREATE SCHEMA \"" + options.schema + "\"");
  }
  std::int64_t version = 0;
  if (has_table(session, options, "vouch_schema")) {
    version = integer(session, "SELECT version::text FROM vouch_schema");
  } else if (has_table(session, options, "events") || has_table(session, options, "store")) {
    return {StatusCode::failed_precondition,
            "the schema " + options.schema +
                " holds tables of another program; give the store a schema of its own"};
  } else {
    session.execute(
        "CREATE TABLE vouch_schema (version bigint NOT NULL);"
        "INSERT INTO vouch_schema VALUES (0)");
  }
  const std::int64_t newest = migrations().back().number;
  if (version > newest) {
    return {StatusCode::failed_precondition, "the schema " + options.schema + " has version " +
                                                 std::to_string(version) +
                                                 ", this plugin knows versions up to " +
                                                 std::to_string(newest) + "; run a newer Vouch"};
  }
  for (const Migration& migration : migrations()) {
    if (migration.number <= version) continue;
    session.execute(migration.sql);
    session.execute("UPDATE vouch_schema SET version = " + std::to_string(migration.number));
  }
  transaction.commit();
  return {};
}

Status settle_identity(Session& session, const Options& options, const StoreIdentity& identity) {
  static constexpr Sql kRecord{"record_identity",
                               "INSERT INTO store (name, partitions) VALUES ($1, $2) "
                               "ON CONFLICT DO NOTHING"};
  static constexpr Sql kRead{"read_identity", "SELECT name, partitions FROM store"};
  session.run(kRecord, Parameters().text(identity.name).number4(identity.partitions));
  const Rows rows = session.run(kRead);
  const std::string name = rows.text(0, 0);
  const std::uint32_t partitions = rows.number32(0, 1);
  if (name == identity.name && partitions == identity.partitions) return {};
  return {StatusCode::failed_precondition,
          options.place() + " holds the store \"" + name + "\" with " + std::to_string(partitions) +
              " partitions, the configuration says \"" + identity.name + "\" with " +
              std::to_string(identity.partitions) + "; both are fixed when a store is created"};
}

std::int32_t schema_id(Session& session, const Options& options) {
  // Object ids are unsigned; as a lock key only their bits matter.
  const std::int64_t id =
      integer(session, "SELECT oid::bigint::text FROM pg_namespace WHERE nspname = '" +
                           options.schema + "'");
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(id));
}

}  // namespace vouch::postgres
