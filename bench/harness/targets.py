"""What Vouch is meant to reach on a machine with 2 cores that everything runs on, and whether it
does: medians over the rounds, ratios within a round."""

import dataclasses
from collections.abc import Callable

import idle
import matrix
import peers
import scale
from results import Cell, Results, Spread, largest, ratios

RATE, DELIVERED, CONSUMED = "events_per_second", "delivered_per_second", "followed_per_second"
STORAGES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mysql": "MariaDB"}
BROKERS = {"local": "local", "kafka": "Kafka", "mqtt": "MQTT"}
MOST_P99 = 3
READ_AT = 1_000_000
GROWN = 10_000_000


@dataclasses.dataclass(frozen=True)
class Target:
    what: str
    bound: float
    at_least: bool
    form: str
    values: Callable[[Results], list[float]]

    def wanted(self) -> str:
        words = ("at least " if self.at_least else "at most ")
        return words + self.form.format(self.bound)


@dataclasses.dataclass(frozen=True)
class Verdict:
    target: Target
    measured: Spread | None

    @property
    def met(self) -> bool | None:
        """None: not measured."""
        if self.measured is None:
            return None
        if self.target.at_least:
            return self.measured.median >= self.target.bound
        return self.measured.median <= self.target.bound

    def word(self) -> str:
        return {True: "met", False: "**missed**", None: "not measured"}[self.met]


def title_of(pair: str) -> str:
    storage, _, broker = pair.partition("+")
    return f"{STORAGES[storage]} + {BROKERS[broker]}"


def cell(on: str, events: int, connections: int = 64, payload: int = 256) -> Cell:
    return Cell("matrix", on, matrix.VOUCH, events, connections, payload)


def against_ceiling(results: Results, of: Cell, key: str = RATE) -> list[float]:
    bare = [results.by_round(one, RATE) for one in matrix.ceilings(results, of)]
    return ratios(results.by_round(of, key), *bare)


def against_peer(results: Results, peer: str) -> list[float]:
    return ratios(results.by_round(cell("postgres+local", 1), RATE),
                  results.by_round(Cell("matrix", "postgres+local", peer, payload=256), RATE))


def against_outbox(results: Results, key: str, events: int = 1) -> list[float]:
    of = cell("postgres+kafka", events)
    return ratios(results.by_round(of, key), results.by_round(of.named(matrix.OUTBOX), key))


def outbox_latency(results: Results) -> list[float]:
    of = Cell("matrix", "postgres+kafka", matrix.OPEN_LOOP, 1, 64, 256)
    other = of.named(matrix.OUTBOX + matrix.AT_1000)
    return ratios(results.by_round(of, "follow_p50_ms"), results.by_round(other, "follow_p50_ms"))


def slowest_over_round_trips(results: Results, on: str) -> list[float]:
    half = cell(on, 1).named(matrix.HALF_RATE)
    trips = Cell("matrix", on, matrix.ROUND_TRIPS)
    return ratios(results.by_round(half, "p99_ms"), results.by_round(trips, "together_ms"))


def grown(results: Results, what: str) -> list[float]:
    of = Cell("scale", "postgres+local", what, size=GROWN)
    return ratios(results.by_round(of, RATE), results.by_round(of.named(what + scale.ON_NEW), RATE))


def most_memory(results: Results) -> list[float]:
    """Of every pair and both kinds of requests at 64 connections, the most in each round."""
    loads = [one for one in results.cells(suite="matrix", what=matrix.VOUCH, payload=256)
             if one.connections == 64]
    return list(largest(*(results.by_round(one, "memory_mib") for one in loads)).values())


def worst_idle(results: Results, key: str) -> list[float]:
    hosts = results.cells(suite="idle", what=idle.IDLE)
    return list(largest(*(results.by_round(one, key) for one in hosts)).values())


def all_targets(results: Results) -> list[Target]:
    pairs = dict.fromkeys(one.on for one in results.cells(suite="matrix"))
    return [
        Target("PostgreSQL + local, requests of 100 events, appended / bare group writer",
               0.6, True, "{:.2f}", lambda r: against_ceiling(r, cell("postgres+local", 100))),
        Target("PostgreSQL + local, requests of 100 events, delivered / bare group writer",
               0.6, True, "{:.2f}",
               lambda r: against_ceiling(r, cell("postgres+local", 100), DELIVERED)),
        Target("PostgreSQL + local, single events on 64 connections, events/s", 12_000, True,
               "{:,.0f}", lambda r: r.column(cell("postgres+local", 1), RATE)),
        Target("the same / message-db's best", 1, True, "{:.2f}",
               lambda r: against_peer(r, peers.MESSAGE_DB)),
        Target("the same / Emmett's best", 3, True, "{:.2f}",
               lambda r: against_peer(r, peers.EMMETT)),
        Target("PostgreSQL + Kafka, single events on 64 connections, consumed/s / outbox table", 5,
               True, "{:.2f}", lambda r: against_outbox(r, CONSUMED)),
        Target("PostgreSQL + Kafka, 100 events on 64 connections, consumed/s / outbox table", 5,
               True, "{:.2f}", lambda r: against_outbox(r, CONSUMED, 100)),
        Target("PostgreSQL + Kafka, median time to the consumer at 1,000 events/s / outbox table",
               0.2, False, "{:.2f}", outbox_latency),
        Target("PostgreSQL + Kafka, single events, database's processor time for an event / outbox "
               "table", 1, False, "{:.2f}", lambda r: against_outbox(r, "server_us")),
        Target("SQLite + local, single events on 64 connections, events/s", 15_000, True, "{:,.0f}",
               lambda r: r.column(cell("sqlite+local", 1), RATE)),
        *(Target(f"PostgreSQL, {what} as NDJSON on one connection, events/s", 300_000, True,
                 "{:,.0f}",
                 lambda r, what=what: r.column(
                     Cell("scale", "postgres+local", what, size=READ_AT), RATE))
          for what in (scale.FEED, scale.STREAM)),
        *(Target(f"{title_of(on)}, p99 of appends at half of the highest rate / (synced write + "
                 "round trip to the broker)", MOST_P99, False, "{:.1f}",
                 lambda r, on=on: slowest_over_round_trips(r, on)) for on in pairs),
        *(Target(f"PostgreSQL + local, {what}, 10 million events in the store / none", 0.9, True,
                 "{:.2f}", lambda r, what=what: grown(r, what))
          for what in (scale.SINGLES, scale.HUNDREDS)),
        Target("Memory of the host under full load, the worst pair, MiB", 200, False, "{:.0f}",
               most_memory),
        Target("An idle host, the worst pair, share of a core", 0.01, False, "{:.2%}",
               lambda r: worst_idle(r, "core_share")),
        Target("An idle host, the worst pair, wake-ups of its busiest thread per second", 10, False,
               "{:.1f}", lambda r: worst_idle(r, "fastest_thread_per_second")),
    ]


def verdicts(results: Results) -> list[Verdict]:
    return [Verdict(target, Spread.of(target.values(results))) for target in all_targets(results)]
