-- The newest snapshot of each stream.
CREATE TABLE IF NOT EXISTS vouch_snapshots (
  stream VARBINARY(255) NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  time BIGINT NOT NULL,
  content_type VARBINARY(1024) NOT NULL,
  data LONGBLOB NOT NULL,
  PRIMARY KEY (stream),
  KEY time (time)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
