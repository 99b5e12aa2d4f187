"""Vouch with a broker that others consume from: how much it appends and delivers, and how long an event
takes from the client that appends it to a consumer that knows nothing of Vouch. On PostgreSQL with
Kafka beside what a team builds without an event store: an outbox table and a poller."""

import os

from embedded import load
from figures import Figures, conditions, print_table, spread
from host import Host, run_program
from processor import own_seconds

SINGLES = "1 event, 64 connections"
HUNDREDS = "100 events, 16 connections"
OPEN_LOOP = "1,000 events/s, open loop"
LOADS = {SINGLES: (64, 1, 0), HUNDREDS: (16, 100, 0), OPEN_LOOP: (64, 1, 1000)}
OUTBOX = "outbox table, "
OUTBOX_QUICK = "outbox table polled each 10 ms, "
# Pair: single events, hundreds, both as events/s.
TARGETS = {"PostgreSQL + Kafka": (4_000, 20_000), "SQLite + MQTT": (6_000, 15_000)}


class BrokerBench:
    def __init__(self, options, server, broker):
        self.options = options
        self.server = server
        self.broker = broker
        self.figures = Figures()
        self.store = f"vouch_bench_{os.getpid()}"
        self.measurements = 0
        self.title = f"{server.title} + {broker.title}"
        self.beside_outbox = self.title == "PostgreSQL + Kafka"

    def run_round(self) -> None:
        for name in LOADS:
            self._load(name)
            if self.beside_outbox:
                self._outbox(OUTBOX, name, 100)
        if self.beside_outbox:
            self._outbox(OUTBOX_QUICK, OPEN_LOOP, 10)

    def _topic(self) -> str:
        """Of this measurement alone: what an earlier one left in it would be seen again."""
        self.measurements += 1
        return f"{self.store}_{self.measurements}"

    def _load(self, name: str) -> None:
        options, topic = self.options, self._topic()
        connections, events, rate = LOADS[name]
        self.server.prepare(self.store)
        try:
            host = Host(options.binaries, options.directory, options.port,
                        self.server.storage(self.store), name=topic,
                        brokers=self.broker.brokers(options.broker_settings),
                        outbound=f"[ {{ topic: {topic} }} ]")
            try:
                before, host_before = self._seconds(), own_seconds(host.process.pid)
                figure = load(options, host, name, connections, events, rate,
                              consume=self.broker.consumer(topic))
                self._charge(figure, before, own_seconds(host.process.pid) - host_before)
                self.figures.note(name, figure)
            finally:
                host.close()
        finally:
            self.server.drop(self.store)

    def _outbox(self, prefix: str, name: str, poll_ms: int) -> None:
        options = self.options
        connections, events, rate = LOADS[name]
        self.server.prepare(self.store)
        before = self._seconds()
        figure = run_program(
            [options.binaries / "outbox-table", "--uri", self.server.uri, "--schema", self.store,
             "--kafka", self.broker.address, "--topic", self._topic(), "--connections",
             connections, "--events", events, "--rate", rate, "--poll-ms", poll_ms, "--seconds",
             options.seconds])
        self._charge(figure, before, None)
        self.figures.note(prefix + name, figure)

    def _seconds(self) -> tuple[float | None, float | None]:
        return self.server.processor_seconds(), self.broker.processor_seconds()

    def _charge(self, figure: dict, before: tuple, host_seconds: float | None) -> None:
        """Processor time by delivered event, in microseconds, warming up included."""
        micros = 1e6 / max(1, figure["delivered"])
        for key, begun, ended in zip(("server_us", "broker_us"), before, self._seconds()):
            figure[key] = None if begun is None else (ended - begun) * micros
        figure["host_us"] = None if host_seconds is None else host_seconds * micros
        figure["program_us"] = figure["program_seconds"] * micros

    def print_report(self) -> None:
        figures = self.figures
        print(f"\n{self.title}: {conditions(self.options, self.server.describe() + '; ')}\n")
        rows = []
        for name in figures.all:
            rows.append([
                name, figures.cell(name, "events_per_second", "{:,.0f}"),
                figures.cell(name, "followed_per_second", "{:,.0f}"),
                f"{figures.behind(name):,}",
                figures.pair(name, "p50_ms", "p99_ms"),
                figures.pair(name, "follow_p50_ms", "follow_p99_ms"),
                figures.cell(name, "host_us", "{:.0f}"),
                figures.cell(name, "server_us", "{:.0f}"),
                figures.cell(name, "broker_us", "{:.0f}"),
                figures.cell(name, "program_us", "{:.0f}"),
                figures.cell(name, "memory_mib", "{:.0f}")
                if "memory_mib" in figures.all[name][0] else ""])
        print_table(["", "events/s", "consumed/s", "behind at the end", "append p50 / p99 ms",
                     "append to consumer p50 / p99 ms", "host us/event", "database us/event",
                     "broker us/event", "generator us/event", "memory MiB"], rows)
        print()
        self._print_ratios()

    def _print_ratios(self) -> None:
        figures = self.figures
        wanted = TARGETS.get(self.title)
        for name, least in zip((SINGLES, HUNDREDS), wanted or (None, None)):
            target = f" (target: at least {least:,})" if least else ""
            print(f"{name}, consumed/s: "
                  f"{spread(figures.column(name, 'followed_per_second'), '{:,.0f}')}{target}")
        for key, most in (("follow_p50_ms", 10), ("follow_p99_ms", 50)):
            print(f"{OPEN_LOOP}, {key.split('_')[1]} from append to consumer, ms: "
                  f"{spread(figures.column(OPEN_LOOP, key), '{:.1f}')} (target: below {most})")
        if not self.beside_outbox:
            return
        for name in (SINGLES, HUNDREDS):
            self._print_ratio(name, OUTBOX + name, "followed_per_second", "consumed/s")
        for prefix in (OUTBOX, OUTBOX_QUICK):
            self._print_ratio(OPEN_LOOP, prefix + OPEN_LOOP, "follow_p50_ms", "p50 to the consumer")
        for name in LOADS:
            if self.figures.all[name][0]["server_us"] is not None:
                self._print_ratio(name, OUTBOX + name, "server_us", "database time per event")

    def _print_ratio(self, over: str, under: str, key: str, what: str) -> None:
        rows = zip(self.figures.column(over, key), self.figures.column(under, key))
        print(f"{over} / {under}, {what}: {spread([a / b for a, b in rows], '{:.2f}')}")
