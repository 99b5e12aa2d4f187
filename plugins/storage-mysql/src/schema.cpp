#include "schema.h"

#include <optional>
#include <string>
#include <vector>

#include "lock_names.h"

namespace vouch::mysql {

namespace {

/// Holds the lock under which the schema changes, as long as the session lives.
class SchemaLock {
 public:
  SchemaLock(Session& session, const Options& options)
      : session_(session), name_(LockNames::schema(options.database)) {}
  SchemaLock(const SchemaLock&) = delete;
  SchemaLock& operator=(const SchemaLock&) = delete;
  ~SchemaLock() {
    if (!held_) return;
    try {
      session_.execute("DO RELEASE_LOCK('" + name_ + "')");
    } catch (const SqlError&) {
      // The session is gone, and its lock with it.
    }
  }
  bool take() {
    constexpr int kPatienceSeconds = 60;
    for (int waited = 0; waited < kPatienceSeconds && !held_; ++waited) {
      held_ = session_.table("SELECT GET_LOCK('" + name_ + "', 1)").at(0).at(0) == "1";
    }
    return held_;
  }

 private:
  Session& session_;
  const std::string name_;
  bool held_ = false;
};

/// The statements of a migration; its comments are lines of their own.
std::vector<std::string> statements(std::string_view sql) {
  std::string text;
  while (!sql.empty()) {
    const std::size_t end = sql.find('\n');
    const std::string_view line = sql.substr(0, end);
    if (!line.starts_with("--")) text.append(line).push_back('\n');
    sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
  }
  std::vector<std::string> all;
  for (std::size_t from = 0;;) {
    const std::size_t end = text.find(';', from);
    if (end == std::string::npos) return all;
    all.push_back(text.substr(from, end - from));
    from = end + 1;
  }
}

/// The recorded schema version, 0 for a database without a store.
std::int64_t recorded_version(Session& session) {
  const auto there = session.table(
      "SELECT 1 FROM information_schema.tables "
      "WHERE table_schema = DATABASE() AND table_name = 'vouch_schema'");
  if (there.empty()) return 0;
  const auto version = session.table("SELECT version FROM vouch_schema");
  return version.empty() ? 0 : std::stoll(version.at(0).at(0));
}

}  // namespace

Status apply_migrations(Session& session, const Options& options) {
  const std::int64_t newest = migrations().back().number;
  const auto too_new = [&](std::int64_t version) {
    return Status(StatusCode::failed_precondition,
                  options.place() + " has schema version " + std::to_string(version) +
                      ", this plugin knows versions up to " + std::to_string(newest) +
                      "; run a newer Vouch");
  };
  std::int64_t version = recorded_version(session);
  if (version > newest) return too_new(version);
  if (version == newest) return {};
  SchemaLock lock(session, options);
  if (!lock.take()) {
    return {StatusCode::unavailable, "another host has been changing the schema of " +
                                         options.place() + " for a minute; try again"};
  }
  // Read again under the lock: whoever raced for it may have been here first.
  version = recorded_version(session);
  if (version > newest) return too_new(version);
  for (const Migration& migration : migrations()) {
    if (migration.number <= version) continue;
    for (const std::string& sql : statements(migration.sql)) session.execute(sql);
    session.execute(
        "CREATE TABLE IF NOT EXISTS vouch_schema (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, "
        "version INT UNSIGNED NOT NULL) ENGINE = InnoDB");
    const std::string number = std::to_string(migration.number);
    session.execute(std::string("INSERT INTO vouch_schema (id, version) VALUES (1, ")
                        .append(number)
                        .append(") ON DUPLICATE KEY UPDATE version = ")
                        .append(number));
  }
  return {};
}

Status settle_identity(Session& session, const Options& options, const StoreIdentity& identity) {
  // Of hosts that race for an empty table the first one's row stays.
  session
      .prepared(
          "INSERT INTO vouch_store (id, name, partitions) VALUES (1, ?, ?) "
          "ON DUPLICATE KEY UPDATE id = id")
      .execute({std::string_view(identity.name), identity.partitions});
  std::string name;
  std::uint64_t partitions = 0;
  {
    Rows rows = session.prepared("SELECT name, partitions FROM vouch_store WHERE id = 1").run({});
    while (rows.next()) {
      name = rows.bytes(0);
      partitions = rows.number(1);
    }
  }
  if (name == identity.name && partitions == identity.partitions) return {};
  return {StatusCode::failed_precondition,
          options.place() + " holds the store \"" + name + "\" with " + std::to_string(partitions) +
              " partitions, the configuration says \"" + identity.name + "\" with " +
              std::to_string(identity.partitions) + "; both are fixed when a store is created"};
}

}  // namespace vouch::mysql
