"""Vouch on a database server and the local broker, beside the ceiling on the same server: groups of
the same rows written straight into it, as many at once as Vouch has lanes."""

import os

from embedded import load
from figures import Figures, conditions, print_table, spread
from host import LANES, Host, run_program
from processor import own_seconds

BARE_SINGLES = f"bare, {LANES} x 32"
BARE_HUNDREDS = f"bare, {LANES} x 100"
BARE_LARGE = f"bare, {LANES} x 500"
SINGLES = "1 event, 64 connections"
HUNDREDS = "100 events, 16 connections"
OPEN_LOOP = "1,000 events/s, open loop"


class ServerBench:
    def __init__(self, options, server):
        self.options = options
        self.server = server
        self.figures = Figures()
        self.store = f"vouch_bench_{os.getpid()}"

    def run_round(self) -> None:
        self._bare(BARE_SINGLES, 32, 1)
        self._load(SINGLES, connections=64, events=1)
        self._bare(BARE_HUNDREDS, 100, 100)
        self._bare(BARE_LARGE, 500, 100)
        self._load(HUNDREDS, connections=16, events=100)
        self._load(OPEN_LOOP, connections=64, events=1, rate=1000)

    def _bare(self, name: str, group: int, events: int) -> None:
        options, server = self.options, self.server
        server.prepare(self.store)
        try:
            before = server.processor_seconds()
            figure = run_program(
                [options.binaries / server.ceiling, *server.ceiling_arguments(self.store),
                 "--lanes", LANES, "--group", group, "--events", events, "--seconds",
                 options.seconds])
            figure["group_events"] = group
            self._charge(figure, figure["events_per_second"] * figure["seconds"], before, None)
            self.figures.note(name, figure)
        finally:
            server.drop(self.store)

    def _load(self, name: str, connections: int, events: int, rate: int = 0) -> None:
        options, server = self.options, self.server
        server.prepare(self.store)
        try:
            host = Host(options.binaries, options.directory, options.port,
                        server.storage(self.store))
            try:
                before, host_before = server.processor_seconds(), own_seconds(host.process.pid)
                figure = load(options, host, name, connections, events, rate)
                self._charge(figure, figure["appended"], before,
                             own_seconds(host.process.pid) - host_before)
                transactions, written = host.group_totals()
                figure["group_events"] = written / max(1, transactions)
                self.figures.note(name, figure)
            finally:
                host.close()
        finally:
            server.drop(self.store)

    def _charge(self, figure: dict, events: float, before: float | None,
                host_seconds: float | None) -> None:
        """Processor time by event, in microseconds, warming up included on both sides."""
        micros = 1e6 / max(1, events)
        after = self.server.processor_seconds()
        figure["server_us"] = None if before is None else (after - before) * micros
        figure["host_us"] = None if host_seconds is None else host_seconds * micros
        figure["program_us"] = figure["program_seconds"] * micros

    def print_report(self) -> None:
        figures = self.figures
        print(f"\n{self.server.title}: "
              f"{conditions(self.options, self.server.describe() + f', {LANES} lanes; ')}\n")
        rows = []
        for name, of_rounds in figures.all.items():
            vouch = "follow_p50_ms" in of_rounds[0]
            rows.append([
                name, figures.cell(name, "events_per_second", "{:,.0f}"),
                figures.cell(name, "delivered_per_second", "{:,.0f}") if vouch else "",
                f"{figures.behind(name):,}" if vouch else "",
                figures.pair(name, "p50_ms", "p99_ms"),
                figures.pair(name, "follow_p50_ms", "follow_p99_ms"),
                figures.cell(name, "group_events", "{:,.0f}"),
                figures.cell(name, "host_us", "{:.1f}") if vouch else "",
                figures.cell(name, "server_us", "{:.1f}"),
                figures.cell(name, "program_us", "{:.1f}"),
                figures.cell(name, "memory_mib", "{:.0f}") if vouch else ""])
        print_table(["", "events/s", "delivered/s", "behind at the end", "append p50 / p99 ms",
                     "append to follower p50 / p99 ms", "events/transaction",
                     "host us/event", "database us/event", "generator us/event", "memory MiB"],
                    rows)
        print()
        self._print_ratios()

    def _print_ratios(self) -> None:
        figures = self.figures
        for over, *under in [(SINGLES, BARE_SINGLES), (HUNDREDS, BARE_HUNDREDS, BARE_LARGE)]:
            print(f"{over} / {' or '.join(under)}: {spread(figures.ratios(over, *under), '{:.2f}')}")
