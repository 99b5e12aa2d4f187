"""The page, its verdicts and its plots, from figures that are made up here."""

import pathlib
import re
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

import idle
import matrix
import scale
import svg
import targets
from report import Report
from results import Cell, Results, Spread

CONDITIONS = {"date": "2026-12-01T10:00:00+00:00", "version": "vouch 0.1.0",
              "servers": "PostgreSQL 15", "memory_gib": 8, "sync_ms": 0.5, "load_before": 0.0}
RUN = {"build": "abc", "processor": "a processor", "cores": 2, "kernel": "6", "seconds": 8,
       "warm_up": 2}
FIGURE = {"events_per_second": 1000.0, "delivered_per_second": 900.0, "followed_per_second": 800.0,
          "p50_ms": 1.0, "p99_ms": 2.0, "follow_p50_ms": 3.0, "follow_p99_ms": 4.0, "host_us": 5.0,
          "server_us": 6.0, "memory_mib": 70.0, "together_ms": 0.5, "start_seconds": 0.1,
          "bytes_per_event": 500.0, "core_share": 0.001, "wakeups_per_second": 5.0,
          "fastest_thread_per_second": 2.0, "fastest_thread": "sweep", "resident_mib": 20.0}


class ReportTestCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.results = Results(self.directory / "results.jsonl", RUN)

    def note(self, cell: Cell, *figures: dict) -> None:
        for number, figure in enumerate(figures or ({}, {}), 1):
            self.results.note(cell, number, FIGURE | figure, CONDITIONS)

    def note_everything(self) -> None:
        for on in ("postgres+local", "postgres+kafka"):
            for events in (1, 100):
                for connections in (1, 64):
                    cell = Cell("matrix", on, matrix.VOUCH, events, connections, 256)
                    self.note(cell)
                    if on == "postgres+kafka":
                        self.note(cell.named(matrix.OUTBOX))
                for sessions, group in ((1, events), (4, 500)):
                    self.note(Cell("matrix", on, matrix.bare_writer(sessions, group), events=events,
                                   payload=256))
            self.note(targets.cell(on, 1).named(matrix.OPEN_LOOP))
            self.note(targets.cell(on, 1).named(matrix.HALF_RATE))
            self.note(Cell("matrix", on, matrix.ROUND_TRIPS))
            self.note(Cell("idle", on, idle.IDLE))
        self.note(Cell("matrix", "postgres+kafka", matrix.BARE_PRODUCER, payload=256))
        for size in (1_000_000, 10_000_000):
            for what in scale.SIZE_WHATS:
                self.note(Cell("scale", "postgres+local", what, size=size))
        self.note(Cell("scale", "postgres+local", scale.FOLLOWERS, size=1000))

    def test_every_table_is_even_and_every_plot_is_there(self):
        self.note_everything()
        page = self.directory / "performance.md"
        Report(self.results, self.directory / "images").write(page)
        text = page.read_text(encoding="utf-8")
        rows = 0
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(line.split("|")) for line in block.splitlines()}
            self.assertEqual(len(widths), 1, block)
            rows += len(block.splitlines())
        self.assertGreater(rows, 50)
        plots = re.findall(r"\]\((images/[^)]+)\)", text)
        self.assertEqual(len(plots), 3)
        for plot in plots:
            ElementTree.parse(self.directory / plot)
        self.assertNotIn("\\n", text)

    def test_plots_of_an_earlier_page_go(self):
        self.note_everything()
        images = self.directory / "images"
        images.mkdir()
        (images / "performance-old.svg").write_text("<svg/>", encoding="utf-8")
        (images / "other.svg").write_text("<svg/>", encoding="utf-8")
        Report(self.results, images).write(self.directory / "performance.md")
        self.assertFalse((images / "performance-old.svg").exists())
        self.assertTrue((images / "other.svg").exists())

    def verdict(self, beginning: str) -> targets.Verdict:
        found = [one for one in targets.verdicts(self.results)
                 if one.target.what.startswith(beginning)]
        self.assertEqual(len(found), 1, beginning)
        return found[0]

    def test_what_was_not_measured_has_no_verdict(self):
        self.note(Cell("idle", "sqlite+local", idle.IDLE))
        self.assertEqual(self.verdict("SQLite + local, single").word(), "not measured")
        Report(self.results, self.directory / "images").write(self.directory / "page.md")

    def test_the_median_decides_and_a_target_is_met_at_its_bound(self):
        def rates(*values):
            self.note(targets.cell("sqlite+local", 1), *({"events_per_second": v} for v in values))

        rates(1.0, 15_000.0, 99_000.0)
        self.assertTrue(self.verdict("SQLite + local, single").met)
        rates(99_000.0, 14_999.0, 1.0)
        self.assertIs(self.verdict("SQLite + local, single").met, False)

    def test_a_share_of_the_ceiling_is_of_the_best_bare_writer_of_the_round(self):
        self.note(targets.cell("postgres+local", 100), {"events_per_second": 60.0},
                  {"events_per_second": 30.0})
        for group, values in ((100, (100.0, 10.0)), (500, (50.0, 60.0))):
            self.note(Cell("matrix", "postgres+local", matrix.bare_writer(4, group), events=100,
                           payload=256), *({"events_per_second": v} for v in values))
        verdict = self.verdict("PostgreSQL + local, requests of 100 events, appended")
        self.assertEqual(verdict.measured, Spread(0.55, 0.5, 0.6, 2))
        self.assertIs(verdict.met, False)

    def test_the_worst_pair_decides_about_memory_and_idling(self):
        for on, memory in (("sqlite+local", 50.0), ("postgres+kafka", 201.0)):
            self.note(targets.cell(on, 1), {"memory_mib": memory})
            self.note(Cell("idle", on, idle.IDLE), {"fastest_thread_per_second": memory / 10})
        self.assertIs(self.verdict("Memory of the host").met, False)
        self.assertIs(self.verdict("An idle host, the worst pair, wake-ups").met, False)
        self.assertTrue(self.verdict("An idle host, the worst pair, share").met)


class ChartTestCase(unittest.TestCase):
    def test_ticks_are_round_and_reach_over_the_greatest(self):
        self.assertEqual(svg.ticks(100), [0, 20, 40, 60, 80, 100])
        self.assertEqual(svg.ticks(0), [0, 1])
        for most in (0.013, 1, 7.1, 99, 101, 12_345, 314_159, 2_000_001):
            found = svg.ticks(most)
            self.assertGreaterEqual(found[-1], most)
            self.assertLess(found[-2], most)
            self.assertIn(len(found), range(4, 8))

    def test_points_that_are_missing_are_not_drawn(self):
        panel = svg.Panel("A & B", "events/s", ["1", "16"], "connections",
                          [svg.Line("<Vouch>", [None, (10, 5, 15)]),
                           svg.Line("none", [None, None])])
        root = ElementTree.fromstring(svg.chart([panel], "a chart"))
        space = "{http://www.w3.org/2000/svg}"
        self.assertEqual(len(root.findall(f".//{space}circle")), 1)
        self.assertEqual(len(root.findall(f".//{space}polyline")), 1)
        words = [text.text for text in root.iter(f"{space}text")]
        self.assertIn("A & B", words)
        self.assertIn("<Vouch>", words)
