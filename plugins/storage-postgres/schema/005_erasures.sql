-- Erasures that were done, in their order. Events within a recorded range are tombstones.
CREATE TABLE erasures (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream text COLLATE "C" NOT NULL,
  first_version bigint NOT NULL,
  last_version bigint NOT NULL,
  time bigint NOT NULL,
  reason text NOT NULL,
  events bigint NOT NULL
);
CREATE INDEX erasures_stream ON erasures (stream, number);
