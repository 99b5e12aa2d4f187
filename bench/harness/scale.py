"""How Vouch does on big stores. A store is filled through Vouch itself, by requests of 100 events
(1,000 on one long stream; one to each of 1,000 new streams), so that rows, indexes and ledger are
those of a store that grew in service. Then each round measures it and, beside it, a new one."""

import contextlib
import dataclasses
import http.client
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import threading
import time

import matrix
from host import Host, run_program
from matrix import Step
from pair import Pair
from results import Cell, Results

SINGLES, HUNDREDS = "appends of 1 event", "appends of 100 events"
#: Connections, events of a request.
LOADS = {SINGLES: (64, 1), HUNDREDS: (64, 100)}
ON_NEW = ", on a new store beside it"
FILL, START, STREAM, FEED, DISK = "filling", "start", "reading a stream", "reading the feed", "disk"
SIZE_WHATS = (SINGLES, SINGLES + ON_NEW, HUNDREDS, HUNDREDS + ON_NEW, START, START + ON_NEW, STREAM,
              FEED, DISK)

LONG_STREAM = "one stream of a million events"
MANY_STREAMS = "10 million streams"
UNDELIVERED = "1 million undelivered events at the start"
FOLLOWERS = "1,000 followers"
LARGEST = "payload at the limit"

MILLION = 1_000_000
PATIENCE = 900  # seconds
LIMIT = 1 << 20  # limits.event_bytes, its default
STREAMS = 100_000  # as everywhere else
READ_STREAM = 100_000  # events of account-0, which is read
MOST_READ = 2 * MILLION  # events of the feed
#: A route to a broker that is away holds up its events and nothing else. Nothing listens on port 9.
BROKERS_AWAY = ("{ local: { plugin: broker-local }, away: { plugin: broker-mqtt, settings: "
                '{ uri: "mqtt://127.0.0.1:9" } } }')
ROUTE = '[ { name: out, broker: %s, topic: "events.{category}" } ]'
VALIDATION = "validation: { broker: local }\n"


@dataclasses.dataclass
class Sizes:
    """Events of each; smaller ones for a trial."""

    stores: list[int]  # 0 needs no mention: each is measured beside a new one
    long_stream: int = MILLION
    many_streams: int = 10 * MILLION
    undelivered: int = MILLION
    followers: int = 1000


class Store:
    """One that outlives its hosts, and how many events it holds."""

    def __init__(self, pair: Pair, name: str):
        self.pair = pair
        self.events = 0
        self.name = f"vouch_scale_{name}_{os.getpid()}"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=pair.options.directory))
        pair.server.prepare(self.name)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_) -> None:
        self.pair.server.drop(self.name)
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextlib.contextmanager
    def host(self, **settings):
        options = self.pair.options
        storage = self.pair.server.storage(self.name).replace("{directory}", str(self.directory))
        host = Host(options.binaries, options.directory, options.port, storage,
                    patience=PATIENCE, **settings)
        try:
            yield host
        finally:
            host.close()

    def disk_bytes(self) -> int:
        if self.pair.storage == "sqlite":
            return sum(file.stat().st_size for file in self.directory.iterdir())
        return self.pair.server.disk_bytes(self.name)

    def load(self, host: Host, *, events: int, connections: int, payload: int = 256,
             streams: int = STREAMS, rate: float = 0) -> dict:
        """Appends at random streams for the time of a measurement."""
        options = self.pair.options
        return self._run(host, events, connections, payload, streams,
                         ["--rate", rate, "--seconds", options.seconds, "--warm-up",
                          options.warm_up])

    def fill(self, host: Host, count: int, *, events: int = 100, connections: int = 16,
             streams: int = STREAMS, writes: int = 1) -> dict:
        """At least `count` more events; with `writes` on that many new streams in each request.
        Returns when they are answered."""
        more = ["--writes", writes, "--in-turn"] if writes > 1 else []
        return self._run(host, events, connections, 256, streams,
                         ["--count", count, "--warm-up", 0, *more])

    def _run(self, host: Host, events, connections, payload, streams, more) -> dict:
        figure = run_program(
            [self.pair.options.binaries / "vouch-load", "--port", host.port, "--events", events,
             "--connections", connections, "--payload", payload, "--streams", streams, *more])
        refused = {k: v for k, v in figure["statuses"].items() if k != "201"}
        if refused:
            raise SystemExit(f"{self.name}: appends were refused: {refused}")
        self.events += figure["appended"]
        figure["memory_mib"] = host.memory_mib()
        return figure


def read(host: Host, path: str, *more) -> dict:
    return run_program([host.binaries / "vouch-read", "--port", host.port, "--path", path,
                        "--timeout", PATIENCE, *more])


class Scale:
    def __init__(self, pair: Pair, results: Results, sizes: Sizes, rounds: int):
        self.pair = pair
        self.results = results
        self.of = sizes
        self.rounds = rounds

    def run(self) -> None:
        self._stores()
        self._case(LONG_STREAM, self.of.long_stream, self._long_stream)
        self._case(MANY_STREAMS, self.of.many_streams, self._many_streams)
        self._case(UNDELIVERED, self.of.undelivered, self._undelivered)
        self._case(FOLLOWERS, self.of.followers, self._followers)
        self._case(LARGEST, 0, self._largest)

    def _cell(self, what: str, size: int) -> Cell:
        return Cell("scale", self.pair.name, what, size=size)

    def _note(self, cell: Cell, number: int, measure) -> None:
        matrix.measure(iter([Step(cell, measure)]), number, self.results, self.pair)

    def _open(self, whats: tuple[str, ...], size: int) -> bool:
        """Whether something is not measured yet."""
        return not all(self.results.has(self._cell(what, size), number)
                       for what in whats for number in range(1, self.rounds + 1))

    def _say(self, what: str, number: int) -> None:
        print(f"{self.pair.title}, {what}: round {number} of {self.rounds}", file=sys.stderr,
              flush=True)

    def _stores(self) -> None:
        """One store, filled further from size to size; what measurements add to it is part of what
        it holds from then on. A store of 0 events is the new one beside each."""
        todo = [size for size in sorted(self.of.stores)
                if size > 0 and self._open(SIZE_WHATS, size)]
        if not todo:
            return
        with Store(self.pair, "sizes") as store:
            for size in todo:
                self._grow(store, size)
                for number in range(1, self.rounds + 1):
                    self._say(f"{size:,} events", number)
                    self._round(store, size, number)

    def _grow(self, store: Store, size: int) -> None:
        print(f"{self.pair.title}: filling a store with {size:,} events", file=sys.stderr,
              flush=True)
        with store.host() as host:
            if store.events == 0:
                store.fill(host, READ_STREAM, connections=4, streams=1)
            if store.events < size:
                figure = store.fill(host, size - store.events)  # also where its figure is there
                self._note(self._cell(FILL, size), 1, lambda: figure)
            host.wait_delivered(PATIENCE)

    def _round(self, store: Store, size: int, number: int) -> None:
        for what, (connections, events) in LOADS.items():
            def append(on: Store, connections=connections, events=events) -> dict:
                with on.host() as host:
                    figure = on.load(host, events=events, connections=connections)
                    host.wait_delivered(PATIENCE)
                    return figure
            def append_to_new(append=append) -> dict:
                with Store(self.pair, "new") as new:
                    return append(new)
            self._note(self._cell(what + ON_NEW, size), number, append_to_new)
            self._note(self._cell(what, size), number, lambda append=append: append(store))
        self._note(self._cell(START + ON_NEW, size), number, self._start_on_new)
        self._note(self._cell(START, size), number, lambda: self._start(store))
        self._note(self._cell(STREAM, size), number,
                   lambda: self._read(store, "/v1/streams/account-0/events"))
        self._note(self._cell(FEED, size), number,
                   lambda: self._read(store, "/v1/feed?after=start", "--most", MOST_READ))
        self._note(self._cell(DISK, size), number,
                   lambda: {"bytes_per_event": store.disk_bytes() / store.events,
                            "events": store.events})

    def _start_on_new(self) -> dict:
        with Store(self.pair, "new") as new:
            with new.host():
                pass  # makes the tables, which a start on a store that is there does not
            return self._start(new)

    @staticmethod
    def _start(store: Store) -> dict:
        with store.host() as host:
            return {"start_seconds": host.start_seconds, "resident_mib": host.resident_mib()}

    @staticmethod
    def _read(store: Store, path: str, *more) -> dict:
        with store.host() as host:
            figure = read(host, path, *more)
            figure["memory_mib"] = host.memory_mib()
            return figure

    # Special cases: each on a store of its own, all figures of a round in one.

    def _case(self, what: str, size: int, measure) -> None:
        if not self._open((what,), size):
            return
        measure(what, size)

    def _long_stream(self, what: str, size: int) -> None:
        with Store(self.pair, "long") as store:
            with store.host() as host:
                store.fill(host, size, events=1000, connections=4, streams=1)
                host.wait_delivered(PATIENCE)
            for number in range(1, self.rounds + 1):
                self._say(what, number)
                self._note(self._cell(what, size), number, lambda: self._on_long_stream(store))

    @staticmethod
    def _on_long_stream(store: Store) -> dict:
        path = "/v1/streams/account-0/events"
        with store.host() as host:
            figure = store.load(host, events=1, connections=16, streams=1)
            whole = read(host, path)
            figure["read_per_second"] = whole["events_per_second"]
            figure["read_events"] = whole["events"]
            figure["newest_10_ms"] = request_ms(host.port, path + "?direction=backward&limit=10")
            figure["memory_mib"] = host.memory_mib()
            return figure | {"start_seconds": host.start_seconds}

    def _many_streams(self, what: str, size: int) -> None:
        with Store(self.pair, "many") as store:
            with store.host() as host:
                store.fill(host, size, events=1, writes=min(1000, size), streams=size)
                host.wait_delivered(PATIENCE)
            for number in range(1, self.rounds + 1):
                self._say(what, number)
                self._note(self._cell(what, size), number, lambda: self._on_many(store, size))

    @staticmethod
    def _on_many(store: Store, size: int) -> dict:
        with store.host() as host:
            figure = store.load(host, events=1, connections=64, streams=size)
            host.wait_delivered(PATIENCE)
            return figure | {"start_seconds": host.start_seconds,
                             "bytes_per_event": store.disk_bytes() / store.events}

    def _undelivered(self, what: str, size: int) -> None:
        for number in range(1, self.rounds + 1):
            if self.results.has(self._cell(what, size), number):
                continue
            self._say(what, number)
            with Store(self.pair, "waiting") as store:
                with store.host(brokers=BROKERS_AWAY, outbound=ROUTE % "away", more=VALIDATION,
                                probe="/livez") as host:  # not ready without that broker
                    store.fill(host, size)
                    waiting = host.undelivered()
                if waiting < size:
                    raise SystemExit(f"{waiting} events wait, not {size}")
                self._note(self._cell(what, size), number, lambda: self._drain(store, waiting))

    @staticmethod
    def _drain(store: Store, waiting: int) -> dict:
        """The backlog goes out beside 1,000 new events/s, some of which wait at any time: it is
        over when a hundredth of it waits."""
        with store.host(outbound=ROUTE % "local", more=VALIDATION) as host:
            begun, took, figure = time.monotonic(), None, {}
            loading = threading.Thread(target=lambda: figure.update(
                store.load(host, events=1, connections=64, rate=1000)))
            loading.start()
            while took is None or loading.is_alive():
                if took is None and host.undelivered() <= waiting / 100:
                    took = time.monotonic() - begun
                if time.monotonic() > begun + PATIENCE:
                    raise SystemExit(f"{host.undelivered()} of {waiting} events still wait")
                time.sleep(0.1)
            if not figure:
                raise SystemExit("the load beside the backlog failed")
            return figure | {"start_seconds": host.start_seconds, "drained_seconds": took,
                             "drained_per_second": 0.99 * waiting / took,
                             "memory_mib": host.memory_mib()}

    def _followers(self, what: str, size: int) -> None:
        for number in range(1, self.rounds + 1):
            self._say(what, number)
            self._note(self._cell(what, size), number, lambda: self._beside_followers(size))

    def _beside_followers(self, count: int) -> dict:
        """100 events/s, so that what all followers are sent is 100 times their number."""
        options = self.pair.options
        with Store(self.pair, "followed") as store, store.host() as host:
            seen = {}
            reading = threading.Thread(target=lambda: seen.update(read(
                host, "/v1/feed", "--connections", count, "--seconds",
                options.seconds, "--warm-up", options.warm_up + 1)))
            reading.start()
            time.sleep(1)  # they connect
            figure = store.load(host, events=1, connections=16, rate=100)
            reading.join()
            if not seen:
                raise SystemExit("the followers broke off")
            return figure | {"followed_per_second": seen["events_per_second"],
                             "follow_p50_ms": seen["follow_p50_ms"],
                             "follow_p99_ms": seen["follow_p99_ms"],
                             "memory_mib": host.memory_mib()}

    def _largest(self, what: str, size: int) -> None:
        for number in range(1, self.rounds + 1):
            self._say(what, number)
            self._note(self._cell(what, size), number, self._append_largest)

    def _append_largest(self) -> dict:
        with Store(self.pair, "largest") as store, store.host() as host:
            figure = store.load(host, events=1, connections=4, payload=LIMIT)
            host.wait_delivered(PATIENCE)
            whole = read(host, "/v1/feed?after=start")
            return figure | {"mib_per_second": figure["events_per_second"] * LIMIT / 2**20,
                             "read_mib_per_second": whole["bytes"] / 2**20 / whole["seconds"],
                             "memory_mib": host.memory_mib()}


def request_ms(port: int, path: str) -> float:
    """The median of 50 on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    took = []
    for _ in range(50):
        begun = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        took.append(1000 * (time.perf_counter() - begun))
        if answer.status != 200:
            raise SystemExit(f"GET {path}: {answer.status}")
    connection.close()
    return statistics.median(took)
