"""Vouch on a database server and the local broker, beside the ceiling on the same server: groups of
the same rows written straight into it, as many at once as Vouch has lanes."""

import os

import peers
from embedded import load
from figures import Figures, conditions, print_table, spread
from host import LANES, Host, run_program
from processor import own_seconds

BARE_SINGLES = f"bare, {LANES} x 32"
BARE_HUNDREDS = f"bare, {LANES} x 100"
BARE_LARGE = f"bare, {LANES} x 500"
SINGLES = "1 event, 64 connections"
HUNDREDS = "100 events, 64 connections"
UNFOLLOWED = "100 events, 64 connections, no follower"
OPEN_LOOP = "1,000 events/s, open loop"


class ServerBench:
    def __init__(self, options, server, beside: "peers.Peers | None" = None):
        self.options = options
        self.peers = beside
        self.server = server
        self.figures = Figures()
        self.store = f"vouch_bench_{os.getpid()}"

    def run_round(self) -> None:
        self._bare(BARE_SINGLES, 32, 1)
        self._load(SINGLES, connections=64, events=1)
        self._bare(BARE_HUNDREDS, 100, 100)
        self._bare(BARE_LARGE, 500, 100)
        self._load(HUNDREDS, connections=64, events=100)
        self._load(UNFOLLOWED, connections=64, events=100, follow=False)
        self._load(OPEN_LOOP, connections=64, events=1, rate=1000)
        if self.peers:
            self.peers.run_round(self.figures.note)

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

    def _load(self, name: str, connections: int, events: int, rate: int = 0,
              follow: bool = True) -> None:
        options, server = self.options, self.server
        server.prepare(self.store)
        try:
            host = Host(options.binaries, options.directory, options.port,
                        server.storage(self.store))
            try:
                before, host_before = server.processor_seconds(), own_seconds(host.process.pid)
                figure = load(options, host, name, connections, events, rate, follow)
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
            vouch = "delivered_per_second" in of_rounds[0]
            rows.append([
                name, figures.cell(name, "events_per_second", "{:,.0f}"),
                figures.cell(name, "delivered_per_second", "{:,.0f}") if vouch else "",
                f"{figures.behind(name):,}" if vouch else "",
                figures.pair(name, "p50_ms", "p99_ms"),
                figures.pair(name, "follow_p50_ms", "follow_p99_ms"),
                "" if name in peers.VARIANTS else figures.cell(name, "group_events", "{:,.0f}"),
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
        """Each with the target that it belongs to."""
        figures = self.figures

        def show(what: str, target: str, values: list[float], form: str = "{:.2f}") -> None:
            print(f"{what}: {spread(values, form)} (target: {target})")

        for hundreds in (UNFOLLOWED, HUNDREDS):
            show(f"{hundreds} / the better of {BARE_HUNDREDS} and {BARE_LARGE}", "at least 0.5",
                 figures.ratios(hundreds, BARE_HUNDREDS, BARE_LARGE))
        self._print_ratio(SINGLES, BARE_SINGLES)
        show(f"{SINGLES}, events/s", "at least 10,000",
             figures.column(SINGLES, "events_per_second"), "{:,.0f}")
        show(f"{SINGLES}, delivered/s", "at least 10,000",
             figures.column(SINGLES, "delivered_per_second"), "{:,.0f}")
        show(f"{OPEN_LOOP}, append p99 ms", "below 15", figures.column(OPEN_LOOP, "p99_ms"),
             "{:.1f}")
        show(f"{OPEN_LOOP}, append to follower p99 ms", "below 15",
             figures.column(OPEN_LOOP, "follow_p99_ms"), "{:.1f}")
        if not self.peers:
            return
        show(f"{HUNDREDS} / {peers.EMMETT_HUNDREDS}", "at least 2",
             figures.ratios(HUNDREDS, peers.EMMETT_HUNDREDS))
        show(f"{HUNDREDS}, delivered / {peers.EMMETT_HUNDREDS}", "at least 2",
             figures.ratios(HUNDREDS, peers.EMMETT_HUNDREDS, key="delivered_per_second"))
        show(f"{SINGLES} / {peers.MESSAGE_DB}", "at least 1",
             figures.ratios(SINGLES, peers.MESSAGE_DB))
        show(f"{SINGLES}, delivered / {peers.MESSAGE_DB}", "at least 1",
             figures.ratios(SINGLES, peers.MESSAGE_DB, key="delivered_per_second"))
        self._print_ratio(SINGLES, peers.EMMETT)
        print("\nThe peers' best of each round, and how busy its processes were, in shares of one "
              f"processor (there are {os.cpu_count()}; a node process uses about one at most):")
        for name in peers.VARIANTS:
            for figure in figures.all[name]:
                print(f"- {name}: {peers.limits(figure)}")

    def _print_ratio(self, over: str, under: str) -> None:
        print(f"{over} / {under}: {spread(self.figures.ratios(over, under), '{:.2f}')}")
