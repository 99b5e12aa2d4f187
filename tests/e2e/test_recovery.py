"""What survives: restarts, kill -9, lost validation messages."""

import json
import threading
import time
import unittest

from vouch_server import SANITIZED, ServerTestCase, eventually


class RestartTestCase(ServerTestCase):
    def test_events_and_versions_outlive_a_restart(self):
        self.server.append("a-1")
        self.server.append("a-1")
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.server.versions("a-1"), [1, 2])
        answer = self.server.append("a-1", headers={"If-Match": '"2"'})
        self.assertEqual(answer.json["last_version"], 3)

    def test_cursor_and_idempotency_key_outlive_a_kill(self):
        first = self.server.append("a-1", headers={"Idempotency-Key": "k"})
        cursor = self.server.get("/v1/events?after=start").json["next"]
        self.server.kill()
        self.server.start()
        again = self.server.append("a-1", headers={"Idempotency-Key": "k"})
        self.assertEqual(again.json["ids"], first.json["ids"])
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.server.append("b-1")
        page = self.server.get(f"/v1/events?after={cursor}").json
        self.assertEqual([event["stream"] for event in page["events"]], ["b-1"])

    def test_kills_under_load_lose_nothing_that_was_answered_and_publish_nothing_else(self):
        answered: dict[str, list[str]] = {}
        for round_number in range(3):
            self._write_until_killed(answered, 0.4 + 0.3 * round_number)
            self.server.start()
        feed = self._whole_feed()
        stored = {event["id"] for event in feed}
        for stream, ids in answered.items():
            self.assertLessEqual(set(ids), stored, f"answered as committed, but lost: {stream}")
        eventually("all delivered", lambda: stored <= {e["id"] for e in self.server.tapped()})
        self.assertLessEqual({e["id"] for e in self.server.tapped()}, stored, "a phantom went out")
        for stream, versions in self.server.first_occurrences().items():
            self.assertEqual(versions, list(range(1, len(versions) + 1)), stream)
        self.assertGreater(len(stored), 20)

    def _write_until_killed(self, answered: dict, seconds: float):
        over = threading.Event()

        def write(worker: int):
            stream = f"w-{worker}"
            while not over.is_set():
                try:
                    answer = self.server.append(stream)
                except OSError:
                    return
                except Exception:  # the answer was cut short by the kill
                    return
                if answer.status == 201:
                    answered.setdefault(stream, []).extend(answer.json["ids"])

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.server.kill()
        over.set()
        for thread in threads:
            thread.join()

    def _whole_feed(self) -> list[dict]:
        answer = self.server.get("/v1/events?after=start", {"Accept": "application/x-ndjson"})
        return answer.lines


class LostValidationTestCase(ServerTestCase):
    """The broker acknowledges every validation message and throws it away."""

    broker_settings = {"drop_percent": 100, "drop_topics": ["vouch.validation"]}
    extra = "append: { lanes: 2 }"

    def test_events_whose_validation_message_was_lost_go_out_in_order(self):
        begun = time.monotonic()
        for n in range(30):
            self.assertEqual(self.server.append(f"s-{n % 3}", {"type": "t", "data": n}).status, 201)
        written = time.monotonic()
        eventually("all delivered", lambda: len(self.server.tapped()) >= 30)
        if not SANITIZED:
            self.assertLess(time.monotonic() - written, 2.0, f"written in {written - begun} s")
        for stream, versions in self.server.first_occurrences().items():
            self.assertEqual(versions, list(range(1, 11)), stream)

    def test_acknowledgement_of_delivery_waits_for_the_sweep(self):
        answer = self.server.append("s-1", query="?ack=delivered&wait=10s")
        self.assertEqual((answer.status, answer.json["state"]), (201, "delivered"))


class DroppedHalfTestCase(ServerTestCase):
    broker_settings = {"drop_percent": 50, "drop_topics": ["vouch.validation"]}

    def test_order_holds_when_every_second_validation_message_is_lost(self):
        for n in range(120):
            self.server.append(f"s-{n % 4}", {"type": "t", "data": n})
        eventually("all delivered", lambda: len(self.server.tapped()) >= 120)
        for stream, versions in self.server.first_occurrences().items():
            self.assertEqual(versions, list(range(1, 31)), stream)
        total = self.server.get("/v1/delivery").json["total"]
        self.assertEqual(total["undelivered"], 0, json.dumps(total))


if __name__ == "__main__":
    unittest.main()
