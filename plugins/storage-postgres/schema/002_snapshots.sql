-- The newest snapshot of each stream.
CREATE TABLE snapshots (
  stream text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  time bigint NOT NULL,
  content_type text NOT NULL,
  data bytea NOT NULL
);
CREATE INDEX snapshots_time ON snapshots (time);
