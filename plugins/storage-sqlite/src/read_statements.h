// The prepared statements of a reading session. Used by the holder of the lease.
#pragma once

#include "statement.h"
#include "vouch/event.h"

namespace vouch::sqlite {

struct ReadStatements {
  explicit ReadStatements(sqlite3* database) : handle(database) {}

  sqlite3* handle;
  Statement begin{handle, "BEGIN"};
  Statement probe{handle, "SELECT version FROM vouch_schema"};

  // Columns of every statement that gives events, as `event_view` takes them.
  Statement stream_forward{handle,
                           "SELECT seq, id, stream, version, type, time, content_type, data, "
                           "metadata FROM events WHERE stream = ?1 AND version >= ?2 "
                           "ORDER BY version LIMIT ?3"};
  Statement stream_backward{handle,
                            "SELECT seq, id, stream, version, type, time, content_type, data, "
                            "metadata FROM events WHERE stream = ?1 AND version <= ?2 "
                            "ORDER BY version DESC LIMIT ?3"};
  Statement event_by_id{handle,
                        "SELECT seq, id, stream, version, type, time, content_type, data, "
                        "metadata FROM events WHERE id = ?1"};
  Statement feed{handle,
                 "SELECT seq, id, stream, version, type, time, content_type, data, metadata "
                 "FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3"};
  // ?4 type, ?5 stream, ?6 and ?7 the bounds of the category's names; NULL matches everything.
  Statement feed_filtered{handle,
                          "SELECT seq, id, stream, version, type, time, content_type, data, "
                          "metadata FROM events WHERE seq > ?1 AND seq <= ?2 "
                          "AND (?4 IS NULL OR type = ?4) AND (?5 IS NULL OR stream = ?5) "
                          "AND (?6 IS NULL OR (stream >= ?6 AND stream < ?7)) "
                          "ORDER BY seq LIMIT ?3"};
  Statement last_seq{handle, "SELECT max(seq) FROM events"};

  Statement head{handle,
                 "SELECT version FROM events WHERE stream = ?1 ORDER BY version DESC LIMIT 1"};
  // The index (stream, version) lets this jump over all events of a stream at once.
  Statement stream_after{handle,
                         "SELECT stream FROM events WHERE stream > ?1 AND stream < ?2 "
                         "ORDER BY stream, version LIMIT 1"};
  Statement stream_from{handle,
                        "SELECT stream FROM events WHERE stream >= ?1 AND stream < ?2 "
                        "ORDER BY stream, version LIMIT 1"};

  Statement batch{handle, "SELECT 1 FROM deliveries WHERE lane = ?1 AND batch = ?2 LIMIT 1"};
  Statement lane{handle, "SELECT purged_batch, incarnation FROM lanes WHERE lane = ?1"};

  // Only the index is read, so that marked ones are passed over quickly.
  Statement undelivered{handle,
                        "SELECT number FROM deliveries WHERE partition = ?1 AND "
                        "delivered_at IS NULL AND number > ?2 AND number <= ?3 "
                        "ORDER BY number LIMIT ?4"};
  Statement delivery{handle,
                     "SELECT partition, lane, batch, first_seq, last_seq, written, delivered_at "
                     "FROM deliveries WHERE number = ?1"};
  // A number is drawn by AUTOINCREMENT, which a rollback undoes: every number up to this one was
  // committed.
  Statement last_number{handle, "SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'"};
  Statement counts{handle,
                   "SELECT partition, count(*), sum(last_seq - first_seq + 1) FROM deliveries "
                   "WHERE delivered_at IS NULL GROUP BY partition"};

  Statement snapshot{handle,
                     "SELECT version, time, content_type, data FROM snapshots WHERE stream = ?1"};

  Statement dead_letters{handle,
                         "SELECT route, stream, partition, version, last, released, event, topic, "
                         "reason, since, attempts, revision FROM dead_letters "
                         "WHERE (route, stream) > (?1, ?2) ORDER BY route, stream"};
  Statement dead_letter{handle,
                        "SELECT route, stream, partition, version, last, released, event, topic, "
                        "reason, since, attempts, revision FROM dead_letters "
                        "WHERE route = ?1 AND stream = ?2"};

  Statement erasures{handle,
                     "SELECT first_version, last_version, time, reason, events FROM erasures "
                     "WHERE stream = ?1 ORDER BY number"};
};

/// The event in the current row, lent until the next one.
inline EventView event_view(const Rows& rows) {
  EventView event;
  if (const auto id = EventId::from_bytes(rows.bytes(1))) event.id = *id;
  event.stream = rows.bytes(2);
  event.version = {rows.number(3)};
  event.type = rows.bytes(4);
  event.time = {rows.integer(5)};
  event.content_type = rows.bytes(6);
  event.data = rows.bytes(7);
  event.metadata = rows.bytes(8);
  return event;
}

}  // namespace vouch::sqlite
