// Emmett's PostgreSQL store: appendToStream with one event or several, each call to a new stream.
'use strict';
const { randomUUID } = require('node:crypto');
const { getPostgreSQLEventStore } = require('@event-driven-io/emmett-postgresql');
const { Pool } = require('pg');
const { data, options, run } = require('./load.js');

run(async (connections) => {
  const pool = new Pool({ connectionString: options.uri, max: connections });
  const store = getPostgreSQLEventStore(options.uri, { connectionOptions: { pool } });
  await store.schema.migrate();
  const append = () =>
    store.appendToStream(
      `account-${randomUUID()}`,
      Array.from({ length: options.events }, () => ({ type: 'deposited', data: data() })),
    );
  return {
    append,
    close: async () => {
      await store.close();
      await pool.end().catch(() => {}); // the store may have ended it
    },
  };
});
