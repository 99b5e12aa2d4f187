"""The promise while what lies between host and broker fails: connections that are cut and held, a broker
that can't be reached for half a minute, validation messages that never arrive."""

import random
import time
import unittest

from broker_case import BrokerTestCase
from broker_servers import Kafka, Mosquitto
from database_servers import MariaDbServer, PostgresServer
from invariants import assert_promise_kept
from killing import say
from mqtt_dropper import MqttDropper
from tcp_proxy import Cut
from vouch_server import SANITIZED

#: Longer than any time-out of an append or of a publication.
UNREACHABLE_SECONDS = 8 if SANITIZED else 30


class LinkFaultTests:
    proxied = True

    def test_promise_holds_while_connections_are_cut_and_held_at_random(self):
        proxy = self.broker.proxy

        def fault(rng):
            kind = rng.choice(["cut", "cut in an exchange", "hold"])
            if kind == "cut":
                proxy.cut_all()
            elif kind == "cut in an exchange":
                self._cut_at(rng.choice(["request", "answer"]), rng.randrange(1, 40))
            else:
                proxy.hold()
                time.sleep(rng.uniform(0.1, 4))
                proxy.release()

        history = self.run_over(6 if SANITIZED else 20, fault)
        self.assertGreater(proxy.cuts, 0)
        assert_promise_kept(history, "connections to the broker cut and held")

    def test_promise_holds_over_a_broker_that_can_not_be_reached(self):
        proxy = self.broker.proxy

        def fault(_):
            proxy.refuses = True
            proxy.cut_all()
            time.sleep(UNREACHABLE_SECONDS)
            proxy.refuses = False

        assert_promise_kept(self.run_over(1, fault), "the broker out of reach")

    def _cut_at(self, way: str, pieces: int) -> None:
        """Before that many pieces from now on is passed on; at latest after a while."""
        proxy, left = self.broker.proxy, [pieces]

        def rule(of_piece, _):
            if of_piece == way:
                left[0] -= 1
                if left[0] == 0:
                    raise Cut

        proxy.rule = rule
        deadline = time.monotonic() + 3
        while left[0] > 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        proxy.rule = None


class MosquittoLinkTestCase(LinkFaultTests, BrokerTestCase):
    broker_class = Mosquitto


class KafkaLinkTestCase(LinkFaultTests, BrokerTestCase):
    database_class = PostgresServer
    broker_class = Kafka


class LossyBrokerTestCase(BrokerTestCase):
    """Half of the validation messages never reach the host."""

    database_class = MariaDbServer
    broker_class = Mosquitto
    proxied = True

    def test_what_the_broker_loses_is_found_in_the_ledger(self):
        dropper = MqttDropper("vouch.validation/", 0.5, random.Random(1))
        self.broker.proxy.filter = dropper
        history = self.run_over(10, lambda rng: time.sleep(rng.uniform(0.1, 1)))
        say(f"{dropper.dropped} validation messages lost")
        self.assertGreater(dropper.dropped, 5)
        self.assertGreater(self.server.get("/v1/delivery").json["total"]["recovered"], 0)
        assert_promise_kept(history, "validation messages lost")


if __name__ == "__main__":
    unittest.main()
