"""Writes docs/performance.md and its plots from the file of results. A section whose figures are
not there says so; nothing is filled in."""

import pathlib

import idle
import matrix
import peers
import report_words as words
import scale
import targets
from results import Cell, Results, Spread, ratios
from svg import Line, Panel, chart
from targets import title_of

RATE, DELIVERED, CONSUMED = targets.RATE, targets.DELIVERED, targets.CONSUMED
NOT_MEASURED = "Not measured in this run.\n"


def table(titles: list[str], rows: list[list[str]]) -> str:
    """Figures to the right; the first column is words."""
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    lines += ["| " + " | ".join(cell or "–" for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


class Report:
    def __init__(self, results: Results, images: pathlib.Path):
        self.results = results
        self.images = images
        #: File name to text.
        self.plots: dict[str, str] = {}

    def text(self) -> str:
        sections = [self._head(), self._targets(), *self._pairs(), self._latency(), self._peers(),
                    self._scale(), self._cases(), self._idle(), words.LIMITS, words.HOW]
        return "\n".join(section for section in sections if section)

    def write(self, page: pathlib.Path) -> None:
        text = self.text()
        self.images.mkdir(parents=True, exist_ok=True)
        for old in self.images.glob("performance-*.svg"):
            old.unlink()
        for name, svg in self.plots.items():
            (self.images / name).write_text(svg, encoding="utf-8")
        page.write_text(text, encoding="utf-8")

    # -- words ------------------------------------------------------------------------------------

    def _cell(self, cell: Cell, key: str, form: str = "{:,.0f}", scaled: float = 1) -> str:
        found = Spread.of([value * scaled for value in self.results.column(cell, key)])
        return found.text(form) if found else ""

    @staticmethod
    def _ratio(values: list[float], form: str = "{:.2f}") -> str:
        found = Spread.of(values)
        return found.text(form) if found else ""

    def _plot(self, name: str, title: str, panels: list[Panel]) -> str:
        file = f"performance-{name}.svg"
        self.plots[file] = chart(panels, title)
        return f"![{title}](images/{file})\n"

    def _head(self) -> str:
        run, of = self.results.run, self.results.conditions
        some = next(iter(of.values()))
        days = sorted({conditions["date"][:10] for conditions in of.values()})
        servers = "; ".join(dict.fromkeys(part for conditions in of.values()
                                          for part in conditions["servers"].split("; ")))
        syncs = [conditions["sync_ms"] for conditions in of.values()]
        reach = f"{min(syncs):.2f} ms"
        if min(syncs) != max(syncs):
            reach = f"{min(syncs):.2f} to {max(syncs):.2f} ms"
        return words.HEAD + "\n" + words.CONDITIONS.format(
            **run, version=some["version"], memory_gib=some["memory_gib"], servers=servers,
            syncs=reach, days=", ".join(days))

    def _targets(self) -> str:
        rows = []
        for verdict in targets.verdicts(self.results):
            target = verdict.target
            measured = verdict.measured.text(target.form) if verdict.measured else ""
            rows.append([target.what, target.wanted(), measured, verdict.word()])
        return ("## What it is meant to reach\nOn 2 cores that everything shares.\n\n"
                + table(["", "Target", "Measured", ""], rows))

    # -- the matrix -------------------------------------------------------------------------------

    def _pairs(self) -> list[str]:
        pairs = dict.fromkeys(cell.on for cell in self.results.cells(suite="matrix"))
        return [self._pair(pair) for pair in pairs]

    def _pair(self, pair: str) -> str:
        found = self.results.cells(suite="matrix", on=pair, what=matrix.VOUCH)
        found.sort(key=lambda cell: (cell.payload, cell.events, cell.connections))
        local = pair.endswith("+local")
        outbox = any(self.results.rounds(cell.named(matrix.OUTBOX)) for cell in found)
        titles = ["Events in a request, connections, bytes", "Appended/s",
                  "Delivered/s" if local else "Consumed/s", "/ bare writer"]
        titles += [] if local else ["/ bare producer"]
        titles += ["/ outbox table"] if outbox else []
        titles += ["p50 ms", "p99 ms", "Host µs/event", "Database µs/event", "Memory MiB"]
        rows = [self._row(cell, local, outbox) for cell in found]
        parts = [f"## {title_of(pair)}\n", self._rate_plot(pair, found), table(titles, rows),
                 self._ceilings(pair)]
        if not local:
            parts.insert(1, words.CONSUMED)
        return "\n".join(parts)

    def _row(self, cell: Cell, local: bool, outbox: bool) -> list[str]:
        results, seen = self.results, DELIVERED if local else CONSUMED
        row = [f"{cell.events}, {cell.connections}, {cell.payload:,}", self._cell(cell, RATE),
               self._cell(cell, seen), self._ratio(targets.against_ceiling(results, cell))]
        if not local:
            bare = Cell("matrix", cell.on, matrix.BARE_PRODUCER, payload=cell.payload)
            row.append(self._ratio(ratios(results.by_round(cell, seen),
                                          results.by_round(bare, RATE))))
        if outbox:
            polled = results.by_round(cell.named(matrix.OUTBOX), seen)
            row.append(self._ratio(ratios(results.by_round(cell, seen), polled), "{:.1f}"))
        return row + [self._cell(cell, "p50_ms", "{:.1f}"), self._cell(cell, "p99_ms", "{:.1f}"),
                      self._cell(cell, "host_us", "{:.1f}"),
                      self._cell(cell, "server_us", "{:.1f}"), self._cell(cell, "memory_mib")]

    def _ceilings(self, pair: str) -> str:
        rows = [[f"{cell.what}" + (f", {cell.events} on a stream" if cell.events else ""),
                 f"{cell.payload:,}", self._cell(cell, RATE)]
                for cell in self.results.cells(suite="matrix", on=pair)
                if cell.what.startswith((matrix.BARE_WRITER, matrix.BARE_PRODUCER))]
        return words.CEILINGS + "\n" + table(["", "Bytes", "Events/s"], rows)

    def _rate_plot(self, pair: str, found: list[Cell]) -> str:
        connections = sorted({cell.connections for cell in found})
        panels = []
        for events in sorted({cell.events for cell in found}):
            lines = []
            for payload in sorted({cell.payload for cell in found}):
                cells = [Cell("matrix", pair, matrix.VOUCH, events, number, payload)
                         for number in connections]
                bare = [matrix.ceilings(self.results, cell) for cell in cells]
                lines.append(Line(f"Vouch, {payload:,} B", [self._point(cell) for cell in cells]))
                lines.append(Line(f"bare writer, {payload:,} B", [
                    max((point for one in of if (point := self._point(one))), default=None)
                    for of in bare]))
                outbox = [self._point(cell.named(matrix.OUTBOX)) for cell in cells]
                if any(outbox):
                    lines.append(Line(f"outbox table, {payload:,} B", outbox))
            panels.append(Panel("Single events" if events == 1 else f"{events} events in a request",
                                "events/s", [str(number) for number in connections], "connections",
                                lines))
        return self._plot(pair.replace("+", "-"),
                          f"{title_of(pair)}: events appended per second", panels)

    def _point(self, cell: Cell, key: str = RATE) -> tuple[float, float, float] | None:
        found = Spread.of(self.results.column(cell, key))
        return (found.median, found.low, found.high) if found else None

    def _latency(self) -> str:
        rows = []
        for cell in self.results.cells(suite="matrix"):
            if matrix.AT_1000 not in cell.what and cell.what != matrix.HALF_RATE:
                continue
            trips = Cell("matrix", cell.on, matrix.ROUND_TRIPS)
            rows.append([f"{title_of(cell.on)}: {cell.what}", self._cell(cell, RATE),
                         self._cell(cell, "p50_ms", "{:.1f}"), self._cell(cell, "p99_ms", "{:.1f}"),
                         self._cell(cell, "follow_p50_ms", "{:.1f}"),
                         self._cell(cell, "follow_p99_ms", "{:.1f}"),
                         self._cell(trips, "together_ms", "{:.2f}")])
        if not rows:
            return ""
        return words.LATENCY + "\n" + table(
            ["", "Events/s", "Append p50 ms", "p99 ms", "Sight p50 ms", "p99 ms",
             "Sync + round trip ms"], rows)

    def _peers(self) -> str:
        on = "postgres+local"
        rows = []
        for name in peers.VARIANTS:
            cell = Cell("matrix", on, name, payload=256)
            if self.results.rounds(cell):
                vouch = targets.cell(on, 100 if name == peers.EMMETT_HUNDREDS else 1)
                rows.append([name, self._cell(cell, RATE), self._cell(cell, "p50_ms", "{:.1f}"),
                             self._cell(cell, "server_us", "{:.1f}"),
                             self._ratio(ratios(self.results.by_round(vouch, RATE),
                                                self.results.by_round(cell, RATE)))])
        if not rows:
            return ""
        return words.PEERS + "\n" + table(
            ["", "Events/s", "p50 ms", "Database µs/event", "Vouch / this"], rows)

    # -- scale ------------------------------------------------------------------------------------

    def _scale(self) -> str:
        sized = self.results.cells(suite="scale", what=scale.SINGLES)
        if not sized:
            return "## Big stores\n" + NOT_MEASURED
        return "## Big stores\n" + "\n".join(
            self._sizes(pair, sorted(cell.size for cell in sized if cell.on == pair))
            for pair in dict.fromkeys(cell.on for cell in sized))

    def _sizes(self, pair: str, sizes: list[int]) -> str:
        def of(what: str, size: int) -> Cell:
            return Cell("scale", pair, what, size=size)

        def against_new(what: str, size: int) -> str:
            return self._ratio(ratios(self.results.by_round(of(what, size), RATE),
                                      self.results.by_round(of(what + scale.ON_NEW, size), RATE)))

        rows = []
        for name, what, key, form in [
                ("Single events, appended/s", scale.SINGLES, RATE, "{:,.0f}"),
                ("p99 ms", scale.SINGLES, "p99_ms", "{:.1f}"),
                ("100 events, appended/s", scale.HUNDREDS, RATE, "{:,.0f}"),
                ("p99 ms", scale.HUNDREDS, "p99_ms", "{:.1f}"),
                ("A stream of 100,000 as NDJSON, events/s", scale.STREAM, RATE, "{:,.0f}"),
                ("The feed as NDJSON, events/s", scale.FEED, RATE, "{:,.0f}"),
                ("Memory after appends of 100, MiB", scale.HUNDREDS, "memory_mib", "{:.0f}"),
                ("Start until ready, s", scale.START, "start_seconds", "{:.2f}"),
                ("Disk for an event, bytes", scale.DISK, "bytes_per_event", "{:.0f}")]:
            rows.append([name, self._cell(of(what + scale.ON_NEW, sizes[0]), key, form),
                         *(self._cell(of(what, size), key, form) for size in sizes)])
            if key == RATE and what in scale.LOADS:
                rows.append(["/ the new store of the round", "",
                             *(against_new(what, size) for size in sizes)])
        labels = [size_words(size) for size in sizes]
        panels = [Panel(what[:1].upper() + what[1:], "events/s", labels, "events in the store",
                        [Line("this store", [self._point(of(what, size)) for size in sizes]),
                         Line("a new store in the same round",
                              [self._point(of(what + scale.ON_NEW, size)) for size in sizes])])
                  for what in scale.LOADS]
        plot = self._plot(f"scale-{pair.replace('+', '-')}",
                          f"{title_of(pair)}: appends by the size of the store", panels)
        titles = ["", "a new store", *(f"{size_words(size)} events" for size in sizes)]
        return "\n".join([f"{title_of(pair)}. " + words.SCALE, plot, table(titles, rows)])

    def _cases(self) -> str:
        forms = {RATE: ("appended/s", "{:,.0f}"), "p99_ms": ("append p99 ms", "{:.1f}"),
                 "read_per_second": ("read as NDJSON, events/s", "{:,.0f}"),
                 "newest_10_ms": ("its newest 10 events, ms", "{:.2f}"),
                 "mib_per_second": ("appended MiB/s", "{:.0f}"),
                 "read_mib_per_second": ("the feed read MiB/s", "{:.0f}"),
                 "drained_per_second": ("of the backlog delivered/s", "{:,.0f}"),
                 "drained_seconds": ("until nothing waits, s", "{:.1f}"),
                 "followed_per_second": ("events to all followers/s", "{:,.0f}"),
                 "follow_p50_ms": ("to a follower p50 ms", "{:.1f}"),
                 "follow_p99_ms": ("to a follower p99 ms", "{:.1f}"),
                 "bytes_per_event": ("disk for an event, bytes", "{:.0f}"),
                 "start_seconds": ("start until ready, s", "{:.2f}"),
                 "memory_mib": ("memory MiB", "{:.0f}")}
        explained = {
            scale.LONG_STREAM: "16 connections append single events to it",
            scale.MANY_STREAMS: "of one event each; 64 connections append single events at random",
            scale.UNDELIVERED: "they go out while 1,000 events/s are appended",
            scale.FOLLOWERS: "100 events/s are appended, everybody sees each",
            scale.LARGEST: "events of 1 MiB on 4 connections"}
        lines = []
        for cell in self.results.cells(suite="scale"):
            if cell.what in explained:
                parts = [f"{said} {self._cell(cell, key, form)}"
                         for key, (said, form) in forms.items() if self._cell(cell, key, form)]
                of = f", measured with {cell.size:,}" if cell.size else ""
                lines.append(f"- **{cell.what}**{of} ({title_of(cell.on)}; "
                             f"{explained[cell.what]}): " + "; ".join(parts))
        return "### Special cases\n" + "\n".join(lines) + "\n" if lines else ""

    def _idle(self) -> str:
        rows = [[title_of(cell.on), self._cell(cell, "core_share", "{:.2f} %", 100),
                 self._cell(cell, "wakeups_per_second", "{:.1f}"),
                 self._cell(cell, "fastest_thread_per_second", "{:.1f}"),
                 ", ".join(sorted({figure["fastest_thread"]
                                   for figure in self.results.rounds(cell).values()})),
                 self._cell(cell, "resident_mib", "{:.0f}")]
                for cell in self.results.cells(suite="idle", what=idle.IDLE)]
        return ("## A host that has nothing to do\n"
                + (table(["", "Of a core", "Wake-ups/s, all threads", "of the busiest thread",
                          "which is", "Memory MiB"], rows) if rows else NOT_MEASURED))


def size_words(size: int) -> str:
    return f"{size / 1e6:g}M" if size >= 1_000_000 else f"{size:,}"
