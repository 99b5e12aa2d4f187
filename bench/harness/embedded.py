"""Vouch on SQLite and the local broker, beside the ceiling: the same rows written straight into the
database."""

import tempfile
import time

from figures import Figures, conditions, print_table, spread
from host import Host, run_program

STORAGE = '{ plugin: storage-sqlite, settings: { path: "{directory}/bench.db" } }'
CEILING_SINGLES = "ceiling, groups of 32"
CEILING_HUNDREDS = "ceiling, groups of 500"
SINGLES = "1 event, 64 connections"
HUNDREDS = "100 events, 16 connections"
OPEN_LOOP = "1,000 events/s, open loop"


class EmbeddedBench:
    def __init__(self, options):
        self.options = options
        self.figures = Figures()

    def run_round(self) -> None:
        self._ceiling(CEILING_SINGLES, 32, 1)
        self._load(SINGLES, connections=64, events=1)
        self._ceiling(CEILING_HUNDREDS, 500, 100)
        self._load(HUNDREDS, connections=16, events=100)
        self._load(OPEN_LOOP, connections=64, events=1, rate=1000)

    def _ceiling(self, name: str, group: int, events: int) -> None:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=self.options.directory) as directory:
            self.figures.note(name, run_program(
                [self.options.binaries / "ceiling-sqlite", "--directory", directory, "--group",
                 group, "--events", events, "--seconds", self.options.seconds]))

    def _load(self, name: str, connections: int, events: int, rate: int = 0) -> None:
        options = self.options
        host = Host(options.binaries, options.directory, options.port, STORAGE)
        try:
            self.figures.note(name, load(options, host, name, connections, events, rate))
        finally:
            host.close()

    def print_report(self) -> None:
        figures = self.figures
        print(f"\n{conditions(self.options)}\n")
        rows = []
        for name, of_rounds in figures.all.items():
            row = [name, figures.cell(name, "events_per_second", "{:,.0f}"), "", "", "", "", ""]
            if "p50_ms" in of_rounds[0]:
                row[2:] = [figures.cell(name, "delivered_per_second", "{:,.0f}"),
                           f"{figures.behind(name):,}", figures.pair(name, "p50_ms", "p99_ms"),
                           figures.pair(name, "follow_p50_ms", "follow_p99_ms"),
                           figures.cell(name, "memory_mib", "{:.0f}")]
            rows.append(row)
        print_table(["", "events/s", "delivered/s", "behind at the end", "append p50 / p99 ms",
                     "append to follower p50 / p99 ms", "memory MiB"], rows)
        print()
        for over, under in [(SINGLES, CEILING_SINGLES), (HUNDREDS, CEILING_HUNDREDS)]:
            print(f"{over} / {under}: {spread(figures.ratios(over, under), '{:.2f}')}")


def load(options, host: Host, name: str, connections: int, events: int, rate: int,
         follow: bool = True, consume: str = "", payload: int = 256) -> dict:
    """The generator, and a follower of the feed, or a consumer of a broker, against a host that
    runs."""
    watch = ["--consume", consume] if consume else ["--follow"] if follow else []
    begun = time.monotonic()
    figure = run_program(
        [options.binaries / "vouch-load", "--port", options.port, "--connections", connections,
         "--events", events, "--rate", rate, "--payload", payload, *watch,
         "--seconds", options.seconds, "--warm-up", getattr(options, "warm_up", 2)])
    # Everything that was appended since the start, and of it what is delivered by now.
    figure["delivered"] = host.delivered()
    figure["delivered_per_second"] = figure["delivered"] / (time.monotonic() - begun)
    figure["memory_mib"] = host.memory_mib()
    refused = {k: v for k, v in figure["statuses"].items() if k != "201"}
    if refused:
        raise SystemExit(f"{name}: appends were refused: {refused}")
    return figure
