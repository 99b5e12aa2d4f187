// What the peers' programs share: the command line, closed loops over several connections and, with
// --processes, several node processes, and one JSON object with what they reached together.
'use strict';
const { fork } = require('node:child_process');
const { parseArgs } = require('node:util');

const { values } = parseArgs({
  options: {
    uri: { type: 'string' },
    connections: { type: 'string', default: '32' }, // of all processes
    processes: { type: 'string', default: '1' },
    events: { type: 'string', default: '1' }, // in one call
    seconds: { type: 'string', default: '8' },
    'warm-up': { type: 'string', default: '2' },
    payload: { type: 'string', default: '256' }, // bytes of data in one event
  },
});
const options = {
  uri: values.uri,
  connections: Number(values.connections),
  processes: Number(values.processes),
  events: Number(values.events),
  seconds: Number(values.seconds),
  warmUp: Number(values['warm-up']),
  payload: Number(values.payload),
};

/** `{"sent":…,"pad":"…"}` with `options.payload` bytes, as vouch-load sends it. */
function data() {
  const event = { sent: Date.now() * 1000, pad: '' };
  event.pad = 'x'.repeat(options.payload - JSON.stringify(event).length);
  return event;
}

/** Calls `append` on each connection again and again; resolves to calls and latencies. */
async function measure(append, connections) {
  const from = performance.now() + options.warmUp * 1000;
  const end = from + options.seconds * 1000;
  const latencies = [];
  let calls = 0;
  const loop = async () => {
    for (;;) {
      const begun = performance.now();
      if (begun >= end) return;
      await append();
      const now = performance.now();
      calls += 1;
      if (now >= from && now < end) latencies.push(now - begun);
    }
  };
  await Promise.all(Array.from({ length: connections }, loop));
  return { calls, latencies };
}

function print(results) {
  const latencies = results.flatMap((result) => result.latencies).sort((a, b) => a - b);
  const at = (share) =>
    Number((latencies[Math.floor((latencies.length - 1) * share)] ?? 0).toFixed(2));
  const calls = results.reduce((sum, result) => sum + result.calls, 0);
  console.log(JSON.stringify({
    connections: options.connections,
    processes: options.processes,
    events_per_request: options.events,
    payload: options.payload,
    seconds: options.seconds,
    events_per_second: Math.round((latencies.length * options.events) / options.seconds),
    appended: calls * options.events,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
  }));
}

/** Forks this program and resolves to what the child measured. */
function child() {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PEER_CHILD: '1' };
    const forked = fork(process.argv[1], process.argv.slice(2), { env });
    forked.once('message', resolve);
    forked.once('error', reject);
    forked.once('exit', (code) => reject(new Error(`a process ended with ${code}`)));
  });
}

/**
 * `open(connections)` resolves to { append, close }: `append` stores `options.events` events in one
 * call on one of so many connections.
 */
async function main(open) {
  if (options.processes > 1 && !process.env.PEER_CHILD) {
    print(await Promise.all(Array.from({ length: options.processes }, child)));
    return;
  }
  const connections = Math.max(1, Math.floor(options.connections / options.processes));
  const store = await open(connections);
  const result = await measure(store.append, connections);
  await store.close();
  if (process.send) {
    await new Promise((sent) => process.send(result, sent));
    process.disconnect();
  } else {
    print([result]);
  }
}

function run(open) {
  main(open).catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

module.exports = { data, options, run };
