"""Appending: versions, conditions, retries, delivery."""

import json
import threading
import unittest

from vouch_server import ServerTestCase, eventually


class AppendTestCase(ServerTestCase):
    def test_versions_are_dense_from_one(self):
        first = self.server.append("account-1", {"type": "opened", "data": {"owner": "Ada"}})
        self.assertEqual(first.status, 201)
        self.assertEqual(first.headers["ETag"], '"1"')
        self.assertEqual(first.json["first_version"], 1)
        second = self.server.append("account-1", {"type": "a", "data": 1}, {"type": "b", "data": 2})
        self.assertEqual((second.json["first_version"], second.json["last_version"]), (2, 3))
        self.assertEqual(self.server.versions("account-1"), [1, 2, 3])

    def test_data_comes_back_byte_for_byte(self):
        body = '{"type":"odd","data":{ "b":1.10,  "a":12345678901234567890123, "e":1E400 }}'
        answer = self.server.request("POST", "/v1/streams/odd-1/events", body,
                                     {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 201)
        event = self.server.get(f"/v1/events/{answer.json['ids'][0]}").body.decode()
        self.assertIn('{ "b":1.10,  "a":12345678901234567890123, "e":1E400 }', event)

    def test_wrong_expected_version_writes_nothing(self):
        self.server.append("order-1")
        answer = self.server.append("order-1", headers={"If-Match": '"7"'})
        self.assertEqual(answer.status, 412)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        self.assertEqual(answer.json["type"], "urn:vouch:problem:wrong-expected-version")
        self.assertEqual((answer.json["expected"], answer.json["actual"]), (7, 1))
        self.assertEqual(self.server.append("order-1", headers={"If-None-Match": "*"}).status, 412)
        self.assertEqual(self.server.append("order-2", headers={"If-Match": "*"}).status, 412)
        self.assertEqual(self.server.append("order-1", headers={"If-Match": '"1"'}).status, 201)
        self.assertEqual(self.server.versions("order-1"), [1, 2])

    def test_same_idempotency_key_is_stored_once(self):
        event = {"type": "paid", "data": {"amount": 5}}
        first = self.server.append("bill-1", event, headers={"Idempotency-Key": "k1"})
        again = self.server.append("bill-1", event, headers={"Idempotency-Key": "k1"})
        self.assertEqual((first.status, again.status), (201, 201))
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual(again.json["ids"], first.json["ids"])
        other = self.server.append("bill-1", {"type": "paid", "data": {"amount": 6}},
                                   headers={"Idempotency-Key": "k1"})
        self.assertEqual(other.status, 422)
        self.assertEqual(self.server.versions("bill-1"), [1])

    def test_of_writers_that_race_for_one_version_exactly_one_wins(self):
        statuses = []

        def write():
            statuses.append(self.server.append("race-1", headers={"If-None-Match": "*"}).status)

        threads = [threading.Thread(target=write) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(statuses), [201] + [412] * 11)
        self.assertEqual(self.server.versions("race-1"), [1])

    def test_malformed_json_is_refused_with_its_place(self):
        answer = self.server.request("POST", "/v1/streams/bad-1/events", '{"type": }',
                                     {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 400)
        self.assertIn("column", answer.json["detail"])

    def test_delivered_acknowledgement_means_it_is_on_the_outbound_topic(self):
        answer = self.server.append("order-9", query="?ack=delivered&wait=10s")
        self.assertEqual((answer.status, answer.json["state"]), (201, "delivered"), answer.body)
        event = self.server.tapped()[-1]
        self.assertEqual(event["id"], answer.json["ids"][0])
        self.assertEqual(event["subject"], "order-9")
        self.assertEqual(event["sequence"], "00000000000000000001")
        self.assertEqual(event["source"], "/test/order-9")
        self.assertEqual(event["specversion"], "1.0")

    def test_events_of_many_writers_go_out_in_version_order(self):
        def write(worker: int):
            for n in range(40):
                self.server.append(f"s-{(worker + n) % 5}", {"type": "t", "data": n})

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eventually("all delivered", lambda: len(self.server.tapped()) >= 200)
        for stream, versions in self.server.first_occurrences().items():
            self.assertEqual(versions, list(range(1, 41)), stream)

    def test_transaction_can_be_asked_for(self):
        tx = self.server.append("t-1").json["tx"]
        answer = self.server.get(f"/v1/transactions/{tx}")
        self.assertEqual(answer.status, 200)
        self.assertIn("committed", json.dumps(answer.json))


if __name__ == "__main__":
    unittest.main()
