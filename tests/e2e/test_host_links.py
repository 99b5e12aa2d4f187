"""Three hosts on one PostgreSQL and one Mosquitto, each with connections of its own to them. One host is
cut off: nothing of what it sends or is sent arrives, and nobody tells it so."""

import time
import unittest

from broker_case import BrokerTestCase
from broker_servers import Mosquitto
from database_faults import LOST_HOST_SECONDS, SeveralHosts
from database_servers import PostgresServer
from tcp_proxy import Proxy
from vouch_server import Server, eventually

#: Longer than any time-out of an append, and than the database waits for a host.
CUT_OFF_SECONDS = 8


class CutOffHostTestCase(SeveralHosts, BrokerTestCase):
    database_class = PostgresServer
    broker_class = Mosquitto
    hosts = 3

    def _make_servers(self):
        self.links = []
        for number in range(self.hosts):
            to_database, to_broker = Proxy(self.database.port), Proxy(self.broker.port)
            self.addCleanup(to_database.close)
            self.addCleanup(to_broker.close)
            self.links.append((to_database, to_broker))
            brokers = self.brokers.replace(
                f'"uri": "mqtt://127.0.0.1:{self.broker.port}"',
                f'"uri": "mqtt://127.0.0.1:{to_broker.port}", "client_id": "host-{number}", '
                '"keep_alive": "2s"')
            self.assertIn(f"host-{number}", brokers)
            storage = self.database.storage(to_database.port,
                                            lost_host_timeout=f"{LOST_HOST_SECONDS}s")
            server = Server(self.directory, None, self.extra, name=f"host-{number}",
                            storage=storage, brokers=brokers, collector=self.collector)
            server.routes = self.server.routes
            self.addCleanup(self._end_host, server)
            yield server

    def test_promise_holds_while_one_host_is_cut_off(self):
        run = self.start_all()
        even = lambda: sorted(run.owned()) == [1, 1, 2]
        self.timed("three hosts share four partitions", even, 10)
        for what in ("broker", "database", "both"):
            victim = run.owned().index(2)
            others = [server for index, server in enumerate(self.servers) if index != victim]
            to_database, to_broker = self.links[victim]
            cut = {"broker": [to_broker], "database": [to_database],
                   "both": [to_database, to_broker]}[what]
            for proxy in cut:
                proxy.hold()
            begun = time.monotonic()
            eventually(f"cut off from {what}: not ready",
                       lambda: self.servers[victim].get("/readyz").status == 503)
            if to_database in cut:
                self.timed(f"cut off from {what}: its partitions moved",
                           lambda: [server.get("/v1/delivery").json["total"]["owned"]
                                    for server in others] == [2, 2], LOST_HOST_SECONDS + 3)
            time.sleep(max(0.0, CUT_OFF_SECONDS - (time.monotonic() - begun)))
            for server in others:
                self.assertTrue(server.ready())
            for proxy in cut:
                proxy.release()
            eventually(f"after the cut from {what}: ready", self.servers[victim].ready)
            self.timed(f"after the cut from {what}: all have their shares", even, 15)
        self.finish(run)


if __name__ == "__main__":
    unittest.main()
