// message-db's write_message: one event to a new stream of one of 1,000 categories, without an
// expected version. Its database is installed before (scripts/bench does).
'use strict';
const { randomUUID } = require('node:crypto');
const { Pool } = require('pg');
const { data, options, run } = require('./load.js');

const CATEGORIES = 1000;

run(async (connections) => {
  const pool = new Pool({
    connectionString: options.uri,
    max: connections,
    options: '-c search_path=message_store,public',
  });
  const append = () => {
    const category = Math.floor(Math.random() * CATEGORIES);
    const stream = `account${category}-${randomUUID()}`;
    return pool.query({
      name: 'write',
      text: 'SELECT write_message($1, $2, $3, $4)',
      values: [randomUUID(), stream, 'deposited', JSON.stringify(data())],
    });
  };
  return { append, close: () => pool.end() };
});
