-- Events, clustered by stream and version: the key that makes one writer of a version win, and the
-- order in which streams are read. (lane, place) is the lane log: within a lane, places rise with
-- commits. number is the ledger number of the event's delivery; it merges the lanes.
CREATE TABLE IF NOT EXISTS vouch_events (
  stream VARBINARY(255) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  id BINARY(20) NOT NULL,
  lane INT UNSIGNED NOT NULL,
  place BIGINT UNSIGNED NOT NULL,
  number BIGINT UNSIGNED NOT NULL,
  time BIGINT NOT NULL,
  type VARBINARY(1024) NOT NULL,
  content_type VARBINARY(1024) NOT NULL,
  data LONGBLOB NOT NULL,
  metadata LONGBLOB NOT NULL,
  PRIMARY KEY (stream, version),
  UNIQUE KEY lane_log (lane, place),
  UNIQUE KEY id (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- The ledger: one row for each (transaction, partition), whose events are those of its lane from
-- first_place to last_place. delivered_at is null until they are on their outbound topics.
CREATE TABLE IF NOT EXISTS vouch_deliveries (
  number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  partition_number INT UNSIGNED NOT NULL,
  lane INT UNSIGNED NOT NULL,
  batch BIGINT UNSIGNED NOT NULL,
  first_place BIGINT UNSIGNED NOT NULL,
  last_place BIGINT UNSIGNED NOT NULL,
  events INT UNSIGNED NOT NULL,
  written BIGINT NOT NULL,
  delivered_at BIGINT NULL,
  PRIMARY KEY (number),
  KEY batch (lane, batch),
  KEY undelivered (partition_number, delivered_at, number, events)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- incarnation: the high half of the lane's batch numbers, raised before each first use.
-- session: the server's number of the session that has this incarnation.
-- purged_batch: at or below it, a batch without a row is over and forgotten.
CREATE TABLE IF NOT EXISTS vouch_lanes (
  lane INT UNSIGNED NOT NULL,
  incarnation BIGINT UNSIGNED NOT NULL,
  session BIGINT UNSIGNED NOT NULL,
  purged_batch BIGINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (lane)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- Numbers whose deliveries were purged, as ranges that grow together; what a rolled back
-- transaction drew stays out of them.
CREATE TABLE IF NOT EXISTS vouch_purged (
  first_number BIGINT UNSIGNED NOT NULL,
  last_number BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (first_number)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS vouch_idempotency (
  scope VARBINARY(255) NOT NULL,
  name VARBINARY(255) NOT NULL,
  digest VARBINARY(64) NOT NULL,
  result LONGBLOB NOT NULL,
  written BIGINT NOT NULL,
  PRIMARY KEY (scope, name),
  KEY written (written)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;

-- One row: who the store is, fixed when it was created.
CREATE TABLE IF NOT EXISTS vouch_store (
  id TINYINT UNSIGNED NOT NULL,
  name VARBINARY(1024) NOT NULL,
  partitions INT UNSIGNED NOT NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
