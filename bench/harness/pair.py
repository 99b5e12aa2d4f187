"""A pair of a database and a broker, and everything that can be measured on it: Vouch, what is
bare, and what others do. Each measurement begins with an empty store or topic of its own."""

import contextlib
import os
import tempfile

import peers
from brokers import broker
from embedded import load
from figures import sync_ms
from host import Host, run_program
from processor import own_seconds

#: Messages that the plugin of a broker lets be unacknowledged: of Kafka 8 partitions' rounds of
#: delivery.max_round_events, of MQTT its setting `window`.
WINDOWS = {"kafka": 16_000, "mqtt": 50}
QUEUE = 20_000  # append.queue, its default
#: Connections of an outbox table's writers. Each is a session of the server, which has not many.
MOST_OUTBOX_CONNECTIONS = 64


class Pair:
    def __init__(self, name: str, options, server):
        self.name = name
        self.options = options
        self.server = server
        self.storage, _, other = name.partition("+")
        self.broker_name = "" if other in ("", "local") else other
        self.broker = broker(self.broker_name) if self.broker_name else None
        self.peers = None
        self._store = f"vouch_bench_{os.getpid()}"
        self._topics = 0

    @property
    def title(self) -> str:
        return f"{self.server.title} + {self.broker.title if self.broker else 'local'}"

    def describe(self) -> str:
        return self.server.describe() + (f"; {self.broker.describe()}" if self.broker else "")

    def _topic(self) -> str:
        self._topics += 1
        return f"{self._store}_{self._topics}"

    def host(self, topic: str, queue: int = QUEUE) -> Host:
        """On whatever is in the store."""
        options = self.options
        more = f"append: {{ queue: {queue} }}\n" if queue != QUEUE else ""
        storage = self.server.storage(self._store)
        if not self.broker:
            return Host(options.binaries, options.directory, options.port, storage, more=more)
        return Host(options.binaries, options.directory, options.port, storage, name=topic,
                    brokers=self.broker.brokers(options.broker_settings),
                    outbound=f"[ {{ topic: {topic} }} ]", more=more)

    @contextlib.contextmanager
    def empty_host(self, queue: int = QUEUE):
        """On a new store, with a topic of its own."""
        topic = self._topic()
        self.server.prepare(self._store)
        try:
            host = self.host(topic, queue)
            try:
                yield host
            finally:
                host.close()
        finally:
            self.server.drop(self._store)

    def vouch(self, events: int, connections: int, payload: int, rate: float = 0) -> dict:
        """The load, and whoever is to see the events: a follower of the feed, or a consumer of the
        broker. The host's queue holds all that can be on its way, so that nothing is refused."""
        with self.empty_host(max(QUEUE, 2 * events * connections)) as host:
            before = self._seconds(host)
            figure = load(self.options, host, self.name, connections, events, rate,
                          consume=self.broker.consumer(host.name) if self.broker else "",
                          payload=payload)
            self._charge(figure, figure["delivered"], before, self._seconds(host))
            return figure

    def bare_writer(self, events: int, payload: int, lanes: int, group: int) -> dict:
        options, server = self.options, self.server
        arguments = ["--group", group, "--events", events, "--payload", payload,
                     "--seconds", options.seconds]
        if self.storage == "sqlite":  # has one writer
            with tempfile.TemporaryDirectory(prefix="bench-", dir=options.directory) as directory:
                return run_program([options.binaries / "ceiling-sqlite", "--directory", directory,
                                    *arguments])
        server.prepare(self._store)
        try:
            before = self._seconds()
            figure = run_program([options.binaries / server.ceiling,
                                  *server.ceiling_arguments(self._store), "--lanes", lanes,
                                  *arguments])
            written = figure["events_per_second"] * figure["seconds"]
            self._charge(figure, written, before, self._seconds())
            return figure
        finally:
            server.drop(self._store)

    def bare_producer(self, payload: int, window: int = 0, seconds: float = 0) -> dict:
        options = self.options
        return run_program(
            [options.binaries / f"ceiling-{self.broker_name}", "--broker", self.broker.host_port,
             "--topic", self._topic(), "--payload", payload, "--window",
             window or WINDOWS[self.broker_name], "--seconds", seconds or options.seconds,
             "--warm-up", options.warm_up])

    def round_trips(self) -> dict:
        """What nothing that is durable and acknowledged can be faster than: a synced write of the
        disk and, where there is a broker, one message with its acknowledgement."""
        figure = {"sync_ms": sync_ms(self.options.directory), "broker_ms": 0.0}
        if self.broker:
            figure["broker_ms"] = self.bare_producer(256, window=1, seconds=2)["p50_ms"]
        figure["together_ms"] = figure["sync_ms"] + figure["broker_ms"]
        return figure

    def outbox(self, events: int, connections: int, payload: int, rate: float,
               poll_ms: int) -> dict:
        options = self.options
        self.server.prepare(self._store)
        before = self._seconds()
        figure = run_program(
            [options.binaries / "outbox-table", "--uri", self.server.uri, "--schema", self._store,
             "--kafka", self.broker.address, "--topic", self._topic(), "--connections",
             connections, "--events", events, "--payload", payload, "--rate", rate, "--poll-ms",
             poll_ms, "--seconds", options.seconds, "--warm-up", options.warm_up])
        self._charge(figure, figure["delivered"], before, self._seconds())
        return figure

    def peer(self, name: str) -> dict:
        return self.peers.best_of(name)

    def fetch_peers(self) -> str | None:
        """Returns why they can't be measured."""
        if self.name != "postgres+local":
            return "they are measured beside PostgreSQL with the local broker"
        reason = peers.Peers.fetch(self.options.peers)
        if not reason:
            self.peers = peers.Peers(self.options, self.server)
        return reason

    def _seconds(self, host: Host | None = None) -> dict[str, float | None]:
        return {"server_us": self.server.processor_seconds(),
                "broker_us": self.broker.processor_seconds() if self.broker else None,
                "host_us": own_seconds(host.process.pid) if host else None}

    @staticmethod
    def _charge(figure: dict, events: float, before: dict, after: dict) -> None:
        """Processor time by event, in microseconds, warming up included."""
        micros = 1e6 / max(1, events)
        for key, begun in before.items():
            figure[key] = None if begun is None else (after[key] - begun) * micros
        figure["program_us"] = figure["program_seconds"] * micros
