"""What tests of followers under load are made of: a follower that may stop reading, a steady load,
a watch on the server's memory."""

import hashlib
import json
import selectors
import socket
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from vouch_server import PATIENCE, Server

MIB = 1 << 20


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


class RawFollower:
    """Follows the feed on a plain socket, and reads only when told to. HTTP/1.0: behind the head
    comes nothing but lines."""

    def __init__(self, server: Server, query: str = "", receive_buffer: int = 0):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(f"GET /v1/feed{query} HTTP/1.0\r\n"
                            "Accept: application/x-ndjson\r\n\r\n".encode())
        self.live = False
        self._rest = b""
        self._in_head = True

    def read(self) -> list[bytes]:
        """The lines of events that are there; waits for something to come."""
        taken = self.socket.recv(MIB)
        if not taken:
            raise AssertionError("the feed ended")
        self._rest += taken
        if self._in_head:
            head, end, rest = self._rest.partition(b"\r\n\r\n")
            if not end:
                return []
            if b" 200 " not in head.splitlines()[0]:
                raise AssertionError(f"refused: {head}")
            self._in_head, self._rest = False, rest
        *lines, self._rest = self._rest.split(b"\n")
        self.live = self.live or any(b'"kind":"caught-up"' in line[:40] for line in lines)
        return [line for line in lines if line.startswith(b'{"kind":"event"')]

    def close(self) -> None:
        self.socket.close()


class Crowd:
    """Many followers, read by one thread. Of what they saw it keeps digests, and the lines of the
    first."""

    class Member:
        def __init__(self, server: Server):
            self.follower = RawFollower(server)
            self.count = 0
            self.digest = hashlib.sha256()

    def __init__(self, server: Server, size: int):
        self.lines_of_first: list[bytes] = []
        self._members = [Crowd.Member(server) for _ in range(size)]
        self._selector = selectors.DefaultSelector()
        for member in self._members:
            self._selector.register(member.follower.socket, selectors.EVENT_READ, member)

    def read_until(self, done) -> None:
        """Until done(member) holds for each."""
        waiting = set(self._members)
        while waiting:
            ready = self._selector.select(PATIENCE)
            if not ready:
                raise AssertionError(f"{len(waiting)} followers got nothing for {PATIENCE} s")
            for key, _ in ready:
                self._read(key.data)
                if done(key.data):
                    waiting.discard(key.data)

    def _read(self, member: "Crowd.Member") -> None:
        lines = member.follower.read()
        member.count += len(lines)
        for line in lines:
            member.digest.update(line)
        if member is self._members[0]:
            self.lines_of_first += lines

    def counts(self) -> set[int]:
        return {member.count for member in self._members}

    def digests(self) -> set[str]:
        return {member.digest.hexdigest() for member in self._members}

    def close(self) -> None:
        self._selector.close()
        for member in self._members:
            member.follower.close()


class Load:
    """Appends from several connections at a steady pace, until `end`. Batches of large events make
    the volume; single events in between are what the latency is measured on."""

    WRITERS = 4
    BATCH = 20
    BYTES = 2048
    PERIOD = 0.06  # seconds

    def __init__(self, server: Server):
        self._server = server
        self._latencies: list[float] = []
        self._counts = [0] * self.WRITERS
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(self.WRITERS)
        self._writers = [self._pool.submit(self._write, number) for number in range(self.WRITERS)]

    def _write(self, number: int) -> None:
        connection = self._server.connect()
        batch = json.dumps([{"type": "t", "data": "x" * self.BYTES}] * self.BATCH)
        while not self._over.is_set():
            began = time.monotonic()
            self._append(connection, number, '{"type":"t","data":1}')
            self._latencies.append(time.monotonic() - began)
            self._append(connection, number, batch)
            self._counts[number] += 1 + self.BATCH
            self._over.wait(began + self.PERIOD - time.monotonic())
        connection.close()

    def _append(self, connection, number: int, body: str) -> None:
        connection.request("POST", f"/v1/streams/load-{number}/events", body,
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 201:
            raise AssertionError(f"{answer.status}: {told}")

    def median_over(self, seconds: float) -> float:
        """The median latency of the next seconds."""
        begin = len(self._latencies)
        self._over.wait(seconds)
        measured = self._latencies[begin:]
        if not measured:
            raise AssertionError(f"nothing was appended in {seconds} s")
        return statistics.median(measured)

    def appended(self) -> int:
        """Events so far."""
        return sum(self._counts)

    def end(self) -> int:
        """Gives how many events were appended in all."""
        self._over.set()
        self._pool.shutdown()
        for writer in self._writers:
            writer.result()
        return self.appended()


class MemoryWatch(threading.Thread):
    """By how much the server's resident memory has grown at most since the watch began."""

    def __init__(self, server: Server):
        super().__init__(daemon=True)
        self._server = server
        self._begin = server.resident_bytes()
        self._most = self._begin
        self._over = threading.Event()
        self.start()

    def run(self):
        while not self._over.wait(0.1):
            self._most = max(self._most, self._server.resident_bytes())

    def end(self) -> int:
        self._over.set()
        self.join()
        return max(self._most, self._server.resident_bytes()) - self._begin
