"""What tests over real brokers have in common: servers of a test's own, a host that is told of them, and
collectors that know nothing of Vouch."""

import json

from broker_servers import broker_settings
from killing import KillRun, say
from vouch_server import SQLITE, ServerTestCase

#: Of the streams that are written to here and by clients.py.
CATEGORIES = ("hot", "many", "account")


class BrokerTestCase(ServerTestCase):
    """`broker_class` has the validation topic and the first route, `second_class` another route."""

    database_class = None
    broker_class = None
    second_class = None
    starts = False
    #: Whether the host reaches the first broker over a proxy.
    proxied = False
    delivery = "publish_timeout: 5s"
    #: Of the plugin, over those that say where the broker is.
    more_settings: dict = {}
    #: Of routes, by broker, where it is not the default.
    formats: dict = {}

    def setUp(self):
        for server in (self.database_class, self.broker_class, self.second_class):
            missing = server.missing() if server else ""
            if missing:
                # ctest looks for this word and counts the test as skipped.
                say(f"SKIPPED: {missing}")
                self.skipTest(missing)
        self.storage = SQLITE
        if self.database_class:
            self.database = self.database_class()
            self.addCleanup(self.database.close)
            self.storage = self.database.storage(0, lost_host_timeout="3s")
        self.broker = self._new_broker()
        if self.proxied:
            self.broker.behind_proxy()
        servers, routes, topics = {"main": self.broker}, [("main", "events")], {}
        if self.second_class:
            self.second = servers["edge"] = self.second_class()
            self.addCleanup(self.second.close)
            routes.append(("edge", "edge"))
        lines = ["brokers:"]
        for name, server in servers.items():
            settings = broker_settings(server, **self.more_settings)
            lines += [f"  {name}:", f"    plugin: {server.plugin}",
                      f"    settings: {json.dumps(settings)}"]
        lines += ["validation: { broker: main }", "outbound:"]
        for name, topic in routes:
            form = self.formats.get(name, "structured")
            lines.append(f'  - {{ broker: {name}, topic: "{topic}.{{category}}", format: {form} }}')
            topics.setdefault(name, []).extend(f"{topic}.{category}" for category in CATEGORIES)
        lines.append(f"append: {{ publish_timeout: 2s }}\ndelivery: {{ {self.delivery} }}")
        self.brokers = "\n".join(lines)
        collectors = [servers[name].collector(of_server) for name, of_server in topics.items()]
        for collector in collectors:
            self.addCleanup(collector.close)
        self.collector = Collectors(collectors)
        super().setUp()
        self.server.routes = tuple(f"{topic}.{{category}}" for _, topic in routes)

    def _new_broker(self):
        broker = self.broker_class()
        self.addCleanup(broker.close)
        return broker

    def run_over(self, faults: int, fault):
        run = KillRun(self.server, 7)
        history = run.over_faults(faults, fault)
        say(f"{faults} faults; {history.summary()}")
        return history


class Collectors:
    def __init__(self, collectors: list):
        self.collectors = collectors

    def messages(self) -> list:
        return [message for collector in self.collectors for message in collector.messages()]
