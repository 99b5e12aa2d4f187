-- Events. (lane, place) is the lane log: a lane has one open transaction at a time, so within a lane
-- the order of places is the order of commits. `delivery` is the number of the ledger row.
CREATE TABLE events (
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  id bytea NOT NULL,
  type text NOT NULL,
  time bigint NOT NULL,
  content_type text NOT NULL,
  data bytea NOT NULL,
  metadata bytea NOT NULL,
  lane integer NOT NULL,
  place bigint NOT NULL,
  delivery bigint NOT NULL,
  PRIMARY KEY (stream, version)
);
CREATE UNIQUE INDEX events_id ON events (id);
CREATE UNIQUE INDEX events_lane_place ON events (lane, place);

-- The ledger: one row for each (transaction, partition), whose events are the places from
-- first_place to last_place of the lane. delivered_at is null until they are on their outbound topics.
CREATE TABLE deliveries (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  partition integer NOT NULL,
  lane integer NOT NULL,
  batch bigint NOT NULL,
  native text NOT NULL,
  first_place bigint NOT NULL,
  last_place bigint NOT NULL,
  events integer NOT NULL,
  written bigint NOT NULL,
  delivered_at bigint
);
CREATE INDEX deliveries_undelivered ON deliveries (partition, number) WHERE delivered_at IS NULL;
CREATE INDEX deliveries_batch ON deliveries (lane, batch);
CREATE INDEX deliveries_delivered ON deliveries (delivered_at) WHERE delivered_at IS NOT NULL;

-- incarnation: the high half of the lane's batch numbers, raised and committed before each first use.
-- purged_batch: at or below it, a batch without a row is over and forgotten.
CREATE TABLE lanes (
  lane integer PRIMARY KEY,
  incarnation bigint NOT NULL,
  purged_batch bigint NOT NULL DEFAULT 0
);

CREATE TABLE idempotency (
  scope text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  result bytea NOT NULL,
  written bigint NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_written ON idempotency (written);

-- One row: who the store is, fixed when it was created; and the highest ledger number that was purged.
CREATE TABLE store (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  name text NOT NULL,
  partitions integer NOT NULL,
  purged_number bigint NOT NULL DEFAULT 0
);
