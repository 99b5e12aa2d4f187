#include "dead_letters.h"

#include <string>

namespace vouch::mysql {
namespace {

constexpr const char* kColumns =
    "route, stream, partition_number, version, last_version, released, event, topic, reason, "
    "since, attempts, revision";

/// Assignments run from left to right and see each other, so what the conditions look at comes
/// last.
constexpr const char* kPut =
    "INSERT INTO vouch_dead_letters (route, stream, partition_number, version, last_version, "
    "released, event, topic, reason, since, attempts, revision) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,1) ON DUPLICATE KEY UPDATE "
    "revision = IF(VALUES(version) < version OR VALUES(last_version) > last_version, "
    "revision + 1, revision), "
    "released = IF(VALUES(version) < version, VALUES(released), released), "
    "event = IF(VALUES(version) < version, VALUES(event), event), "
    "topic = IF(VALUES(version) < version, VALUES(topic), topic), "
    "reason = IF(VALUES(version) < version, VALUES(reason), reason), "
    "since = IF(VALUES(version) < version, VALUES(since), since), "
    "attempts = IF(VALUES(version) < version, VALUES(attempts), attempts), "
    "last_version = GREATEST(last_version, VALUES(last_version)), "
    "version = LEAST(version, VALUES(version))";

DeadLetter read_letter(const Rows& rows) {
  DeadLetter letter;
  letter.key = {std::string(rows.bytes(0)), std::string(rows.bytes(1))};
  letter.partition = {rows.number32(2)};
  letter.version = {rows.number(3)};
  letter.last = {rows.number(4)};
  letter.released = rows.number(5) != 0;
  if (const auto id = EventId::from_bytes(rows.bytes(6))) letter.event = *id;
  letter.topic = rows.bytes(7);
  letter.reason = rows.bytes(8);
  letter.since = {rows.integer(9)};
  letter.attempts = rows.number32(10);
  letter.revision = rows.number(11);
  return letter;
}

}  // namespace

Status MysqlDeadLetters::put(std::span<const DeadLetter> letters) {
  return backend_.run("keeping dead letters", [&]() -> Status {
    backend_.work.with([&](Session& session) {
      for (const DeadLetter& letter : letters) {
        session.prepared(kPut).execute(
            {std::string_view(letter.key.route), std::string_view(letter.key.stream),
             letter.partition.value, letter.version.value, letter.last.value,
             std::uint32_t{letter.released ? 1U : 0U}, letter.event.view(),
             std::string_view(letter.topic), std::string_view(letter.reason), letter.since.micros,
             letter.attempts});
      }
    });
    return {};
  });
}

Result<std::vector<DeadLetter>> MysqlDeadLetters::list(std::span<const Partition> partitions,
                                                       const DeadLetterKey& after,
                                                       std::uint32_t limit) {
  using Letters = std::vector<DeadLetter>;
  return backend_.run("reading dead letters", [&]() -> Result<Letters> {
    return backend_.work.with([&](Session& session) {
      std::vector<Param> params{std::string_view(after.route), std::string_view(after.route),
                                std::string_view(after.stream)};
      std::string wanted;
      for (const Partition partition : partitions) {
        wanted += wanted.empty() ? " AND partition_number IN (?" : ",?";
        params.emplace_back(partition.value);
      }
      if (!wanted.empty()) wanted += ')';
      params.emplace_back(std::uint64_t{limit});
      Rows rows = session
                      .prepared(std::string("SELECT ") + kColumns +
                                " FROM vouch_dead_letters WHERE (route > ? OR (route = ? AND "
                                "stream > ?))" +
                                wanted + " ORDER BY route, stream LIMIT ?")
                      .run(params);
      Letters letters;
      while (rows.next()) letters.push_back(read_letter(rows));
      return letters;
    });
  });
}

Result<std::optional<DeadLetter>> MysqlDeadLetters::find(const DeadLetterKey& key) {
  using Found = std::optional<DeadLetter>;
  return backend_.run("reading a dead letter", [&]() -> Result<Found> {
    return backend_.work.with([&](Session& session) -> Found {
      Rows rows = session
                      .prepared(std::string("SELECT ") + kColumns +
                                " FROM vouch_dead_letters WHERE route = ? AND stream = ?")
                      .run({std::string_view(key.route), std::string_view(key.stream)});
      if (!rows.next()) return std::nullopt;
      return read_letter(rows);
    });
  });
}

Result<bool> MysqlDeadLetters::replace(const DeadLetter& known, const DeadLetter& with) {
  return backend_.run("changing a dead letter", [&]() -> Result<bool> {
    return backend_.work.with([&](Session& session) {
      return session
                 .prepared(
                     "UPDATE vouch_dead_letters SET version = ?, last_version = ?, released = ?, "
                     "event = ?, topic = ?, reason = ?, since = ?, attempts = ?, "
                     "revision = revision + 1 WHERE route = ? AND stream = ? AND revision = ?")
                 .execute({with.version.value, with.last.value,
                           std::uint32_t{with.released ? 1U : 0U}, with.event.view(),
                           std::string_view(with.topic), std::string_view(with.reason),
                           with.since.micros, with.attempts, std::string_view(known.key.route),
                           std::string_view(known.key.stream), known.revision}) == 1;
    });
  });
}

Result<bool> MysqlDeadLetters::remove(const DeadLetter& known) {
  return backend_.run("removing a dead letter", [&]() -> Result<bool> {
    return backend_.work.with([&](Session& session) {
      return session
                 .prepared(
                     "DELETE FROM vouch_dead_letters WHERE route = ? AND stream = ? "
                     "AND revision = ?")
                 .execute({std::string_view(known.key.route), std::string_view(known.key.stream),
                           known.revision}) == 1;
    });
  });
}

}  // namespace vouch::mysql
