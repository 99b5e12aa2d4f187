-- Which hosts are there and which partitions they deliver; for their sharing of them, and for people.
-- seen: microseconds since 1970, by the server's clock.
CREATE TABLE IF NOT EXISTS vouch_hosts (
  id VARBINARY(64) NOT NULL,
  name VARBINARY(255) NOT NULL,
  owned LONGBLOB NOT NULL,
  started BIGINT NOT NULL,
  seen BIGINT NOT NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4;
