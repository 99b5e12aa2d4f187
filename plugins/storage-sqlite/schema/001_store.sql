-- Events in commit order. One writer, and AUTOINCREMENT: `seq` is dense and never used again, so it
-- is the feed's order and a cursor's meaning.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  stream TEXT NOT NULL,
  version INTEGER NOT NULL,
  id BLOB NOT NULL,
  type TEXT NOT NULL,
  time INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  data BLOB NOT NULL,
  metadata BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_stream_version ON events (stream, version);
CREATE UNIQUE INDEX events_id ON events (id);

-- The ledger: one row for each (transaction, partition), whose events are the rows from first_seq
-- to last_seq. delivered_at is null until they are on their outbound topics.
CREATE TABLE deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  partition INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  written INTEGER NOT NULL,
  delivered_at INTEGER
) STRICT;
-- An index ends with the row's number by itself, so this one is (partition, number).
CREATE INDEX deliveries_undelivered ON deliveries (partition) WHERE delivered_at IS NULL;
CREATE INDEX deliveries_batch ON deliveries (lane, batch);

-- incarnation: the high half of the lane's batch numbers, raised before each first use.
-- purged_batch: at or below it, a batch without a row is over and forgotten.
CREATE TABLE lanes (
  lane INTEGER PRIMARY KEY,
  incarnation INTEGER NOT NULL,
  purged_batch INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE idempotency (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  digest BLOB NOT NULL,
  result BLOB NOT NULL,
  written INTEGER NOT NULL,
  UNIQUE (scope, key)
) STRICT;

-- One row: who the store is, fixed when it was created.
CREATE TABLE store (
  name TEXT NOT NULL,
  partitions INTEGER NOT NULL
) STRICT;
