"""A TCP proxy between a server under test and its backend: passes bytes on, cuts connections at a
chosen place, holds answers back. Threads; every method may be called from any of them."""

import collections
import select
import socket
import threading


class Cut(Exception):
    """Raised by a rule to cut the connection before the piece is passed on."""


class Pipe:
    """One connection, both ways."""

    def __init__(self, proxy: "Proxy", client: socket.socket, server: socket.socket):
        self.proxy = proxy
        self.client = client
        self.server = server
        self.closed = False

    def run(self) -> None:
        ways = {self.client: (self.server, "request"), self.server: (self.client, "answer")}
        try:
            while not self.closed:
                for source in select.select(list(ways), [], [], 0.5)[0]:
                    data = source.recv(65_536)
                    if not data:
                        return
                    target, way = ways[source]
                    self.proxy.pass_on(self, way, data, target)
        except (OSError, ValueError, Cut):
            pass
        finally:
            self.cut()

    def cut(self) -> None:
        self.closed = True
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        self.proxy.forget(self)


class Proxy:
    """Listens on a free port of 127.0.0.1 and connects to `port` there.

    `rule(way, data)` is asked for each piece of bytes, `way` being "request" (to the backend) or
    "answer"; it may raise Cut. It sees the pieces as the network gives them.

    `filter(pipe, way, data)` gives what is passed on instead of a piece."""

    def __init__(self, port: int):
        self.target = port
        self.rule = None
        self.filter = None
        self.refuses = False
        self.cuts = 0
        self._held = threading.Event()
        self._held.set()
        self._lock = threading.Lock()
        self._pipes: set[Pipe] = set()
        self._counts = collections.Counter()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.refuses:
                    raise OSError
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pipe = Pipe(self, client, server)
            with self._lock:
                self._pipes.add(pipe)
            threading.Thread(target=pipe.run, daemon=True).start()

    def pass_on(self, pipe: Pipe, way: str, data: bytes, target: socket.socket) -> None:
        self._held.wait()
        with self._lock:
            self._counts[way] += 1
        if self.rule is not None:
            try:
                self.rule(way, data)
            except Cut:
                with self._lock:
                    self.cuts += 1
                raise
        target.sendall(data if self.filter is None else self.filter(pipe, way, data))

    def forget(self, pipe: Pipe) -> None:
        with self._lock:
            self._pipes.discard(pipe)

    def pieces(self, way: str) -> int:
        with self._lock:
            return self._counts[way]

    def hold(self) -> None:
        """From now on nothing is passed on, and nothing is lost, until `release`."""
        self._held.clear()

    def release(self) -> None:
        self._held.set()

    def cut_all(self) -> None:
        with self._lock:
            pipes = list(self._pipes)
        for pipe in pipes:
            pipe.cut()

    def close(self) -> None:
        self.release()
        self._listener.close()
        self.cut_all()
