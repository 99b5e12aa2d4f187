"""Many connections that want the same at once: one version, one idempotency key."""

import contextlib
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from clients import BROKEN, request_body, request_headers
from history import Append, Attempt
from vouch_server import PATIENCE, SANITIZED, Answer, ServerTestCase

WRITERS = 32
NEIGHBOURS = 6
REPEATERS = 16


class Race:
    """Mixed into a `ServerTestCase`."""

    # One lane: whoever writes at the same time may be in the same transaction.
    extra = "append: { lanes: 1, idempotency_wait: 60s }"

    def connections(self, count: int) -> list:
        opened = [self.server.connect() for _ in range(count)]
        for connection in opened:
            connection.connect()
            self.addCleanup(connection.close)
        return opened

    def at_once(self, work, connections: list) -> list:
        """What work(number, connection) gives, each called on a thread of its own."""
        with ThreadPoolExecutor(len(connections)) as pool:
            return [called.result() for called in
                    [pool.submit(work, number, connection)
                     for number, connection in enumerate(connections)]]


def post(connection, append: Append) -> Answer:
    """Makes an attempt, and remembers it."""
    began = time.monotonic()
    connection.request("POST", f"/v1/streams/{append.stream}/events", request_body(append),
                       request_headers(append))
    answer = Answer(connection.getresponse())
    append.attempts.append(Attempt.of(answer, began))
    return answer


class VersionRaceTestCase(Race, ServerTestCase):
    rounds = 15 if SANITIZED else 40

    def test_one_of_32_writers_wins_each_version_and_neighbours_in_its_group_are_untouched(self):
        over = threading.Event()
        neighbours = self.connections(NEIGHBOURS)
        with ThreadPoolExecutor(NEIGHBOURS) as pool:
            quiet = [pool.submit(self._write_alone, over, f"calm-{number}", connection)
                     for number, connection in enumerate(neighbours)]
            try:
                winners = self._race()
            finally:
                over.set()
            beside = [each.result() for each in quiet]
        self.assertEqual(self.server.versions("race-1"), list(range(1, self.rounds + 1)))
        for number, transactions in enumerate(beside):
            self.assertEqual(self.server.versions(f"calm-{number}"),
                             list(range(1, len(transactions) + 1)))
        together = winners.intersection(set().union(*beside))
        self.assertGreater(len(together), 0, "no neighbour was ever in a winner's group")

    def _race(self) -> set[str]:
        """All for one version, one version after the other. Gives the winners' transactions."""
        connections = self.connections(WRITERS)
        transactions = set()
        for version in range(self.rounds):
            appends = [Append("race-1", (f"{version}-{number}",), version or "none")
                       for number in range(WRITERS)]
            answers = self.at_once(lambda number, it: post(it, appends[number]), connections)
            won = [answer for answer in answers if answer.status == 201]
            self.assertEqual([answer.json["first_version"] for answer in won], [version + 1])
            transactions.add(won[0].json["tx"])
            for answer in answers:
                if answer is won[0]:
                    continue
                # Nobody else writes to this stream: it is at the winner's version.
                self.assertEqual(answer.status, 412, answer.body)
                self.assertEqual(answer.json["type"], "urn:vouch:problem:wrong-expected-version")
                self.assertEqual((answer.json["expected"], answer.json["actual"]),
                                 (version or "none", version + 1))
        return transactions

    def _write_alone(self, over: threading.Event, stream: str, connection) -> list[str]:
        """Versions that it expects are never wrong. Gives its transactions."""
        transactions, version = [], 0
        while not over.is_set():
            answer = post(connection, Append(stream, (f"{version}",), version or "none"))
            self.assertEqual(answer.status, 201, answer.body)
            version += 1
            self.assertEqual(answer.json["first_version"], version)
            transactions.append(answer.json["tx"])
        return transactions


class IdempotencyRaceTestCase(Race, ServerTestCase):
    kills = 4 if SANITIZED else 12

    def send_from_all(self, append: Append) -> list[Answer]:
        """The same request on each of 16 connections at once."""
        return self.at_once(lambda _, connection: post(connection, append),
                            self.connections(REPEATERS))

    def check_first_answer_to_all(self, answers: list[Answer], new: int) -> bytes:
        self.assertEqual({answer.status for answer in answers}, {201})
        self.assertEqual(len({answer.body for answer in answers}), 1, "answers differ")
        self.assertEqual(len({(answer.headers["ETag"], answer.headers["Location"])
                              for answer in answers}), 1)
        replayed = [answer.headers.get("Idempotent-Replayed") for answer in answers]
        self.assertEqual(replayed.count(None), new)
        self.assertEqual(replayed.count("true"), len(answers) - new)
        return answers[0].body

    def test_same_key_from_16_connections_is_stored_once_and_answered_alike_across_a_kill(self):
        append = Append("bill-1", ("a", "b", "c"), key="once")
        first = self.check_first_answer_to_all(self.send_from_all(append), new=1)
        again = self.check_first_answer_to_all(self.send_from_all(append), new=0)
        self.assertEqual(again, first)
        self.server.kill()
        self.server.start()
        after = self.check_first_answer_to_all(self.send_from_all(append), new=0)
        self.assertEqual(after, first)
        self.assertEqual(self.server.versions("bill-1"), [1, 2, 3])
        other = Append("bill-1", ("d",), key="once")
        answers = self.send_from_all(other)
        self.assertEqual({answer.status for answer in answers}, {422})
        self.assertEqual(self.server.versions("bill-1"), [1, 2, 3])

    def test_key_that_is_being_written_when_the_server_is_killed_is_stored_once(self):
        unanswered = 0
        for number in range(self.kills):
            append = Append(f"bill-{number}", ("a", "b"), key="once")
            told = self._send_from_all_and_kill(append, 0.02 * number / self.kills)
            unanswered += REPEATERS - len(told)
            self.server.start()
            answers = self.send_from_all(append)
            # Whether it is new now depends on when the kill came; what was told stays true.
            new = 0 if told else sum("Idempotent-Replayed" not in each.headers for each in answers)
            self.assertLessEqual(new, 1)
            body = self.check_first_answer_to_all(answers, new)
            self.assertEqual({answer.body for answer in told} | {body}, {body})
            self.assertEqual(self.server.versions(append.stream), [1, 2])
        self.assertGreater(unanswered, 0, "no kill came while a request was under way")

    def _send_from_all_and_kill(self, append: Append, after: float) -> list[Answer]:
        """The answers that still came."""
        def try_post(_, connection):
            with contextlib.suppress(*BROKEN):
                return post(connection, append)
            return None

        connections = self.connections(REPEATERS)
        killer = threading.Timer(after, self.server.process.kill)
        killer.start()
        answers = self.at_once(try_post, connections)
        killer.join()
        self.server.process.wait(PATIENCE)
        return [answer for answer in answers if answer is not None]


if __name__ == "__main__":
    unittest.main()
