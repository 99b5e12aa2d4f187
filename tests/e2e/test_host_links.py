"""Three hosts on one PostgreSQL and one Mosquitto. One host is cut off from one of them or both: nothing of
what it sends or is sent arrives, and nobody tells it so."""

import collections
import time
import unittest

from broker_case import BrokerTestCase
from broker_servers import Mosquitto
from database_faults import LOST_HOST_SECONDS, HostsRun, SeveralHosts
from database_servers import PostgresServer, on_machine
from history import Attempt
from killing import say
from machines import HERE, Machine, Network
from tcp_proxy import Proxy
from vouch_server import Server, eventually

#: Longer than any time-out of an append, and than the database waits for a host.
CUT_OFF_SECONDS = 8

class CutOffTests(SeveralHosts):
    """A test case says how a host, by its number, is cut off from the "broker" or the "database" and joined
    to it again, and at which address it reached it: `cut`, `join`, `reached`."""

    database_class = PostgresServer
    broker_class = Mosquitto
    hosts = 3
    #: Whether the kernel finds out that nobody answers, before a statement may have taken too long.
    silence_ends = True
    #: What a host is cut off from, one after the other.
    cuts = (["broker"], ["database"], ["broker", "database"])

    def _make_host(self, number: int, storage: str, broker: str, machine: Machine = HERE) -> Server:
        """`broker`: where this host reaches it."""
        brokers = self.brokers.replace(
            f'"uri": "mqtt://{self.broker.machine.address}:{self.broker.port}"',
            f'"uri": "mqtt://{broker}", "client_id": "host-{number}", "keep_alive": "2s"').replace(
                "append: { publish_timeout: 2s }",
                "append: { publish_timeout: 2s, resolve_timeout: 2s, queue_timeout: 4s }")
        self.assertIn(f"host-{number}", brokers)
        self.assertIn("resolve_timeout", brokers)
        server = Server(self.directory, None, self.extra, name=f"host-{number}", storage=storage,
                        brokers=brokers, collector=self.collector, machine=machine)
        server.routes = self.server.routes
        self.addCleanup(self._end_host, server)
        return server

    def test_promise_holds_while_one_host_is_cut_off(self):
        run = self.start_all()
        self.timed("three hosts share four partitions", lambda: self._even(run), 10)
        for lost in self.cuts:
            self._cut_off(run, run.owned().index(2), lost)
        self.finish(run)

    @staticmethod
    def _even(run: HostsRun) -> bool:
        return sorted(run.owned()) == [1, 1, 2]

    def _cut_off(self, run: HostsRun, victim: int, lost: list[str]) -> None:
        words = "cut off from " + " and ".join(lost)
        host = self.servers[victim]
        others = [server for server in self.servers if server is not host]
        begun = time.monotonic()
        for what in lost:
            self.cut(victim, what)
        for what in lost:
            self.timed(f"{words}: readiness names the {what}",
                       lambda: self.reached(victim, what) in self._not_ready(host), CUT_OFF_SECONDS)
        for what in {"broker", "database"}.difference(lost):
            self.assertNotIn(self.reached(victim, what), self._not_ready(host), words)
        if "database" in lost:
            self.timed(f"{words}: its partitions moved",
                       lambda: [server.get("/v1/delivery").json["total"]["owned"]
                                for server in others] == [2, 2], LOST_HOST_SECONDS + 3)
        time.sleep(max(0.0, CUT_OFF_SECONDS - (time.monotonic() - begun)))
        if self.silence_ends or "database" not in lost:
            eventually(f"{words}: an append is answered",
                       lambda: any(each.status == 503 for each in self._told(run, victim, begun)))
            self._assert_definite(self._told(run, victim, begun), words)
        for server in others:
            eventually(f"{words}: another host is ready", server.ready, LOST_HOST_SECONDS)
        for what in lost:
            self.join(victim, what)
        self.timed(f"{words}, joined again: ready", host.ready, 10)
        self.timed(f"{words}, joined again: all have their shares", lambda: self._even(run), 15)

    @staticmethod
    def _not_ready(host: Server) -> str:
        """What is missing, without warnings."""
        lines = host.get("/readyz").body.decode().splitlines()
        return "\n".join(line for line in lines if line.startswith("[-]"))

    @staticmethod
    def _told(run: HostsRun, victim: int, since: float) -> list[Attempt]:
        return [attempt for attempt in run.attempts_at(victim) if attempt.ended >= since]

    def _assert_definite(self, told: list[Attempt], words: str) -> None:
        """Its clients, who reach it as ever, get answers."""
        statuses = collections.Counter(attempt.status for attempt in told)
        longest = max(attempt.ended - attempt.began for attempt in told)
        say(f"{words}: answers {dict(statuses)}, the longest after {longest:.1f} s")
        self.assertEqual(statuses[0], 0, words)


class NetworkCutTestCase(CutOffTests, BrokerTestCase):
    """Each on a machine of its own; what is cut vanishes on the way, and only time-outs can tell."""

    def setUp(self):
        missing = Network.missing()
        if missing:
            # ctest looks for this word and counts the test as skipped.
            say(f"SKIPPED: {missing}")
            self.skipTest(missing)
        self.network = Network()
        self.addCleanup(self.network.close)
        self.database_class = on_machine(PostgresServer, self.network.machine())
        self.broker_class = on_machine(Mosquitto, self.network.machine())
        super().setUp()

    def _make_servers(self):
        storage = self.database.storage(lost_host_timeout=f"{LOST_HOST_SECONDS}s")
        storage = storage.replace("/vouch\"", "/vouch?tcp_user_timeout=4000\"")
        self.assertIn("tcp_user_timeout", storage)
        for number in range(self.hosts):
            yield self._make_host(number, storage, self.reached(number, "broker"), self.network.machine())

    def reached(self, _: int, what: str) -> str:
        server = self._server(what)
        return f"{server.machine.address}:{server.port}"

    def cut(self, number: int, what: str) -> None:
        self.network.cut(self.servers[number].machine, self._server(what).machine)

    def join(self, number: int, what: str) -> None:
        self.network.join(self.servers[number].machine, self._server(what).machine)

    def _server(self, what: str):
        return {"broker": self.broker, "database": self.database}[what]


class HeldConnectionsTestCase(CutOffTests, BrokerTestCase):
    """By proxies that take what is sent and pass nothing on, like a machine in between that stands still."""

    silence_ends = False
    # Where there can be no machines, this is all there is.
    cuts = CutOffTests.cuts if Network.missing() else (["broker", "database"],)

    def _make_servers(self):
        self.links = []
        for number in range(self.hosts):
            link = {"database": Proxy(self.database.port), "broker": Proxy(self.broker.port)}
            for proxy in link.values():
                self.addCleanup(proxy.close)
            self.links.append(link)
            storage = self.database.storage(link["database"].port,
                                            lost_host_timeout=f"{LOST_HOST_SECONDS}s")
            yield self._make_host(number, storage, self.reached(number, "broker"))

    def reached(self, number: int, what: str) -> str:
        return f"127.0.0.1:{self.links[number][what].port}"

    def cut(self, number: int, what: str) -> None:
        self.links[number][what].hold()

    def join(self, number: int, what: str) -> None:
        self.links[number][what].release()


if __name__ == "__main__":
    unittest.main()
