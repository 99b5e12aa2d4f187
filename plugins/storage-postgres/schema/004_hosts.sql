-- Which hosts are there and which partitions they deliver; for their sharing of them, and for people.
CREATE TABLE hosts (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  owned text NOT NULL,
  started bigint NOT NULL,
  seen timestamptz NOT NULL
);
