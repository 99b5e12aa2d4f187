"""What is measured in which order, and what an interrupted run does next."""

import argparse
import dataclasses
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import idle
import matrix
import suite
from matrix import Plan
from results import Cell, Results


class ScriptedPair:
    """Gives out figures; breaks after so many."""

    peers = None
    options = None

    def __init__(self, name: str = "postgres+kafka", breaks_after: int = 10**9):
        self.name = self.title = name
        self.storage, _, broker = name.partition("+")
        self.broker = broker if broker != "local" else None
        self.calls: list[tuple] = []
        self.breaks_after = breaks_after

    def describe(self) -> str:
        return "scripted"

    def _measured(self, *call) -> dict:
        if len(self.calls) == self.breaks_after:
            raise KeyboardInterrupt
        self.calls.append(call)
        return {"events_per_second": 1000.0 + len(self.calls)}

    def vouch(self, *of, rate=0):
        return self._measured("vouch", *of, rate)

    def bare_writer(self, *of):
        return self._measured("bare writer", *of)

    def bare_producer(self, *of):
        return self._measured("bare producer", *of)

    def outbox(self, *of):
        return self._measured("outbox", *of)

    def round_trips(self):
        return self._measured("round trips")


class MatrixTestCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "results.jsonl"
        for name in ("conditions_of", "print"):
            patch = mock.patch.object(matrix, name, lambda *_, **__: {}, create=True)
            patch.start()
            self.addCleanup(patch.stop)

    def run_matrix(self, pair: ScriptedPair, plan: Plan) -> Results:
        results = Results(self.path, {"build": "one"})
        matrix.run(pair, plan, results)
        return results

    def test_the_whole_matrix_is_measured_in_every_round(self):
        pair = ScriptedPair("sqlite+local")
        results = self.run_matrix(pair, Plan(rounds=2))
        for events in (1, 100):
            for connections in (1, 16, 64, 256):
                for payload in (256, 4096):
                    cell = Cell("matrix", "sqlite+local", matrix.VOUCH, events, connections,
                                payload)
                    self.assertEqual(set(results.rounds(cell)), {1, 2})
                    self.assertTrue(matrix.ceilings(results, cell))

    def test_a_run_that_was_interrupted_measures_the_rest_and_nothing_twice(self):
        plan = Plan(connections=(1, 64), payloads=(256,), rounds=2)
        whole = ScriptedPair()
        self.run_matrix(whole, plan)
        self.path.unlink()
        parts = []
        for breaks_after in (1, 7, 10**9):
            part = ScriptedPair(breaks_after=breaks_after)
            try:
                self.run_matrix(part, plan)
            except KeyboardInterrupt:
                self.assertEqual(len(part.calls), breaks_after)
            parts += part.calls

        def without_rates(calls):  # half of the highest rate depends on what was scripted
            return [call[:4] for call in calls]

        self.assertEqual(without_rates(parts), without_rates(whole.calls))
        again = ScriptedPair()
        self.run_matrix(again, plan)
        self.assertEqual(again.calls, [])

    def test_what_is_compared_is_measured_in_the_same_round_one_after_the_other(self):
        pair = ScriptedPair()
        self.run_matrix(pair, Plan(requests=(1,), connections=(64,), payloads=(256,), rounds=2))
        kinds = [call[0] for call in pair.calls]
        half = len(kinds) // 2
        self.assertEqual(kinds[:half], kinds[half:])
        at = pair.calls.index(("vouch", 1, 64, 256, 0))
        self.assertEqual(pair.calls[at - 1][0], "bare writer")
        self.assertEqual(pair.calls[at + 1], ("outbox", 1, 64, 256, 0, matrix.POLL_MS))

    def test_half_of_the_highest_rate_is_that_of_the_same_round(self):
        pair = ScriptedPair("sqlite+local")
        results = self.run_matrix(pair, Plan(requests=(1,), connections=(64,), payloads=(256,),
                                             rounds=2))
        highest = results.by_round(Cell("matrix", "sqlite+local", matrix.VOUCH, 1, 64, 256),
                                   "events_per_second")
        rates = [call[4] for call in pair.calls if call[0] == "vouch" and call[4] not in (0, 1000)]
        self.assertEqual(rates, [highest[1] / 2, highest[2] / 2])

    def test_one_connection_is_compared_with_one_session_and_more_with_the_best(self):
        results = self.run_matrix(ScriptedPair("postgres+local"), Plan(payloads=(256,), rounds=1))
        vouch = Cell("matrix", "postgres+local", matrix.VOUCH, 100, 1, 256)
        one = matrix.ceilings(results, vouch)
        self.assertEqual([cell.what for cell in one], [matrix.bare_writer(1, 100)])
        many = matrix.ceilings(results, dataclasses.replace(vouch, connections=64))
        self.assertIn(matrix.bare_writer(4, 100), [cell.what for cell in many])
        self.assertIn(matrix.bare_writer(4, 500), [cell.what for cell in many])

    def test_a_short_run_has_the_cells_of_the_targets(self):
        results = self.run_matrix(ScriptedPair("sqlite+local"), Plan.short())
        for events in (1, 100):
            cell = Cell("matrix", "sqlite+local", matrix.VOUCH, events, 64, 256)
            self.assertTrue(results.rounds(cell))


class IdleTestCase(unittest.TestCase):
    def test_processor_time_and_waits_are_by_second(self):
        before = idle.Threads({"1": 0, "2": 1_000}, {"1": 100, "2": 50}, {})
        after = idle.Threads({"1": 40_000_000, "2": 1_000, "3": 10_000_000},
                             {"1": 120, "2": 50, "3": 60}, {"1": "main", "2": "lane", "3": "new"})
        figure = idle.idle_figure(before, after, seconds=5)
        self.assertAlmostEqual(figure["core_share"], 0.01)
        self.assertAlmostEqual(figure["wakeups_per_second"], 16)
        self.assertAlmostEqual(figure["fastest_thread_per_second"], 12)
        self.assertEqual(figure["fastest_thread"], "new")
        self.assertEqual(figure["threads"], 3)

    def test_a_process_that_spins_is_seen(self):
        before = idle.Threads.of(os.getpid())
        spun = sum(number * number for number in range(2_000_000))
        after = idle.Threads.of(os.getpid())
        self.assertGreater(spun, 0)
        self.assertGreater(sum(after.nanoseconds.values()), sum(before.nanoseconds.values()))


class CommandLineTestCase(unittest.TestCase):
    def test_sizes_are_written_in_words_or_digits(self):
        self.assertEqual(suite.counts("0,250k,10M,7"), [0, 250_000, 10_000_000, 7])
        for wrong in ("", "1G", "M", "1,,2", "-1"):
            with self.subTest(wrong), self.assertRaises(argparse.ArgumentTypeError):
                suite.counts(wrong)
