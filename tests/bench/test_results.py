"""The file of results and what is computed from it."""

import pathlib
import tempfile
import unittest

from results import Cell, Results, Spread, largest, ratios

RUN = {"build": "one", "seconds": 8}
CELL = Cell("matrix", "sqlite+local", "Vouch", 1, 64, 256)


class ResultsTestCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "of" / "results.jsonl"

    def noted(self, run=None, **rounds) -> Results:
        results = Results(self.path, run or RUN)
        for name, rate in rounds.items():
            results.note(CELL, int(name[1:]), {"rate": rate}, {"date": "today"})
        return results

    def test_what_was_noted_is_there_for_the_next_run(self):
        self.noted(r1=10.0, r3=30.0)
        again = Results(self.path, RUN)
        self.assertTrue(again.has(CELL, 1))
        self.assertFalse(again.has(CELL, 2))
        self.assertEqual(again.by_round(CELL, "rate"), {1: 10.0, 3: 30.0})
        self.assertEqual(again.conditions["sqlite+local"], {"date": "today"})

    def test_another_cell_is_another_measurement(self):
        results = self.noted(r1=10.0)
        for other in (Cell("matrix", "sqlite+local", "Vouch", 1, 64, 4096),
                      Cell("matrix", "sqlite+mqtt", "Vouch", 1, 64, 256), CELL.named("bare")):
            self.assertFalse(results.has(other, 1))

    def test_figures_of_another_build_or_length_do_not_count(self):
        self.noted(r1=10.0)
        other = self.noted(run={"build": "two", "seconds": 8}, r2=20.0)
        self.assertFalse(other.has(CELL, 1))
        self.assertEqual(Results(self.path, {"build": "one", "seconds": 2}).rounds(CELL), {})

    def test_a_report_is_of_the_run_that_was_measured_last(self):
        self.noted(r1=10.0)
        self.noted(run={"build": "two", "seconds": 8}, r2=20.0)
        report = Results(self.path)
        self.assertEqual(report.run["build"], "two")
        self.assertEqual(report.by_round(CELL, "rate"), {2: 20.0})
        self.assertEqual(report.others, 1)

    def test_a_line_that_was_torn_by_a_kill_is_measured_again_and_spoils_no_other(self):
        self.noted(r1=10.0, r2=20.0)
        text = self.path.read_text(encoding="utf-8")
        self.path.write_text(text[:-30], encoding="utf-8")
        torn = Results(self.path, RUN)
        self.assertEqual(torn.by_round(CELL, "rate"), {1: 10.0})
        self.assertFalse(torn.has(CELL, 2))
        torn.note(CELL, 2, {"rate": 21.0}, {})
        torn.note(CELL, 3, {"rate": 30.0}, {})
        again = Results(self.path, RUN)
        self.assertEqual(again.by_round(CELL, "rate"), {1: 10.0, 2: 21.0, 3: 30.0})

    def test_a_report_of_nothing_says_so(self):
        with self.assertRaisesRegex(SystemExit, "measure first"):
            Results(self.path)

    def test_rounds_without_the_figure_are_left_out(self):
        results = self.noted(r1=10.0)
        results.note(CELL, 2, {"rate": None}, {})
        results.note(CELL, 3, {}, {})
        self.assertEqual(results.column(CELL, "rate"), [10.0])


class ArithmeticTestCase(unittest.TestCase):
    def test_ratios_are_taken_within_a_round(self):
        # The medians are 20 and 20; no round has the same on both sides.
        self.assertEqual(ratios({1: 10, 2: 20, 3: 40}, {1: 20, 2: 10, 3: 20}), [0.5, 2, 2])

    def test_the_best_of_each_round_counts_as_the_ceiling(self):
        self.assertEqual(ratios({1: 10, 2: 10}, {1: 20, 2: 5}, {1: 10, 2: 40}), [0.5, 0.25])

    def test_rounds_that_one_side_lacks_are_left_out(self):
        self.assertEqual(ratios({1: 10, 2: 20}, {2: 10, 3: 1}), [2])
        self.assertEqual(ratios({1: 10}, {}), [])
        self.assertEqual(ratios({1: 10}), [])

    def test_nothing_is_divided_by_nothing(self):
        self.assertEqual(ratios({1: 10, 2: 10}, {1: 0, 2: 5}), [2])

    def test_largest_is_of_each_round(self):
        self.assertEqual(largest({1: 1, 2: 5}, {1: 3, 2: 4}, {1: 2, 2: 2, 3: 9}), {1: 3, 2: 5})
        self.assertEqual(largest(), {})

    def test_spread_shows_the_median_and_what_the_rounds_lie_between(self):
        self.assertEqual(Spread.of([3, 1, 2, 9, 2]).text("{:.1f}"), "2.0 (1.0 to 9.0)")
        self.assertEqual(Spread.of([3]).text("{:.1f}"), "3.0")
        self.assertIsNone(Spread.of([]))
