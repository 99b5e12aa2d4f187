"""Starts the built `vouch` in a directory of its own and talks to it. Standard library only."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from machines import HERE, Machine

BINARY = os.environ["VOUCH_BINARY"]
SOURCE = pathlib.Path(os.environ["VOUCH_SOURCE"])
SANITIZED = bool(os.environ.get("VOUCH_SANITIZE"))
#: Everything is slower under sanitizers.
PATIENCE = 60.0 if SANITIZED else 20.0

CONFIG = """\
store: {{ name: test, partitions: 4 }}
{storage}
{brokers}
http: {{ listen: "{address}:{port}" }}
shutdown: {{ timeout: 5s }}
{extra}
"""

#: The sections about brokers and routes; without brokers of its own a test has the one built in.
LOCAL_BROKER = """\
brokers:
  main:
    plugin: broker-local
    settings: {{ {broker_settings} }}
outbound:
  - {{ topic: "events.{{category}}" }}"""

#: The storage section of the configuration; `{directory}` is the server's own. Tests that hold for
#: every storage take another text here.
SQLITE = """\
storage:
  plugin: storage-sqlite
  settings: {{ path: {directory}/store.db }}"""


class Answer:
    """An HTTP answer, read to its end."""

    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self) -> list:
        return [json.loads(line) for line in self.body.splitlines() if line]


def eventually(what: str, ask, within: float = PATIENCE):
    """Asks until the answer is truthy, and returns it."""
    deadline = time.monotonic() + within
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(0.02)


class Server:
    """One `vouch serve`. Its directory outlives restarts."""

    def __init__(self, directory: str, broker_settings: dict | None = None, extra: str = "",
                 name: str = "vouch", storage: str = SQLITE, brokers: str = "", collector=None,
                 machine: Machine = HERE):
        """`brokers`: other sections than LOCAL_BROKER, and then `collector` takes what goes out."""
        self.machine = machine
        self.directory = pathlib.Path(directory)
        self.tap = self.directory / "outbound.jsonl"
        self.config = self.directory / f"{name}.yaml"
        self.log = self.directory / f"{name}.log"
        self.port = 0
        self.process: subprocess.Popen | None = None
        settings = {"tap": str(self.tap), "tap_topics": ["events."], **(broker_settings or {})}
        text = ", ".join(f"{key}: {json.dumps(value)}" for key, value in settings.items())
        self.collector = collector
        #: Topics that every event goes out on.
        self.routes: tuple[str, ...] = ("events.{category}",)
        self.config.write_text(CONFIG.format(
            storage=storage.format(directory=directory), port=0, extra=extra,
            address=machine.address,
            brokers=brokers or LOCAL_BROKER.format(broker_settings=text)))

    @property
    def url(self) -> str:
        return f"http://{self.machine.address}:{self.port}"

    def spawn(self, **environment: str) -> subprocess.Popen:
        """Starts the process without waiting for it."""
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log, self.machine:
            self.process = subprocess.Popen([BINARY, "serve", "--config", str(self.config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **environment})
        return self.process

    def start(self, **environment: str) -> "Server":
        """Starts it and waits until it is ready."""
        self.spawn(**environment)
        self.port = int(eventually("the address in the log", self.address_port))
        eventually("ready", self.ready)
        return self

    def words(self) -> str:
        """What the process said since its start."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def address_port(self) -> str | None:
        """The port it listens on, once it said so."""
        if self.process.poll() is not None:
            raise AssertionError(f"vouch ended with {self.process.returncode}:\n{self.words()}")
        found = re.search(rf"listening.*{re.escape(self.machine.address)}:(\d+)", self.words())
        return found and found.group(1)

    def ready(self) -> bool:
        try:
            return self.get("/readyz").status == 200
        except OSError:
            return False

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.machine.address, self.port, timeout=PATIENCE)

    def request(self, method: str, path: str, body=None, headers: dict | None = None) -> Answer:
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, headers: dict | None = None) -> Answer:
        return self.request("GET", path, headers=headers)

    def append(self, stream: str, *events: dict, headers: dict | None = None,
               query: str = "") -> Answer:
        events = events or ({"type": "happened", "data": {"n": 1}},)
        return self.request("POST", f"/v1/streams/{stream}/events{query}", list(events), headers)

    def versions(self, stream: str) -> list[int]:
        answer = self.get(f"/v1/streams/{stream}/events?limit=5000")
        return [event["version"] for event in answer.json["events"]] if answer.status == 200 else []

    def tapped(self) -> list[dict]:
        """The CloudEvents that went out, in order."""
        return [event for _, event in self.outbound()]

    def outbound(self, most_torn: int = 0) -> list[tuple[str, dict]]:
        """Topics and CloudEvents that went out, in order. A kill may cut a line short, whose
        message was not acknowledged then; more than `most_torn` of them are an error."""
        if self.collector is not None:
            return self.collector.messages()
        if not self.tap.exists():
            return []
        messages, torn = [], 0
        # The last one is empty, or is being written right now.
        for line in self.tap.read_bytes().split(b"\n")[:-1]:
            try:
                message = json.loads(line)
            except ValueError:
                torn += 1
                if torn > most_torn:
                    raise
                continue
            messages.append((message["topic"], json.loads(message["payload"])))
        return messages

    def first_occurrences(self) -> dict[str, list[int]]:
        """For each stream, the versions that went out, without repetitions."""
        seen: dict[str, list[int]] = {}
        for event in self.tapped():
            versions = seen.setdefault(event["subject"], [])
            if int(event["sequence"]) not in versions:
                versions.append(int(event["sequence"]))
        return seen

    def kill(self) -> None:
        """As a power cut would, for the process."""
        self.process.kill()
        self.process.wait()

    def stop(self, sent: int = signal.SIGTERM) -> int:
        self.process.send_signal(sent)
        return self.process.wait(PATIENCE)

    def resident_bytes(self) -> int:
        """Memory of the process that is in RAM."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def cpu_seconds(self) -> float:
        """Processor time that the process has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().split(")")[1]
        ticks = sum(int(field) for field in fields.split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")


class ServerTestCase(unittest.TestCase):
    """A fresh directory for each test; `self.server` is running in it."""

    broker_settings: dict = {}
    extra = ""
    storage = SQLITE
    brokers = ""
    collector = None
    starts = True

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="vouch-e2e-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.server = Server(self.directory, self.broker_settings, self.extra,
                             storage=self.storage, brokers=self.brokers,
                             collector=self.collector)
        self.addCleanup(self._end)
        if self.starts:
            self.server.start()

    def _end(self):
        process = self.server.process
        if process is None or process.poll() is not None:
            return
        code = self.server.stop()
        # Sanitizers report what they find at the end as well.
        self.assertEqual(code, 0, self.server.words())


def run_command(*arguments: str, url: str = "", stdin: str = "",
                timeout: float = 60) -> subprocess.CompletedProcess:
    environment = {**os.environ, "VOUCH_URL": url} if url else dict(os.environ)
    return subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, text=True,
                          env=environment, timeout=timeout)
