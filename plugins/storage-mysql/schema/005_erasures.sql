-- Erasures that were done, in their order. Events within a recorded range are tombstones.
CREATE TABLE IF NOT EXISTS vouch_erasures (
  number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  stream VARBINARY(255) NOT NULL,
  first_version BIGINT UNSIGNED NOT NULL,
  last_version BIGINT UNSIGNED NOT NULL,
  time BIGINT NOT NULL,
  reason VARBINARY(1000) NOT NULL,
  events BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (number),
  KEY stream (stream, number)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
