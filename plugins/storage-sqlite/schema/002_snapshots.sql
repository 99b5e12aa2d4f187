-- The newest snapshot of each stream.
CREATE TABLE snapshots (
  stream TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  time INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE INDEX snapshots_time ON snapshots (time);
