-- From which event on a stream waits on a route whose broker refused that event for good.
CREATE TABLE IF NOT EXISTS vouch_dead_letters (
  route VARBINARY(512) NOT NULL,
  stream VARBINARY(255) NOT NULL,
  partition_number INT UNSIGNED NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  last_version BIGINT UNSIGNED NOT NULL,
  released INT UNSIGNED NOT NULL,
  event BINARY(20) NOT NULL,
  topic LONGBLOB NOT NULL,
  reason LONGBLOB NOT NULL,
  since BIGINT NOT NULL,
  attempts INT UNSIGNED NOT NULL,
  revision BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (route, stream)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
