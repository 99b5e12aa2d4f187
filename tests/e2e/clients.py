"""Clients that live through restarts of a server and remember what they were told: writers that
append in every way there is, followers that go on from their cursor."""

import contextlib
import http.client
import json
import random
import socket
import threading
import time

from history import Append, Attempt, EventSeen, Followed, Joint, Outcome
from vouch_server import PATIENCE, Answer

BROKEN = (OSError, http.client.HTTPException)
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def make_ksuid(rng: random.Random) -> str:
    number, text = rng.getrandbits(159), ""
    for _ in range(27):
        number, digit = divmod(number, 62)
        text = BASE62[digit] + text
    return text


class Address:
    """Where the server is at the moment. Any thread."""

    def __init__(self, host: str = "127.0.0.1"):
        self._host = host
        self._changed = threading.Condition()
        self._port: int | None = None

    def set(self, port: int | None) -> None:
        with self._changed:
            self._port = port
            self._changed.notify_all()

    def connect(self) -> http.client.HTTPConnection:
        """A new connection, waiting for the server if need be. Raises OSError if it fails."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._port is not None, 4 * PATIENCE):
                raise AssertionError("the server stayed away")
            port = self._port
        connection = http.client.HTTPConnection(self._host, port, timeout=PATIENCE)
        connection.connect()
        return connection


class Client(threading.Thread):
    """A thread that ends when `over` is set, or with what it failed of in `failure`."""

    def __init__(self, address: Address):
        super().__init__(daemon=True)
        self.address = address
        self.over = threading.Event()
        self.failure: BaseException | None = None

    def run(self):
        try:
            self.work()
        except BaseException as failure:  # shown by `finish`, on the test's thread
            self.failure = failure

    def work(self):
        raise NotImplementedError

    def finish(self) -> None:
        self.over.set()
        self.join(6 * PATIENCE)
        if self.failure:
            raise self.failure
        if self.is_alive():
            raise AssertionError(f"{self.name} does not end")


class Writer(Client):
    """Appends, one after the other, on one connection: to few streams that all writers share and to
    many of its own; to one of them or to several at once; with and without expected version,
    preconditions, idempotency key, ids; one event or many.
    What can be repeated is repeated until it is answered. What it does comes from `rng`."""

    HOT_STREAMS = 4

    def __init__(self, address: Address, name: str, rng: random.Random, heads: dict[str, int]):
        """`heads`: what the writers know of the shared streams; they share it too."""
        super().__init__(address)
        self.name = name
        self.appends: list[Append | Joint] = []
        self._rng = rng
        self._heads = heads
        self._connection: http.client.HTTPConnection | None = None
        self._own = 0

    def work(self):
        while not self.over.is_set():
            again = [append for append in self.appends[-40:] if append.repeatable]
            if again and self._rng.random() < 0.05:
                # A client that did not trust its answer.
                append = self._rng.choice(again)
            else:
                append = self._plan_joint() if self._rng.random() < 0.2 else self._plan()
                self.appends.append(append)
            self._carry_out(append)
        if self._connection:
            self._connection.close()

    def _plan(self) -> Append:
        shared = self._rng.random() < 0.5
        if shared:
            stream = f"hot-{self._rng.randrange(self.HOT_STREAMS)}"
        else:
            stream = self._own_stream()
        append = self._part(stream, f"{self.name}-{len(self.appends)}", [1, 1, 1, 2, 5, 60])
        self._protect([append])
        return append

    def _plan_joint(self) -> Joint:
        rng = self._rng
        shared = [f"hot-{n}" for n in range(self.HOT_STREAMS)]
        streams = rng.sample([*shared, self._own_stream(), f"many-{self.name}-joint"],
                             rng.choice([2, 2, 3, 5]))
        name = f"{self.name}-{len(self.appends)}"
        joint = Joint([self._part(stream, f"{name}-{place}", [1, 1, 2, 5])
                       for place, stream in enumerate(streams)])
        others = [stream for stream in shared if stream not in streams]
        if others and rng.random() < 0.5:
            stream = rng.choice(others)
            joint.preconditions[stream] = self._expectation(stream)
        self._protect(joint.parts)
        return joint

    def _own_stream(self) -> str:
        self._own += self._rng.random() < 0.5
        return f"many-{self.name}-{self._own}"

    def _part(self, stream: str, name: str, counts: list[int]) -> Append:
        count = self._rng.choice(counts)
        append = Append(stream, tuple(f"{name}-{i}" for i in range(count)))
        if self._rng.random() < 0.5:
            append.expected = self._expectation(stream)
        return append

    def _expectation(self, stream: str) -> int | str:
        known = self._heads.get(stream, 0)
        return self._rng.choice([known, known, "exists"]) if known else "none"

    def _protect(self, parts: list[Append]) -> None:
        protection = self._rng.choice(["plain", "key", "ids", "both"])
        for part in parts:
            if protection in ("key", "both"):
                part.key = f"{self.name}-{len(self.appends)}"
            if protection in ("ids", "both"):
                part.ids = tuple(make_ksuid(self._rng) for _ in part.marks)

    def _carry_out(self, append: Append | Joint) -> None:
        delivered = self._rng.random() < 0.05
        # Refusals end; an append that is refused again and again is a finding.
        patient_until = time.monotonic() + 4 * PATIENCE
        while True:
            if time.monotonic() > patient_until:
                raise AssertionError(f"never let in: {append}, "
                                     f"{[each.status for each in append.attempts[-5:]]}")
            attempt = self._attempt(append, delivered)
            if attempt is None:
                continue  # it never reached a server
            append.note(attempt)
            if attempt.outcome is Outcome.COMMITTED:
                for part in append.parts:
                    last = part.attempts[-1].first_version + len(part.marks) - 1
                    self._heads[part.stream] = max(last, self._heads.get(part.stream, 0))
                return
            if attempt.actual is not None:
                self._heads[attempt.stream] = attempt.actual
                return
            if attempt.outcome is Outcome.OPEN and not append.repeatable:
                return
            if 400 <= attempt.status < 500 and attempt.status not in (409, 429):
                raise AssertionError(f"{append} was refused with {attempt.status}")
            self.over.wait(0.01)

    def _attempt(self, append: Append | Joint, delivered: bool) -> Attempt | None:
        try:
            if self._connection is None:
                self._connection = self.address.connect()
        except OSError:
            return None
        path = request_path(append) + "?ack=delivered&wait=2s" * delivered
        began, answer = time.monotonic(), None
        try:
            self._connection.request("POST", path, request_body(append), request_headers(append))
            answer = Answer(self._connection.getresponse())
        except BROKEN:
            self._connection.close()
            self._connection = None
        return Attempt.of(answer, began)


class Follower(Client):
    """Follows the feed from the first event ever on. When the connection breaks it goes on from its
    cursor."""

    def __init__(self, address: Address, name: str, server_sent: bool):
        super().__init__(address)
        self.name = name
        self.followed = Followed(name)
        self.connections = 0
        self._server_sent = server_sent
        self._cursor = "start"
        self._socket: socket.socket | None = None

    def work(self):
        while not self.over.is_set():
            try:
                with contextlib.closing(self.address.connect()) as connection:
                    self._socket = connection.sock
                    if not self.over.is_set():  # else `finish` may not have seen this socket
                        self._follow(connection)
            except BROKEN:
                self.over.wait(0.01)

    def finish(self) -> None:
        self.over.set()
        if self._socket:
            # Ends a read that waits; fails when the connection is broken already.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        super().finish()

    def _follow(self, connection: http.client.HTTPConnection) -> None:
        headers, path = {"Accept": "application/x-ndjson"}, "/v1/feed"
        if self._server_sent:
            headers = {"Accept": "text/event-stream"}
        if self._server_sent and self._cursor != "start":
            headers["Last-Event-ID"] = self._cursor
        else:
            path += f"?after={self._cursor}"
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        if response.status == 503:
            return  # the server stops
        if response.status != 200:
            raise AssertionError(f"{self.name} got {response.status}: {response.read()}")
        self.connections += 1
        fields: dict[str, str] = {}
        while True:
            line = response.readline()
            if not line.endswith(b"\n"):
                return  # the end, or a part of a line that a kill has cut off
            text = line.decode().rstrip("\n")
            if not self._server_sent:
                self._take_line(text)
            elif text:
                name, _, value = text.partition(": ")
                fields[name] = value
            else:
                self._take_fields(fields)
                fields = {}

    def _take_line(self, text: str) -> None:
        entry = json.loads(text)
        if entry["kind"] == "event":
            self.followed.seen.append(EventSeen.of(entry["event"]))
        self._cursor = entry["cursor"]

    def _take_fields(self, fields: dict[str, str]) -> None:
        if "id" not in fields:
            return  # a heartbeat
        if fields["event"] != "caught-up":
            self.followed.seen.append(EventSeen.of(json.loads(fields["data"])))
        self._cursor = fields["id"]


def request_path(append: Append | Joint) -> str:
    return "/v1/append" if isinstance(append, Joint) else f"/v1/streams/{append.stream}/events"


def request_body(append: Append | Joint) -> str:
    """The same for each attempt."""
    if isinstance(append, Append):
        return json.dumps(events_of(append))
    writes = []
    for part in append.parts:
        expected = {} if part.expected is None else {"expected": part.expected}
        writes.append({"stream": part.stream, "events": events_of(part), **expected})
    preconditions = [{"stream": stream, "expected": expected}
                     for stream, expected in append.preconditions.items()]
    return json.dumps({"writes": writes, "preconditions": preconditions})


def events_of(append: Append) -> list[dict]:
    """The size depends on the mark, from little to some kilobytes."""
    events = []
    for place, mark in enumerate(append.marks):
        pad = "x" * (len(mark) * (200 if place == 3 else 5))
        event = {"type": "happened", "data": {"mark": mark, "pad": pad}}
        if append.ids:
            event["id"] = append.ids[place]
        events.append(event)
    return events


def request_headers(append: Append | Joint) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if append.key:
        headers["Idempotency-Key"] = append.key
    if isinstance(append, Joint):
        return headers
    if append.expected == "none":
        headers["If-None-Match"] = "*"
    elif append.expected == "exists":
        headers["If-Match"] = "*"
    elif append.expected is not None:
        headers["If-Match"] = f'"{append.expected}"'
    return headers
