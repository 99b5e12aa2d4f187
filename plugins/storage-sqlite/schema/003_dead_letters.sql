-- From which event on a stream waits on a route whose broker refused that event for good.
CREATE TABLE dead_letters (
  route TEXT NOT NULL,
  stream TEXT NOT NULL,
  partition INTEGER NOT NULL,
  version INTEGER NOT NULL,
  last INTEGER NOT NULL,
  released INTEGER NOT NULL,
  event BLOB NOT NULL,
  topic TEXT NOT NULL,
  reason TEXT NOT NULL,
  since INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (route, stream)
) STRICT, WITHOUT ROWID;
