-- Erasures that were done, in their order. Events within a recorded range are tombstones.
CREATE TABLE erasures (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  stream TEXT NOT NULL,
  first_version INTEGER NOT NULL,
  last_version INTEGER NOT NULL,
  time INTEGER NOT NULL,
  reason TEXT NOT NULL,
  events INTEGER NOT NULL
) STRICT;
CREATE INDEX erasures_stream ON erasures (stream);
