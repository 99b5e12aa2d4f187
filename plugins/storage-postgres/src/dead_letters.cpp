#include "dead_letters.h"

namespace vouch::postgres {
namespace {

#define VOUCH_LETTER_COLUMNS                                                                   \
  "route, stream, partition, version, last, released, event, topic, reason, since, attempts, " \
  "revision"

constexpr Sql kPut{
    "put_dead_letter",
    "INSERT INTO dead_letters AS d (" VOUCH_LETTER_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1) "
    "ON CONFLICT (route, stream) DO UPDATE SET "
    "released = CASE WHEN excluded.version < d.version THEN excluded.released ELSE d.released END, "
    "event = CASE WHEN excluded.version < d.version THEN excluded.event ELSE d.event END, "
    "topic = CASE WHEN excluded.version < d.version THEN excluded.topic ELSE d.topic END, "
    "reason = CASE WHEN excluded.version < d.version THEN excluded.reason ELSE d.reason END, "
    "since = CASE WHEN excluded.version < d.version THEN excluded.since ELSE d.since END, "
    "attempts = CASE WHEN excluded.version < d.version THEN excluded.attempts ELSE d.attempts END, "
    "version = least(d.version, excluded.version), last = greatest(d.last, excluded.last), "
    "revision = d.revision + 1 WHERE excluded.version < d.version OR excluded.last > d.last"};
constexpr Sql kList{"list_dead_letters",
                    "SELECT " VOUCH_LETTER_COLUMNS
                    " FROM dead_letters WHERE (cardinality($1) = 0 OR partition = ANY ($1)) "
                    "AND (route, stream) > ($2, $3) ORDER BY route, stream LIMIT $4"};
constexpr Sql kFind{"find_dead_letter", "SELECT " VOUCH_LETTER_COLUMNS
                                        " FROM dead_letters WHERE route = $1 AND stream = $2"};
constexpr Sql kReplace{
    "replace_dead_letter",
    "UPDATE dead_letters SET version = $4, last = $5, released = $6, event = $7, "
    "topic = $8, reason = $9, since = $10, attempts = $11, "
    "revision = revision + 1 WHERE route = $1 AND stream = $2 "
    "AND revision = $3"};
constexpr Sql kRemove{"remove_dead_letter",
                      "DELETE FROM dead_letters WHERE route = $1 AND stream = $2 "
                      "AND revision = $3"};

#undef VOUCH_LETTER_COLUMNS

DeadLetter read_letter(const Rows& rows, int row) {
  DeadLetter letter;
  letter.key = {rows.text(row, 0), rows.text(row, 1)};
  letter.partition = {rows.number32(row, 2)};
  letter.version = {rows.number(row, 3)};
  letter.last = {rows.number(row, 4)};
  letter.released = rows.integer(row, 5) != 0;
  if (const auto id = EventId::from_bytes(rows.bytes(row, 6))) letter.event = *id;
  letter.topic = rows.text(row, 7);
  letter.reason = rows.text(row, 8);
  letter.since = {rows.integer(row, 9)};
  letter.attempts = rows.number32(row, 10);
  letter.revision = rows.number(row, 11);
  return letter;
}

/// What of a letter changes; follows its key and one number.
void add_state(Parameters& parameters, const DeadLetter& letter) {
  parameters.number(letter.version.value)
      .number(letter.last.value)
      .number4(letter.released ? 1 : 0)
      .bytes(letter.event.view())
      .text(letter.topic)
      .text(letter.reason)
      .number8(letter.since.micros)
      .number4(letter.attempts);
}

}  // namespace

Status PostgresDeadLetters::put(std::span<const DeadLetter> letters) {
  return backend_.run("keeping dead letters", [&]() -> Status {
    for (const DeadLetter& letter : letters) {
      Parameters parameters;
      parameters.text(letter.key.route).text(letter.key.stream).number4(letter.partition.value);
      add_state(parameters, letter);
      backend_.sessions.read([&](Session& session) { session.run(kPut, parameters); });
    }
    return {};
  });
}

Result<std::vector<DeadLetter>> PostgresDeadLetters::list(std::span<const Partition> partitions,
                                                          const DeadLetterKey& after,
                                                          std::uint32_t limit) {
  using Letters = std::vector<DeadLetter>;
  return backend_.run("reading dead letters", [&]() -> Result<Letters> {
    return backend_.sessions.read([&](Session& session) {
      Array wanted(ArrayType::int4);
      for (const Partition partition : partitions) {
        wanted.add4(static_cast<std::int32_t>(partition.value));
      }
      const Rows rows = session.run(kList, Parameters()
                                               .array(std::move(wanted))
                                               .text(after.route)
                                               .text(after.stream)
                                               .number8(limit));
      Letters letters;
      for (int row = 0; row < rows.size(); ++row) letters.push_back(read_letter(rows, row));
      return letters;
    });
  });
}

Result<std::optional<DeadLetter>> PostgresDeadLetters::find(const DeadLetterKey& key) {
  using Found = std::optional<DeadLetter>;
  return backend_.run("reading a dead letter", [&]() -> Result<Found> {
    const Rows rows = backend_.sessions.read([&](Session& session) {
      return session.run(kFind, Parameters().text(key.route).text(key.stream));
    });
    return rows.empty() ? Found() : Found(read_letter(rows, 0));
  });
}

Result<bool> PostgresDeadLetters::replace(const DeadLetter& known, const DeadLetter& with) {
  return backend_.run("changing a dead letter", [&]() -> Result<bool> {
    Parameters parameters;
    parameters.text(known.key.route).text(known.key.stream).number(known.revision);
    add_state(parameters, with);
    return backend_.sessions.read(
        [&](Session& session) { return session.run(kReplace, parameters).affected() == 1; });
  });
}

Result<bool> PostgresDeadLetters::remove(const DeadLetter& known) {
  return backend_.run("removing a dead letter", [&]() -> Result<bool> {
    return backend_.sessions.read([&](Session& session) {
      return session
                 .run(kRemove, Parameters()
                                   .text(known.key.route)
                                   .text(known.key.stream)
                                   .number(known.revision))
                 .affected() == 1;
    });
  });
}

}  // namespace vouch::postgres
