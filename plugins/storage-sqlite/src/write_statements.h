// The prepared statements of the writing session. Used by the holder of the turn.
#pragma once

#include "statement.h"

namespace vouch::sqlite {

struct WriteStatements {
  explicit WriteStatements(sqlite3* database) : handle(database) {}

  sqlite3* handle;
  Statement begin{handle, "BEGIN IMMEDIATE"};
  Statement commit{handle, "COMMIT"};

  Statement head{handle,
                 "SELECT version FROM events WHERE stream = ?1 ORDER BY version DESC LIMIT 1"};
  Statement event_by_id{handle,
                        "SELECT seq, stream, version, type, content_type, data FROM events "
                        "WHERE id = ?1"};
  Statement insert_event{handle,
                         "INSERT INTO events "
                         "(stream, version, id, type, time, content_type, data, metadata) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
  Statement insert_delivery{handle,
                            "INSERT INTO deliveries "
                            "(partition, lane, batch, first_seq, last_seq, written) "
                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
  Statement last_delivery{handle, "SELECT max(number) FROM deliveries"};
  Statement delivery_from{handle,
                          "SELECT number, partition, lane, batch, first_seq, last_seq "
                          "FROM deliveries WHERE number >= ?1 ORDER BY number LIMIT 1"};
  Statement mark{handle,
                 "UPDATE deliveries SET delivered_at = ?3 "
                 "WHERE number = ?1 AND partition = ?2 AND delivered_at IS NULL"};

  Statement key{handle, "SELECT digest, result FROM idempotency WHERE scope = ?1 AND key = ?2"};
  Statement insert_key{handle,
                       "INSERT INTO idempotency (scope, key, digest, result, written) "
                       "VALUES (?1, ?2, ?3, ?4, ?5)"};

  Statement raise_incarnation{handle,
                              "INSERT INTO lanes (lane, incarnation) VALUES (?1, 1) "
                              "ON CONFLICT (lane) DO UPDATE SET incarnation = incarnation + 1 "
                              "RETURNING incarnation"};
  // Passes over an incarnation: SQLite does not write a page whose content stays the same.
  Statement touch_lane{handle,
                       "INSERT INTO lanes (lane, incarnation) VALUES (?1, 0) "
                       "ON CONFLICT (lane) DO UPDATE SET incarnation = incarnation + 1"};

  Statement deliveries_in_order{handle,
                                "SELECT number, lane, batch, written, delivered_at "
                                "FROM deliveries ORDER BY number"};
  Statement delete_delivery{handle, "DELETE FROM deliveries WHERE number = ?1"};
  Statement raise_horizon{handle,
                          "INSERT INTO lanes (lane, incarnation, purged_batch) VALUES (?1, 0, ?2) "
                          "ON CONFLICT (lane) DO UPDATE "
                          "SET purged_batch = max(purged_batch, excluded.purged_batch)"};
  Statement keys_in_order{handle, "SELECT number, written FROM idempotency ORDER BY number"};
  Statement delete_key{handle, "DELETE FROM idempotency WHERE number = ?1"};

  Statement save_snapshot{handle,
                          "INSERT INTO snapshots (stream, version, time, content_type, data) "
                          "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (stream) DO UPDATE SET "
                          "version = excluded.version, time = excluded.time, "
                          "content_type = excluded.content_type, data = excluded.data "
                          "WHERE excluded.version > version"};
  Statement remove_snapshot{handle, "DELETE FROM snapshots WHERE stream = ?1"};
  Statement prune_snapshots{handle, "DELETE FROM snapshots WHERE time < ?1"};

  Statement put_dead_letter{
      handle,
      "INSERT INTO dead_letters AS d (route, stream, partition, version, last, released, event, "
      "topic, reason, since, attempts, revision) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1) "
      "ON CONFLICT (route, stream) DO UPDATE SET "
      "released = iif(excluded.version < d.version, excluded.released, d.released), "
      "event = iif(excluded.version < d.version, excluded.event, d.event), "
      "topic = iif(excluded.version < d.version, excluded.topic, d.topic), "
      "reason = iif(excluded.version < d.version, excluded.reason, d.reason), "
      "since = iif(excluded.version < d.version, excluded.since, d.since), "
      "attempts = iif(excluded.version < d.version, excluded.attempts, d.attempts), "
      "version = min(d.version, excluded.version), last = max(d.last, excluded.last), "
      "revision = d.revision + 1 WHERE excluded.version < d.version OR excluded.last > d.last"};
  Statement replace_dead_letter{
      handle,
      "UPDATE dead_letters SET version = ?4, last = ?5, released = ?6, event = ?7, topic = ?8, "
      "reason = ?9, since = ?10, attempts = ?11, revision = revision + 1 "
      "WHERE route = ?1 AND stream = ?2 AND revision = ?3"};
  Statement remove_dead_letter{
      handle, "DELETE FROM dead_letters WHERE route = ?1 AND stream = ?2 AND revision = ?3"};

  // Versions within a recorded range are tombstones already.
  Statement erase_events{handle,
                         "UPDATE events SET data = ?4, content_type = ?5, metadata = ?6 "
                         "WHERE stream = ?1 AND version BETWEEN ?2 AND ?3 AND NOT EXISTS "
                         "(SELECT 1 FROM erasures AS e WHERE e.stream = ?1 "
                         "AND events.version BETWEEN e.first_version AND e.last_version)"};
  Statement erase_snapshots{handle, "DELETE FROM snapshots WHERE stream = ?1 AND version >= ?2"};
  Statement insert_erasure{handle,
                           "INSERT INTO erasures "
                           "(stream, first_version, last_version, time, reason, events) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
};

}  // namespace vouch::sqlite
