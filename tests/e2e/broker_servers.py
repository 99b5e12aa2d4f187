"""Broker servers of a test's own, as database_servers.py has databases, and consumers that know
nothing of Vouch: mosquitto_sub and kcat. A test asks `missing()` first."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from database_servers import DatabaseServer, free_port
from tcp_proxy import Proxy
from vouch_server import PATIENCE, eventually

PATHS = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"


class BrokerServer(DatabaseServer):
    #: Between the host and the server, where a test put one.
    proxy: Proxy | None = None

    def behind_proxy(self) -> "BrokerServer":
        """From now on `broker_settings` leads the host over `proxy`."""
        self.proxy = Proxy(self.port)
        return self

    def pause(self) -> None:
        """It stands still: connections are accepted by the kernel, and nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.resume()
        if self.proxy is not None:
            self.proxy.close()
        super().close()


class Mosquitto(BrokerServer):
    user = "nobody"
    _stop_signal = signal.SIGTERM
    plugin = "broker-mqtt"

    @staticmethod
    def missing() -> str:
        for program in ("mosquitto", "mosquitto_sub"):
            if not shutil.which(program, path=PATHS):
                return f"{program} is not installed"
        return ""

    def _initialise(self) -> None:
        (self.directory / "mosquitto.conf").write_text(
            f"listener {self.port} {self.machine.address}\nallow_anonymous true\nset_tcp_nodelay true\n"
            "max_queued_messages 0\nmax_inflight_messages 1000\n")
        self.start()

    def _command(self) -> list[str]:
        return [shutil.which("mosquitto", path=PATHS), "-c", str(self.directory / "mosquitto.conf")]

    def answers(self) -> bool:
        done = subprocess.run([*self.client("mosquitto_pub"), "-t", "probe", "-n", "-q", "1"],
                              capture_output=True, check=False, timeout=10)
        return done.returncode == 0

    def client(self, program: str) -> list[str]:
        """The beginning of a command that reaches it."""
        return [shutil.which(program, path=PATHS), "-h", self.machine.address, "-p", str(self.port)]

    def collector(self, topics: list[str]) -> "MqttCollector":
        return MqttCollector(self, topics)


class Kafka(BrokerServer):
    """One node, from the jars that scripts/services got. Clients of Kafka connect to the addresses that
    brokers tell them, so there is a listener for those that come by the proxy."""

    user = "nobody"
    start_seconds = 120
    _stop_signal = signal.SIGTERM
    plugin = "broker-kafka"
    #: Names and security protocols of listeners over those that there always are; `ports` has theirs.
    more_listeners: dict[str, str] = {}

    @staticmethod
    def missing() -> str:
        if not os.environ.get("VOUCH_KAFKA_LIBS"):
            return "VOUCH_KAFKA_LIBS is not set; scripts/services up kafka gets Kafka and says how"
        for program in ("java", "kcat"):
            if not shutil.which(program):
                return f"{program} is not installed"
        return ""

    def _java(self, *arguments) -> list[str]:
        return ["java", "-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                f"-Dlog4j.configuration=file:{self.directory / 'log4j.properties'}", "-cp",
                os.environ["VOUCH_KAFKA_LIBS"] + "/*", *map(str, arguments)]

    def _initialise(self) -> None:
        controller, proxied = free_port(), free_port()
        self._proxy = Proxy(proxied)
        self.ports = {name: free_port() for name in self.more_listeners}
        (self.directory / "log4j.properties").write_text(
            "log4j.rootLogger=WARN, A\nlog4j.appender.A=org.apache.log4j.ConsoleAppender\n"
            "log4j.appender.A.layout=org.apache.log4j.SimpleLayout\n")
        bound = {"PLAINTEXT": self.port, "PROXIED": proxied, **self.ports}
        reached = {**bound, "PROXIED": self._proxy.port}
        protocols = {"CONTROLLER": "PLAINTEXT", "PLAINTEXT": "PLAINTEXT", "PROXIED": "PLAINTEXT",
                     **self.more_listeners}
        settings = {
            "process.roles": "broker,controller", "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": listeners({**bound, "CONTROLLER": controller}),
            "advertised.listeners": listeners(reached),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(map(":".join, protocols.items())),
            "log.dirs": str(self.directory / "data"), "num.partitions": "2",
            "offsets.topic.num.partitions": "1", "offsets.topic.replication.factor": "1",
            "default.replication.factor": "1", "auto.create.topics.enable": "true",
            **self.settings}
        (self.directory / "server.properties").write_text(
            "".join(f"{key}={value}\n" for key, value in settings.items()))
        self._run(*self._java("kafka.tools.StorageTool", "format", "-t", "vouchvouchvouchvouchvv",
                              "-c", self.directory / "server.properties"))
        self.start()

    def behind_proxy(self) -> "Kafka":
        self.proxy = self._proxy
        return self

    def close(self) -> None:
        self._proxy.close()
        super().close()

    def _command(self) -> list[str]:
        return self._java("kafka.Kafka", self.directory / "server.properties")

    def answers(self) -> bool:
        done = subprocess.run(["kcat", "-b", f"127.0.0.1:{self.port}", "-L", "-m", "2"],
                              capture_output=True, check=False, timeout=30)
        return done.returncode == 0

    def collector(self, topics: list[str]) -> "KafkaCollector":
        return KafkaCollector(self, topics)


def listeners(ports: dict[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def broker_settings(server: BrokerServer, **more) -> dict:
    """What the plugin must be told to reach it."""
    port = server.proxy.port if server.proxy else server.port
    if isinstance(server, Mosquitto):
        return {"uri": f"mqtt://{server.machine.address}:{port}", **more}
    return {"bootstrap_servers": [f"127.0.0.1:{port}"], **more}


class MqttCollector:
    """A mosquitto_sub that takes everything from now on."""

    def __init__(self, server: Mosquitto, topics: list[str]):
        self._server = server
        self._lines = pathlib.Path(server.directory / f"collected-{id(self)}")
        self._log = self._lines.open("wb")
        # %C and %P: content type and user properties of MQTT 5.
        self._command = [*server.client("mosquitto_sub"), "-q", "1", "-c", "-V", "5", "-x", "3600",
                         "-i", f"collector-{id(self)}", "-F", "%t\t%x\t%C\t%P", "-t",
                         "collector/ready"]
        for topic in topics:
            self._command += ["-t", topic]
        self.resume()

    def pause(self) -> None:
        """It goes away; the broker keeps what comes meanwhile, as long as it lives."""
        self._process.terminate()
        self._process.wait()

    def resume(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=subprocess.DEVNULL)
        size = self._lines.stat().st_size
        eventually("the collector hears", lambda: self._hears(size))

    def _hears(self, size: int) -> bool:
        subprocess.run([*self._server.client("mosquitto_pub"), "-t", "collector/ready", "-m", "x", "-q",
                        "1"], check=False, timeout=10)
        time.sleep(0.05)
        return self._lines.stat().st_size > size

    def messages(self) -> list[tuple[str, dict]]:
        return [(topic, json.loads(bytes.fromhex(payload)))
                for topic, payload, _, _ in self._received()]

    def raw(self, count: int) -> list[tuple[dict, str]]:
        """Headers and payloads of that many messages; nothing before there are so many."""
        found = []
        for _, payload, content_type, properties in self._received():
            headers = dict(pair.split(":", 1) for pair in properties.split(" ") if ":" in pair)
            found.append(({"content-type": content_type, **headers},
                          bytes.fromhex(payload).decode()))
        return found if len(found) >= count else []

    def _received(self) -> list[list[str]]:
        lines = self._lines.read_text().split("\n")[:-1]  # the last one is being written
        return [line.split("\t") for line in lines if not line.startswith("collector/ready")]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


class KafkaCollector:
    """Reads the topics from their beginnings, by kcat."""

    def __init__(self, server: Kafka, topics: list[str]):
        self._server = server
        self._topics = topics

    def raw(self, topic: str) -> list[tuple[str, dict, str]]:
        """Keys, headers and values as they are."""
        return [(key, headers, text) for key, headers, text in self._lines(topic)]

    def records(self, topic: str) -> list[tuple[str, dict, dict]]:
        """Keys, headers and CloudEvents."""
        return [(key, headers, json.loads(text)) for key, headers, text in self._lines(topic)]

    def _lines(self, topic: str) -> list[tuple[str, dict, str]]:
        done = subprocess.run(["kcat", "-b", f"127.0.0.1:{self._server.port}", "-C", "-t", topic, "-o",
                               "beginning", "-e", "-q", "-X", "allow.auto.create.topics=false",
                               "-f", "%k\t%h\t%s\n"],
                              capture_output=True, text=True, check=False, timeout=PATIENCE * 2)
        found = []
        for line in done.stdout.splitlines():
            key, headers, payload = line.split("\t", 2)
            pairs = dict(pair.split("=", 1) for pair in headers.split(",") if "=" in pair)
            found.append((key, pairs, payload))
        return found

    def messages(self) -> list[tuple[str, dict]]:
        return [(topic, event) for topic in self._topics
                for _, _, event in self.records(topic)]

    def close(self) -> None:
        pass
