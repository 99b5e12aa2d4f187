-- From which event on a stream waits on a route whose broker refused that event for good.
CREATE TABLE dead_letters (
  route text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  version bigint NOT NULL,
  last bigint NOT NULL,
  released integer NOT NULL,
  event bytea NOT NULL,
  topic text NOT NULL,
  reason text NOT NULL,
  since bigint NOT NULL,
  attempts integer NOT NULL,
  revision bigint NOT NULL,
  PRIMARY KEY (route, stream)
);
