"""What the page about performance says around its figures."""

HEAD = """\
# Performance

How fast Vouch is beside what it can't be faster than, and beside what one would use instead.
`scripts/bench report` writes this page from measurements; no figure is put in by hand.

**A ceiling** is the same work without Vouch. The *bare group writer* puts the same rows into the same
tables of the same database, in groups of a fixed size, without HTTP, validation or delivery. The *bare
producer* hands the same messages to the same broker, with the settings of Vouch's plugin and as many
of them unacknowledged. **A baseline** does the job in another way: an outbox table with a poller,
message-db, Emmett.

What is compared is measured in the same round, one after the other, and a ratio is taken within a
round, so that a slow minute of the machine is on both sides of it. Figures are medians over the rounds,
with the least and the most of them in brackets: where these lie far apart, the median says little.
"""

CONDITIONS = """\
| Conditions | |
|---|---|
| Machine | {cores} cores ({processor}), {memory_gib:g} GiB, Linux {kernel}; host, database, broker, load \
generator and consumer share it |
| Vouch | {version}, build {build} |
| Beside it | {servers} |
| Disk | a synced write of 4 KiB takes {syncs}. Every database is set to be durable; the bench refuses others |
| Time | each measurement {seconds:g} s after {warm_up:g} s of warming up; {days} |
| Load | 100,000 streams at random; each connection sends its next request when it has its answer; a \
follower of the feed or a consumer of the broker sees every event |
"""

LIMITS = """\
## What it does not say
- Everything runs on one machine, so that the load generator and the consumer take processor time from what is
  measured, and no network is between them. On machines of their own all figures are other ones.
- One Kafka broker without replicas, one MQTT broker, a database without replicas: each replica adds a
  round trip to every acknowledgement.
- The bare writer does not look whether a stream is at the version that it should be. Vouch does.
- An outbox table's writers have their own database connections and no HTTP; Vouch's clients have HTTP.
- Payloads are JSON with much repetition: compression towards Kafka does better on them than on others.
- The memory is the host's alone, the most since its start.
"""

CEILINGS = """\
The ceilings. One connection has one request on its way, and is compared with one session that writes
one request at a time; everything else with the fastest bare writer of its round.
"""

CONSUMED = """\
What reaches the consumer is the figure that counts: "/ bare producer" and "/ outbox table" divide it,
"/ bare writer" divides what is appended.
"""

LATENCY = """\
## How long one waits
Single events of 256 bytes on 64 connections at a fixed rate. A request's time counts from when it was
due, so that no stall hides behind requests that were not sent. *Sight* is that of a follower of the
feed, or of a consumer of the broker. The last column is what nothing durable is faster than: a
synced write, and one message to the broker with its acknowledgement.
"""

PEERS = """\
## Beside message-db and Emmett
On the same PostgreSQL, driven by node with several numbers of connections and processes; of each round
the best counts. Both write straight into the database and deliver nothing.
"""

SCALE = """\
The store is filled through Vouch itself, in requests of 100 events of 256 bytes, so that it is like
one that grew in service, ledger included. In each round a new store is measured just before the big one.
"""

HOW = """\
## How to measure it yourself
```console
$ scripts/bench matrix sqlite+local postgres+local postgres+kafka sqlite+mqtt --peers
$ scripts/bench idle sqlite+local postgres+local postgres+kafka sqlite+mqtt
$ scripts/bench scale postgres+local --events 1M,10M,50M
$ scripts/bench report
```
`scripts/bench everything` is these four in one, with stores up to 10M. What was measured is kept in
`build/bench/results.jsonl`, one line for each measurement. A run that is interrupted, or told to measure
a part only, goes on from there; what was measured on another build of the server is measured anew.
`scripts/bench matrix --short` gives a first look, without big payloads and peers.
Nothing else should run on the machine: two busy cores change every figure here.
"""
